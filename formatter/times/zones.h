// Time zones by name, from the system's database (/usr/share/zoneinfo), through Howard Hinnant's
// library. That database is read once a process, the rules of one zone when it is first asked for;
// both stay in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace date {
class time_zone;
}

namespace caravel::formatter {

/// What a format says of zones.
struct ZoneRules {
  /// `zones`: names of the format's own, and how many seconds east of UTC they are.
  std::vector<std::pair<std::string, int>> named;
  /// `zone`: that of times that name none; nullptr: such times stay local.
  const date::time_zone* local = nullptr;

  bool operator==(const ZoneRules&) const = default;
};

/// The zone `name` of the database. Errors (kind usage): it has no such zone, or cannot be read.
[[nodiscard]] Result<const date::time_zone*> locate_zone(std::string_view name);

/// The zone that a line names; nullptr if there is none. Capital letters alone (EST, CET, IST) are
/// refused even where the database has such a zone, but for UTC and GMT: half a dozen countries
/// mean different things by them, so only the format can say what its log means.
[[nodiscard]] const date::time_zone* zone_of_text(std::string_view name);

/// The name of `zone` in the database.
[[nodiscard]] const std::string& zone_name(const date::time_zone& zone);

/// Seconds since 1970 of a local time, given as if it were UTC. A time that the clocks showed twice
/// is the first of the two; nothing for one that they skipped.
[[nodiscard]] std::optional<std::int64_t> utc_of_local(const date::time_zone& zone,
                                                       std::int64_t local_seconds);

}  // namespace caravel::formatter
