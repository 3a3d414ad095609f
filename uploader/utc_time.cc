#include "uploader/utc_time.h"

#include <exception>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::uploader {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// The `count` digits at `at`; -1 if one of them is none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

void append_two(unsigned value, std::string& out) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

/// The exceptions of the date library stop here: it throws if it does not know the name, and also
/// if no time zone database is installed.
Result<const date::time_zone*> find_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return fail(ErrorKind::usage,
                fmt::format("the time zone '{}' is not known here (IANA names such as "
                            "America/New_York; is tzdata installed?)",
                            name));
  }
}

}  // namespace

bool read_row_time(std::string_view id_tail, RowTime& time) {
  constexpr std::size_t kPlain = 15;  // YYYYMMDDTHHMMSS
  // A tail is "<time>:<key>:<digest>"; the line's place stands there if the line has no time.
  const std::string_view text = id_tail.substr(0, id_tail.find(':'));
  if (text.size() < kPlain || text[8] != 'T') return false;
  const int year = digits(text, 0, 4);
  const int month = digits(text, 4, 2);
  const int day = digits(text, 6, 2);
  time.hour = digits(text, 9, 2);
  time.minute = digits(text, 11, 2);
  time.second = digits(text, 13, 2);
  if (year < 0 || month < 0 || day < 0) return false;
  // Second 60 is a leap second. Whether that day really had one is not checked.
  if (time.hour < 0 || time.hour > 23 || time.minute < 0 || time.minute > 59 || time.second < 0 ||
      time.second > 60) {
    return false;
  }
  const date::year_month_day calendar{date::year(year), date::month(static_cast<unsigned>(month)),
                                      date::day(static_cast<unsigned>(day))};
  // A day that the calendar does not have (30 February): the row keeps its id and gets no time.
  if (!calendar.ok()) return false;
  time.day = date::sys_days(calendar);

  std::string_view rest = text.substr(kPlain);
  time.utc = !rest.empty() && rest.back() == 'Z';
  if (time.utc) rest.remove_suffix(1);
  time.fraction = rest;
  if (rest.empty()) return true;
  return rest.size() > 1 && rest[0] == '.' &&
         rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

void append_iso_time(const RowTime& time, std::string& out) {
  const date::year_month_day calendar(time.day);
  const auto year = static_cast<unsigned>(static_cast<int>(calendar.year()));
  append_two(year / 100, out);
  append_two(year % 100, out);
  out.push_back('-');
  append_two(static_cast<unsigned>(calendar.month()), out);
  out.push_back('-');
  append_two(static_cast<unsigned>(calendar.day()), out);
  out.push_back('T');
  append_two(static_cast<unsigned>(time.hour), out);
  out.push_back(':');
  append_two(static_cast<unsigned>(time.minute), out);
  out.push_back(':');
  append_two(static_cast<unsigned>(time.second), out);
  out.append(time.fraction);
  if (time.utc) out.push_back('Z');
}

Result<> validate_timezone(const std::string& name) {
  CARAVEL_TRY(find_zone(name));
  return {};
}

Result<UtcConverter> UtcConverter::make(const std::string& zone_name) {
  CARAVEL_ASSIGN_OR_RETURN(auto zone, find_zone(zone_name));
  return UtcConverter(zone);
}

/// An hour that the clock showed twice has two periods: `first` is the earlier one, as the header
/// promises. For one that it never showed, `first` ends where the gap begins, and that instant is
/// the one after the gap.
date::sys_seconds UtcConverter::look_up(date::local_seconds local) const {
  const date::local_info info = zone_->get_info(local);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return date::sys_seconds(local.time_since_epoch() - info.first.offset);
}

/// A leap second is converted as the second before it, because the library's clocks have none, and
/// becomes second 60 again at the end.
RowTime UtcConverter::to_utc(const RowTime& local) {
  const auto day = local.day.time_since_epoch();
  const date::local_seconds at(day + hours(local.hour) + minutes(local.minute) +
                               seconds(local.second == 60 ? 59 : local.second));
  // Most rows lie in the same hour as the row before: the zone is looked up once for all of them.
  const auto hour = date::floor<hours>(at.time_since_epoch());
  date::sys_seconds utc;
  if (hour.count() == hour_) {
    utc = date::sys_seconds(at.time_since_epoch() - offset_);
  } else {
    utc = look_up(at);
    // The offset counts for the whole hour if both its ends are plain times of one period.
    const auto first = zone_->get_info(date::local_seconds(hour));
    const auto last = zone_->get_info(date::local_seconds(hour + minutes(59) + seconds(59)));
    if (first.result == date::local_info::unique && last.result == date::local_info::unique &&
        first.first.begin == last.first.begin) {
      hour_ = hour.count();
      offset_ = first.first.offset;
    }
  }
  const auto utc_day = date::floor<date::days>(utc);
  const date::hh_mm_ss<seconds> clock(utc - utc_day);
  RowTime out;
  out.day = utc_day;
  out.hour = static_cast<int>(clock.hours().count());
  out.minute = static_cast<int>(clock.minutes().count());
  out.second = static_cast<int>(clock.seconds().count());
  if (local.second == 60 && out.second == 59) out.second = 60;
  out.fraction = local.fraction;
  out.utc = true;
  return out;
}

}  // namespace caravel::uploader
