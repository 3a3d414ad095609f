#include "formatter/input/line_splitter.h"

#include <algorithm>
#include <cstring>

#include "base/eight_bytes.h"

namespace caravel::formatter {
namespace {

/// Large enough that the calls of read(2) do not count beside the work on what they bring.
constexpr std::size_t kReadChunk = 256 * 1024;
/// Bytes behind the last one that was read: code that loads several bytes at a time may look at
/// them.
constexpr std::size_t kPadding = 64;

/// 32 bytes a step: this looks at every byte of every extract, and nearly all extracts are ASCII.
bool all_ascii(const char* p, std::size_t size) {
  std::uint64_t bits = 0;
  for (; size >= 32; p += 32, size -= 32) {
    bits |= load8(p) | load8(p + 8) | load8(p + 16) | load8(p + 24);
  }
  for (; size > 0; ++p, --size) bits |= static_cast<unsigned char>(*p);
  return (bits & in_every_byte(0x80)) == 0;
}

}  // namespace

// The buffer holds the longest line that is given out whole, and one read behind it: with at most
// `max_line` bytes left over, refill() always finds room.
LineSplitter::LineSplitter(Input& input, std::size_t max_line)
    : input_(input), max_line_(max_line), buffer_(max_line + kReadChunk + kPadding, '\0') {}

Result<> LineSplitter::refill() {
  // At most the beginning of one line is left over, so moving it costs little.
  if (from_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + from_, until_ - from_);
    base_offset_ += from_;
    until_ -= from_;
    searched_ -= from_;
    from_ = 0;
    // From here on only the bytes that are left count: one character in an early line that is not
    // ASCII must not make all later lines be validated.
    ascii_ = all_ascii(buffer_.data(), until_);
  }
  const std::size_t room = std::min(kReadChunk, buffer_.size() - kPadding - until_);
  CARAVEL_ASSIGN_OR_RETURN(auto got, input_.read(buffer_.data() + until_, room));
  ascii_ = ascii_ && all_ascii(buffer_.data() + until_, got);
  until_ += got;
  ended_ = got == 0;
  // A pipe may give a single byte at first, but the byte order mark is known by its three bytes.
  if (!started_ && (until_ >= 3 || ended_)) {
    started_ = true;
    if (std::string_view(buffer_.data(), until_).substr(0, 3) == "\xef\xbb\xbf") {
      from_ = searched_ = 3;
    }
  }
  return {};
}

Result<bool> LineSplitter::next(Line& line) {
  for (;;) {
    // Taken anew in each turn: refill() moves what the buffer holds. Bytes before `searched_` are
    // not searched again, so a line that comes in many reads costs one search.
    char* const begin = buffer_.data() + from_;
    void* const found = !started_ || searched_ == until_
                            ? nullptr
                            : std::memchr(buffer_.data() + searched_, '\n', until_ - searched_);
    const bool terminated = found != nullptr;
    char* end = terminated ? static_cast<char*>(found) : buffer_.data() + until_;
    const auto size = static_cast<std::size_t>(end - begin);
    if (!terminated && started_) searched_ = until_;
    // Nothing is given out before it is known whether the input begins with a byte order mark.
    const bool complete = terminated || (ended_ && started_);
    if (!complete && size <= max_line_) {
      CARAVEL_TRY(refill());
      continue;
    }
    if (!terminated && size == 0) {
      // The input has ended. An oversized line whose bytes were all given out is closed by an empty
      // piece.
      if (!in_oversized_) return false;
    }
    const bool oversized = in_oversized_ || size > max_line_;
    // All pieces of a line have the number of the line.
    if (!in_oversized_) ++number_;
    line = {begin, end, number_, base_offset_ + from_, terminated, oversized, complete, ascii_};
    in_oversized_ = oversized && !complete;
    // The next line begins behind the LF, or where the piece ended.
    from_ = static_cast<std::size_t>(end - buffer_.data()) + (terminated ? 1 : 0);
    searched_ = from_;
    return true;
  }
}

Result<std::vector<std::string>> LineSplitter::peek(std::size_t most, bool unterminated) {
  std::vector<std::string> lines;
  for (;;) {
    // Only what the buffer holds at once is looked at: if its lines do not tell the format, a
    // person has to.
    lines.clear();
    std::string_view rest(buffer_.data() + from_, until_ - from_);
    while (started_ && lines.size() < most) {
      const std::size_t end = rest.find('\n');
      if (end == std::string_view::npos) break;
      lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    // Before the end of the input a line without an end may still be growing in the buffer.
    if (unterminated && ended_ && lines.size() < most && !rest.empty() &&
        rest.size() <= max_line_) {
      lines.emplace_back(rest);
    }
    // With more than `max_line` bytes in the buffer reading stops: next() holds no longer line
    // either.
    if (ended_ || lines.size() == most || until_ + kPadding >= buffer_.size() ||
        until_ - from_ > max_line_) {
      return lines;
    }
    CARAVEL_TRY(refill());
  }
}

}  // namespace caravel::formatter
