#include "formatter/times/zones.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <date/tz.h>
#include <fmt/format.h>

namespace caravel::formatter {
namespace {

/// Whether `name` may stand for several zones of the world.
bool is_abbreviation(std::string_view name) {
  const bool capitals =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return capitals && name != "UTC" && name != "GMT";
}

/// Binary search in the database, whose zones are in order; without a copy of the name.
const date::time_zone* find_zone(std::string_view name) {
  const auto& zones = date::get_tzdb().zones;
  const auto zone =
      std::lower_bound(zones.begin(), zones.end(), name,
                       [](const date::time_zone& z, std::string_view n) { return z.name() < n; });
  if (zone == zones.end() || zone->name() != name) return nullptr;
  // Reads the zone's rules, so that a file that cannot be read is found here.
  (void)zone->get_info(date::sys_seconds{});
  return &*zone;
}

}  // namespace

// The exceptions of the library stop in the following functions: it throws if no database is
// installed, or if one of its files is broken.
Result<const date::time_zone*> locate_zone(std::string_view name) {
  try {
    if (const auto* zone = find_zone(name)) return zone;
    return fail(
        ErrorKind::usage,
        fmt::format("'{}' is no zone of the time zone database (such as Europe/Berlin)", name));
  } catch (const std::exception& e) {
    return fail(
        ErrorKind::usage,
        fmt::format("the time zone database cannot be read (is tzdata installed?): {}", e.what()));
  }
}

const date::time_zone* zone_of_text(std::string_view name) {
  if (is_abbreviation(name)) return nullptr;
  try {
    return find_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

const std::string& zone_name(const date::time_zone& zone) { return zone.name(); }

std::optional<std::int64_t> utc_of_local(const date::time_zone& zone, std::int64_t local_seconds) {
  const date::local_seconds local{std::chrono::seconds(local_seconds)};
  const date::local_info info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return std::nullopt;
  // Of an ambiguous time `first` is the earlier one.
  return local_seconds - info.first.offset.count();
}

}  // namespace caravel::formatter
