#include "formatter/records/gather.h"

#include <algorithm>

#include "formatter/patterns/parsers.h"
#include "formatter/records/csv_reader.h"

namespace caravel::formatter {

namespace {

/// Feeds `end` the lines behind `line`, and grows it by them, as long as quotes are open. `quotes`
/// is what the lines so far are like; what they are like in the end is returned.
Result<CsvQuotes> grow(CsvRecordEnd& end, CsvQuotes quotes, const RecordLimits& limits,
                       LineSplitter& lines, Line& line) {
  while (quotes == CsvQuotes::open) {
    const std::size_t before = line.text().size();
    CARAVEL_ASSIGN_OR_RETURN(const auto more, lines.extend(line, limits));
    if (!more) break;
    quotes = end.take(line.text().substr(before + 1));
  }
  return quotes;
}

/// The rest of a record that began before the extract. A quote that closes what was not opened here
/// is followed by a separator or the line's end; one that opens a field, by its text.
Result<bool> gather_rest(const CsvDialect& dialect, const RecordLimits& limits, LineSplitter& lines,
                         Line& line) {
  const std::size_t first = line.text().size();
  CsvRecordEnd end(dialect);
  (void)end.take(std::string_view(&dialect.quote, 1));  // as if a field were open
  const CsvQuotes begun = end.take(line.text());
  CARAVEL_ASSIGN_OR_RETURN(const auto quotes, grow(end, begun, limits, lines, line));
  if (quotes == CsvQuotes::sound) return true;
  if (line.lines > 1) lines.shrink(line, first, 1);
  return false;
}

}  // namespace

Result<std::string_view> gather_csv(const CsvDialect& dialect, const RecordLimits& limits,
                                    const CutLog& log, LineSplitter& lines, Line& line) {
  if (dialect.quote == '\0') return "";
  if (log.began_ahead && line.number == 1) {
    CARAVEL_ASSIGN_OR_RETURN(const auto rest, gather_rest(dialect, limits, lines, line));
    if (rest) return "the rest of a record that was cut between two extracts";
  }
  const std::size_t first = line.text().size();
  if (line.text().find(dialect.quote) == std::string_view::npos) return "";
  CsvRecordEnd end(dialect);
  const CsvQuotes begun = end.take(trim_record(line.text(), dialect));
  CARAVEL_ASSIGN_OR_RETURN(const auto quotes, grow(end, begun, limits, lines, line));
  if (quotes == CsvQuotes::sound) return "";
  // Within the limits, and yet not closed: the extract has ended.
  const bool cut = quotes == CsvQuotes::open && lines.ended() && line.lines < limits.lines &&
                   line.offset + line.text().size() + 1 >= lines.bytes();
  if (log.goes_on && cut) return "a record that goes on behind the end of its extract";
  if (line.lines > 1) lines.shrink(line, first, 1);
  return "";
}

Result<bool> gather_lines(const LineRule& rule, const RecordLimits& limits, LineSplitter& lines,
                          Line& line) {
  const std::size_t first = line.text().size();
  // One more than may be taken: to know whether the line behind the last one goes on.
  const RecordLimits looked_at{2 * limits.bytes, limits.lines + 1};
  for (;;) {
    const std::size_t before = line.text().size();
    const std::uint64_t count = line.lines;
    CARAVEL_ASSIGN_OR_RETURN(const auto more, lines.extend(line, looked_at));
    if (!more) return true;
    std::string_view next = line.text().substr(before + 1);
    if (next.ends_with('\r')) next.remove_suffix(1);
    if (!line.terminated || !rule.goes_on(next)) {
      lines.shrink(line, before, count);
      return true;
    }
    if (line.lines > limits.lines || line.text().size() > limits.bytes) {
      lines.shrink(line, first, 1);
      return false;
    }
  }
}

std::string_view join_lines(std::string_view record, std::string& out) {
  out.clear();
  while (!record.empty()) {
    const std::size_t end = std::min(record.size(), record.find('\n'));
    std::string_view line = record.substr(0, end);
    while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
    out.append(line).push_back('\n');
    record.remove_prefix(std::min(record.size(), end + 1));
  }
  const std::size_t size = out.find_last_not_of('\n') + 1;
  out.append(kReadableBehind, '\n');
  return std::string_view(out).substr(0, size);
}

}  // namespace caravel::formatter
