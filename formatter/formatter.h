// Drives the others: an extract in; CSV, sidecar, rejects and counts out. One pass, constant
// memory.
//
//   Input         the file's bytes, unpacked; SHA-256 on the way         input/
//     │
//   LineSplitter  lines; of a line longer than max_line, pieces          input/
//     │
//     ├─ the first 64 lines: detect_format, unless the format is named   records/
//     │
//   gather_csv    the lines over which a record's quotes go on           records/
//   LineText      no NUL; UTF-8, or made UTF-8                           records/
//     │
//   Matcher       `reader: pattern`: which kind is this line?            records/, patterns/
//   RecordReader  `reader: csv` and `jsonl`                              records/
//     │
//     ├─ row      RowWriter: CSV and sidecar                             output/
//     ├─ dropped  counted
//     └─ reject   Rejects: the line as it came, and the reason           output/
//
// Every line ends in exactly one of the three: lines = lines of rows + dropped + rejected.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/input/input.h"
#include "formatter/output/monitor.h"
#include "formatter/output/output.h"
#include "formatter/output/rejects.h"
#include "formatter/patterns/year.h"
#include "formatter/rows/counts.h"
#include "formatter/rows/row_id.h"

namespace caravel::formatter {

struct Line;
class RecordReader;

struct FormatRequest {
  /// The format, or nullptr: found from the first lines among `formats`.
  const Format* format = nullptr;
  const FormatSet* formats = nullptr;
  YearTable years;
  /// What a manifest says of the extract's place in its log; without one it is a log of its own.
  std::optional<Hash128> first_line;
  std::uint64_t log_offset = 0;
  /// The first line is a piece of a line that its logger cut in two: a reject, whatever it looks
  /// like.
  bool begins_with_piece = false;
  bool accept_unterminated = false;
  std::size_t max_line = std::size_t{1} << 20;  // bytes; a longer line is a reject
  /// An extract that unpacks to more bytes is refused.
  std::uint64_t max_unpacked = std::uint64_t{8} << 30;
  /// So is one that unpacks to more than this many times its packed size, and to more than
  /// kRatioCountsFrom: of less, nobody can make a danger.
  std::uint64_t max_ratio = 1000;
  /// Lines are taken the quick way (formatter/quick), which writes the same, once so many bytes of
  /// them lie ahead in the buffer: to prepare it costs as much as to format some hundred lines.
  std::size_t quick_from = std::size_t{16} * 1024;
};

inline constexpr std::uint64_t kRatioCountsFrom = std::uint64_t{64} << 20;  // bytes

/// Where the results go. `sidecar` may discard: then no ids are computed.
struct FormatOutputs {
  Output& csv;
  Output& sidecar;
  Rejects& rejects;
};

struct FormatResult {
  Counts counts;
  const Format* format = nullptr;  // nullptr: an extract without one complete line
  std::string sha256;              // of the file as it came; "" if the Input computes none
  std::string unpacked_sha256;     // what a manifest speaks of
  std::string first_time;          // least and greatest row time as in the ids; "" without rows
  std::string last_time;
  /// The date of the last row or dropped line whose year came from the YearTable.
  std::optional<std::chrono::year_month_day> last_date;
  std::uint64_t unpacked_bytes = 0;
  /// Of a CSV: the header that a file of its rejects begins with.
  std::string rejects_header;
};

/// A line that has just been read, or a record of several, or a piece of a line that is longer than
/// max_line.
struct SeenLine {
  const Line& line;  // as it came, with all lines of its record; valid during the call
  const Format& format;
  const RecordReader* records = nullptr;  // of `reader: csv` and `jsonl`
  /// The counts before and behind it. They are equal if more pieces of the line follow.
  Counts before;
  Counts after;
};

/// Formats one extract. All outputs are flushed on success. After an error they hold what was
/// written until then; the sidecar then lacks its end line, so that nobody takes the pair for
/// whole. Formats and years are only read: threads may share them.
///
/// Errors: content if the packed data is damaged, is too large, or no format takes any of the first
/// lines; stopped; retry if something cannot be read or written; what a Space of the outputs said,
/// soon after it said so.
[[nodiscard]] Result<FormatResult> format_extract(Input& input, const FormatRequest& request,
                                                  const FormatOutputs& outputs,
                                                  const FormatMonitor& monitor = {});

}  // namespace caravel::formatter
