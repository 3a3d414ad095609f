#include "formatter/spans/json_spans.h"

#include <bit>
#include <cstring>

#include "base/bytes/sixteen_bytes.h"
#include "base/eight_bytes.h"
#include "base/text.h"
#include "formatter/spans/csv_spans.h"

namespace caravel::formatter {
namespace {

/// Deeper objects are left to others: nobody must be able to fill the stack.
constexpr unsigned kDeepest = 32;
/// What may be read at once behind a text.
constexpr std::size_t kReadAtOnce = 16;

/// What was found on the way through a value.
struct Found {
  bool comma = false;
  bool quote = false;
  bool escape = false;
};

/// Of the white space of JSON, what stands inside of lines.
const char* skip_blanks(const char* at) {
  while (*at == ' ' || *at == '\t') ++at;
  return at;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The character that four hex digits make; -1 if they are none, or make NUL or half of a
/// character.
int character_of(const char* digits) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(digits[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  const bool half = value >= 0xd800 && value < 0xe000;
  return value == 0 || half ? -1 : value;
}

/// The byte that a backslash and `c` stand for; 0 if it is not one byte.
char escaped_byte(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/// The quote that ends the string whose text begins at `at`; nullptr if it holds what is not sure.
const char* string_end(const char* at, Found& found) {
  for (;;) {
    const SixteenBytes bytes(at);
    const std::uint32_t stops = bytes.equal('"') | bytes.equal('\\') | bytes.control();
    const std::uint32_t commas = bytes.equal(',');
    if (stops == 0) {
      found.comma = found.comma || commas != 0;
      at += 16;
      continue;
    }
    // The commas ahead of the first stop.
    found.comma = found.comma || (commas & (stops - 1) & ~stops) != 0;
    at += std::countr_zero(stops);
    if (*at == '"') return at;
    if (*at != '\\') return nullptr;
    found.escape = true;
    if (escaped_byte(at[1]) != 0) {
      at += 2;
    } else if (at[1] == 'u' && character_of(at + 2) >= 0) {
      at += 6;
    } else {
      return nullptr;
    }
  }
}

const char* skip_literal(const char* at, std::string_view literal) {
  return std::memcmp(at, literal.data(), literal.size()) == 0 ? at + literal.size() : nullptr;
}

const char* skip_nested(const char* at, unsigned depth, Found& found);

/// The place behind any value; nullptr if it is not sure to be one.
const char* skip_value(const char* at, unsigned depth, Found& found) {
  switch (*at) {
    case '"': {
      found.quote = true;
      const char* const end = string_end(at + 1, found);
      return end == nullptr ? nullptr : end + 1;
    }
    case '{':
    case '[':
      return skip_nested(at, depth, found);
    case 't':
      return skip_literal(at, "true");
    case 'f':
      return skip_literal(at, "false");
    case 'n':
      return skip_literal(at, "null");
    default:
      return skip_json_number(at);
  }
}

/// The place behind the name at `at`, its colon and blanks, where the value begins; or nullptr.
const char* skip_name(const char* at, Found& found) {
  if (*at != '"') return nullptr;
  found.quote = true;
  const char* const end = string_end(at + 1, found);
  if (end == nullptr) return nullptr;
  at = skip_blanks(end + 1);
  return *at == ':' ? skip_blanks(at + 1) : nullptr;
}

/// The place behind the object or array at `at`.
const char* skip_nested(const char* at, unsigned depth, Found& found) {
  if (depth == kDeepest) return nullptr;
  const bool is_object = *at == '{';
  const char close = is_object ? '}' : ']';
  at = skip_blanks(at + 1);
  if (*at == close) return at + 1;
  for (;;) {
    if (is_object) at = skip_name(at, found);
    if (at != nullptr) at = skip_value(at, depth + 1, found);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at);
    if (*at == close) return at + 1;
    if (*at != ',') return nullptr;
    found.comma = true;
    at = skip_blanks(at + 1);
  }
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Writes a character of the basic plane as UTF-8.
char* put_utf8(int character, char* at) {
  const auto low_six = [](int bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (character < 0x80) {
    *at++ = static_cast<char>(character);
  } else if (character < 0x800) {
    *at++ = static_cast<char>(0xc0 | (character >> 6));
    *at++ = low_six(character);
  } else {
    *at++ = static_cast<char>(0xe0 | (character >> 12));
    *at++ = low_six(character >> 6);
    *at++ = low_six(character);
  }
  return at;
}

}  // namespace

const char* skip_json_number(const char* at) {
  const auto skip_some_digits = [](const char* from) {
    const char* const end = skip_digits(from);
    return end == from ? nullptr : end;
  };
  if (*at == '-') ++at;
  // No zero stands in front of other digits.
  at = *at == '0' ? at + 1 : skip_some_digits(at);
  if (at != nullptr && *at == '.') at = skip_some_digits(at + 1);
  if (at != nullptr && (*at == 'e' || *at == 'E')) {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    at = skip_some_digits(at);
  }
  return at;
}

std::string_view JsonSpans::unescaped(std::string_view raw) {
  char* const begin = free_;
  const char* const end = raw.data() + raw.size();
  for (const char* at = raw.data(); at < end;) {
    if (*at != '\\') {
      *free_++ = *at++;
    } else if (const char byte = escaped_byte(at[1])) {
      *free_++ = byte;
      at += 2;
    } else {
      free_ = put_utf8(character_of(at + 2), free_);
      at += 6;
    }
  }
  return between(begin, free_);
}

const char* JsonSpans::read_value(const char* at, JsonSpan& member) {
  Found found;
  const char* const end = skip_value(at, 1, found);
  if (end == nullptr) return nullptr;
  member.json = member.text = between(at, end);
  member.wants_quotes = found.comma || found.quote;
  member.kind = JsonSpan::Kind::scalar;
  switch (*at) {
    case '"':
      member.kind = JsonSpan::Kind::string;
      member.text = between(at + 1, end - 1);
      if (found.escape) member.text = unescaped(member.text);
      member.wants_quotes = found.escape ? wants_csv_quotes(member.text) : found.comma;
      break;
    case '{':
    case '[':
      member.kind = JsonSpan::Kind::nested;
      break;
    case 'n':
      member.kind = JsonSpan::Kind::null;
      member.text = {};
      break;
    default:
      break;
  }
  return end;
}

bool JsonSpans::read(std::string_view line, std::size_t most) {
  members_.clear();
  // No text is longer than its escapes.
  if (unescaped_.size() < line.size() + kReadAtOnce) unescaped_.resize(line.size() + kReadAtOnce);
  free_ = unescaped_.data();
  const char* at = line.data();
  const char* const end = at + line.size();
  if (*at != '{') return false;
  at = skip_blanks(at + 1);
  if (*at == '}') return at + 1 == end;
  for (;;) {
    if (members_.size() == most) return false;
    JsonSpan& member = members_.emplace_back();
    Found in_name;
    const char* const value = skip_name(at, in_name);
    if (value == nullptr || in_name.escape) return false;
    // Behind a name stand its quote, a colon, and blanks.
    const char* name_end = value - 1;
    while (*name_end != '"') --name_end;
    member.name = between(at + 1, name_end);
    at = read_value(value, member);
    if (at == nullptr) return false;
    at = skip_blanks(at);
    if (*at == '}') return at + 1 == end;
    if (*at != ',') return false;
    at = skip_blanks(at + 1);
  }
}

}  // namespace caravel::formatter
