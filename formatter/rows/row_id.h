// The ids of rows (docs/promises.md, "Nothing twice"). Frozen: stored data depends on every byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::formatter {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

/// XXH3-128 of `bytes`; its canonical form is high before low, big-endian.
[[nodiscard]] Hash128 hash_bytes(std::string_view bytes);

/// The digest of a line at a place in a log (`identity: position`): XXH3-128 over the canonical
/// 16 bytes of the first line's hash, the offset as 8 bytes big-endian, and the line.
[[nodiscard]] Hash128 hash_positioned(const Hash128& first_line, std::uint64_t offset,
                                      std::string_view line);

/// 32 lower-case hex digits.
void append_hex(const Hash128& hash, std::string& out);
[[nodiscard]] std::string to_hex(const Hash128& hash);

/// All but [A-Za-z0-9._-] as %XX; a part over 64 bytes becomes the hex of its hash; an empty one
/// "-".
void append_id_part(std::string_view part, std::string& out);

/// "2012-03-09" and "09:48:00[.frac]" as "20120309T094800[.frac]": ascending, nothing to encode.
void append_compact_time(std::string_view iso_date, std::string_view time, std::string& out);

/// Seconds since 1970 in UTC as "20120309T094800Z", with `fraction` (digits, may be empty) before
/// the Z.
void append_utc_time(std::int64_t seconds, std::string_view fraction, std::string& out);

/// What stands for the time where lines carry none: "<8 hex of the first line's hash>-<offset, 16
/// digits>".
void append_place(const Hash128& first_line, std::uint64_t offset, std::string& out);

}  // namespace caravel::formatter
