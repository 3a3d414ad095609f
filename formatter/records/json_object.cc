#include "formatter/records/json_object.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <nlohmann/json.hpp>

namespace caravel::formatter {
namespace {

namespace ondemand = simdjson::ondemand;

/// A string member as it stands in a cell: bare, unless it would read as another JSON value. So a
/// store can tell "12" from 12 again, and plain text stays plain for people.
std::string string_cell(std::string_view text, std::string_view raw_json) {
  const bool ambiguous = text.empty() || nlohmann::json::accept(text);
  return std::string(ambiguous ? raw_json : text);
}

/// A key as it stands between its quotes, escapes kept. simdjson has found its end already, so
/// there is one.
std::string_view raw_text(ondemand::raw_json_string key) {
  const char* const begin = key.raw();
  const char* end = begin;
  for (; *end != '"'; ++end) {
    if (*end == '\\') ++end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Without the white space of JSON around it (RFC 8259, 2).
std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from);
}

/// The text of an object or array. simdjson found its end without looking at what is inside, so the
/// content is checked here: a store would refuse the whole batch for one broken value.
std::string nested_json(std::string_view raw) {
  std::string text(trimmed(raw));
  if (!nlohmann::json::accept(text)) throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
  return text;
}

/// The texts of one value. simdjson checks a value only when it is asked for in its type: hence
/// get_double() of a number whose digits are then taken from the line.
JsonMember read_value(ondemand::value value) {
  JsonMember member;
  switch (value.type()) {
    case ondemand::json_type::string:
      member.json = trimmed(value.raw_json_token());
      member.text = std::string_view(value.get_string());
      member.cell = string_cell(member.text, member.json);
      return member;
    case ondemand::json_type::null:
      // The type is told by the first byte alone: "nul" is taken for null until somebody looks.
      if (!bool(value.is_null())) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
      member.json = "null";  // and an empty cell
      return member;
    case ondemand::json_type::object:
      member.cell = nested_json(ondemand::object(value.get_object()).raw_json());
      break;
    case ondemand::json_type::array:
      member.cell = nested_json(ondemand::array(value.get_array()).raw_json());
      break;
    case ondemand::json_type::boolean:
      member.cell = bool(value.get_bool()) ? "true" : "false";
      break;
    case ondemand::json_type::number:
      // The digits of the line: a double would lose those of a large number.
      member.cell = trimmed(value.raw_json_token());
      (void)double(value.get_double());
      break;
  }
  member.text = member.json = member.cell;
  return member;
}

}  // namespace

struct JsonObjectReader::Parser {
  ondemand::parser parser;
  simdjson::padded_string text;
};

JsonObjectReader::JsonObjectReader(std::size_t most_members)
    : parser_(std::make_unique<Parser>()), most_members_(most_members) {}
JsonObjectReader::~JsonObjectReader() = default;

Result<std::vector<JsonMember>> JsonObjectReader::read(std::string_view line) {
  std::vector<JsonMember> members;
  try {
    // A copy, with the padding behind it that simdjson may read (SIMDJSON_PADDING).
    parser_->text = simdjson::padded_string(line);
    ondemand::document document = parser_->parser.iterate(parser_->text);
    ondemand::object object = document.get_object();
    for (ondemand::field field : object) {
      // simdjson only goes forward: the key is taken twice, as it stands in the line and with its
      // escapes undone, and then the value.
      const std::string raw_name = fmt::format("\"{}\"", raw_text(field.key()));
      std::string name(std::string_view(field.unescaped_key()));
      JsonMember member = read_value(field.value());
      member.name = std::move(name);
      member.json = fmt::format("{}:{}", raw_name, member.json);
      // A line may have any number of members, and each new name could become a column.
      if (members.size() == most_members_) {
        return fail(ErrorKind::content, fmt::format("over {} members", most_members_));
      }
      members.push_back(std::move(member));
    }
    // Nothing may stand behind the object, as in `{"a":1} x`.
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
  } catch (const simdjson::simdjson_error& e) {
    // Every accessor of simdjson may throw; behind this line an exception is a reason for a reject.
    return fail(ErrorKind::content, fmt::format("is not one JSON object: {}", e.what()));
  }
  return members;
}

}  // namespace caravel::formatter
