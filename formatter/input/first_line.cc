#include "formatter/input/first_line.h"

namespace caravel::formatter {
namespace {

/// The hash of a log's first line is over at most so many of its bytes: whoever computes it needs
/// no more memory for a line without end.
constexpr std::size_t kFirstLineBytes = 64 * 1024;

}  // namespace

bool FirstLine::take(const Line& line) {
  const std::string_view text = line.text().substr(0, kFirstLineBytes - text_.size());
  text_.append(text);
  const bool all = text.size() == line.text().size();
  if (all && line.oversized && !line.last_piece) return false;  // more of it will come
  // The CR of a CR LF is no part of the line: the log keeps its ids if its line ends change.
  if (all && line.terminated && text_.ends_with('\r')) text_.pop_back();
  return true;
}

}  // namespace caravel::formatter
