#include "formatter/rows/row_id.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/text.h"

namespace caravel::formatter {
namespace {

/// The two hex digits of every byte, one pair after another.
constexpr std::array<char, 512> make_hex_pairs() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = kDigits[byte >> 4];
    pairs[2 * byte + 1] = kDigits[byte & 15];
  }
  return pairs;
}
constexpr std::array<char, 512> kHexPairs = make_hex_pairs();

void append_hex64(std::uint64_t value, std::string& out) {
  char text[16];
  for (int i = 14; i >= 0; i -= 2) {
    std::memcpy(text + i, &kHexPairs[2 * (value & 255)], 2);
    value >>= 8;
  }
  out.append(text, sizeof text);
}

void put_big_endian(std::uint64_t value, unsigned char* out) {
  for (int i = 7; i >= 0; --i) {
    out[i] = static_cast<unsigned char>(value & 255);
    value >>= 8;
  }
}

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
  unsigned char prefix[24];
  put_big_endian(first_line.high, prefix);
  put_big_endian(first_line.low, prefix + 8);
  put_big_endian(offset, prefix + 16);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, prefix, sizeof prefix);
  XXH3_128bits_update(&state, line.data(), line.size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

void append_hex(const Hash128& hash, std::string& out) {
  append_hex64(hash.high, out);
  append_hex64(hash.low, out);
}

std::string to_hex(const Hash128& hash) {
  std::string out;
  append_hex(hash, out);
  return out;
}

void append_id_part(std::string_view part, std::string& out) {
  constexpr std::size_t kLongestPart = 64;
  if (part.empty()) {
    out.push_back('-');
    return;
  }
  if (part.size() > kLongestPart) {
    append_hex(hash_bytes(part), out);
    return;
  }
  const auto is_plain = [](char c) { return kPlain[static_cast<unsigned char>(c)]; };
  if (std::all_of(part.begin(), part.end(), is_plain)) {
    out.append(part);
    return;
  }
  append_percent_encoded(part, "-._", out);
}

void append_compact_time(std::string_view iso_date, std::string_view time, std::string& out) {
  const char* d = iso_date.data();
  const char* t = time.data();
  const char text[15] = {d[0], d[1], d[2], d[3], d[5], d[6], d[8], d[9],
                         'T',  t[0], t[1], t[3], t[4], t[6], t[7]};
  out.append(text, sizeof text);
  if (time.size() > 9) {
    out.push_back('.');
    out.append(time.substr(9));
  }
}

void append_utc_time(std::int64_t seconds, std::string_view fraction, std::string& out) {
  using std::chrono::days;
  const std::chrono::sys_seconds instant{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  fmt::format_to(std::back_inserter(out), "{:04}{:02}{:02}T{:02}{:02}{:02}",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                 time.seconds().count());
  if (!fraction.empty()) {
    out.push_back('.');
    out.append(fraction);
  }
  out.push_back('Z');
}

void append_place(const Hash128& first_line, std::uint64_t offset, std::string& out) {
  const std::size_t from = out.size();
  append_hex64(first_line.high, out);
  out.resize(from + 8);
  fmt::format_to(std::back_inserter(out), "-{:016}", offset);
}

}  // namespace caravel::formatter
