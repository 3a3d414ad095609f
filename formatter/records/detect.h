// What the first lines of an extract tell: its format, and what the reader of its records has to
// know.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/input/line_splitter.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

/// What is known of an extract before its format is.
struct DetectRequest {
  bool begins_with_piece = false;  // its first line tells nothing
  bool unterminated = false;       // a last line without its end counts
  std::size_t max_line = 0;        // as the LineSplitter has it, for messages
};

/// The format of the extract that `lines` is at the beginning of, by its first 64 lines. nullptr:
/// it has no line to tell a format by. Takes no line. Errors: content, if no format takes any.
[[nodiscard]] Result<const Format*> find_format(LineSplitter& lines, const FormatSet& formats,
                                                const DetectRequest& request);

/// As many lines as are looked at to find a format or a dialect: enough to outvote a header or a
/// comment.
inline constexpr std::size_t kDetectionLines = 64;

/// An error if the extract is UTF-16 and its format does not say so: its lines would be none.
[[nodiscard]] Result<> expect_encoding(const LineSplitter& lines, Encoding encoding);

/// The format that takes most of `lines` (the first complete lines of an extract), rows and dropped
/// lines alike; the first of equals. nullptr if none takes any.
[[nodiscard]] const Format* detect_format(const FormatSet& formats,
                                          const std::vector<std::string>& lines);

/// What the extract's lines before the first one that is taken say of it.
struct RecordStart {
  std::vector<std::string> first_lines;  // some, without their ends; none are taken
  YearTable years;                       // for times without one
  bool begins_log = true;                // else it was cut from the middle of one: without a header
};

/// Looks at the first of `lines` if the format needs them, and takes none. An error is one of the
/// input.
[[nodiscard]] Result<RecordStart> record_start(const Format& format, LineSplitter& lines,
                                               bool begins_log, const YearTable& years);

}  // namespace caravel::formatter
