#include "base/units.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <iterator>
#include <numeric>

namespace caravel {
namespace {

/// Levenshtein's distance, with one row of the table: how many letters are to be put in, left out
/// or changed.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      // row[j + 1] is still of the row above. row[j] is of this row already, and `diagonal` keeps
      // what it was.
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

/// The largest total. As a signed 64-bit number it leaves room to add another duration or size.
constexpr std::uint64_t kMost = std::uint64_t{1} << 62;

/// Adds up whole numbers with units, such as "1h30m". `bare_number` allows a number without a unit;
/// an error (kind usage) shows the `example`.
Result<std::uint64_t> parse_units(std::string_view text, std::initializer_list<Unit> units,
                                  bool bare_number, std::string_view example) {
  const auto bad = [&] {
    return fail(ErrorKind::usage,
                "'" + std::string(text) + "' is not like " + std::string(example));
  };
  if (text.empty()) return bad();
  std::uint64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::uint64_t number = 0;
    const char* const number_at = rest.data();
    // No sign, no blank, no fraction: from_chars takes none, and none is meant.
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status != std::errc{}) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    // All bytes up to the next digit are the unit, blanks and signs too: "10 m" and "1-2" name
    // units that are in no list.
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    rest.remove_prefix(name.size());
    std::uint64_t factor = 0;
    for (const Unit& unit : units) {
      if (unit.name == name) factor = unit.factor;
    }
    // A number alone is a count of bytes where a size is meant (`bare_number`). A duration has to
    // name its unit; only 0 needs none.
    const bool alone = number_at == text.data() && name.empty();
    if (alone && (bare_number || number == 0)) factor = 1;
    if (factor == 0) return bad();
    if (number > (kMost - total) / factor) return bad();  // before it can overflow
    total += number * factor;
  }
  return total;
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  // The first of equals, so that the same slip always gets the same answer.
  std::string nearest;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    // One wrong letter in three is taken for a slip of the hand; with more of them the word is
    // another one.
    const std::size_t near_enough = (std::max(word.size(), candidate.size()) + 2) / 3;
    if (distance <= near_enough && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  CARAVEL_ASSIGN_OR_RETURN(
      auto count,
      parse_units(text,
                  {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}},
                  false, "30s, 500ms, 10m, 24h or 30d"));
  // Longer ones would overflow once they are added to a point in time in nanoseconds.
  constexpr std::uint64_t kHundredYears = 36'500ULL * 86'400'000;
  if (count > kHundredYears) {
    return fail(ErrorKind::usage, "'" + std::string(text) + "' is more than 36500d");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_units(text,
                     {{"B", 1},
                      {"kB", 1000},
                      {"MB", 1'000'000},
                      {"GB", 1'000'000'000},
                      {"KiB", 1ULL << 10},
                      {"MiB", 1ULL << 20},
                      {"GiB", 1ULL << 30},
                      {"TiB", 1ULL << 40}},
                     true, "4MiB, 512KiB or 1GiB");
}

std::string size_for_people(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {" KiB", " MiB", " GiB", " TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  std::size_t unit = 0;
  while (bytes >= 1024 * 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  // Rounded to a tenth; no library of formats, because the agent has this file too.
  const std::uint64_t tenths = (bytes * 10 + 512) / 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kUnits[unit];
}

}  // namespace caravel
