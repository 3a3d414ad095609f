// Lines that carry their own structure: CSV with a header, and JSON lines. The first line of an
// extract names the columns.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/format.h"

namespace caravel::formatter {

/// One extract's reader. Values:
///   csv    fields as they are, RFC 4180 quotes taken off; column type automatic
///   jsonl  members of the object, as JSON tokens with the digits of the source. A string stands
///          without its quotes unless it would then read as another JSON value; null is empty.
///          Members that the first line did not have go into the column "more", as one object.
class RecordReader {
 public:
  explicit RecordReader(const Format& format);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  /// What became of a line.
  enum class Outcome { row, header, reject };

  /// Takes a trimmed line. The first one that can be read makes the columns.
  Outcome take(std::string_view line);

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
  struct Json;

  Outcome take_csv(std::string_view line);
  Outcome take_json(std::string_view line);
  void set_columns(std::vector<std::string> names, ColumnType type);
  /// Record, time and key from values_.
  Outcome finish();

  const Format& format_;
  std::unique_ptr<Json> json_;
  std::vector<Column> columns_;
  int time_index_ = -1;
  int key_index_ = -1;
  std::vector<std::string> values_;
  std::string record_;
  std::string time_;
  std::string key_;
  std::string reason_;
};

}  // namespace caravel::formatter
