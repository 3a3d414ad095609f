// What became of an extract's lines, and what the rows' columns are: values that all stages share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace caravel::formatter {

/// lines = rows + dropped + rejected, always.
struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t rows = 0;
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;

  /// Whether it is so. No sum is made that could overflow: a damaged file may hold any numbers.
  [[nodiscard]] constexpr bool add_up() const {
    return rows <= lines && dropped <= lines - rows && rejected == lines - rows - dropped;
  }
};

/// How a column's values are meant in a store that has types.
enum class ColumnType {
  text,       // always a string
  number,     // a number, where its digits survive a double
  automatic,  // decided value by value: what reads as a number is one
  json,       // a JSON value as written (jsonl)
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::text;
  bool operator==(const Column&) const = default;
};

}  // namespace caravel::formatter
