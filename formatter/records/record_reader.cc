#include "formatter/records/record_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/records/csv_reader.h"
#include "formatter/records/journal.h"
#include "formatter/records/json_reader.h"
#include "formatter/records/logfmt.h"
#include "formatter/records/matcher.h"
#include "formatter/records/w3c.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {

std::string printable_head(std::string_view text) {
  // In bytes: enough to recognize a value by. A reason is shown on terminals.
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

Result<std::string_view> RecordReader::gather(const CutLog& /*log*/, LineSplitter& /*lines*/,
                                              Line& /*line*/) {
  return "";
}

std::string_view RecordReader::trim(std::string_view record) const { return trim_line(record); }

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

RecordReader::Outcome RecordReader::refuse(std::string reason) {
  reason_ = std::move(reason);
  return Outcome::refuse;
}

bool RecordReader::has_column(std::string_view name) const {
  if (place_of(name)) return true;
  if (format_.reader != Reader::jsonl) return false;
  // A path: the object that it leads into has the column.
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    if (place_of(name.substr(0, dot))) return true;
  }
  return false;
}

std::string RecordReader::find_lacking_time() const {
  for (const std::string& column : format_.record_time.columns) {
    if (!has_column(column)) return column;
  }
  return "";
}

RecordReader::Outcome RecordReader::finish(const std::vector<std::string_view>& values,
                                           const std::vector<std::string_view>& times,
                                           std::string_view key) {
  made_record_.clear();
  append_csv_record(values, made_record_);
  return finish_ready(made_record_, times, key);
}

RecordReader::Outcome RecordReader::finish_ready(std::string_view record,
                                                 const std::vector<std::string_view>& times,
                                                 std::string_view key) {
  time_.clear();
  // A row whose time cannot be read would get an id that no later reading could repeat.
  if (!lacking_time_) lacking_time_ = find_lacking_time();
  if (!lacking_time_->empty()) {
    return reject(fmt::format("there is no column '{}', the row's time", *lacking_time_));
  }
  if (!times.empty() && !row_time_.read(times, time_)) {
    return reject(row_time_.reason());
  }
  // An empty key is no error: its place in the id is held by "-" (append_id_part()).
  if (!key.empty() || !key_.empty()) key_ = key;
  record_ = record;
  return Outcome::row;
}

bool RecordReader::takes(Reader reader, std::string_view line) {
  // Any text could be CSV, and much of it logfmt, so only a JSON object speaks for a reader.
  Format format;  // nothing of it but the reader is asked for
  format.reader = reader;
  return reader == Reader::jsonl && JsonReader(format).take(line) == Outcome::row;
}

std::unique_ptr<RecordReader> make_record_reader(const Format& format, const RecordStart& start) {
  switch (format.reader) {
    case Reader::pattern:
      break;
    case Reader::csv:
      return std::make_unique<CsvReader>(format, start);
    case Reader::jsonl:
      return std::make_unique<JsonReader>(format, start.years);
    case Reader::logfmt:
      return std::make_unique<LogfmtReader>(format, start.years);
    case Reader::w3c:
      return std::make_unique<W3cReader>(format, start.years);
    case Reader::journal:
      return std::make_unique<JournalReader>(format, start.years);
  }
  return nullptr;
}

}  // namespace caravel::formatter
