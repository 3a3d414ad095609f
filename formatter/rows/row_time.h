// Times as row ids have them. Frozen, like all of an id: stored data depends on every byte.
//
//   20120309T094800        local time, as the line says it
//   20120309T084800.5Z     the line names its zone (or counts seconds since 1970): UTC
//
// Ids of one key sort by time, and no character has to be escaped in a URL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formatter/times/time_parts.h"

namespace caravel::formatter {

/// `value` in digits, with zeros before it up to `width`.
void append_padded(std::uint64_t value, std::size_t width, std::string& out);

/// "2012-03-09" and "09:48:00[.frac]" as "20120309T094800[.frac]".
void append_compact_time(std::string_view iso_date, std::string_view time, std::string& out);

/// Seconds since 1970 in UTC as "20120309T094800Z", with `fraction` (digits, may be empty) before
/// the Z.
void append_utc_time(std::int64_t seconds, std::string_view fraction, std::string& out);

/// A packed date (see pack_date) and a time "09:48:00[.frac]" whose zone lies `offset_minutes` east
/// of UTC, as UTC.
void append_zoned_time(std::uint32_t date, std::string_view time, int offset_minutes,
                       std::string& out);

/// Settled parts: UTC if they, or `local_zone` (may be nullptr), say a zone, else local as they
/// are. The second 60 stays 60. False, and nothing is appended, if the clocks of the zone skipped
/// that time.
[[nodiscard]] bool append_parts(const TimeParts& parts, const date::time_zone* local_zone,
                                std::string& out);

/// A text that parse_timestamp() took, but none of kOtherIsoForm: UTC if it has a zone, else local
/// as it is.
void append_timestamp(std::string_view timestamp, std::string& out);

/// A text that parse_epoch() took: seconds (or milliseconds) since 1970, perhaps with a fraction.
void append_epoch(std::string_view text, bool milliseconds, std::string& out);

}  // namespace caravel::formatter
