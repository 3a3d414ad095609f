// A row of a batch as the table of a feed has it: what the table keeps for itself, and the fields
// of the format's columns as the CSV has them. How a field becomes a value is the store's matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/counts.h"
#include "uploader/store.h"
#include "uploader/tables/row_batch.h"
#include "uploader/utc_time.h"

namespace caravel::uploader {

/// A column of a feed's table that rows have values for.
struct TableColumn {
  std::string name;
  formatter::ColumnType type = formatter::ColumnType::text;

  bool operator==(const TableColumn&) const = default;
};

/// What the rows of one extract have in common.
struct RowShape {
  std::string extract;  // extract_tag()
  std::vector<std::string> kinds;
  std::vector<formatter::ColumnType> types;  // of the format's columns, as the table takes them
  std::optional<UtcConverter> utc;           // if the table has a column for it
};

/// What one transaction did; it counts once it is committed.
struct Tally {
  UploadCounts counts;
  std::vector<RefusedRow> refused;
};

/// One row of a batch after the other. Views last until the next read(), or until the batch
/// changes.
class TableRow {
 public:
  /// `shape` outlives it.
  explicit TableRow(RowShape& shape) : shape_(shape) {}

  /// Takes row `index` of `batch`. A reason if it can be a row of no store; then the row has no
  /// fields.
  [[nodiscard]] std::optional<std::string> read(const RowBatch& batch, std::uint32_t index);

  [[nodiscard]] std::string_view id() const { return id_; }
  [[nodiscard]] std::uint64_t line() const { return row_.line; }
  /// RowReader has checked the index of the kind.
  [[nodiscard]] const std::string& kind() const { return shape_.kinds[row_.kind]; }
  [[nodiscard]] const std::string& sum() const { return sum_; }
  /// One for each of the format's columns.
  [[nodiscard]] const std::vector<std::string_view>& fields() const { return fields_; }
  /// The row's own time, as ISO 8601 and in parts; "" and null if it has none.
  [[nodiscard]] const std::string& time_text() const { return time_text_; }
  [[nodiscard]] const RowTime* time() const { return time_ ? &*time_ : nullptr; }
  /// The same in UTC; "" and null too if the shape has no converter.
  [[nodiscard]] const std::string& utc_text() const { return utc_text_; }
  [[nodiscard]] const RowTime* utc() const { return utc_ ? &*utc_ : nullptr; }

 private:
  void read_time();

  RowShape& shape_;
  std::string_view id_;
  formatter::Row row_;
  std::string sum_;
  std::vector<std::string_view> fields_;
  std::string scratch_;
  // Most rows have the time of the row before. The parts point into the first text.
  std::string time_of_id_;
  std::optional<RowTime> time_;
  std::optional<RowTime> utc_;
  std::string time_text_;
  std::string utc_text_;
};

}  // namespace caravel::uploader
