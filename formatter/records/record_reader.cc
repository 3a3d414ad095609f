#include "formatter/records/record_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>
#include <nlohmann/json.hpp>

#include "formatter/output/row_writer.h"
#include "formatter/patterns/captures.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/row_id.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kMore = "more";

/// A string member as it stands in a cell: bare, unless it would read as another JSON value.
std::string string_cell(std::string_view text, std::string_view raw_json) {
  const bool ambiguous = text.empty() || nlohmann::json::accept(text);
  return std::string(ambiguous ? raw_json : text);
}

/// A key as it stands between its quotes, escapes kept.
std::string_view raw_text(simdjson::ondemand::raw_json_string key) {
  const char* const begin = key.raw();
  const char* end = begin;
  for (; *end != '"'; ++end) {
    if (*end == '\\') ++end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from);
}

/// An ISO 8601 timestamp or seconds since 1970 in the form of the ids; false if it is neither.
bool compact_time(std::string_view value, std::string& out) {
  const std::string text = std::string(value) + std::string(32, '\n');
  Capture capture;
  const char* end = parse_timestamp(text.data(), capture);
  if (end == text.data() + value.size()) {
    append_timestamp(value, out);
    return true;
  }
  end = parse_epoch(text.data(), false, capture);
  if (end != text.data() + value.size()) return false;
  append_epoch(value, false, out);
  return true;
}

/// The beginning of a value, fit to stand in a reason.
std::string printable_head(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::size_t size = std::min(text.size(), kMost);
  while (size < text.size() && size > 0 && (text[size] & 0xC0) == 0x80) --size;  // UTF-8
  std::string head(text.substr(0, size));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(head.begin(), head.end(), is_control, '?');
  return head;
}

struct Member {
  std::string name;
  std::string text;  // of a string: without quotes and escapes; else as it came
  std::string cell;
  std::string json;  // `"name":value` as it came
};

std::optional<std::string_view> first_duplicate(const std::vector<Member>& members) {
  std::vector<std::string_view> names;
  for (const Member& member : members) names.emplace_back(member.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return *twice;
}

/// The text of an object or array. Its end was found without looking at what is inside.
std::string nested_json(std::string_view raw) {
  std::string text(trimmed(raw));
  if (!nlohmann::json::accept(text)) throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
  return text;
}

}  // namespace

struct RecordReader::Json {
  simdjson::ondemand::parser parser;
  simdjson::padded_string text;
};

RecordReader::RecordReader(const Format& format)
    : format_(format), json_(std::make_unique<Json>()) {
  if (format.reader == Reader::pattern || format.columns.empty()) return;
  for (const Column& column : format.columns) given_.push_back(column.name);
  set_columns(given_, format.columns.front().type);
  if (format.reader == Reader::jsonl) add_column(std::string(kMore), ColumnType::json);
}
RecordReader::~RecordReader() = default;

RecordReader::Outcome RecordReader::take(std::string_view line) {
  return format_.reader == Reader::csv ? take_csv(line) : take_json(line);
}

void RecordReader::set_columns(const std::vector<std::string>& names, ColumnType type) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    add_column(names[i].empty() ? fmt::format("column_{}", i + 1) : names[i], type);
    places_.emplace(names[i], i);
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
  if (!format_.time_column.empty()) {
    if (!place_of(format_.time_column)) {
      return reject(fmt::format("there is no column '{}', the row's time", format_.time_column));
    }
    if (!compact_time(time, time_)) {
      return reject(fmt::format("'{}' is no ISO 8601 time and no epoch: '{}'", format_.time_column,
                                printable_head(time)));
    }
  }
  key_ = key;
  record_ = csv_record(values_);
  return Outcome::row;
}

RecordReader::Outcome RecordReader::take_csv(std::string_view line) {
  if (!has_columns() && first_passed_) return reject("the first line was no header");
  first_passed_ = true;
  std::vector<std::string_view> fields;
  std::string scratch;
  if (!split_csv_record(line, fields, scratch)) return reject("broken quotes");
  values_.assign(fields.begin(), fields.end());
  if (!given_.empty() && values_ == given_) return Outcome::header;
  if (!has_columns()) {
    if (values_.size() > kMaxColumns) return reject(fmt::format("over {} columns", kMaxColumns));
    set_columns(values_, ColumnType::automatic);
    return Outcome::header;
  }
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
  namespace ondemand = simdjson::ondemand;
  std::vector<Member> members;
  try {
    json_->text = simdjson::padded_string(line);
    ondemand::document document = json_->parser.iterate(json_->text);
    ondemand::object object = document.get_object();
    for (ondemand::field field : object) {
      const std::string raw_name = fmt::format("\"{}\"", raw_text(field.key()));
      std::string name(std::string_view(field.unescaped_key()));
      ondemand::value value = field.value();
      std::string text;
      std::string cell;
      std::string json;
      switch (value.type()) {
        case ondemand::json_type::string:
          json = trimmed(value.raw_json_token());
          text = std::string_view(value.get_string());
          cell = string_cell(text, json);
          break;
        case ondemand::json_type::object:
          cell = nested_json(ondemand::object(value.get_object()).raw_json());
          break;
        case ondemand::json_type::array:
          cell = nested_json(ondemand::array(value.get_array()).raw_json());
          break;
        case ondemand::json_type::null:
          if (!bool(value.is_null())) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
          json = "null";
          break;
        case ondemand::json_type::boolean:
          cell = bool(value.get_bool()) ? "true" : "false";
          break;
        case ondemand::json_type::number:
          cell = trimmed(value.raw_json_token());
          (void)double(value.get_double());
          break;
      }
      if (json.empty()) text = json = cell;
      if (members.size() == kMaxColumns) return reject(fmt::format("over {} members", kMaxColumns));
      members.push_back({std::move(name), std::move(text), std::move(cell),
                         fmt::format("{}:{}", raw_name, json)});
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
  } catch (const simdjson::simdjson_error& e) {
    return reject(fmt::format("is not one JSON object: {}", e.what()));
  }
  if (const auto twice = first_duplicate(members)) {
    return reject(fmt::format("the member '{}' stands twice", printable_head(*twice)));
  }
  if (!has_columns()) {
    std::vector<std::string> names;
    for (const Member& member : members) names.push_back(member.name);
    set_columns(names, ColumnType::json);
    add_column(std::string(kMore), ColumnType::json);
  }
  values_.assign(columns_.size(), "");
  std::string time;
  std::string key;
  std::string more;
  for (Member& member : members) {
    if (member.name == format_.time_column) time = member.text;
    if (!format_.key_column.empty() && member.name == format_.key_column) key = member.text;
    if (const auto place = place_of(member.name)) {
      values_[*place] = std::move(member.cell);
    } else {
      more += (more.empty() ? "{" : ",") + member.json;
    }
  }
  values_.back() = more.empty() ? more : more + "}";
  return finish(time, key);
}

bool RecordReader::takes(Reader reader, std::string_view line) {
  Format format;
  format.reader = reader;
  RecordReader probe(format);
  return reader == Reader::jsonl && probe.take(line) == Outcome::row;
}

}  // namespace caravel::formatter
