// Lines that make one record together.
#pragma once

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {

/// Grows `line` to the record that begins with it: by the lines over which the quotes of a CSV go
/// on. If they are never closed, within the format's limits, or are broken, `line` stays as it is.
/// Returns why the record is none though its quotes may be sound; "" if it may be one:
///   - it goes on behind the end of its extract: all lines from its first on are part of it
///   - it is the rest of one that began in the extract before: up to the first quote that closes
///     what can only have been opened there. Lines without any quote tell nothing, and are taken
///     for what they look like.
///
/// An enemy's quotes do not make this slow. Where quotes that were opened in one line go on over
/// whole lines, these hold pairs of quotes only, and a line that holds pairs only opens nothing: so
/// lines that were looked at in vain are hardly ever looked at again.
[[nodiscard]] Result<std::string_view> gather_csv(const CsvDialect& dialect,
                                                  const RecordLimits& limits, const CutLog& log,
                                                  LineSplitter& lines, Line& line);

/// Grows `line` by the lines that go on, as `rule` says. False if they are more than `limits`
/// allow: `line` then stays as it is. A last line without its end is not taken in.
[[nodiscard]] Result<bool> gather_lines(const LineRule& rule, const RecordLimits& limits,
                                        LineSplitter& lines, Line& line);

/// The lines of a record without blanks and CRs at their ends, with a LF between each two and
/// without the last ones that are blank, in `out`; behind it a byte that may be written, and
/// kReadableBehind. Returns the text.
std::string_view join_lines(std::string_view record, std::string& out);

}  // namespace caravel::formatter
