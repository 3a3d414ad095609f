#include "base/text.h"

#include <algorithm>
#include <iterator>

namespace caravel {
namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

void append_hex(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  out += kUpperHex[byte >> 4U];
  out += kUpperHex[byte & 15U];
}

/// The value of one digit of an escape, or -1. Lower case is refused: percent_encode() never writes
/// it, and one name should have one form.
int upper_hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool needs_no_escape(char c, std::string_view plain) {
  return is_digit(c) || is_letter(c) || plain.find(c) != std::string_view::npos;
}

/// `character` is one whole UTF-8 character of two bytes or more.
char32_t code_point(std::string_view character) {
  // The first byte has its length in its upper bits, and the rest of it is the value's.
  char32_t code = static_cast<unsigned char>(character[0]) & (0xFFU >> (character.size() + 1));
  for (const char c : character.substr(1)) {
    code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return code;
}

/// Takes characters from the front of `text` as long as they make at most `most` bytes together,
/// and returns them with escapes.
std::string take_escaped(std::string_view& text, std::size_t most, bool keep_line_ends) {
  const auto is_plain_ascii = [](char c) { return c >= ' ' && c < '\x7f'; };
  std::string out;
  while (!text.empty()) {
    // Nearly all texts are ASCII that is shown as it is.
    const std::string_view room = text.substr(0, most - out.size());
    const auto end = std::ranges::find_if_not(room, is_plain_ascii);
    const auto run = static_cast<std::size_t>(end - room.begin());
    out.append(text, 0, run);
    text.remove_prefix(run);
    if (text.empty()) break;

    const std::size_t length = utf8_length(text);
    // A byte that begins no character is taken alone; the next byte may begin one.
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    const bool plain = (length > 0 && !is_control(character) && !is_unseen(character)) ||
                       (keep_line_ends && character == "\n");
    constexpr std::size_t kEscape = 4;  // \xNN
    if (most - out.size() < (plain ? 1 : kEscape) * character.size()) break;
    text.remove_prefix(character.size());
    if (plain) {
      out.append(character);
      continue;
    }
    for (const char c : character) {
      out += "\\x";
      append_hex(c, out);
    }
  }
  return out;
}

}  // namespace

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), is_lower_hex);
}

std::size_t utf8_length(std::string_view text) {
  // Behind the end a 0 is read. It continues no character, so a character that is cut off counts as
  // none.
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  // 80 to BF only continue a character. C0 and C1 could begin nothing but an overlong form of
  // ASCII.
  if (first < 0xC2) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    // Behind E0 the bytes below A0 are overlong; behind ED those from A0 on are surrogates.
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) >= 0xA0) return 0;
    return 3;
  }
  // F5 and above lie beyond U+10FFFF, as do 90 and above behind F4; behind F0 the bytes below 90
  // are overlong.
  if (first > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return 4;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20 || first == 0x7F) return true;
  // C1 as well: a terminal may take U+009B for the start of a control sequence (CSI in ECMA-48).
  return first == 0xC2 && character.size() > 1 && static_cast<unsigned char>(character[1]) < 0xA0;
}

bool is_unseen(std::string_view character) {
  // The lowest and highest of each run, in ascending order (DerivedCoreProperties.txt of Unicode,
  // Default_Ignorable_Code_Point, without the variation selectors that emoji use; and the two
  // separators, at which programs that show text may begin a new line).
  struct Run {
    char32_t first;
    char32_t last;
  };
  static constexpr Run kUnseen[] = {
      {0x00AD, 0x00AD}, {0x034F, 0x034F},   {0x061C, 0x061C},   {0x115F, 0x1160},
      {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
      {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
      {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
  if (character.size() < 2) return false;
  const char32_t code = code_point(character);
  return std::any_of(std::begin(kUnseen), std::end(kUnseen),
                     [&](const Run& run) { return code >= run.first && code <= run.last; });
}

std::string printable(std::string_view text) {
  return take_escaped(text, std::string::npos, false);
}

std::string printable_lines(std::string_view text) {
  return take_escaped(text, std::string::npos, true);
}

std::string shown(std::string_view text, std::size_t most) {
  std::string_view rest = text;
  std::string out = take_escaped(rest, most, false);
  if (rest.empty()) return out;
  const std::string end = "… (" + std::to_string(text.size()) + " bytes)";
  rest = text;
  return take_escaped(rest, most - end.size(), false) + end;
}

std::string percent_encode(std::string_view bytes, std::string_view plain) {
  std::string out;
  append_percent_encoded(bytes, plain, out);
  return out;
}

void append_percent_encoded(std::string_view bytes, std::string_view plain, std::string& out) {
  for (const char c : bytes) {
    if (needs_no_escape(c, plain)) {
      out += c;
      continue;
    }
    out += '%';
    append_hex(c, out);
  }
}

std::optional<std::string> percent_decode(std::string_view text, std::string_view plain) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!needs_no_escape(text[i], plain)) return std::nullopt;
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = upper_hex_value(text[i + 1]);
    const int low = upper_hex_value(text[i + 2]);
    // %00 is refused, because a NUL would end the text early in every system call.
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace caravel
