// The year of a date that came without one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace caravel::formatter {

/// Answers, for each month and day, which year is meant: computed once an extract, looked up once a
/// line.
class YearTable {
 public:
  /// No year is known: no date without a year is valid.
  YearTable() = default;

  /// Every date is in `year` (--year).
  static YearTable fixed(std::chrono::year year);

  /// Among the years that have that day, the one that puts the date (its first instant) nearest to
  /// `extract_time`, but never more than a day after it. So December lines that are read on
  /// January 1st keep their year.
  static YearTable nearest_to(std::chrono::sys_seconds extract_time);

  /// The year of month 1-12 and day 1-31; 0 if that day does not exist.
  [[nodiscard]] int year_of(unsigned month, unsigned day) const {
    return years_[(month - 1) * 31 + day - 1];
  }

 private:
  std::array<std::int16_t, std::size_t{12} * 31> years_{};
};

/// May the year be believed if nothing but the file's mtime speaks? Not if the extract's last line
/// lies more than 30 days from it: the file is probably a copy that lost its time.
[[nodiscard]] bool mtime_is_credible(std::chrono::year_month_day last_line,
                                     std::chrono::sys_seconds mtime);

}  // namespace caravel::formatter
