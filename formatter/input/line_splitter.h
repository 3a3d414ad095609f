// Bytes -> lines, in constant memory, whatever the length of a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/input/input.h"

namespace caravel::formatter {

/// One line, or a piece of one that is longer than the limit.
struct Line {
  char* begin = nullptr;     // writable, and 64 bytes beyond `end` are readable
  char* end = nullptr;       // behind the last byte; a CR before the LF is still in
  std::uint64_t number = 0;  // from 1
  std::uint64_t offset = 0;  // of its first byte, in the unpacked bytes
  bool terminated = false;   // a LF follows `end`
  bool oversized = false;    // a piece: more of the line follows unless `last_piece`
  bool last_piece = false;
  bool ascii = false;  // no byte over 127 anywhere near

  [[nodiscard]] std::string_view text() const {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
};

/// Splits what an Input gives. A UTF-8 BOM at the very start is skipped.
class LineSplitter {
 public:
  /// Lines longer than `max_line` bytes come in pieces, marked oversized.
  LineSplitter(Input& input, std::size_t max_line);

  /// The next line or piece; false at the end. It is valid until the next call.
  [[nodiscard]] Result<bool> next(Line& line);

  /// Up to `most` complete lines from the start, without their ends, without taking them: for
  /// detection. With `unterminated` a last line without an end counts too, unless it is longer than
  /// the limit. Call before next().
  [[nodiscard]] Result<std::vector<std::string>> peek(std::size_t most, bool unterminated = false);

  /// Whether the input has nothing more to give.
  [[nodiscard]] bool ended() const { return ended_; }

  /// Unpacked bytes taken from the input so far.
  [[nodiscard]] std::uint64_t bytes() const { return base_offset_ + until_; }

 private:
  /// Moves what is left to the front of the buffer and reads more behind it.
  Result<> refill();

  Input& input_;
  std::size_t max_line_;
  std::string buffer_;
  std::size_t from_ = 0;           // first byte not given out
  std::size_t searched_ = 0;       // no LF between from_ and here
  std::size_t until_ = 0;          // end of what was read
  std::uint64_t base_offset_ = 0;  // of buffer_[0]
  std::uint64_t number_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool in_oversized_ = false;
  bool ascii_ = true;
};

}  // namespace caravel::formatter
