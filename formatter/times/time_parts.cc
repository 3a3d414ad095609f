#include "formatter/times/time_parts.h"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "formatter/times/zones.h"

namespace caravel::formatter {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kSecondsOfADay = 86400;

/// Seconds from 1970 to the parts' date and clock, as if both were of UTC.
std::int64_t clock_seconds(const TimeParts& parts) {
  const year_month_day date(std::chrono::year(parts.year), std::chrono::month(parts.month),
                            std::chrono::day(parts.day));
  const unsigned second = parts.second == 60 ? 59 : parts.second;
  return sys_days(date).time_since_epoch().count() * kSecondsOfADay +
         std::int64_t{parts.hour} * 3600 + std::int64_t{parts.minute} * 60 + second;
}

void append_offset(std::int64_t offset, std::string& out) {
  if (offset == 0) {
    out.push_back('Z');
    return;
  }
  const std::int64_t east = std::abs(offset);
  out += fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', east / 3600, east / 60 % 60);
  // Local mean times before the zones have seconds.
  if (east % 60 != 0) out += fmt::format(":{:02}", east % 60);
}

}  // namespace

bool settle_date(TimeParts& parts) {
  const std::chrono::year year(parts.year);
  if (parts.day_of_year != 0) {
    const sys_days first(year / std::chrono::January / 1);
    const year_month_day date(first + days(parts.day_of_year - 1));
    if (date.year() != year) return false;  // 366 in a common year
    parts.month = static_cast<unsigned>(date.month());
    parts.day = static_cast<unsigned>(date.day());
    return true;
  }
  return year_month_day(year, std::chrono::month(parts.month), std::chrono::day(parts.day)).ok();
}

Placed place(const TimeParts& parts, const date::time_zone* local_zone, std::int64_t& seconds) {
  if (parts.counted) {
    seconds = parts.epoch;
    return Placed::utc;
  }
  const std::int64_t local = clock_seconds(parts);
  if (parts.has_offset) {
    seconds = local - parts.offset;
    return Placed::utc;
  }
  const date::time_zone* const zone = parts.zone != nullptr ? parts.zone : local_zone;
  if (zone == nullptr) return Placed::local;
  const auto utc = utc_of_local(*zone, local);
  if (!utc) return Placed::skipped;
  seconds = *utc;
  return Placed::utc;
}

std::string skipped_reason(const TimeParts& parts, const date::time_zone* local_zone) {
  TimeParts local = parts;
  local.zone = nullptr;
  local.fraction = {};
  std::string text = "the clocks of ";
  text += zone_name(parts.zone != nullptr ? *parts.zone : *local_zone);
  text += " skipped ";
  append_iso_text(local, text);
  return text;
}

void append_iso_text(const TimeParts& parts, std::string& out) {
  TimeParts shown = parts;
  if (parts.counted) {
    const std::chrono::sys_seconds instant{std::chrono::seconds(parts.epoch)};
    const auto day = std::chrono::floor<days>(instant);
    const year_month_day date(day);
    const std::chrono::hh_mm_ss clock(instant - day);
    shown.year = static_cast<int>(date.year());
    shown.month = static_cast<unsigned>(date.month());
    shown.day = static_cast<unsigned>(date.day());
    shown.hour = static_cast<unsigned>(clock.hours().count());
    shown.minute = static_cast<unsigned>(clock.minutes().count());
    shown.second = static_cast<unsigned>(clock.seconds().count());
    shown.has_offset = true;
  }
  if (shown.month != 0) {
    out += fmt::format("{:04}-{:02}-{:02}T", shown.year, shown.month, shown.day);
  }
  out += fmt::format("{:02}:{:02}:{:02}", shown.hour, shown.minute, shown.second);
  if (!shown.fraction.empty()) {
    out.push_back('.');
    out.append(shown.fraction_zeros, '0');
    out.append(shown.fraction);
  }
  std::int64_t utc = 0;
  // A name says its offset only together with the day.
  if (shown.zone != nullptr && shown.month != 0 && place(shown, nullptr, utc) == Placed::utc) {
    append_offset(clock_seconds(shown) - utc, out);
  } else if (shown.has_offset) {
    append_offset(shown.offset, out);
  }
}

}  // namespace caravel::formatter
