// CSV with a header, in the dialect that the format says or the file shows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/records/csv_header.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"
#include "formatter/spans/csv_spans.h"

namespace caravel::formatter {

/// Which columns of a CSV are the format's time and key.
struct NamedPlaces {
  std::vector<std::optional<std::size_t>> times;
  std::optional<std::size_t> key;
  std::size_t fields = 0;  // that a line begins with, up to the last of them
};

/// Values are the fields as they are, quotes taken off; column type automatic. The first line that
/// is not empty names the columns, unless the format does.
class CsvReader : public RecordReader {
 public:
  CsvReader(const Format& format, const RecordStart& start);

  /// Where the format names the columns, a header maps the fields that follow it to these, wherever
  /// it stands: each file of a rotated log begins with one. Else the header must be the first line:
  /// if that cannot be read, no later one stands in for it.
  Outcome take(std::string_view record) override;
  [[nodiscard]] std::string_view take_plain(std::string_view line) override;
  [[nodiscard]] std::string_view take_ahead(const char* line) override;
  [[nodiscard]] bool spans_lines() const override { return true; }
  Result<std::string_view> gather(const CutLog& log, LineSplitter& lines, Line& line) override;
  [[nodiscard]] std::string_view trim(std::string_view record) const override;
  void pass_over() override { first_passed_ = true; }

  /// How the extract's records are written. Final once the first line was taken.
  [[nodiscard]] const CsvDialect& dialect() const { return dialect_; }
  /// The header that was seen last, as a line; else one that the columns make.
  [[nodiscard]] std::string header_line() const override;

 private:
  void set_header(const std::vector<std::string>& names, bool takes_more);
  Outcome take_first(const std::vector<std::string_view>& fields);
  Outcome take_row(const std::vector<std::string_view>& fields);
  void change_values(const std::vector<std::string_view>& fields);

  [[nodiscard]] const NamedPlaces& named_places();

  /// Whether lines can be their own records: values that change on their way are not plain.
  [[nodiscard]] bool has_plain_lines() const;
  // Of what spans_ hold:
  /// The row of a record that is plain; false if it has none.
  bool take_spans();
  /// Whether it has as many fields as there are columns, and so many of them are values that it is
  /// no header. Nearly every record shows that by the first bytes of its fields.
  [[nodiscard]] bool is_plain_row();
  [[nodiscard]] bool may_be_header() const;
  /// Fills times_ and `key`; false if a value is not plain.
  bool find_named(std::string_view& key);

  CsvDialect dialect_;
  CsvSpans spans_;
  /// Whether lines can be their own records, and need not be looked at for time and key; known
  /// until another line is shown to take().
  enum class Plain : std::uint8_t { unknown, no, yes, as_they_are };
  Plain plain_ = Plain::unknown;
  std::optional<CsvHeader> header_;
  /// 1 for the bytes that a field begins with which cannot name a column.
  std::array<std::uint8_t, 256> begins_value_ = {};
  bool begins_log_;
  bool first_passed_ = false;
  std::vector<std::string_view> fields_;
  std::string scratch_;
  std::vector<std::string> changed_;      // the values, where they are not as in the file
  std::vector<std::string_view> values_;  // one a column
  std::vector<std::string_view> times_;   // of values_, what the format's time is made of
  std::optional<NamedPlaces> named_places_;
};

/// A record without blanks at its ends and the CR of its line end; without the CR only where blanks
/// separate fields.
[[nodiscard]] std::string_view trim_record(std::string_view record, const CsvDialect& dialect);

/// The separator that splits most of `lines` into the same number of fields, two at least; the
/// comma if none does.
[[nodiscard]] char find_separator(const std::vector<std::string>& lines, char quote);

}  // namespace caravel::formatter
