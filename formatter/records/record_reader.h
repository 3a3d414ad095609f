// Lines that carry their own structure: CSV with a header, JSON lines, logfmt, W3C logs. The first
// line of an extract names the columns, or the format does.
//
//     {"ts":"2012-03-09T09:48:00Z","id":7,"s":"on"}      first line: columns ts, id, s and more
//     {"id":8,"ts":1331286481,"door":{"n":1.50}}         "door" has no column
//        │
//        ▼  take(): CsvReader, JsonReader, …: then one value a column
//     values   1331286481 │ 8 │ │ {"door":{"n":1.50}}    in the order of the columns
//        │
//        ├── record()   csv_record(values), for RowWriter::write_record; what take_plain() takes
//        │              stands so in the line already, or is put together from spans of it
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
#include "formatter/input/line_splitter.h"
#include "formatter/records/detect.h"
#include "formatter/records/record_time.h"

namespace caravel::formatter {

/// What is known of the log that an extract was cut from.
struct CutLog {
  bool goes_on = false;      // behind the extract's end, or may do so
  bool began_ahead = false;  // the extract does not begin it
};

/// One extract's reader. A record that a store could not take as it is (a name twice, more than
/// kMaxColumns) is a reject.
class RecordReader {
 public:
  /// `years` are for times without one.
  RecordReader(const Format& format, const YearTable& years)
      : format_(format), row_time_(format.record_time, years) {}
  virtual ~RecordReader() = default;
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  /// What became of a record.
  enum class Outcome {
    row,
    header,  // or another line that belongs to the file and not to its data: dropped
    reject,  // see reason()
    refuse,  // the whole extract, since every row of it could be wrong: see reason()
  };

  static constexpr std::size_t kMaxColumns = 1000;

  /// Whether a record may have more than one line: then gather() is called for each, before take().
  [[nodiscard]] virtual bool spans_lines() const { return false; }
  /// Grows `line` to the record that begins with it. Returns why that is none; "" if it may be one.
  /// Errors: of the input; kind content refuses the extract.
  virtual Result<std::string_view> gather(const CutLog& log, LineSplitter& lines, Line& line);
  /// A record without what only ends it.
  [[nodiscard]] virtual std::string_view trim(std::string_view record) const;
  /// Whether a record may hold bytes that are no text.
  [[nodiscard]] virtual bool takes_bytes() const { return false; }
  /// The line that must stand ahead of records for them to be read again; "" if there is none.
  [[nodiscard]] virtual std::string header_line() const { return ""; }

  /// Takes a trimmed record.
  virtual Outcome take(std::string_view record) = 0;
  /// Takes a whole line that shows at a glance that it is a row: the trimmed record, which gather()
  /// would leave as it is and of which take() would make the same row. Nothing, and nothing
  /// changes, if it is not so plain. A LF and kBehindLine readable bytes must follow `line`.
  [[nodiscard]] virtual std::string_view take_plain(std::string_view /*line*/) { return {}; }
  /// A line that is not empty went by without being shown to take().
  virtual void pass_over() {}

  [[nodiscard]] bool has_columns() const { return !columns_.empty(); }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }

  /// The same for a line of which only the beginning is known, and that it is ASCII without NUL:
  /// its end is found on the way. The record that is returned ends ahead of a LF or CR LF.
  [[nodiscard]] virtual std::string_view take_ahead(const char* /*line*/) { return {}; }

  // Of the last row, as long as its line is valid:
  [[nodiscard]] std::string_view record() const { return record_; }
  /// Its time as ids have it; "" if the format has no time column.
  [[nodiscard]] const std::string& time() const { return time_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  /// Its packed date, if the year came from outside; else 0.
  [[nodiscard]] std::uint32_t date() const { return row_time_.date(); }
  /// Why the last record was rejected, or the extract is refused.
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// For detection: would such a reader take this line at all?
  [[nodiscard]] static bool takes(Reader reader, std::string_view line);

 protected:
  [[nodiscard]] const Format& format() const { return format_; }
  void set_columns(const std::vector<std::string>& names, ColumnType type);
  /// Under this name, or the next free one: name_2, name_3…
  void add_column(const std::string& wanted, ColumnType type);
  /// The column that a header's field or a member's value goes to.
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view name) const;
  Outcome reject(std::string reason);
  Outcome refuse(std::string reason);
  /// Makes the record of `values`, one a column, with the values of the time's columns, one each,
  /// and of the key.
  Outcome finish(const std::vector<std::string_view>& values,
                 const std::vector<std::string_view>& times, std::string_view key);
  /// The same with a record that is ready, and stays valid as long as its line.
  Outcome finish_ready(std::string_view record, const std::vector<std::string_view>& times,
                       std::string_view key);
  /// The same, and the row has neither time nor key.
  void finish_as_it_is(std::string_view record) {
    record_ = record;
    time_.clear();
    key_.clear();
  }

 private:
  /// Whether there is a column of that name, or one with the objects that a path leads into.
  [[nodiscard]] bool has_column(std::string_view name) const;
  [[nodiscard]] std::string find_lacking_time() const;

  const Format& format_;
  RecordTime row_time_;
  std::vector<Column> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;  // column by the name that the file uses
  /// A column of the format's time that is not there, once that was looked for; "" if all are.
  std::optional<std::string> lacking_time_;
  std::string_view record_;
  std::string made_record_;
  std::string time_;
  std::string key_;
  std::string reason_;
};

/// The reader of `format`, which must outlive it; nullptr for `reader: pattern`.
[[nodiscard]] std::unique_ptr<RecordReader> make_record_reader(const Format& format,
                                                               const RecordStart& start);

/// The beginning of a stranger's value, fit to stand in a reason: whole characters, and a '?' for
/// each control character and each byte that is no UTF-8.
[[nodiscard]] std::string printable_head(std::string_view text);

/// The last column of records that may have members, or fields, without a column of their own: a
/// JSON object of them.
inline constexpr std::string_view kMore = "more";

}  // namespace caravel::formatter
