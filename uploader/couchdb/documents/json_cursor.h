// JSON read from its beginning to its end without a tree of it: a cursor that takes what it expects
// to find and skips, checked, what does not matter. Pure. Of this room only.
//
// Every function returns false where the text is no JSON, and also where it is JSON that is written
// in a way that this cursor does not follow: escapes in names, numbers with an exponent,
// surrogates, arrays in arrays without end. Whoever meets false asks a real parser (parse_reply)
// from the start. What a cursor takes or skips, that parser takes as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace caravel::uploader {

class JsonCursor {
 public:
  /// `text` outlives it, and all that it hands out.
  explicit JsonCursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  /// Exactly these bytes, here.
  [[nodiscard]] bool take(std::string_view bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes.size() ||
        std::string_view(at_, bytes.size()) != bytes) {
      return false;
    }
    at_ += bytes.size();
    return true;
  }
  /// Blanks, then one of `{}[],:`.
  [[nodiscard]] bool take_mark(char mark) {
    skip_blanks();
    if (at_ == end_ || *at_ != mark) return false;
    ++at_;
    return true;
  }
  /// Blanks, then a string of ASCII without escapes: what stands between its quotes.
  [[nodiscard]] bool take_plain_string(std::string_view& out);
  /// Blanks, then the name of a member, without escapes, and the colon behind it.
  [[nodiscard]] bool take_name(std::string_view& out) {
    return take_plain_string(out) && take_mark(':');
  }
  /// The same; false if it is another name.
  [[nodiscard]] bool take_this_name(std::string_view name) {
    std::string_view found;
    return take_name(found) && found == name;
  }
  /// Blanks, then a whole number from 0 to 10^18 - 1.
  [[nodiscard]] bool take_whole_number(std::uint64_t& out);
  /// Blanks, then any value.
  [[nodiscard]] bool skip_value() { return skip_value(0); }
  /// Nothing but blanks is left.
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ == end_;
  }

 private:
  /// RFC 8259, section 2.
  void skip_blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  [[nodiscard]] bool skip_value(int depth);
  [[nodiscard]] bool skip_members(int depth, char last, bool named);
  [[nodiscard]] bool skip_string();
  [[nodiscard]] bool skip_escape();
  [[nodiscard]] bool skip_number();
  [[nodiscard]] bool skip_digits();

  const char* at_;
  const char* end_;
};

}  // namespace caravel::uploader
