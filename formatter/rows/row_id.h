// Row identity. Frozen: the ids of everything that is stored depend on every byte of it.
//
//   hrt:20120309T094800:V.1.2683:6f4dd4ce1b3a4d8d2b50cd5a70e87d4a
//   feed  time          key      digest of the line's bytes (`identity: line`) or of its place in
//                                the log and its bytes (`identity: position`)
//
// The formatter makes all but the feed's name: the id tail. A line that comes again, in whatever
// extract, makes the same id again; so a store finds what it has already.
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

/// What stands for the time (row_time.h) where lines carry none: "<8 hex of the first line's
/// hash>-<offset, 16 digits>".
void append_place(const Hash128& first_line, std::uint64_t offset, std::string& out);

}  // namespace caravel::formatter
