#include "watcher/pipeline/extract_time.h"

#include <charconv>

#include <fmt/format.h>

#include "watcher/files/name_rules.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

namespace {

sys_seconds seconds_of(std::int64_t nanoseconds) {
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(nanoseconds)));
}

/// In seconds: the first of those that a file may have is no number of nanoseconds any more.
bool is_meant(sys_seconds time, const FileStamp& stamp) {
  constexpr sys_seconds kFirst = sys_days(std::chrono::year(1990) / 1 / 1);
  const sys_seconds came = seconds_of(stamp.ctime_ns);
  // If our own clock is not set either, it says nothing about others.
  return time >= kFirst && (came < kFirst || time <= came + std::chrono::days(2));
}

}  // namespace

bool is_meant_as_time(std::chrono::system_clock::time_point time, const FileStamp& stamp) {
  return is_meant(std::chrono::floor<std::chrono::seconds>(time), stamp);
}

/// In whole seconds, as the ledger keeps it: the same time read back later gives the same years,
/// and so the same row ids.
ExtractTime ExtractTime::at(sys_seconds time, std::string source) {
  ExtractTime extract;
  extract.known = {time_text(time), std::move(source)};
  extract.years = formatter::YearTable::nearest_to(time);
  extract.time = time;
  return extract;
}

ExtractTime ExtractTime::of_year(std::chrono::year year) {
  ExtractTime extract;
  extract.known = {fmt::format("{}", static_cast<int>(year)), "option"};
  extract.years = formatter::YearTable::fixed(year);
  return extract;
}

ExtractTime ExtractTime::of_manifest(std::chrono::system_clock::time_point cut) {
  return at(std::chrono::floor<std::chrono::seconds>(cut), "manifest");
}

ExtractTime ExtractTime::of_file(std::string_view name, const FileStamp& stamp) {
  if (const auto date = date_in_name(name)) {
    // The end of that day, so that all lines of the day lie before it (YearTable::nearest_to).
    return at(sys_days(*date) + std::chrono::days(1) - std::chrono::seconds(1), "name");
  }
  // The mtime is the weakest witness: a copy without `-p` has the time of the copying. So
  // judge_year() (format_step.cc) holds it against the last line.
  const sys_seconds mtime = seconds_of(stamp.mtime_ns);
  ExtractTime extract =
      is_meant(mtime, stamp) ? at(mtime, "mtime") : at(seconds_of(stamp.ctime_ns), "arrival");
  extract.only_mtime = true;
  return extract;
}

/// A time that cannot be read counts as not known: the caller then keeps the time that it found
/// itself.
std::optional<ExtractTime> ExtractTime::of_known(const KnownTime& known) {
  if (known.time_source == "option") {
    int year = 0;
    const char* const end = known.time_used.data() + known.time_used.size();
    if (std::from_chars(known.time_used.data(), end, year).ptr != end) return std::nullopt;
    return of_year(std::chrono::year(year));
  }
  const auto time = parse_time_text(known.time_used);
  if (!time) return std::nullopt;
  return at(std::chrono::floor<std::chrono::seconds>(*time), known.time_source);
}

}  // namespace caravel::watcher
