// CSV: one place that quotes (as RFC 4180 has it, comma and "\n"), one that takes quotes off.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::formatter {

/// Appends `value` to `out`, quoted if it holds a comma, a quote, CR or LF.
void append_csv_field(std::string_view value, std::string& out);

/// The record for `values`, without a line end.
[[nodiscard]] std::string csv_record(const std::vector<std::string>& values);
/// The same, behind what `out` holds.
void append_csv_record(const std::vector<std::string_view>& values, std::string& out);

/// The CSV's first line, with its end; nothing where no columns are known.
[[nodiscard]] std::string csv_header(const std::vector<std::string>& names);

/// How a CSV is written. What we write is always RFC 4180; what we read may be another.
struct CsvDialect {
  char separator = ',';
  char quote = '"';  // '\0': none, a quote is a byte like any other
  bool operator==(const CsvDialect&) const = default;
};

/// What the quotes of a record, or of its first lines, are like.
enum class CsvQuotes : std::uint8_t {
  sound,
  open,    // quotes are open at the end: the record goes on in the next line, or it is none
  broken,  // a quote inside a bare field, or text behind a closing quote
};

/// Splits one record (no line end behind it; inside of quotes there may be any) into unquoted
/// fields. The views point into `record`, or into `scratch` for fields that held doubled quotes;
/// both must outlive them. Unless the quotes are sound the fields mean nothing.
[[nodiscard]] CsvQuotes split_csv(std::string_view record, const CsvDialect& dialect,
                                  std::vector<std::string_view>& fields, std::string& scratch);

/// The same in our own dialect; false unless the quotes are sound.
[[nodiscard]] bool split_csv_record(std::string_view record, std::vector<std::string_view>& fields,
                                    std::string& scratch);

/// Finds the end of a record that spans lines, looking at each line once.
class CsvRecordEnd {
 public:
  explicit CsvRecordEnd(const CsvDialect& dialect) : dialect_(dialect) {}

  /// The next line of the record, without its LF. `open`: one more line is needed.
  [[nodiscard]] CsvQuotes take(std::string_view line);

 private:
  CsvDialect dialect_;
  bool in_quotes_ = false;
};

}  // namespace caravel::formatter
