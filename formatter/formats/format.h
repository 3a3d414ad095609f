// A format: how one line becomes a row. Data (a YAML file), checked and compiled when it is loaded.
// docs/formats.md describes the file.
//
//   etc/formats/spysocket.yaml
//        │  YamlNode            file, line and key for every error
//        ▼  compile_format      this file's keys; kind_compiler: the list `kinds`
//   Format ── columns           names and types
//        └─── kinds             in the order in which they are tried
//               ├── pattern     Pattern::compile: the ops that match a line of this kind
//               ├── columns     for each of the format's columns: which capture, written how
//               └── time, key   the captures that go into the row's id
//
// Everything that can be decided once a format is decided here, so that nothing is left to look up
// or to compare for a line but what the line itself says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/formats/examples.h"
#include "formatter/formats/line_rule.h"
#include "formatter/formats/privacy.h"
#include "formatter/input/encoding.h"
#include "formatter/input/line_splitter.h"
#include "formatter/patterns/pattern.h"
#include "formatter/rows/counts.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {

/// What makes a line itself: which lines count as the same event.
enum class Identity {
  line,      // its bytes: identical lines are one event
  position,  // its place in the log too: identical lines are different events
};

/// How a line is taken apart.
enum class Reader {
  pattern,  // record kinds with patterns, tried in order
  csv,      // RFC 4180 records; the first line names the columns
  jsonl,    // one JSON object a line; the first line names the columns
  logfmt,   // key=value pairs; the first line names the columns
  w3c,      // values that the last `#Fields` line names; the first of these names the columns
  journal,  // entries of many lines, as `journalctl -o export` writes them; the first names the
            // columns
};

/// Whether a CSV begins with a header.
enum class CsvHeaderLine : std::uint8_t {
  found,    // where the format names no columns; else a line that names them is one
  present,  // the first line of each log
  absent,   // no line is one
};

/// How a CSV is read (`reader: csv`).
struct CsvOptions {
  CsvDialect dialect;
  bool separator_given = false;
  bool separator_auto = false;  // found from the first lines
  bool decimal_comma = false;   // 2,5 becomes 2.5
  CsvHeaderLine header = CsvHeaderLine::found;
  std::uint64_t skip = 0;   // lines ahead of the header
  bool takes_more = false;  // columns that the format does not name go into the column "more"
};

/// What one column holds in the rows of one kind.
struct ColumnRule {
  Emit emit = Emit::nothing;
  std::uint8_t capture = 0;
  std::uint8_t digits = 0;          // of Emit::implied
  std::string constant;             // ready for CSV
  std::vector<std::string> values;  // option: by index, ready for CSV
  std::vector<TimeLayout> times;    // of Emit::iso_time: how it is read again; one
};

/// A capture that says a part of a time, and how it is read again when the time is made.
struct TimePiece {
  std::uint8_t capture = 0;
  /// The date is the capture's number, and nothing has to be read.
  bool packed_date = false;
  TimeLayout layout = TimeLayout::iso_clock();
};

/// Which captures of a kind make the row's own time.
struct TimeRule {
  enum class Source : std::uint8_t {
    none,
    date_time,
    timestamp,
    epoch_seconds,
    epoch_milliseconds,
    pieces,  // layouts, zones: everything that the others do not know
  };
  Source source = Source::none;
  std::uint8_t date = 0;  // or the timestamp, or the epoch
  std::uint8_t time = 0;
  std::optional<std::uint8_t> offset;
  std::vector<TimePiece> pieces;          // of `pieces`, and of timestamps in an unusual form
  const date::time_zone* zone = nullptr;  // of times that name none (pieces)
  /// The time may be one that clocks skipped, so it must be asked before a row is made of it.
  bool may_be_skipped = false;
};

/// Which columns or members make the time of a csv or jsonl row, and how it is written there.
struct RecordTimeRule {
  std::vector<std::string> columns;  // joined with a blank; none: rows have no time of their own
  std::vector<TimeLayout> layouts;   // tried in order; none: ISO 8601 or seconds since 1970
  const date::time_zone* zone = nullptr;  // of times that name none

  [[nodiscard]] bool lacks_year() const;
};

/// One record kind: the lines that one pattern matches.
struct Kind {
  std::string name;
  bool keep = true;  // else its lines are dropped
  Pattern pattern;
  std::size_t shared = 0;  // leading ops that are the same as the kind's before
  std::vector<ColumnRule> columns;
  std::size_t most_added = 0;  // bytes of a record that do not come from the line, at most
  TimeRule time;
  std::optional<std::uint8_t> key;
  bool key_in_lower_case = false;         // as its column is written: equal values have equal keys
  std::vector<PrivacyAct> privacy;        // in the order of the captures
  std::optional<std::uint8_t> month_day;  // the first capture that takes its year from a YearTable
  std::optional<std::uint8_t> rest;       // the capture that goes on to the end of the record
  /// Whether a line that matched has to be looked at before its row is made: for its date without a
  /// year, or for a time that clocks may have skipped.
  bool looked_at = false;
};

struct Format {
  std::string name;
  std::string about;
  std::string file;  // where it was loaded from
  Reader reader = Reader::pattern;
  Identity identity = Identity::line;
  bool detect = true;  // may be found by `format: auto`
  std::vector<Column> columns;
  std::vector<Kind> kinds;
  std::optional<Privacy> privacy;  // lines are made anonymous before anything else

  Encoding encoding = Encoding::utf8;
  RecordLimits records;  // of a record that spans lines
  std::optional<LineRule> continues;
  CsvOptions csv;

  // csv and jsonl: the columns come from the first line, unless they are given; so these are names.
  RecordTimeRule record_time;
  std::string key_column;

  /// `zone` and `zones`.
  ZoneRules zones;

  std::vector<Example> examples;  // what the file itself says of its lines

  /// Whether a year must be supplied from outside.
  [[nodiscard]] bool needs_year() const;
  /// The names of the kinds that make rows, as rows refer to them: by index into kinds.
  [[nodiscard]] std::vector<std::string> kind_names() const;
};

/// Compiles one format file. Errors (kind usage) name file, line and key.
[[nodiscard]] Result<Format> compile_format(const YamlNode& root);

/// All formats of several folders, by name. A later folder's format replaces an earlier one's of
/// the same name: users come after the shipped ones.
class FormatSet {
 public:
  /// Every *.yaml of `folders` that is not hidden. A folder that is missing is an error.
  static Result<FormatSet> load(const std::vector<std::string>& folders);

  void add(Format format);
  /// nullptr if there is none. Valid as long as the set.
  [[nodiscard]] const Format* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::vector<std::unique_ptr<const Format>>& all() const { return formats_; }
  /// `unknown format 'x'; did you mean 'y'? Known: …`
  [[nodiscard]] std::string unknown_name_message(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<const Format>> formats_;
};

}  // namespace caravel::formatter
