#include "uploader/couchdb/documents/json_cursor.h"

#include <algorithm>
#include <cstdint>

#include "base/eight_bytes.h"
#include "base/text.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

/// Documents of ours have three levels in the reply around them; columns of JSON may have more.
constexpr int kDeepest = 32;
/// Longer numbers may be larger than any double, and then the parser refuses them.
constexpr std::ptrdiff_t kLongestNumber = 300;

/// Does a string go on behind this byte as it did before: ASCII that stands for itself?
bool is_plain_in_string(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

/// The first byte that is not plain, or `end`.
const char* skip_plain(const char* at, const char* end) {
  for (; end - at >= 8; at += 8) {
    const std::uint64_t bytes = load8(at);
    const std::uint64_t marks = mark_equal(bytes, '"') | mark_equal(bytes, '\\') |
                                mark_less(bytes, 0x20) | (bytes & in_every_byte(0x80));
    if (marks != 0) return at + lowest_mark(marks);
  }
  while (at < end && is_plain_in_string(*at)) ++at;
  return at;
}

}  // namespace

bool JsonCursor::take_plain_string(std::string_view& out) {
  if (!take_mark('"')) return false;
  const char* const close = skip_plain(at_, end_);
  if (close == end_ || *close != '"') return false;
  out = {at_, static_cast<std::size_t>(close - at_)};
  at_ = close + 1;
  return true;
}

bool JsonCursor::take_whole_number(std::uint64_t& out) {
  constexpr std::ptrdiff_t kMostDigits = 18;
  skip_blanks();
  const char* const from = at_;
  out = 0;
  for (; at_ < end_ && is_digit(*at_) && at_ - from < kMostDigits; ++at_) {
    out = out * 10 + static_cast<std::uint64_t>(*at_ - '0');
  }
  if (at_ == from || (*from == '0' && at_ - from > 1)) return false;
  // What follows must not go on with the number: more digits, a fraction, an exponent.
  return at_ < end_ && (*at_ == ',' || *at_ == '}');
}

bool JsonCursor::skip_value(int depth) {
  skip_blanks();
  if (at_ == end_) return false;
  switch (*at_) {
    case '"':
      return skip_string();
    case '{':
      return skip_members(depth + 1, '}', true);
    case '[':
      return skip_members(depth + 1, ']', false);
    case 't':
      return take("true");
    case 'f':
      return take("false");
    case 'n':
      return take("null");
    default:
      return skip_number();
  }
}

/// An object or an array, from its opening bracket on; `last` is the closing one.
bool JsonCursor::skip_members(int depth, char last, bool named) {
  if (depth > kDeepest) return false;
  ++at_;
  if (take_mark(last)) return true;
  do {
    std::string_view name;
    if (named && !take_name(name)) return false;
    if (!skip_value(depth)) return false;
  } while (take_mark(','));
  return take_mark(last);
}

bool JsonCursor::skip_string() {
  const char* const from = ++at_;
  bool ascii = true;
  for (;;) {
    at_ = skip_plain(at_, end_);
    if (at_ == end_) return false;
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte == '"') break;
    if (byte == '\\') {
      if (!skip_escape()) return false;
    } else if (byte >= 0x80) {
      ascii = false;
      ++at_;
    } else {
      return false;  // a control character
    }
  }
  const std::string_view text(from, static_cast<std::size_t>(at_ - from));
  ++at_;
  return ascii || is_utf8(text);
}

/// RFC 8259, section 7. Of surrogates (\uD800 to \uDFFF) a parser must look at two together: none
/// is followed here, and with them all of \uDxxx.
bool JsonCursor::skip_escape() {
  constexpr std::string_view kSimple = "\"\\/bfnrt";
  constexpr std::ptrdiff_t kUnicode = 6;  // \u0041
  if (end_ - at_ < kUnicode) return false;
  if (kSimple.find(at_[1]) != std::string_view::npos) {
    at_ += 2;
    return true;
  }
  const auto is_hex_digit = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  if (at_[1] != 'u' || at_[2] == 'd' || at_[2] == 'D' ||
      !std::all_of(at_ + 2, at_ + kUnicode, is_hex_digit)) {
    return false;
  }
  at_ += kUnicode;
  return true;
}

bool JsonCursor::skip_digits() {
  const char* const from = at_;
  while (at_ < end_ && is_digit(*at_)) ++at_;
  return at_ != from;
}

/// RFC 8259, section 6, without exponents.
bool JsonCursor::skip_number() {
  const char* const from = at_;
  if (*at_ == '-') ++at_;
  const char* const whole = at_;
  if (!skip_digits() || (*whole == '0' && at_ - whole > 1)) return false;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) return false;
  return at_ - from <= kLongestNumber;
}

}  // namespace caravel::uploader
