// A row's time: from the sortable form of its id to the form that a document has, and to UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <date/tz.h>

#include "base/error.h"

namespace caravel::uploader {

/// The time of an id tail, "20120309T094800", with an optional fraction ".123" and an optional "Z".
/// Second 60 is a time (ISO 8601 leap second).
struct RowTime {
  date::sys_days day;  // as written: of the local calendar, unless `utc`
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string_view fraction;  // with its point; "" if there is none
  bool utc = false;
};

/// The time in front of `id_tail`; false if the tail begins with something else (a line's place).
[[nodiscard]] bool read_row_time(std::string_view id_tail, RowTime& time);

/// Appends "2012-03-09T09:48:00[.123][Z]".
void append_iso_time(const RowTime& time, std::string& out);

/// An error of kind usage if the system's time zone database does not know `name`.
[[nodiscard]] Result<> validate_timezone(const std::string& name);

/// From the local time of one zone to UTC, by the system's IANA database. A local time that a clock
/// showed twice (autumn) is taken as the first of the two; one that it never showed (spring) as the
/// instant after the gap. Looks the zone up once an hour of local time: rows come in runs.
class UtcConverter {
 public:
  static Result<UtcConverter> make(const std::string& zone_name);
  /// `local` in UTC, with `utc` set. The second 60 stays one.
  [[nodiscard]] RowTime to_utc(const RowTime& local);

 private:
  explicit UtcConverter(const date::time_zone* zone) : zone_(zone) {}
  [[nodiscard]] date::sys_seconds look_up(date::local_seconds local) const;

  const date::time_zone* zone_;    // lives as long as the process (date's database)
  std::int64_t hour_ = INT64_MIN;  // hours since 1970 in local time, for which offset_ counts
  std::chrono::seconds offset_{0};
};

}  // namespace caravel::uploader
