// The texts by which formats say how their times are written: "%d.%m.%y %H:%M", "%b %e",
// "epoch(ms)". docs/times.md has the vocabulary.
//
//     "%d.%m.%Y %H:%M"
//        │
//        ▼  TimeLayout::compile, once a format: checked, with errors that say what can be taken
//     day '.' month '.' year ' ' hour ':' minute
//        │
//        ▼  TimeLayout::parse, once a text: from left to right, in one pass, nothing is allocated
//     TimeParts{2012, 3, 9, 9, 48}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/times/directives.h"
#include "formatter/times/time_parts.h"
#include "formatter/times/zones.h"

namespace caravel::formatter {

/// What a layout has to say for its use. Nothing else may stand in it.
enum class LayoutUse : std::uint8_t {
  date,       // year, month, day (or day of the year); perhaps a weekday
  month_day,  // month, day; perhaps a weekday
  clock,      // hour, perhaps minute, second, fraction
  offset,     // an offset or a zone's name
  moment,  // a date with or without its year, a clock, an offset, as far as there are such; or %s
};

/// What a bare number of units since 1970 counts.
enum class EpochUnit : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds };

/// One compiled layout. A constant once it is made: threads may share it.
class TimeLayout {
 public:
  /// Errors (kind usage) are sentences without place: the caller adds file, line and key. With
  /// `any_blanks`, a blank stands for one or more blanks or tabs.
  static Result<TimeLayout> compile(std::string_view text, LayoutUse use, bool any_blanks,
                                    const ZoneRules& zones);
  /// A moment for which "epoch(s)", "epoch(ms)", "epoch(us)" and "epoch(ns)" stand too.
  static Result<TimeLayout> compile_moment(std::string_view text, const ZoneRules& zones);
  /// What formats have without a layout.
  static TimeLayout iso_time() { return of_one_step("ISO 8601", Directive::iso_time); }
  static TimeLayout iso_clock() { return of_one_step("%H:%M:%S", Directive::iso_clock); }
  static TimeLayout iso_offset() { return of_one_step("%z", Directive::offset); }
  static TimeLayout epoch(EpochUnit unit);

  /// Takes a time from the line's text at `p`, which must end with '\n'; the place behind it or
  /// nullptr. Fills in what the layout says and leaves the rest of `parts`. What is filled in is
  /// within its limits; whether the calendar has the day is for settle_date() to say, once the year
  /// is known. `failed` gets the step that found something else, and its place.
  struct Failure {
    std::size_t step = 0;
    const char* at = nullptr;
  };
  [[nodiscard]] const char* parse(const char* p, TimeParts& parts,
                                  Failure* failure = nullptr) const;

  /// The layout as the format has it.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_date() const { return (says_ & (kSaysDay | kSaysDayOfYear)) != 0; }
  /// Whether the year must come from outside.
  [[nodiscard]] bool lacks_year() const { return has_date() && (says_ & kSaysYear) == 0; }
  /// What a step wants, for people: "a month 01-12 (%m)", "'.'".
  [[nodiscard]] std::string wanted(std::size_t step) const;

  bool operator==(const TimeLayout&) const = default;

 private:
  struct Step {
    Directive directive{};
    char letter = 0;     // of the directive, or the literal byte
    bool fixed = false;  // digits follow it directly, so it takes all that it may
    EpochUnit unit{};    // of `counted`
    bool operator==(const Step&) const = default;
  };

  static TimeLayout of_one_step(std::string_view text, Directive directive);
  Result<> add(std::string_view text, bool any_blanks);
  Result<> add_directive(char letter, bool any_blanks);
  Result<> settle_widths();
  [[nodiscard]] Result<> check_use(LayoutUse use) const;
  const char* take(const Step& step, const char* p, TimeParts& parts) const;
  const char* take_clock(const Step& step, const char* p, TimeParts& parts) const;
  const char* take_zone(const char* p, TimeParts& parts) const;

  std::string text_;
  std::vector<Step> steps_;
  std::vector<std::pair<std::string, int>> zones_;  // of ZoneRules, if the layout has a %Z
  std::uint16_t says_ = 0;
};

}  // namespace caravel::formatter
