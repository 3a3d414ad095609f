#include "formatter/records/detect.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

/// Any leap year: detection asks for the shape of a line, not for its year.
constexpr std::chrono::year kAnyYear{2000};

}  // namespace

Result<> expect_encoding(const LineSplitter& lines, Encoding encoding) {
  if (!lines.is_utf16() || encoding == Encoding::utf16) return {};
  return fail(ErrorKind::content,
              "it begins with the mark of UTF-16: say `encoding: utf-16` in its format, or convert "
              "it with iconv(1)");
}

Result<const Format*> find_format(LineSplitter& lines, const FormatSet& formats,
                                  const DetectRequest& request) {
  CARAVEL_ASSIGN_OR_RETURN(auto first_lines, lines.peek(kDetectionLines, request.unterminated));
  if (request.begins_with_piece && !first_lines.empty()) {
    first_lines.erase(first_lines.begin());
    if (first_lines.empty() && lines.ended()) return nullptr;
  }
  if (first_lines.empty()) {
    if (lines.ended()) return nullptr;
    return fail(ErrorKind::content,
                fmt::format("its first line is longer than {} bytes (max_line), so its format "
                            "cannot be found; name it with --format or `format:`",
                            request.max_line));
  }
  const Format* const format = detect_format(formats, first_lines);
  if (format != nullptr) return format;
  CARAVEL_TRY(expect_encoding(lines, Encoding::utf8));
  return fail(ErrorKind::content,
              fmt::format("no format takes any of its first {} lines (known: {}); name one with "
                          "--format or `format:`",
                          first_lines.size(), fmt::join(formats.names(), ", ")));
}

const Format* detect_format(const FormatSet& formats, const std::vector<std::string>& lines) {
  const Format* best = nullptr;
  std::size_t most = 0;
  const YearTable years = YearTable::fixed(kAnyYear);
  for (const auto& format : formats.all()) {
    if (!format->detect) continue;
    // Dropped lines count as much as rows: a format that knows a line is the likelier one.
    std::size_t taken = 0;
    for (const std::string& line : lines) taken += takes_line(*format, line, years) ? 1 : 0;
    // The first of equals wins, in the order of the set: the same answer on every host.
    if (taken > most) {
      most = taken;
      best = format.get();
    }
  }
  return best;
}

Result<RecordStart> record_start(const Format& format, LineSplitter& lines, bool begins_log,
                                 const YearTable& years) {
  RecordStart start;
  start.begins_log = begins_log;
  start.years = years;
  if (!format.csv.separator_auto) return start;
  CARAVEL_ASSIGN_OR_RETURN(start.first_lines, lines.peek(kDetectionLines, true));
  if (!begins_log) return start;
  // Lines that the format skips need not be separated like the rest.
  const auto ahead = std::min<std::uint64_t>(format.csv.skip, start.first_lines.size());
  start.first_lines.erase(start.first_lines.begin(),
                          start.first_lines.begin() + static_cast<std::ptrdiff_t>(ahead));
  return start;
}

}  // namespace caravel::formatter
