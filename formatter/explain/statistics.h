// `caravel format --stats`: what the format makes of all lines together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/explain/row_values.h"
#include "formatter/explain/styled_text.h"
#include "formatter/explain/value_range.h"
#include "formatter/formatter.h"

namespace caravel::formatter {

/// A reason of a reject without what differs from line to line: numbers become N (those of names
/// such as "ISO 8601" or "UTF-8" stay), and a text in single quotes that is none of `names` '…'.
/// What stands in double quotes is the format's, and stays.
[[nodiscard]] std::string reason_without_values(std::string_view reason,
                                                const std::vector<Column>& names);

/// Counts the lines of one run. Memory has a limit whatever the input: kMostReasons reasons with an
/// example each, and a ValueRange a column.
class Statistics {
 public:
  static constexpr std::size_t kMostReasons = 50;
  static constexpr std::size_t kMostExampleBytes = 400;
  static constexpr std::size_t kMostHashes = 200'000;  // of distinct values, over all columns
  static constexpr std::size_t kMostDistinct = 1'000;  // of one column

  /// `years` are those of the run and must outlive this.
  explicit Statistics(const YearTable& years) : values_(years) {}

  /// The reason of the reject that the next line, or piece of one, will be seen as.
  void note_reject(std::string_view reason) { reason_ = reason; }
  void see(const SeenLine& seen);

  /// The report, in rows of at most `width` columns. `format` is that of the run.
  void append_to(const Format& format, std::size_t width, StyledText& out) const;

 private:
  struct Reason {
    std::uint64_t count = 0;
    std::uint64_t line = 0;  // of the example
    std::string reason;      // of the example
    std::string example;     // the beginning of the line
  };

  void count_reject(const SeenLine& seen);
  void count_values(const SeenLine& seen);
  void append_kinds(const Format& format, StyledText& out) const;
  void append_reasons(std::size_t width, StyledText& out) const;
  void append_columns(std::size_t width, StyledText& out) const;

  RowValues values_;
  std::string reason_;
  Counts counts_;
  std::vector<std::uint64_t> by_kind_;
  std::uint64_t other_dropped_ = 0;                     // blank lines, headers
  std::map<std::string, Reason, std::less<>> reasons_;  // counts are of lines
  std::uint64_t other_rejects_ = 0;                     // of reasons beyond kMostReasons
  std::vector<Column> columns_;
  std::vector<ValueRange> ranges_;
};

}  // namespace caravel::formatter
