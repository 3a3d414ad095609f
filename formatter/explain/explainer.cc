#include "formatter/explain/explainer.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/excerpt.h"
#include "base/text.h"
#include "formatter/explain/attempts.h"
#include "formatter/explain/cells.h"
#include "formatter/input/line_splitter.h"
#include "formatter/patterns/capture_types.h"
#include "formatter/records/csv_reader.h"
#include "formatter/records/json_object.h"
#include "formatter/records/matcher.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kLeastWidth = 60;
constexpr std::string_view kLineIndent = "  ";

/// The byte at which `text` stops to be JSON; nothing if it is JSON, of whatever kind.
std::optional<std::size_t> first_broken_byte(std::string_view text) {
  try {
    const auto parsed = nlohmann::json::parse(text);
    (void)parsed;
  } catch (const nlohmann::json::parse_error& error) {
    // It counts from 1, and the end of the text as one byte more.
    return std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
  } catch (const nlohmann::json::exception&) {
    // A number that no double can hold is JSON all the same.
  }
  return std::nullopt;
}

/// What stands under a capture: the name, or the type of one that is only checked; and the value
/// that the row has of it, if that is another text.
std::string label_of(const Kind& kind, std::size_t capture, std::string_view text,
                     const std::vector<Column>& columns, const std::vector<std::string>& values) {
  const std::string& name = kind.pattern.names()[capture];
  if (name.empty()) return fmt::format("({})", row_of(kind.pattern.op_of(capture).type).name);
  for (std::size_t i = 0; i < columns.size() && i < values.size(); ++i) {
    if (columns[i].name == name && values[i] != text)
      return fmt::format("{} = {}", name, values[i]);
  }
  return name;
}

std::vector<std::string> names_of_columns(const RecordReader& reader) {
  std::vector<std::string> names;
  for (const Column& column : reader.columns()) names.push_back(column.name);
  return names;
}

/// Why a line that is neither blank nor of a kind is no row.
std::string_view what_is_dropped(const SeenLine& seen) {
  if (seen.format.reader != Reader::csv) return "dropped";
  if (seen.line.number <= seen.format.csv.skip) return "dropped: one of the lines to `skip`";
  return "dropped: a header, which names the columns";
}

}  // namespace

Explainer::Explainer(const YearTable& years, std::size_t width)
    : years_(years), width_(std::max(width, kLeastWidth)), values_(years) {}

void Explainer::begin(const SeenLine& seen, Style style, std::string_view what,
                      StyledText& out) const {
  const std::uint64_t first = seen.line.number;
  out.add(Style::heading, seen.line.lines == 1
                              ? fmt::format("line {}: ", first)
                              : fmt::format("lines {}-{}: ", first, first + seen.line.lines - 1));
  out.add(style, what);
  out.add("\n");
}

void Explainer::explain(const SeenLine& seen, StyledText& out) {
  const Counts& before = seen.before;
  const Counts& after = seen.after;
  if (after.rejected > before.rejected) {
    explain_reject(seen, out);
  } else if (after.rows > before.rows) {
    explain_row(seen, out);
  } else if (after.dropped > before.dropped) {
    explain_dropped(seen, out);
  }
}

void Explainer::explain_row(const SeenLine& seen, StyledText& out) {
  values_.look_at(seen);
  if (values_.kind() != nullptr) {
    begin(seen, Style::good, printable(values_.kind()->name), out);
    std::vector<Cell> cells;
    const char* at = values_.trimmed().data();
    const char* const end = at + values_.trimmed().size();
    const Kind& kind = *values_.kind();
    for (std::size_t i = 0; i < kind.pattern.names().size(); ++i) {
      const Capture& capture = values_.state().captures[i];
      if (capture.begin < at || capture.end > end) continue;
      if (capture.begin > at) cells.push_back({std::string(at, capture.begin), ""});
      cells.push_back({std::string(capture.text()),
                       label_of(kind, i, capture.text(), seen.format.columns, values_.values())});
      at = capture.end;
    }
    if (at < end) cells.push_back({std::string(at, end), ""});
    append_cells(cells, Spacing::line, width_, out);
    return;
  }
  begin(seen, Style::good, "a record", out);
  append_fields(names_of_columns(*seen.records), values_.values(), out);
}

void Explainer::explain_dropped(const SeenLine& seen, StyledText& out) {
  values_.look_at(seen);
  if (values_.trimmed().empty()) {
    begin(seen, Style::faint, "dropped: nothing but blanks", out);
    return;
  }
  if (values_.kind() != nullptr) {
    begin(seen, Style::faint, printable(values_.kind()->name) + ", dropped", out);
  } else {
    begin(seen, Style::faint, what_is_dropped(seen), out);
  }
  append_excerpt(values_.trimmed(), out);
}

void Explainer::explain_reject(const SeenLine& seen, StyledText& out) {
  begin(seen, Style::bad, "reject: " + shown(reason_), out);
  if (seen.line.oversized) return;
  values_.look_at(seen);
  const std::string_view trimmed = values_.trimmed();
  const std::string_view first_line = trimmed.substr(0, trimmed.find('\n'));
  if (trimmed.empty()) return;
  switch (seen.format.reader) {
    case Reader::pattern: {
      const Attempts attempts(seen.format, years_, first_line, values_.ahead());
      // Else the line was refused before any kind was tried: it is no UTF-8, or cut off.
      if (attempts.reason() == reason_) {
        attempts.append_to(width_, out);
        return;
      }
      break;
    }
    case Reader::csv:
      if (append_csv(static_cast<const CsvReader&>(*seen.records), trimmed, out)) return;
      break;
    case Reader::jsonl:
      append_json(trimmed, out);
      return;
    case Reader::logfmt:
    case Reader::w3c:
    case Reader::journal:
      break;
  }
  append_excerpt(first_line, out);
}

bool Explainer::append_csv(const CsvReader& reader, std::string_view record,
                           StyledText& out) const {
  const std::string header = reader.header_line();
  std::vector<std::string_view> names;
  std::vector<std::string_view> fields;
  std::string scratch_of_names;
  std::string scratch;
  // The header as the file has it, whose columns may stand in another order than the format's.
  if (header.empty() ||
      split_csv(header, reader.dialect(), names, scratch_of_names) != CsvQuotes::sound ||
      split_csv(record, reader.dialect(), fields, scratch) != CsvQuotes::sound) {
    return false;
  }
  append_fields({names.begin(), names.end()}, {fields.begin(), fields.end()}, out);
  return true;
}

void Explainer::append_fields(const std::vector<std::string>& names,
                              const std::vector<std::string>& fields, StyledText& out) const {
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    cells.push_back({fields[i], i < names.size() ? names[i] : "(no column)"});
  }
  append_cells(cells, Spacing::table, width_, out);
  if (fields.size() >= names.size() || fields.empty()) return;
  std::string missing;
  for (std::size_t i = fields.size(); i < names.size(); ++i) {
    missing += (missing.empty() ? "" : ", ") + names[i];
  }
  out.add(kLineIndent);
  out.add(Style::bad, "no field for: ");
  out.add(Style::name, abbreviated(missing, width_ - 20));
  out.add("\n");
}

void Explainer::append_json(std::string_view trimmed, StyledText& out) const {
  if (const auto broken = first_broken_byte(trimmed)) {
    const Excerpt excerpt = excerpt_of(trimmed, *broken, 1, width_ - kLineIndent.size());
    out.add(
        fmt::format("{}{}\n{}{:{}}", kLineIndent, excerpt.text, kLineIndent, "", excerpt.column));
    out.add(Style::mark, "^");
    out.add(*broken == trimmed.size() ? " the object ends too early\n"
                                      : " here it stops to be JSON\n");
    return;
  }
  JsonObjectReader reader(RecordReader::kMaxColumns);
  const auto members = reader.read(trimmed);
  if (!members) {
    append_excerpt(trimmed, out);
    return;
  }
  std::vector<Cell> cells;
  for (const JsonMember& member : *members) cells.push_back({member.cell, member.name});
  append_cells(cells, Spacing::table, width_, out);
}

void Explainer::append_excerpt(std::string_view line, StyledText& out) const {
  out.add(kLineIndent);
  out.add(Style::faint, excerpt_of(line, 0, 0, width_ - kLineIndent.size()).text);
  out.add("\n");
}

}  // namespace caravel::formatter
