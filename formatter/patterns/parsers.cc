#include "formatter/patterns/parsers.h"

#include <arpa/inet.h>

#include <chrono>
#include <string>

#include "base/text.h"

namespace caravel::formatter {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_hex_digit(char c) { return is_lower_hex(c) || (c >= 'A' && c <= 'F'); }

}  // namespace

const char* parse_date(const char* p, std::string_view layout, Capture& capture) {
  const char* const begin = p;
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  // The layout was checked when the format was compiled: behind a '%' stands Y, m, b or d.
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] != '%') {
      if (*p != layout[i]) return nullptr;
      ++p;
      continue;
    }
    switch (layout[++i]) {
      case 'Y':
        // From left to right, so that nothing behind the line's end is looked at.
        if (!is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]) || !is_digit(p[3])) {
          return nullptr;
        }
        year = two_digits(p) * 100 + two_digits(p + 2);
        p += 4;
        break;
      case 'b': {  // English whatever the locale, as logs have it (RFC 3164 and web servers)
        for (unsigned i_month = 0; i_month < kMonths.size(); ++i_month) {
          if (std::strncmp(p, kMonths[i_month].data(), 3) == 0) month = i_month + 1;
        }
        // None of the twelve: the names are compared with their capital, as logs write them.
        if (month == 0) return nullptr;
        p += 3;
        break;
      }
      default: {
        if (!is_digit(p[0]) || !is_digit(p[1])) return nullptr;
        (layout[i] == 'm' ? month : day) = two_digits(p);
        p += 2;
        break;
      }
    }
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  if (!date.ok()) return nullptr;  // 02/30, month 13
  capture = {begin, p, pack_date(year, month, day)};
  return p;
}

const char* parse_offset(const char* p, int& minutes) {
  if (*p == 'Z') {
    minutes = 0;
    return p + 1;
  }
  if ((*p != '+' && *p != '-') || !is_digit(p[1]) || !is_digit(p[2])) return nullptr;
  // The sign is kept aside, since it counts for the minutes too: -03:30 lies 210 minutes west.
  const int sign = *p == '-' ? -1 : 1;
  const unsigned hours = two_digits(p + 1);
  p += 3;
  if (*p == ':') ++p;  // +01:00 as well as +0100
  if (!is_digit(p[0]) || !is_digit(p[1])) return nullptr;
  const unsigned rest = two_digits(p);
  if (hours > 23 || rest > 59) return nullptr;  // RFC 3339, 5.6
  minutes = sign * static_cast<int>(hours * 60 + rest);
  return p + 2;
}

const char* parse_timestamp(const char* p, Capture& capture) {
  // The capture is the whole text: it is written as it came. Date and time are only checked.
  const char* const begin = p;
  Capture date;
  Capture time;
  p = parse_date(p, "%Y-%m-%d", date);
  if (p == nullptr || (*p != 'T' && *p != ' ')) return nullptr;
  p = parse_time(p + 1, true, time);
  if (p == nullptr) return nullptr;
  if (*p == 'Z' || *p == '+' || *p == '-') {
    int minutes;
    p = parse_offset(p, minutes);
    if (p == nullptr) return nullptr;
  }
  // A comma before the fraction makes CSV quote the whole text, as it does with a time alone.
  capture = {begin, p, time.number};
  return p;
}

const char* parse_ip(const char* p, char stop, Capture& capture) {
  const char* const begin = p;
  // All bytes that an address may be made of; inet_pton(3) then says whether they make one. It
  // knows the forms of RFC 4291, 2.2, which are too many to be checked by hand.
  while (is_hex_digit(*p) || *p == '.' || (*p == ':' && stop != ':')) ++p;
  // A copy, since inet_pton(3) wants a NUL behind the text.
  const std::string text(begin, p);
  unsigned char address[16];
  if (text.size() > INET6_ADDRSTRLEN || (::inet_pton(AF_INET, text.c_str(), address) != 1 &&
                                         ::inet_pton(AF_INET6, text.c_str(), address) != 1)) {
    return nullptr;
  }
  capture = {begin, p, 0};
  return p;
}

const char* parse_uuid(const char* p, Capture& capture) {
  const char* const begin = p;
  // A line's end is no hexadecimal digit, so this stops there.
  for (const int digits : {8, 4, 4, 4, 12}) {
    if (p != begin && *p++ != '-') return nullptr;
    for (int i = 0; i < digits; ++i) {
      if (!is_hex_digit(*p++)) return nullptr;
    }
  }
  capture = {begin, p, 0};
  return p;
}

const char* parse_choice(const char* p, const Op& op, Capture& capture) {
  const auto found = [&](const char* end, std::size_t index) {
    capture = {p, end, static_cast<std::uint32_t>(index)};
    return end;
  };
  const std::size_t named = op.named_options;
  // Longest first (see make_op.cc), so the first that stands here is the longest that does.
  if (!op.any_word) {
    for (std::size_t i = 0; i < named; ++i) {
      const FixedText& word = op.options[i].word;
      if (word.stands_at(p)) return found(p + word.size(), i);
    }
    return nullptr;
  }
  // With "*" among them an option must be the whole word: else "Once" would be "On" and a rest.
  const char* const end = parse_word(p, op.stop, capture);
  if (end == nullptr) return nullptr;
  for (std::size_t i = 0; i < named; ++i) {
    if (op.options[i].word.text() == capture.text()) return found(end, i);
  }
  return found(end, named);
}

}  // namespace caravel::formatter
