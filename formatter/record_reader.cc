#include "formatter/record_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "formatter/captures.h"
#include "formatter/csv.h"
#include "formatter/row_id.h"
#include "formatter/row_writer.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kMore = "more";

/// A string member as it stands in a cell: bare, unless it would read as another JSON value.
std::string string_cell(std::string_view text, std::string_view raw_json) {
  const bool ambiguous =
      text.empty() || text == "true" || text == "false" || text == "null" ||
      std::string_view("{[\"-0123456789").find(text.front()) != std::string_view::npos;
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
  end = parse_decimal(text.data(), 0, capture);
  if (end != text.data() + value.size() || value.size() > 30) return false;
  append_epoch(value, false, out);
  return true;
}

}  // namespace

struct RecordReader::Json {
  simdjson::ondemand::parser parser;
  simdjson::padded_string text;
};

RecordReader::RecordReader(const Format& format)
    : format_(format), json_(std::make_unique<Json>()) {}
RecordReader::~RecordReader() = default;

RecordReader::Outcome RecordReader::take(std::string_view line) {
  return format_.reader == Reader::csv ? take_csv(line) : take_json(line);
}

void RecordReader::set_columns(std::vector<std::string> names, ColumnType type) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string name = names[i].empty() ? fmt::format("column_{}", i + 1) : names[i];
    const auto taken = [&](const Column& column) { return column.name == name; };
    while (std::any_of(columns_.begin(), columns_.end(), taken)) name += "_2";
    if (names[i] == format_.time_column && time_index_ < 0) time_index_ = static_cast<int>(i);
    if (names[i] == format_.key_column && key_index_ < 0) key_index_ = static_cast<int>(i);
    columns_.push_back({std::move(name), type});
  }
}

RecordReader::Outcome RecordReader::finish() {
  time_.clear();
  if (!format_.time_column.empty()) {
    const std::string_view value =
        time_index_ < 0 ? std::string_view() : values_[static_cast<std::size_t>(time_index_)];
    if (!compact_time(value, time_)) {
      reason_ = fmt::format("'{}' is no ISO 8601 time and no epoch: '{}'", format_.time_column,
                            value.substr(0, 64));
      return Outcome::reject;
    }
  }
  key_ = key_index_ < 0 ? std::string() : values_[static_cast<std::size_t>(key_index_)];
  record_ = csv_record(values_);
  return Outcome::row;
}

RecordReader::Outcome RecordReader::take_csv(std::string_view line) {
  std::vector<std::string_view> fields;
  std::string scratch;
  if (!split_csv_record(line, fields, scratch)) {
    reason_ = "broken quotes";
    return Outcome::reject;
  }
  values_.assign(fields.begin(), fields.end());
  if (!has_columns()) {
    set_columns(values_, ColumnType::automatic);
    return Outcome::header;
  }
  if (values_.size() != columns_.size()) {
    reason_ = fmt::format("{} fields instead of {}", values_.size(), columns_.size());
    return Outcome::reject;
  }
  return finish();
}

RecordReader::Outcome RecordReader::take_json(std::string_view line) {
  namespace ondemand = simdjson::ondemand;
  struct Member {
    std::string name;
    std::string cell;
    std::string json;  // `"name":value` as it came
  };
  std::vector<Member> members;
  try {
    json_->text = simdjson::padded_string(line);
    ondemand::document document = json_->parser.iterate(json_->text);
    ondemand::object object = document.get_object();
    for (ondemand::field field : object) {
      const std::string raw_name = fmt::format("\"{}\"", raw_text(field.key()));
      std::string name(std::string_view(field.unescaped_key()));
      ondemand::value value = field.value();
      std::string cell;
      std::string json;
      switch (value.type()) {
        case ondemand::json_type::string:
          json = trimmed(value.raw_json_token());
          cell = string_cell(std::string_view(value.get_string()), json);
          break;
        case ondemand::json_type::object:
          cell = trimmed(std::string_view(ondemand::object(value.get_object()).raw_json()));
          break;
        case ondemand::json_type::array:
          cell = trimmed(std::string_view(ondemand::array(value.get_array()).raw_json()));
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
      if (json.empty()) json = cell;
      members.push_back({std::move(name), std::move(cell), fmt::format("{}:{}", raw_name, json)});
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
  } catch (const simdjson::simdjson_error& e) {
    reason_ = fmt::format("is not one JSON object: {}", e.what());
    return Outcome::reject;
  }
  if (!has_columns()) {
    std::vector<std::string> names;
    for (const Member& member : members) names.push_back(member.name);
    names.emplace_back(kMore);
    set_columns(std::move(names), ColumnType::json);
  }
  values_.assign(columns_.size(), "");
  std::string more;
  for (Member& member : members) {
    const auto column = std::find_if(columns_.begin(), columns_.end() - 1,
                                     [&](const Column& c) { return c.name == member.name; });
    if (column != columns_.end() - 1) {
      values_[static_cast<std::size_t>(column - columns_.begin())] = std::move(member.cell);
    } else {
      more += (more.empty() ? "{" : ",") + member.json;
    }
  }
  values_.back() = more.empty() ? more : more + "}";
  return finish();
}

bool RecordReader::takes(Reader reader, std::string_view line) {
  Format format;
  format.reader = reader;
  RecordReader probe(format);
  return reader == Reader::jsonl && probe.take(line) == Outcome::row;
}

}  // namespace caravel::formatter
