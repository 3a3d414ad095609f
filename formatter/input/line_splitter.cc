#include "formatter/input/line_splitter.h"

#include <algorithm>
#include <cstring>

#include "base/bytes/sixteen_bytes.h"

namespace caravel::formatter {
namespace {

/// Large enough that the calls of read(2) do not count beside the work on what they bring.
constexpr std::size_t kReadChunk = 256 * 1024;

/// 128 bytes a step: this looks at every byte of every extract, and nearly all extracts are ASCII.
bool all_ascii(const char* p, std::size_t size) {
  constexpr std::size_t kStep = 128;
  constexpr char kZeros[16] = {};
  SixteenBytes bits(kZeros);
  for (; size >= kStep; p += kStep, size -= kStep) {
    for (std::size_t at = 0; at < kStep; at += 16) bits |= SixteenBytes(p + at);
  }
  unsigned char rest = 0;
  for (; size > 0; ++p, --size) rest |= static_cast<unsigned char>(*p);
  return bits.not_ascii() == 0 && rest < 0x80;
}

bool holds_nul(const char* p, std::size_t size) { return std::memchr(p, '\0', size) != nullptr; }

/// For the longest line that is given out whole, and one read behind it: with at most `max_line`
/// bytes left over, refill() always finds room. extend() makes it as large for records. A small
/// extract that is not packed takes less: twice its bytes hold it as UTF-8 as well.
std::size_t buffer_size(const Input& input, std::size_t max_line) {
  constexpr std::size_t kSlack = 4096;
  const std::size_t most = max_line + kReadChunk;
  const bool is_known = input.packing() == Input::Packing::none && input.known_size() > 0;
  return (is_known ? std::min<std::size_t>(most, 2 * input.known_size() + kSlack) : most) +
         kBehindLine;
}

}  // namespace

LineSplitter::LineSplitter(Input& input, std::size_t max_line)
    : input_(input), max_line_(max_line), buffer_(buffer_size(input, max_line), '\0') {}

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
    nul_ = holds_nul(buffer_.data(), until_);
  }
  const std::size_t room = std::min(kReadChunk, buffer_.size() - kBehindLine - until_);
  CARAVEL_ASSIGN_OR_RETURN(auto got, read(buffer_.data() + until_, room));
  ascii_ = ascii_ && all_ascii(buffer_.data() + until_, got);
  nul_ = nul_ || holds_nul(buffer_.data() + until_, got);
  until_ += got;
  ended_ = got == 0;
  if (!started_) return take_mark();
  return {};
}

Result<std::size_t> LineSplitter::read(char* to, std::size_t size) {
  if (utf16_ == nullptr) return input_.read(to, size);
  // A third at once: two bytes of UTF-16 are three of UTF-8 at most. None at all may come of the
  // first half of a character; what has ended gives nothing from then on.
  for (bool last = false; !last;) {
    std::string raw(size / 3 - 2, '\0');
    CARAVEL_ASSIGN_OR_RETURN(const auto got, input_.read(raw.data(), raw.size()));
    last = got == 0;
    const std::string text = utf16_->take(std::string_view(raw).substr(0, got), last);
    text.copy(to, text.size());
    if (!text.empty()) return text.size();
  }
  return std::size_t{0};
}

Result<> LineSplitter::take_mark() {
  const std::string_view begin(buffer_.data(), until_);
  if (is_utf16_mark(begin)) {
    CARAVEL_ASSIGN_OR_RETURN(auto utf16, Utf16Stream::open(begin));
    utf16_ = std::make_unique<Utf16Stream>(std::move(utf16));
    const std::string text = utf16_->take(begin.substr(2), ended_);
    text.copy(buffer_.data(), text.size());
    until_ = text.size();
    ascii_ = all_ascii(buffer_.data(), until_);
    nul_ = holds_nul(buffer_.data(), until_);
    started_ = true;
    return {};
  }
  // A pipe may give a single byte at first, but the byte order mark is known by its three bytes.
  if (until_ < 3 && !ended_) return {};
  started_ = true;
  if (begin.substr(0, 3) == "\xef\xbb\xbf") from_ = searched_ = 3;
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
    line = {begin,  end,  number_, base_offset_ + from_, terminated, oversized, complete,
            ascii_, nul_, 1};
    in_oversized_ = oversized && !complete;
    // The next line begins behind the LF, or where the piece ended.
    from_ = static_cast<std::size_t>(end - buffer_.data()) + (terminated ? 1 : 0);
    searched_ = from_;
    return true;
  }
}

LineSplitter::Ahead LineSplitter::ahead() const {
  // What is left of a line that is given out in pieces is no line.
  if (!started_ || in_oversized_ || searched_ == until_) return {};
  const void* const last = ::memrchr(buffer_.data() + searched_, '\n', until_ - searched_);
  if (last == nullptr) return {};
  return {buffer_.data() + from_, static_cast<const char*>(last) + 1, number_ + 1,
          base_offset_ + from_, ascii_ && !nul_};
}

void LineSplitter::skip(const char* to, std::uint64_t lines) {
  from_ = searched_ = static_cast<std::size_t>(to - buffer_.data());
  number_ += lines;
}

Result<bool> LineSplitter::extend(Line& line, const RecordLimits& limits) {
  if (!line.terminated || line.lines >= limits.lines) return false;
  // Between its begin and from_ stands the line with its LF: what refill() must keep as well.
  const auto taken = from_ - static_cast<std::size_t>(line.begin - buffer_.data());
  for (;;) {
    void* const found = std::memchr(buffer_.data() + searched_, '\n', until_ - searched_);
    const std::size_t end =
        found != nullptr ? static_cast<std::size_t>(static_cast<char*>(found) - buffer_.data())
                         : until_;
    const std::size_t begin = from_ - taken;
    searched_ = end;
    // In each turn: the buffer may have moved, and what it holds.
    line.begin = buffer_.data() + begin;
    line.end = line.begin + taken - 1;
    // A line that is itself too long is given out in pieces later.
    if (end - begin > limits.bytes || end - from_ > max_line_) return false;
    if (found == nullptr && !ended_) {
      // A record may be longer than any line: grown only, and no further than the limits.
      const std::size_t kept = until_ - begin;
      if (buffer_.size() < kept + kReadChunk + kBehindLine) {
        buffer_.resize(2 * kept + kReadChunk + kBehindLine);
      }
      from_ = begin;
      const auto refilled = refill();
      from_ += taken;
      CARAVEL_TRY(refilled);
      continue;
    }
    if (found == nullptr && end == from_) return false;
    line.end = buffer_.data() + end;
    line.terminated = found != nullptr;
    line.ascii = ascii_;
    line.nul = nul_;
    ++line.lines;
    ++number_;
    from_ = searched_ = end + (found != nullptr ? 1 : 0);
    return true;
  }
}

void LineSplitter::shrink(Line& line, std::size_t bytes, std::uint64_t lines) {
  number_ -= line.lines - lines;
  line.end = line.begin + bytes;
  line.terminated = true;
  line.lines = lines;
  from_ = searched_ = static_cast<std::size_t>(line.end - buffer_.data()) + 1;
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
    if (ended_ || lines.size() == most || until_ + kBehindLine >= buffer_.size() ||
        until_ - from_ > max_line_) {
      return lines;
    }
    CARAVEL_TRY(refill());
  }
}

}  // namespace caravel::formatter
