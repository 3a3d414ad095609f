#include "formatter/records/record_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/patterns/parsers.h"
#include "formatter/records/json_object.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/row_time.h"

namespace caravel::formatter {
namespace {

/// The last column of JSON lines: members that have no column of their own.
constexpr std::string_view kMore = "more";

/// An ISO 8601 timestamp or seconds since 1970 in the form of the ids; false if it is neither.
bool compact_time(std::string_view value, std::string& out) {
  // The parsers want a line's end, and readable bytes behind it.
  const std::string text = std::string(value) + std::string(1 + kReadableBehind, '\n');
  // Only if nothing is left over: "2012-03-09T09:48:00 or so" is no time.
  Capture capture;
  const char* end = parse_timestamp(text.data(), capture);
  if (end == text.data() + value.size()) {
    append_timestamp(value, out);
    return true;
  }
  // As seconds: a number does not say that it means milliseconds.
  end = parse_epoch(text.data(), false, capture);
  if (end != text.data() + value.size()) return false;
  append_epoch(value, false, out);
  return true;
}

/// The beginning of a value, fit to stand in a reason: whole characters, and a '?' for each control
/// character and each byte that is no UTF-8. A reason is shown on terminals, and its value is a
/// stranger's.
std::string printable_head(std::string_view text) {
  // In bytes: enough to recognize a value by.
  constexpr std::size_t kMost = 64;
  std::string head;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (head.size() + character.size() > kMost) break;
    if (length == 0 || is_control(character)) {
      head.push_back('?');
    } else {
      head.append(character);
    }
    text.remove_prefix(character.size());
  }
  return head;
}

/// A name that stands twice in the object: one of its two values would be lost.
std::optional<std::string_view> first_duplicate(const std::vector<JsonMember>& members) {
  std::vector<std::string_view> names;
  for (const JsonMember& member : members) names.emplace_back(member.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return *twice;
}

}  // namespace

RecordReader::RecordReader(const Format& format)
    : format_(format), objects_(std::make_unique<JsonObjectReader>(kMaxColumns)) {
  if (format.reader == Reader::pattern || format.columns.empty()) return;
  // Columns that the format names are known before the first line: even an extract without rows
  // gets its CSV header.
  for (const Column& column : format.columns) given_.push_back(column.name);
  set_columns(given_, format.columns.front().type);
  if (format.reader == Reader::jsonl) add_column(std::string(kMore), ColumnType::json);
}
RecordReader::~RecordReader() = default;

RecordReader::Outcome RecordReader::take(std::string_view line) {
  return format_.reader == Reader::csv ? take_csv(line) : take_json(line);
}

// A header may leave a name out or give one twice; a store wants one name for each column.
void RecordReader::set_columns(const std::vector<std::string>& names, ColumnType type) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    add_column(names[i].empty() ? fmt::format("column_{}", i + 1) : names[i], type);
    places_.emplace(names[i], i);  // of a name given twice, the first column is meant
  }
}

void RecordReader::add_column(const std::string& wanted, ColumnType type) {
  std::string name = wanted;
  const auto taken = [&](const Column& column) { return column.name == name; };
  for (int n = 2; std::any_of(columns_.begin(), columns_.end(), taken); ++n) {
    name = fmt::format("{}_{}", wanted, n);
  }
  columns_.push_back({std::move(name), type});
}

std::optional<std::size_t> RecordReader::place_of(std::string_view name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

RecordReader::Outcome RecordReader::reject(std::string reason) {
  reason_ = std::move(reason);
  return Outcome::reject;
}

RecordReader::Outcome RecordReader::finish(std::string_view time, std::string_view key) {
  time_.clear();
  // A row whose time cannot be read would get an id that no later reading could repeat.
  if (!format_.time_column.empty()) {
    if (!place_of(format_.time_column)) {
      return reject(fmt::format("there is no column '{}', the row's time", format_.time_column));
    }
    if (!compact_time(time, time_)) {
      return reject(fmt::format("'{}' is no ISO 8601 time and no epoch: '{}'", format_.time_column,
                                printable_head(time)));
    }
  }
  // An empty key is no error: its place in the id is held by "-" (append_id_part()).
  key_ = key;
  record_ = csv_record(values_);
  return Outcome::row;
}

RecordReader::Outcome RecordReader::take_csv(std::string_view line) {
  // The header was lost with the first line. This line would be dropped in its place, and its
  // values would name the columns.
  if (!has_columns() && first_passed_) return reject("the first line was no header");
  first_passed_ = true;
  std::vector<std::string_view> fields;
  // `fields` may point into `scratch`, and values_ copies both before they are gone.
  std::string scratch;
  if (!split_csv_record(line, fields, scratch)) return reject("broken quotes");
  values_.assign(fields.begin(), fields.end());
  // Each file of a rotated log begins with the header, which is no row wherever it stands.
  if (!given_.empty() && values_ == given_) return Outcome::header;
  if (!has_columns()) {
    if (values_.size() > kMaxColumns) return reject(fmt::format("over {} columns", kMaxColumns));
    set_columns(values_, ColumnType::automatic);
    return Outcome::header;
  }
  // Which field is missing cannot be known, so none is put into a column.
  if (values_.size() != columns_.size()) {
    return reject(fmt::format("{} fields instead of {}", values_.size(), columns_.size()));
  }
  const auto value_of = [&](const std::string& name) {
    const auto place = name.empty() ? std::nullopt : place_of(name);
    return place ? std::string_view(values_[*place]) : std::string_view();
  };
  return finish(value_of(format_.time_column), value_of(format_.key_column));
}

RecordReader::Outcome RecordReader::take_json(std::string_view line) {
  auto members = objects_->read(line);
  if (!members) return reject(std::move(members.error().message));
  if (const auto twice = first_duplicate(*members)) {
    return reject(fmt::format("the member '{}' stands twice", printable_head(*twice)));
  }
  if (!has_columns()) {
    // This first object decides for the whole extract: the CSV's header is written now.
    std::vector<std::string> names;
    for (const JsonMember& member : *members) names.push_back(member.name);
    set_columns(names, ColumnType::json);
    add_column(std::string(kMore), ColumnType::json);
  }
  // A member that the object does not have leaves its cell empty.
  values_.assign(columns_.size(), "");
  std::string time;
  std::string key;
  std::string more;
  for (JsonMember& member : *members) {
    // The key needs no column: where the format names the columns, it may end up in "more".
    if (member.name == format_.time_column) time = member.text;
    if (!format_.key_column.empty() && member.name == format_.key_column) key = member.text;
    if (const auto place = place_of(member.name)) {
      values_[*place] = std::move(member.cell);
    } else {
      // As it came, name and value: "more" is a JSON object of the members without a column.
      more += (more.empty() ? "{" : ",") + member.json;
    }
  }
  // The column "more" is always the last.
  values_.back() = more.empty() ? more : more + "}";
  return finish(time, key);
}

bool RecordReader::takes(Reader reader, std::string_view line) {
  // Any text could be CSV, so only a JSON object speaks for a reader.
  Format format;  // nothing of it but the reader is asked for
  format.reader = reader;
  RecordReader probe(format);
  return reader == Reader::jsonl && probe.take(line) == Outcome::row;
}

}  // namespace caravel::formatter
