// What became of an extract's lines, and what the rows' columns are: values that all stages share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace caravel::formatter {

/// lines = rows + more_lines + dropped + rejected, always: each line is counted in one place.
struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t rows = 0;
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  std::uint64_t more_lines = 0;  // that records of rows take beside their first lines

  /// Of the rows, from the first line to the last.
  [[nodiscard]] constexpr std::uint64_t row_lines() const { return rows + more_lines; }

  /// Whether the sum is right. No sum is made that could overflow: a damaged file may hold any
  /// numbers.
  [[nodiscard]] constexpr bool add_up() const {
    return rows <= lines && more_lines <= lines - rows && (rows > 0 || more_lines == 0) &&
           dropped <= lines - rows - more_lines && rejected == lines - rows - more_lines - dropped;
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
