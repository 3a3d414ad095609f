// The extract's own time: what the year of dates without one is taken from.
//
// In this order the first that is there counts:
//   1. `--year`, what a person says
//   2. the time that was used for the same content before: its rows in the store have those years
//   3. the time at which its manifest says that it was cut
//   4. a date in its name
//   5. its mtime, if the last line is about as old; a copy without `-p` has the time of the copying
//   6. the time at which it came, if its mtime is no time; under the same condition
//
// Not each number is a time: `rsync --partial`, broken off, leaves an mtime of 0, and a host whose
// clock was never set cuts its extracts in 1970.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formatter/patterns/year.h"
#include "watcher/files/file_stamp.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

struct ExtractTime {
  /// As the ledger keeps it: an ISO 8601 time, or a year alone (source "option").
  KnownTime known;
  formatter::YearTable years;
  /// Nothing better than an mtime speaks: the year must be checked against the last line.
  bool only_mtime = false;
  std::chrono::sys_seconds time{};

  /// `--year Y`: every line is in that year.
  static ExtractTime of_year(std::chrono::year year);
  /// The time at which a manifest says that it was cut.
  static ExtractTime of_manifest(std::chrono::system_clock::time_point cut);
  /// A date in the name, meaning the end of that day; else the mtime; else the ctime, which the
  /// kernel sets and no sender can, so that it says when the file came.
  static ExtractTime of_file(std::string_view name, const FileStamp& stamp);
  /// What was used for the same content before. Nothing if the text cannot be read.
  static std::optional<ExtractTime> of_known(const KnownTime& known);

 private:
  static ExtractTime at(std::chrono::sys_seconds time, std::string source);
};

/// Whether a time that somebody else set can be meant: not before 1990, and no more than two days
/// after the file came (clocks differ, and zones are mistaken).
[[nodiscard]] bool is_meant_as_time(std::chrono::system_clock::time_point time,
                                    const FileStamp& stamp);

}  // namespace caravel::watcher
