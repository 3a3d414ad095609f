// Bytes -> lines, in constant memory, whatever the length of a line.
//
// A record that spans lines grows line by line in the same buffer, and can shrink again:
//
//     1,"a⏎b⏎",2⏎3,c,4⏎        next()     1,"a
//     ^begin  ^end              extend()   1,"a⏎b
//                               extend()   1,"a⏎b⏎",2
//                               shrink()   1,"a             and next() gives b again
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/input/encoding.h"
#include "formatter/input/input.h"

namespace caravel::formatter {

/// So many bytes behind a line's end are readable: code that loads several bytes at a time may look
/// at them.
inline constexpr std::size_t kBehindLine = 64;

/// One line, a record of several, or a piece of a line that is longer than the limit.
struct Line {
  char* begin = nullptr;     // writable, and kBehindLine beyond `end` are readable
  char* end = nullptr;       // behind the last byte; a CR before the LF is still in
  std::uint64_t number = 0;  // from 1
  std::uint64_t offset = 0;  // of its first byte, in the unpacked bytes
  bool terminated = false;   // a LF follows `end`
  bool oversized = false;    // a piece: more of the line follows unless `last_piece`
  bool last_piece = false;
  bool ascii = false;       // no byte over 127 anywhere near
  bool nul = false;         // a NUL somewhere near
  std::uint64_t lines = 1;  // more than one: extend() has grown it

  [[nodiscard]] std::string_view text() const {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
};

/// What a record that spans lines may take; past it, it is none.
struct RecordLimits {
  std::size_t bytes = std::size_t{1} << 20;
  std::uint64_t lines = 1000;
};

/// Splits what an Input gives. A UTF-8 BOM at the very start is skipped. Input that begins with a
/// UTF-16 mark is decoded: lines, offsets and bytes() are then those of the UTF-8 text.
class LineSplitter {
 public:
  /// Lines longer than `max_line` bytes come in pieces, marked oversized.
  LineSplitter(Input& input, std::size_t max_line);

  /// The next line or piece; false at the end. It is valid until the next call.
  [[nodiscard]] Result<bool> next(Line& line);

  /// Grows `line`, which next() gave last, by the whole line behind it; the LF between the two is
  /// part of its text. False, and nothing changes, if there is none, or if it would be more than
  /// `limits` allow. May move the text.
  [[nodiscard]] Result<bool> extend(Line& line, const RecordLimits& limits);
  /// Gives lines of a record back, which next() then gives again: `line` keeps its first `bytes`,
  /// which are `lines` whole lines.
  void shrink(Line& line, std::size_t bytes, std::uint64_t lines);

  /// The whole lines that were read and not given out yet. The last of these ends at `end`, and
  /// kBehindLine bytes behind that are readable. Valid until another function is called.
  struct Ahead {
    const char* begin = nullptr;
    const char* end = nullptr;
    std::uint64_t number = 0;  // of the first of them
    std::uint64_t offset = 0;
    bool plain = false;  // all of it is ASCII without NUL; if not, most of it may be all the same
  };
  [[nodiscard]] Ahead ahead() const;
  /// Takes the first `lines` of them, which end at `to`: next() goes on from there.
  void skip(const char* to, std::uint64_t lines);

  /// Up to `most` complete lines from the start, without their ends, without taking them: for
  /// detection. With `unterminated` a last line without an end counts too, unless it is longer than
  /// the limit. Call before next().
  [[nodiscard]] Result<std::vector<std::string>> peek(std::size_t most, bool unterminated = false);

  /// Whether the input begins with a UTF-16 mark. Known once a line was given, or peek() was
  /// called.
  [[nodiscard]] bool is_utf16() const { return utf16_ != nullptr; }

  /// Whether the input has nothing more to give.
  [[nodiscard]] bool ended() const { return ended_; }

  /// Unpacked bytes taken from the input so far.
  [[nodiscard]] std::uint64_t bytes() const { return base_offset_ + until_; }

 private:
  /// Moves what is left to the front of the buffer and reads more behind it.
  Result<> refill();
  /// Looks at the first bytes for a mark: of UTF-8 it is skipped, of UTF-16 it says how to read on.
  Result<> take_mark();
  /// The next bytes of the input, as UTF-8.
  Result<std::size_t> read(char* to, std::size_t size);

  Input& input_;
  std::size_t max_line_;
  std::string buffer_;
  std::unique_ptr<Utf16Stream> utf16_;
  std::size_t from_ = 0;           // first byte not given out
  std::size_t searched_ = 0;       // no LF between from_ and here
  std::size_t until_ = 0;          // end of what was read
  std::uint64_t base_offset_ = 0;  // of buffer_[0]
  std::uint64_t number_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool in_oversized_ = false;
  bool ascii_ = true;
  bool nul_ = false;
};

}  // namespace caravel::formatter
