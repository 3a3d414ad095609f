#include "formatter/rows/row_id.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
// Compiled into this file, with the library's own loops for short inputs, which lines are.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/eight_bytes.h"
#include "base/text.h"
#include "formatter/rows/row_time.h"

namespace caravel::formatter {
namespace {

/// Eight lower-case hex digits of a number, the highest in the lowest byte.
std::uint64_t hex_digits(std::uint32_t value) {
  // Half a byte in each byte, the lowest first: 32 bits are spread over 64, in three steps.
  std::uint64_t spread = value;
  spread = (spread << 16 | spread) & 0x0000ffff0000ffff;
  spread = (spread << 8 | spread) & 0x00ff00ff00ff00ff;
  spread = (spread << 4 | spread) & 0x0f0f0f0f0f0f0f0f;
  // 1 for each of the digits a to f, which do not stand behind 9 in ASCII.
  const std::uint64_t letters = ((spread + in_every_byte(6)) >> 4) & in_every_byte(1);
  return __builtin_bswap64(spread + in_every_byte('0') + letters * ('a' - '0' - 10));
}

/// 16 lower-case hex digits, the highest first.
void put_hex64(std::uint64_t value, char* out) {
  const std::uint64_t digits[2] = {hex_digits(static_cast<std::uint32_t>(value >> 32)),
                                   hex_digits(static_cast<std::uint32_t>(value))};
  std::memcpy(out, digits, sizeof digits);
}
void append_hex64(std::uint64_t value, std::string& out) {
  char text[16];
  put_hex64(value, text);
  out.append(text, sizeof text);
}

/// Writes 8 bytes, the highest first: what is hashed must be the same on every processor.
void put_big_endian(std::uint64_t value, unsigned char* out) {
  value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof value);
}

/// The bytes that an id may hold as they are: none of them means anything in a URL (RFC 3986, 2.3,
/// without '~'), and ':' stays free to separate the parts.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  table['.'] = table['_'] = table['-'] = true;
  return table;
}
constexpr std::array<bool, 256> kPlain = make_plain();

}  // namespace

Hash128 hash_bytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Hash128 hash_positioned(const Hash128& first_line, std::uint64_t offset, std::string_view line) {
  // So long that nearly every line fits in behind the prefix.
  constexpr std::size_t kPrefix = 24;
  constexpr std::size_t kAtOnce = 1000;
  unsigned char prefix[kPrefix + kAtOnce];
  put_big_endian(first_line.high, prefix);
  put_big_endian(first_line.low, prefix + 8);
  put_big_endian(offset, prefix + 16);
  if (line.size() <= kAtOnce) {
    // To copy a line is cheaper than to set up a stream.
    std::memcpy(prefix + kPrefix, line.data(), line.size());
    const XXH128_hash_t hash = XXH3_128bits(prefix, kPrefix + line.size());
    return {hash.high64, hash.low64};
  }
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, prefix, kPrefix);
  XXH3_128bits_update(&state, line.data(), line.size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

void append_hex(const Hash128& hash, std::string& out) {
  char text[32];
  put_hex64(hash.high, text);
  put_hex64(hash.low, text + 16);
  out.append(text, sizeof text);
}

std::string to_hex(const Hash128& hash) {
  std::string out;
  append_hex(hash, out);
  return out;
}

void append_id_part(std::string_view part, std::string& out) {
  // Ids are kept in every index of a store: a key of a KiB would make them all large.
  constexpr std::size_t kLongestPart = 64;
  if (part.empty()) {
    // An id always has three parts, so that it can be taken apart again.
    out.push_back('-');
    return;
  }
  if (part.size() > kLongestPart) {
    // The digest stands for the part: keys that are equal still get equal ids.
    append_hex(hash_bytes(part), out);
    return;
  }
  // Nearly every part is plain, and a look into a table is quicker than the encoder.
  const auto is_plain = [](char c) { return kPlain[static_cast<unsigned char>(c)]; };
  if (std::all_of(part.begin(), part.end(), is_plain)) {
    out.append(part);
    return;
  }
  // The same bytes as in kPlain stay as they are; everything else becomes %XX.
  append_percent_encoded(part, "-._", out);
}

void append_place(const Hash128& first_line, std::uint64_t offset, std::string& out) {
  // Eight digits tell logs apart within a feed; sixteen digits sort as text.
  const std::size_t from = out.size();
  append_hex64(first_line.high, out);
  out.resize(from + 8);
  out += '-';
  append_padded(offset, 16, out);
}

}  // namespace caravel::formatter
