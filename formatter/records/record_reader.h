// Lines that carry their own structure: CSV with a header, and JSON lines. The first line of an
// extract names the columns, or the format does.
//
//     {"ts":"2012-03-09T09:48:00Z","id":7,"s":"on"}      first line: columns ts, id, s and more
//     {"id":8,"ts":1331286481,"door":{"n":1.50}}         "door" has no column
//        │
//        ▼  take(): split_csv_record() or JsonObjectReader, then one value a column
//     values   1331286481 │ 8 │ │ {"door":{"n":1.50}}    in the order of the columns
//        │
//        ├── record()   csv_record(values), for RowWriter::write_record
//        ├── time()     20120309T094801Z                 of the format's time column
//        └── key()      8                                of its key column
//
// No value passes through a number: digits are copied from the line as they stand there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/formats/format.h"

namespace caravel::formatter {

class JsonObjectReader;

/// One extract's reader. Values:
///   csv    fields as they are, RFC 4180 quotes taken off; column type automatic
///   jsonl  members of the object, as JSON tokens with the digits of the source. A string stands
///          without its quotes unless it would then read as another JSON value; null is empty.
///          Members that the first line did not have go into the column "more", as one object.
/// A line that a store could not take as it is (a name twice, more than kMaxColumns) is a reject.
class RecordReader {
 public:
  explicit RecordReader(const Format& format);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  /// What became of a line.
  enum class Outcome { row, header, reject };

  static constexpr std::size_t kMaxColumns = 1000;

  /// Takes a trimmed line. Where the format names the columns, a CSV line that holds these names is
  /// a header wherever it stands: each file of a rotated log begins with one. Else the first JSON
  /// object that can be read makes the columns; of CSV it must be the first line: if that cannot be
  /// read, no later one stands in for it.
  Outcome take(std::string_view line);
  /// A line that is not empty went by without being shown to take().
  void pass_over() { first_passed_ = true; }

  [[nodiscard]] bool has_columns() const { return !columns_.empty(); }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }

  // Of the last row:
  [[nodiscard]] const std::string& record() const { return record_; }
  /// Its time as ids have it; "" if the format has no time column.
  [[nodiscard]] const std::string& time() const { return time_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  /// Why the last line was rejected.
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// For detection: would such a reader take this line at all?
  [[nodiscard]] static bool takes(Reader reader, std::string_view line);

 private:
  Outcome take_csv(std::string_view line);
  Outcome take_json(std::string_view line);
  void set_columns(const std::vector<std::string>& names, ColumnType type);
  /// Under this name, or the next free one: name_2, name_3…
  void add_column(const std::string& wanted, ColumnType type);
  /// The column that a header's field or a member's value goes to.
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view name) const;
  Outcome reject(std::string reason);
  /// Makes the record of values_, with the values of the time and the key column.
  Outcome finish(std::string_view time, std::string_view key);

  const Format& format_;
  std::unique_ptr<JsonObjectReader> objects_;
  std::vector<Column> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;  // column by the name that the file uses
  std::vector<std::string> values_;
  std::string record_;
  std::string time_;
  std::string key_;
  std::string reason_;
  std::vector<std::string> given_;  // the format's columns
  bool first_passed_ = false;
};

}  // namespace caravel::formatter
