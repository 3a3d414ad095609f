#include "formatter/times/directives.h"

#include <algorithm>
#include <array>

namespace caravel::formatter {
namespace {

constexpr auto kDirectives = std::to_array<DirectiveRow>({
    {'Y', Directive::year, kSaysYear, true, "a year of four digits", {}},
    {'y', Directive::short_year, kSaysYear, true, "a year of two digits", {}},
    {'m', Directive::month, kSaysMonth, true, "a month 01-12", {}},
    {'b', Directive::month_name, kSaysMonth, false, "the English name of a month", {}},
    {'B', Directive::month_name, kSaysMonth, false, "the English name of a month", {}},
    {'h', Directive::month_name, kSaysMonth, false, "the English name of a month", {}},
    {'d', Directive::day, kSaysDay, true, "a day 01-31", {}},
    {'e', Directive::padded_day, kSaysDay, true, "a day 1-31", {}},
    {'j', Directive::day_of_year, kSaysDayOfYear, true, "a day of the year 001-366", {}},
    {'a', Directive::weekday, kSaysWeekday, false, "the English name of a weekday", {}},
    {'A', Directive::weekday, kSaysWeekday, false, "the English name of a weekday", {}},
    {'H', Directive::hour, kSaysHour, true, "an hour 00-23", {}},
    {'k', Directive::padded_hour, kSaysHour, true, "an hour 0-23", {}},
    {'I', Directive::hour12, kSaysHour12, true, "an hour 01-12", {}},
    {'l', Directive::padded_hour12, kSaysHour12, true, "an hour 1-12", {}},
    {'p', Directive::half, kSaysHalf, false, "AM or PM", {}},
    {'M', Directive::minute, kSaysMinute, true, "a minute 00-59", {}},
    {'S', Directive::second, kSaysSecond, true, "a second 00-60", {}},
    {'f', Directive::fraction, kSaysFraction, true, "the digits of a fraction", {}},
    {'z', Directive::offset, kSaysZone, false, "an offset such as +02:00 or Z", {}},
    {'Z', Directive::zone, kSaysZone, false, "a time zone that is known", {}},
    {'s', Directive::epoch, kSaysEpoch, true, "seconds since 1970", {}},
    {'T', Directive::literal, 0, false, {}, "%H:%M:%S"},
    {'R', Directive::literal, 0, false, {}, "%H:%M"},
    {'D', Directive::literal, 0, false, {}, "%m/%d/%y"},
    {'F', Directive::literal, 0, false, {}, "%Y-%m-%d"},
});

}  // namespace

const DirectiveRow* find_directive(char letter) {
  const auto* const row = std::find_if(kDirectives.begin(), kDirectives.end(),
                                       [&](const auto& each) { return each.letter == letter; });
  return row == kDirectives.end() ? nullptr : row;
}

const DirectiveRow* row_of_directive(Directive directive) {
  const auto* const row = std::find_if(
      kDirectives.begin(), kDirectives.end(),
      [&](const DirectiveRow& each) { return each.directive == directive && each.says != 0; });
  return row == kDirectives.end() ? nullptr : row;
}

std::string known_directives() {
  std::string text;
  for (const DirectiveRow& row : kDirectives) {
    text += text.empty() ? "%" : ", %";
    text += row.letter;
  }
  return text;
}

}  // namespace caravel::formatter
