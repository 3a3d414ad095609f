#include "formatter/records/csv_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/eight_bytes.h"
#include "formatter/patterns/parsers.h"
#include "formatter/records/gather.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

/// The separator of Excel's own first line, `sep=;`; nothing if it is another line.
std::optional<char> separator_of(std::string_view line) {
  // Of a tab the line's end has taken the separator away, as a blank.
  if (line.size() == 4) return separator_of(std::string(line) + '\t');
  if (line.size() != 5) return std::nullopt;
  const bool is_word = (line[0] == 's' || line[0] == 'S') && (line[1] == 'e' || line[1] == 'E') &&
                       (line[2] == 'p' || line[2] == 'P') && line[3] == '=';
  if (!is_word) return std::nullopt;
  return line[4];
}

/// Digits, a comma, digits: a number as it is written where the comma is the decimal sign.
bool has_decimal_comma(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma + 1 == text.size()) return false;
  std::string_view whole = text.substr(0, comma);
  if (whole.starts_with('-')) whole.remove_prefix(1);
  const auto all_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
  };
  return all_digits(whole) && all_digits(text.substr(comma + 1));
}

/// A value as a member of the JSON object in the column "more".
std::string json_value(const std::string& value) {
  const auto parsed = nlohmann::json::parse(value, nullptr, false);
  // The digits of a number are those of the file.
  if (parsed.is_number()) return value;
  return nlohmann::json(value).dump();
}

std::string name_of(char separator) {
  if (separator == '\t') return "tab";
  return fmt::format("\"{}\"", separator);
}

}  // namespace

std::string_view trim_record(std::string_view record, const CsvDialect& dialect) {
  if (!is_blank(dialect.separator)) return trim_line(record);
  if (record.ends_with('\r')) record.remove_suffix(1);
  return record;
}

char find_separator(const std::vector<std::string>& lines, char quote) {
  char best = ',';
  std::size_t best_lines = 0;
  std::vector<std::string_view> fields;
  std::string scratch;
  for (const char separator : {',', ';', '\t', '|'}) {
    // How many lines have so many fields.
    std::map<std::size_t, std::size_t> lines_with;
    for (const std::string& line : lines) {
      if (split_csv(line, {separator, quote}, fields, scratch) != CsvQuotes::sound) continue;
      if (fields.size() > 1) ++lines_with[fields.size()];
    }
    for (const auto& [count, with] : lines_with) {
      // The first of equals: a comma is a separator more often than not.
      if (with > best_lines) {
        best = separator;
        best_lines = with;
      }
    }
  }
  return best;
}

CsvReader::CsvReader(const Format& format, const RecordStart& start)
    : RecordReader(format, start.years),
      dialect_(format.csv.dialect),
      begins_log_(start.begins_log) {
  if (format.csv.separator_auto) {
    dialect_.separator = find_separator(start.first_lines, dialect_.quote);
  }
  if (format.columns.empty()) return;
  // Columns that the format names are known before the first line: even an extract without rows
  // gets its CSV header.
  std::vector<std::string> names;
  for (const Column& column : format.columns) names.push_back(column.name);
  set_columns(names, ColumnType::automatic);
  set_header(names, format.csv.takes_more);
  if (format.csv.takes_more) add_column(std::string(kMore), ColumnType::json);
}

RecordReader::Outcome CsvReader::take(std::string_view record) {
  plain_ = Plain::unknown;
  if (!first_passed_ && begins_log_) {
    if (const auto separator = separator_of(record)) {
      dialect_.separator = *separator;
      return Outcome::header;
    }
  }
  // More CRs than one at the line's end: text that was converted twice on its way.
  while (record.ends_with('\r')) record.remove_suffix(1);
  const CsvQuotes quotes = split_csv(record, dialect_, fields_, scratch_);
  const bool first = !std::exchange(first_passed_, true);
  // The header was lost with the first line. This line would be dropped in its place, and its
  // values would name the columns.
  if (!has_columns() && !first) return reject("the first line was no header");
  if (quotes == CsvQuotes::open) {
    return reject(fmt::format("quotes that are never closed (within {} bytes and {} lines)",
                              format().records.bytes, format().records.lines));
  }
  if (quotes == CsvQuotes::broken) return reject("broken quotes");
  if (!has_columns()) return take_first(fields_);
  if (format().csv.header != CsvHeaderLine::absent) {
    // What the format says of the first line is true of a log's first line only.
    const bool has_header =
        format().csv.header == CsvHeaderLine::present || format().csv.takes_more;
    const bool must_be = first && begins_log_ && has_header;
    switch (header_->look(fields_, must_be)) {
      case CsvHeader::Kind::none:
        break;
      case CsvHeader::Kind::header:
        return Outcome::header;
      case CsvHeader::Kind::wrong:
        return refuse(fmt::format("a header with other columns: {}", header_->difference()));
    }
  }
  return take_row(fields_);
}

std::string_view CsvReader::take_plain(std::string_view line) {
  if (!has_plain_lines()) return {};
  const std::string_view record = trim_record(line, dialect_);
  // Blanks are left there only where they separate fields, and all of the line may be blank.
  if (record.empty() || is_blank(record.front()) || !spans_.scan(record, dialect_)) return {};
  return take_spans() ? record : std::string_view();
}

std::string_view CsvReader::take_ahead(const char* line) {
  if (plain_ == Plain::unknown) {
    const bool has_names = !format().record_time.columns.empty() || !format().key_column.empty();
    plain_ = !has_plain_lines() || dialect_ != CsvDialect{} ? Plain::no
             : has_names                                    ? Plain::yes
                                                            : Plain::as_they_are;
  }
  if (plain_ == Plain::no || !spans_.scan_ahead(line)) return {};
  if (plain_ == Plain::yes || spans_.has_quotes()) {
    return take_spans() ? spans_.record() : std::string_view();
  }
  if (!is_plain_row()) return {};
  finish_as_it_is(spans_.record());
  return spans_.record();
}

bool CsvReader::has_plain_lines() const {
  return first_passed_ && has_columns() && header_->in_order() && !format().csv.decimal_comma &&
         columns().size() == header_->places().size();
}

bool CsvReader::take_spans() {
  // A line that may be the header is not plain.
  if (!is_plain_row()) return false;
  std::string_view key;
  if (!find_named(key)) return false;
  // What is no row is rejected by take(), with the reason.
  return finish_ready(spans_.written(scratch_), times_, key) == Outcome::row;
}

void CsvReader::set_header(const std::vector<std::string>& names, bool takes_more) {
  header_.emplace(names, takes_more);
  for (std::size_t byte = 0; byte < begins_value_.size(); ++byte) {
    const char first = static_cast<char>(byte);
    const bool may_name = first == dialect_.quote || header_->may_begin_name(first);
    begins_value_[byte] = may_name ? 0 : 1;
  }
}

bool CsvReader::is_plain_row() {
  const std::size_t values = spans_.count_marked(begins_value_);
  const std::size_t count = spans_.count();
  if (count != columns().size()) return false;
  return 2 * values >= count || !may_be_header();
}

/// As soon as half of the fields are values, it is no header.
bool CsvReader::may_be_header() const {
  if (format().csv.header == CsvHeaderLine::absent) return false;
  // The record has as many fields as there are columns.
  const std::size_t count = spans_.count();
  const CsvHeader& header = *header_;
  const char quote = dialect_.quote;
  std::size_t values = 0;
  CsvSpans::Fields fields = spans_.fields();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view field = fields.next();
    const char first = *field.data();  // of an empty one, the separator behind it
    const bool may_name =
        (first == quote || header.may_begin_name(first)) && header.may_name(field, quote);
    if (!may_name && 2 * ++values >= count) return false;
  }
  return true;
}

bool CsvReader::find_named(std::string_view& key) {
  const NamedPlaces& named = named_places();
  times_.clear();
  if (named.fields == 0) return true;
  fields_.clear();
  CsvSpans::Fields fields = spans_.fields();
  for (std::size_t i = 0; i < named.fields; ++i) fields_.push_back(fields.next());
  bool plain = true;
  const auto value_at = [&](std::optional<std::size_t> place) {
    if (!place) return std::string_view();
    std::string_view value = fields_[*place];
    if (value.empty() || value.front() != dialect_.quote) return value;
    value = value.substr(1, value.size() - 2);
    plain = plain && value.find(dialect_.quote) == std::string_view::npos;
    return value;
  };
  for (const auto place : named.times) times_.push_back(value_at(place));
  key = value_at(named.key);
  return plain;
}

RecordReader::Outcome CsvReader::take_first(const std::vector<std::string_view>& fields) {
  if (fields.size() > kMaxColumns) return reject(fmt::format("over {} columns", kMaxColumns));
  // One column whose name holds what others separate with: most likely it is not one column.
  if (fields.size() == 1 && !format().csv.separator_given) {
    for (const char separator : {';', '\t'}) {
      if (fields.front().find(separator) == std::string_view::npos) continue;
      return refuse(
          fmt::format("its header '{}' is one column: say `separator: {}` (or "
                      "`separator: auto`) in its format; if it is one, `separator: \",\"`",
                      printable_head(fields.front()), name_of(separator)));
    }
  }
  const std::vector<std::string> names(fields.begin(), fields.end());
  set_columns(names, ColumnType::automatic);
  set_header(names, false);
  return Outcome::header;
}

RecordReader::Outcome CsvReader::take_row(const std::vector<std::string_view>& fields) {
  const std::vector<std::size_t>& places = header_->places();
  // Which field is missing cannot be known, so none is put into a column.
  if (fields.size() != places.size()) {
    return reject(fmt::format("{} fields instead of {}", fields.size(), places.size()));
  }
  if (header_->in_order() && !format().csv.decimal_comma) {
    values_.assign(fields.begin(), fields.end());
    values_.resize(columns().size());
  } else {
    change_values(fields);
  }
  const auto value_at = [&](std::optional<std::size_t> place) {
    return place ? values_[*place] : std::string_view();
  };
  times_.clear();
  for (const auto place : named_places().times) times_.push_back(value_at(place));
  return finish(values_, times_, value_at(named_places().key));
}

/// Puts the fields into their columns, with points for decimal commas.
void CsvReader::change_values(const std::vector<std::string_view>& fields) {
  const std::vector<std::size_t>& places = header_->places();
  changed_.assign(columns().size(), "");
  std::string more;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (places[i] != CsvHeader::kMore) {
      changed_[places[i]].assign(fields[i]);
    } else if (!fields[i].empty()) {
      more += fmt::format("{}{}:{}", more.empty() ? "{" : ",",
                          nlohmann::json(header_->written()[i]).dump(),
                          json_value(std::string(fields[i])));
    }
  }
  if (!more.empty()) changed_.back() = more + "}";
  if (format().csv.decimal_comma) {
    for (std::string& value : changed_) {
      if (has_decimal_comma(value)) value[value.find(',')] = '.';
    }
  }
  values_.assign(changed_.begin(), changed_.end());
}

const NamedPlaces& CsvReader::named_places() {
  if (named_places_) return *named_places_;
  named_places_.emplace();
  for (const std::string& name : format().record_time.columns) {
    named_places_->times.push_back(place_of(name));
  }
  if (!format().key_column.empty()) named_places_->key = place_of(format().key_column);
  const auto reach = [&](std::optional<std::size_t> place) {
    if (place) named_places_->fields = std::max(named_places_->fields, *place + 1);
  };
  for (const auto place : named_places_->times) reach(place);
  reach(named_places_->key);
  return *named_places_;
}

Result<std::string_view> CsvReader::gather(const CutLog& log, LineSplitter& lines, Line& line) {
  return gather_csv(dialect_, format().records, log, lines, line);
}

std::string_view CsvReader::trim(std::string_view record) const {
  return trim_record(record, dialect_);
}

std::string CsvReader::header_line() const {
  if (!header_) return {};
  std::string line;
  for (const std::string& name : header_->written()) {
    if (!line.empty()) line += dialect_.separator;
    const char special[] = {dialect_.separator, dialect_.quote, '\r', '\n'};
    if (dialect_.quote == '\0' ||
        name.find_first_of(std::string_view(special, sizeof special)) == std::string::npos) {
      line += name;
      continue;
    }
    line += dialect_.quote;
    for (const char c : name) {
      if (c == dialect_.quote) line += c;
      line += c;
    }
    line += dialect_.quote;
  }
  return line;
}

}  // namespace caravel::formatter
