#include "formatter/patterns/parsers.h"

#include <arpa/inet.h>

#include <chrono>
#include <string>

#include "base/text.h"
#include "formatter/times/iso8601.h"

namespace caravel::formatter {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_hex_digit(char c) { return is_lower_hex(c) || (c >= 'A' && c <= 'F'); }

/// The place behind `p` at which the text of `op` may end next; `classes` gathers what lies
/// between. Of blanks that stand together only the first can be such a place: behind all of them is
/// what follows, whichever of them the text ends at.
const char* next_place(const char* p, const Op& op, std::uint8_t& classes) {
  const bool over_blanks = op.blanks_until && is_blank(*p);
  do classes |= kWordClasses[static_cast<unsigned char>(*p++)];
  while (over_blanks && is_blank(*p));
  return p;
}

}  // namespace

const char* parse_text_of(const char* p, const Op& op, Capture& capture) {
  // A single byte is found more quickly.
  if (!op.ends_at_text) return parse_text(p, op.stop, capture);
  const char* const begin = p;
  std::uint8_t classes = 0;
  while (*p != '\n' && !ends_text(p, op)) p = next_place(p, op, classes);
  capture = {begin, p, classes & std::uint32_t{kNeedsQuotes}};
  return p;
}

const char* parse_longer_text(const Op& op, const char* limit, Capture& capture) {
  std::uint8_t classes = capture.number != 0 ? kByteQuotes : 0;
  const char* p = capture.end;
  while (p < limit) {
    p = next_place(p, op, classes);
    if (p >= limit) break;
    if (!(op.ends_at_text ? ends_text(p, op) : *p == op.stop)) continue;
    capture.end = p;
    capture.number = classes & std::uint32_t{kNeedsQuotes};
    return p;
  }
  return nullptr;
}

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
  if ((*p != '+' && *p != '-') || !is_digit(p[1]) || !is_digit(p[2])) {
    minutes = 0;
    return *p == 'z' ? p + 1 : nullptr;
  }
  // The sign is kept aside, since it counts for the minutes too: -03:30 lies 210 minutes west.
  const int sign = *p == '-' ? -1 : 1;
  const unsigned hours = two_digits(p + 1);
  p += 3;
  const char* const behind_hours = p;
  if (*p == ':') ++p;  // +01:00 as well as +0100
  if (!is_digit(p[0]) || !is_digit(p[1])) {
    // +01 alone; +01:5 and +015 are broken.
    if (p != behind_hours || is_digit(*p) || hours > 23) return nullptr;
    minutes = sign * static_cast<int>(hours * 60);
    return p;
  }
  const unsigned rest = two_digits(p);
  if (hours > 23 || rest > 59) return nullptr;  // RFC 3339, 5.6
  minutes = sign * static_cast<int>(hours * 60 + rest);
  return p + 2;
}

namespace {

/// The form that nearly all have: 2012-03-09T09:48:00, perhaps with a fraction and a zone.
const char* parse_usual_timestamp(const char* p, Capture& capture) {
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

}  // namespace

const char* parse_timestamp(const char* p, char stop, Capture& capture) {
  const char* const usual = parse_usual_timestamp(p, capture);
  // Lower case is for the other reader, unless the pattern has this very letter behind the time.
  if (usual != nullptr && (*usual != 'z' || stop == 'z')) return usual;
  TimeParts parts;
  const char* const end = parse_iso_time(p, stop, false, parts);
  if (end == nullptr) return nullptr;
  const std::string_view text(p, static_cast<std::size_t>(end - p));
  const bool comma = text.find(',') != std::string_view::npos;
  capture = {p, end, kOtherIsoForm | (comma ? kNeedsQuotes : 0)};
  return end;
}

const char* parse_laid_out(const char* p, const TimeLayout& layout, const YearTable& years,
                           Capture& capture) {
  TimeParts parts;
  const char* const end = layout.parse(p, parts);
  if (end == nullptr) return nullptr;
  std::uint32_t date = 0;
  if (layout.has_date()) {
    if (!parts.has_year) parts.year = years.year_of(parts.month, parts.day);
    // The table says 0 where no year has that day.
    if ((!parts.has_year && parts.year == 0) || !settle_date(parts)) return nullptr;
    date = pack_date(static_cast<unsigned>(parts.year), parts.month, parts.day);
    // A zone that the line names tells whether its clocks ever showed this time.
    std::int64_t seconds = 0;
    if (place(parts, nullptr, seconds) == Placed::skipped) return nullptr;
  }
  capture = {p, end, date};
  return end;
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

const char* parse_elements(const char* p, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') {
    capture = {begin, p + 1, 0};
    return p + 1;
  }
  std::uint8_t classes = 0;
  while (*p == '[') {
    // Each element has an id, if nothing else.
    if (ends_word(*++p, ']')) return nullptr;
    for (bool in_value = false; in_value || *p != ']'; ++p) {
      if (in_value && *p == '\\') {
        ++p;
      } else if (*p == '"') {
        in_value = !in_value;
      }
      if (*p == '\n') return nullptr;
      classes |= kWordClasses[static_cast<unsigned char>(*p)];
    }
    ++p;
  }
  if (p == begin) return nullptr;
  capture = {begin, p, classes & std::uint32_t{kNeedsQuotes}};
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
