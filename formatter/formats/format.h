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
#include "formatter/patterns/pattern.h"
#include "formatter/rows/counts.h"

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
};

/// What one column holds in the rows of one kind.
struct ColumnRule {
  Emit emit = Emit::nothing;
  std::uint8_t capture = 0;
  std::uint8_t digits = 0;          // of Emit::implied
  std::string constant;             // ready for CSV
  std::vector<std::string> values;  // option: by index, ready for CSV
};

/// Which captures of a kind make the row's own time.
struct TimeRule {
  enum class Source : std::uint8_t {
    none,
    date_time,
    timestamp,
    epoch_seconds,
    epoch_milliseconds
  };
  Source source = Source::none;
  std::uint8_t date = 0;  // or the timestamp, or the epoch
  std::uint8_t time = 0;
  std::optional<std::uint8_t> offset;
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
  std::optional<std::uint8_t> month_day;  // the first capture that takes its year from a YearTable
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

  // csv and jsonl: the columns come from the first line, unless they are given; so these are names.
  std::string time_column;
  std::string key_column;

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
