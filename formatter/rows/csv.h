// CSV as RFC 4180 has it, comma and "\n": one place that quotes, one that takes quotes off.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::formatter {

/// Appends `value` to `out`, quoted if it holds a comma, a quote, CR or LF.
void append_csv_field(std::string_view value, std::string& out);

/// The record for `values`, without a line end.
[[nodiscard]] std::string csv_record(const std::vector<std::string>& values);

/// The CSV's first line, with its end; nothing where no columns are known.
[[nodiscard]] std::string csv_header(const std::vector<std::string>& names);

/// Splits one record (no line end) into unquoted fields. The views point into `record`, or into
/// `scratch` for fields that held doubled quotes; both must outlive them. False if the quoting is
/// broken.
[[nodiscard]] bool split_csv_record(std::string_view record, std::vector<std::string_view>& fields,
                                    std::string& scratch);

}  // namespace caravel::formatter
