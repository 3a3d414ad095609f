#include "formatter/suggest/shapes/stamps.h"

#include <algorithm>

#include "base/text.h"
#include "formatter/patterns/parsers.h"

namespace caravel::formatter {
namespace {

/// Longer than any stamp.
constexpr std::size_t kMostStampBytes = 64;
/// A stamp stands near the beginning of its line, behind an address or a word or two.
constexpr std::size_t kSearchedForFirst = 200;
/// So many lines tell which shapes a log has.
constexpr std::size_t kCountedLines = 2000;

bool is_word_byte(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// Any number can be seconds since 1970. Ten digits that begin with 1 are the years 2001 to 2033;
/// thirteen, sixteen and nineteen are the same in smaller units.
bool may_be_epoch(std::string_view text) {
  const std::size_t digits = std::min(text.size(), text.find_first_not_of("0123456789"));
  return text.starts_with('1') && (digits == 10 || (digits == text.size() && digits % 3 == 1 &&
                                                    digits >= 13 && digits <= 19));
}

}  // namespace

StampFinder::StampFinder(const std::vector<std::string_view>& lines)
    : seen_(kStampShapes.size()), years_(YearTable::fixed(std::chrono::year(2000))) {
  for (const StampShape& shape : kStampShapes) {
    // Runs of blanks are allowed: whether the format needs `blanks: any` is seen later.
    auto pattern = Pattern::compile(shape.pattern, true);
    patterns_.emplace_back();
    if (pattern) patterns_.back() = std::move(*pattern);
  }
  const std::size_t step = std::max<std::size_t>(1, lines.size() / kCountedLines);
  for (std::size_t i = 0; i < lines.size(); i += step) {
    const std::string_view line = lines[i].substr(0, kSearchedForFirst);
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (at > 0 && is_word_byte(line[at - 1])) continue;
      const auto stamp = find(line, at);
      if (!stamp) continue;
      for (std::size_t shape = 0; shape < kStampShapes.size(); ++shape) {
        if (length_at(shape, line, at) == stamp->text.size()) ++seen_[shape];
      }
      break;
    }
  }
}

std::size_t StampFinder::length_at(std::size_t shape, std::string_view line, std::size_t at) {
  if (!patterns_[shape]) return 0;
  // Most of what is asked for is no stamp, and this costs less than a look at the whole of it.
  const bool digit = is_digit(line[at]);
  if (digit != is_digit(kStampShapes[shape].example.front())) return 0;
  const std::string_view text = line.substr(at, kMostStampBytes);
  copy_.assign(text);
  copy_.append(kReadableBehind + 1, '\n');
  state_.at[0] = copy_.data();
  const char* const end = copy_.data() + text.size();
  const std::size_t op = patterns_[shape]->match(0, end, years_, state_);
  if (op == Pattern::kMatched) return text.size();
  // What is left over is the rest of the line.
  if (op != patterns_[shape]->ops().size()) return 0;
  return static_cast<std::size_t>(state_.failed_at - copy_.data());
}

std::optional<Stamp> StampFinder::find(std::string_view line, std::size_t at) {
  if (at >= line.size() || !is_word_byte(line[at])) return std::nullopt;
  std::optional<Stamp> best;
  for (std::size_t shape = 0; shape < kStampShapes.size(); ++shape) {
    const std::size_t length = length_at(shape, line, at);
    if (length == 0) continue;
    const std::string_view text = line.substr(at, length);
    if (kStampShapes[shape].pattern.find("epoch") != std::string_view::npos &&
        !may_be_epoch(text)) {
      continue;
    }
    const std::size_t end = at + length;
    // "2012-03-09.log" is a name, and "1331286480ab" a word. A point may end a sentence.
    if (end < line.size() && (is_word_byte(line[end]) || line[end] == '-' || line[end] == '/')) {
      continue;
    }
    if (end + 1 < line.size() && line[end] == '.' && is_word_byte(line[end + 1])) continue;
    const bool longer = !best || length > best->text.size();
    const bool likelier = best && length == best->text.size() && seen_[shape] > seen_[best->shape];
    if (longer || likelier) best = Stamp{shape, text};
  }
  return best;
}

bool StampFinder::is(std::size_t shape, std::string_view text) {
  return !text.empty() && length_at(shape, text, 0) == text.size();
}

bool has_fraction(std::string_view stamp) {
  const std::size_t clock = stamp.rfind(':');
  if (clock == std::string_view::npos) {
    return stamp.size() > 11;  // an epoch with a fraction, or in milliseconds
  }
  // A zone may have a colon too: the fraction stands behind any "dd" that follows a colon.
  for (std::size_t i = 3; i + 1 < stamp.size(); ++i) {
    const bool point = stamp[i] == '.' || stamp[i] == ',';
    if (point && stamp[i - 3] == ':' && is_digit(stamp[i - 1]) && is_digit(stamp[i + 1])) {
      return true;
    }
  }
  return false;
}

}  // namespace caravel::formatter
