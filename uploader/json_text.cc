#include "uploader/json_text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace caravel::uploader {
namespace {

/// A decimal number without what does not count: value = 0.d1 d2 d3… * 10^exponent. Two texts stand
/// for the same number if their Decimals are equal.
struct Decimal {
  // The shortest text that reads back as the same double never has more than 17 digits.
  static constexpr int kMostDigits = 17;
  bool negative = false;
  bool too_long = false;
  int count = 0;  // of significant digits: no zeros in front, none behind
  long exponent = 0;
  char digits[kMostDigits] = {};

  bool operator==(const Decimal& other) const {
    return negative == other.negative && count == other.count && exponent == other.exponent &&
           std::memcmp(digits, other.digits, static_cast<std::size_t>(count)) == 0;
  }
};

/// Reads a number digit by digit. std::from_chars() alone would take texts that JSON does not have
/// ("007", "1."), and would not say which digits the source wrote.
class DecimalReader {
 public:
  explicit DecimalReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  /// False if the text is not a number as RFC 8259, section 6, writes them.
  bool read(Decimal& out) {
    if (take('-')) out.negative = true;
    if (at_ == end_ || !is_digit(*at_)) return false;
    const bool zero_first = *at_ == '0';
    const char* integer = at_;
    for (; at_ < end_ && is_digit(*at_); ++at_) digit(*at_, false, out);
    // RFC 8259, section 6: no zero stands in front of other digits.
    if (zero_first && at_ - integer > 1) return false;
    if (take('.')) {
      if (at_ == end_ || !is_digit(*at_)) return false;
      for (; at_ < end_ && is_digit(*at_); ++at_) digit(*at_, true, out);
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ < end_ && *at_ == '+' && at_ + 1 < end_ && is_digit(at_[1])) ++at_;
      int power = 0;
      const auto [stop, status] = std::from_chars(at_, end_, power);
      if (stop == at_ || (status != std::errc{} && status != std::errc::result_out_of_range)) {
        return false;
      }
      // Far beyond the range of a double (about 1e-324 to 1e308): such a text stays a text.
      if (status != std::errc{} || power > 9999 || power < -9999) out.too_long = true;
      out.exponent += power;
      at_ = stop;
    }
    // Zero is one number, however it is written: 0, 0.00, 0e5.
    if (out.count == 0) out.exponent = 0;
    return at_ == end_;
  }

 private:
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// Keeps no zeros that do not count. Zeros in front only move the exponent; zeros behind a digit
  /// wait in zeros_ until another digit follows, and are forgotten if none does.
  void digit(char c, bool fraction, Decimal& out) {
    if (c == '0') {
      if (out.count == 0) {
        if (fraction) --out.exponent;
        return;
      }
      ++zeros_;
    } else {
      for (; zeros_ > 0; --zeros_) push('0', out);
      push(c, out);
    }
    if (!fraction) ++out.exponent;
  }

  static void push(char c, Decimal& out) {
    if (out.count < Decimal::kMostDigits) {
      out.digits[out.count++] = c;
    } else {
      out.too_long = true;
    }
  }

  const char* at_;
  const char* end_;
  int zeros_ = 0;  // seen, and significant only if another digit follows
};

/// How deep arrays and objects lie within each other in `text`, which must be valid JSON. Brackets
/// inside of strings do not count.
int nesting(std::string_view text) {
  int deepest = 0;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

/// RFC 8259, section 7: quotes, backslashes and control characters; DEL too, for the terminals of
/// people who look at documents.
constexpr std::array<bool, 256> escaped_bytes() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = true;
  table['\\'] = true;
  table[0x7f] = true;
  return table;
}
constexpr std::array<bool, 256> kEscaped = escaped_bytes();

}  // namespace

bool is_utf8(std::string_view text) {
  // Eight bytes at a time: rows are ASCII nearly always, and every row is looked at.
  while (!text.empty()) {
    if (std::uint64_t eight = 0; text.size() >= sizeof eight) {
      std::memcpy(&eight, text.data(), sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        text.remove_prefix(sizeof eight);
        continue;
      }
    }
    const bool ascii = static_cast<unsigned char>(text.front()) < 0x80;
    const std::size_t length = ascii ? 1 : utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  // Bytes that need no escape are copied in runs: most values have none that does.
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!kEscaped[byte]) continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (text[i]) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default: {
        constexpr char kHex[] = "0123456789abcdef";
        out.append("\\u00");
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
      }
    }
  }
  out.append(text, from);
  out.push_back('"');
}

bool number_survives(std::string_view text) {
  Decimal source;
  if (!DecimalReader(text).read(source) || source.too_long) return false;
  // -0 would come back as 0.
  if (source.count == 0) return !source.negative;
  // Up to 15 digits every decimal has a double of its own (DBL_DIG), away from the ends of the
  // exponent's range: no need to try.
  if (source.count <= 15 && source.exponent > -290 && source.exponent < 290) return true;
  double value = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || stop != text.data() + text.size()) return false;
  // The shortest text that reads back as the same double is what a JavaScript program would show.
  char shortest[64];
  const auto printed = std::to_chars(shortest, shortest + sizeof shortest, value);
  Decimal back;
  return DecimalReader({shortest, static_cast<std::size_t>(printed.ptr - shortest)}).read(back) &&
         back == source;
}

bool is_json(std::string_view text) {
  // Deeper values are refused by some readers, and nothing that logs writes them.
  constexpr int kDeepest = 64;
  return nlohmann::json::accept(text) && nesting(text) <= kDeepest;
}

void append_json_value(std::string_view text, bool as_number, std::string& out) {
  // The source's own digits are written, never those of a double that was read from them.
  if (as_number && number_survives(text)) {
    out.append(text);
  } else {
    append_json_string(text, out);
  }
}

void append_verbatim_json(std::string_view text, std::string& out) {
  const bool like_number = !text.empty() && (text[0] == '-' || is_digit(text[0]));
  // A number in a json column is JSON already, and may still lose digits in its readers.
  if (like_number ? number_survives(text) : is_json(text)) {
    out.append(text);
  } else {
    append_json_string(text, out);
  }
}

}  // namespace caravel::uploader
