// The extended log file format of the W3C (WD-logfile-960323), as IIS writes it.
//
//     #Software: Microsoft Internet Information Services 10.0
//     #Fields: date time s-ip cs-method cs-uri-stem sc-status cs(User-Agent)
//     2012-03-09 09:48:00 192.0.2.1 GET /stops 200 Mozilla/5.0+(X11)
//
// `#Fields` says what the values of the lines behind it are, and may come again: a server that was
// told to log something else, or restarted, writes another one into the same file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/records/json_reader.h"

namespace caravel::formatter {

/// What the lines of one extract say, one after the other.
class W3cLines {
 public:
  explicit W3cLines(std::size_t most_fields) : most_fields_(most_fields) {}

  /// A line that says something of the lines, and is none itself.
  [[nodiscard]] static bool is_directive(std::string_view line) { return line.starts_with('#'); }

  /// Takes a directive. Of all but `#Fields` nothing is kept. Errors (kind content): a `#Fields`
  /// that names no field, or too many; then no line behind it can be read before the next.
  [[nodiscard]] Result<> direct(std::string_view line);

  /// The names of the last `#Fields`; empty before the first.
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }

  /// The values of any other line, under their names. A value is a word or, as the standard has it,
  /// a string in quotes, which are doubled inside; `-` says that there is none and makes an empty
  /// cell. The `+` that IIS writes for a blank stays: it writes a plus in the same way. Errors
  /// (kind content) are reasons for a reject: no `#Fields` came before, another number of values.
  [[nodiscard]] Result<std::vector<JsonMember>> read(std::string_view line) const;

 private:
  std::size_t most_fields_;
  std::vector<std::string> fields_;
};

/// One extract's reader: as for JSON lines, but for what a line looks like. The first `#Fields`
/// stands for the first object.
class W3cReader : public MemberReader {
 public:
  W3cReader(const Format& format, const YearTable& years)
      : MemberReader(format, years), lines_(kMaxColumns) {}

  Outcome take(std::string_view record) override;

 private:
  W3cLines lines_;
};

}  // namespace caravel::formatter
