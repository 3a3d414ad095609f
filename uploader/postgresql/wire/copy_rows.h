// The rows of a batch as the stream that COPY … WITH (FORMAT binary) reads (PostgreSQL's manual,
// "COPY", "Binary Format"):
//
//   "PGCOPY\n" 0xff "\r\n" 0   flags   extension       a tuple: how many fields, each with its
//   length ├───── 11 bytes ─────────┤  0        0        ...   -1
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uploader/tables/table_row.h"

namespace caravel::uploader {

/// How the value of a column is sent: as the type that its column of the staging table has.
enum class Encoding : std::uint8_t {
  text,       // the CSV's text; the server makes the column's type of it
  numeric,    // every digit
  jsonb,      // a number, a text, or what a JSON log had there
  json,       // the same, as text: a column of type `json` keeps it as it is written
  timestamp,  // microseconds since 2000; `timestamptz` has the same form
};

/// The type of the staging table's column.
[[nodiscard]] std::string_view staging_type(Encoding encoding);

/// A column of the format, as it is sent.
struct SentColumn {
  std::string name;  // in the table
  formatter::ColumnType type = formatter::ColumnType::text;
  Encoding encoding = Encoding::text;
};

/// What is sent of each row, in this order: n, _id, _kind, _time, [_time_utc], _extract, _line,
/// _sum, then the format's columns. `n` is the row's place in its batch; the feed's own table has
/// no such column.
struct SentShape {
  Encoding time = Encoding::timestamp;  // of `_time`: a people's column may be a text
  bool time_is_instant = false;         // `_time` is a timestamptz: only UTC is one
  bool utc = false;                     // there is a `_time_utc`
  Encoding utc_time = Encoding::timestamp;
  std::vector<SentColumn> columns;
};

/// Writes such a stream.
class CopyStream {
 public:
  /// `shape` outlives it.
  CopyStream(const SentShape& shape, std::string extract)
      : shape_(shape), extract_(std::move(extract)) {}

  /// Of a stream at a time: so much is in memory beside what the server has not taken yet.
  static constexpr std::size_t kPieceBytes = 64 << 10;

  enum class Target : std::uint8_t { staging, table };
  /// Begins a new stream in the place of the old one.
  void begin(Target target);
  /// Appends a row. A reason, and nothing appended, if the table cannot hold one of its values.
  [[nodiscard]] std::optional<std::string> append(const TableRow& row, std::uint32_t index);
  /// Appends the end of the stream.
  void finish();
  /// What was appended since the last call.
  [[nodiscard]] std::string take() { return std::exchange(bytes_, {}); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  void put_null();
  void put_text(std::string_view text);
  void put_time(const RowTime* time, std::string_view text, Encoding encoding);
  [[nodiscard]] std::optional<std::string> put_field(const SentColumn& column,
                                                     std::string_view field);

  const SentShape& shape_;
  std::string extract_;  // the same for all rows
  Target target_ = Target::staging;
  std::string bytes_;
  std::string json_;
};

}  // namespace caravel::uploader
