#include "formatter/records/json_object.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "formatter/spans/json_spans.h"

namespace caravel::formatter {
namespace {

namespace ondemand = simdjson::ondemand;

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

/// Whether `text` is a number, however large. Something else than a digit must follow in memory,
/// and eight bytes behind that.
bool is_number(std::string_view text) {
  return skip_json_number(text.data()) == text.data() + text.size();
}

/// `json` with a 0 in the place of every number outside of its strings: it is valid JSON exactly if
/// `json` is, and holds no number beyond a double. `json` is an object or array as it stands in
/// what simdjson reads, so that is_number() may read on.
std::string with_small_numbers(std::string_view json) {
  std::string small;
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (!in_string && (c == '-' || is_digit(c))) {
      // All bytes that a number may be made of: of "1e400.5" no part is one.
      const std::size_t end = std::min(json.find_first_not_of("+-.0123456789eE", at), json.size());
      const std::string_view token = json.substr(at, end - at);
      small += is_number(token) ? "0" : token;
      at = end - 1;
      continue;
    }
    small.push_back(c);
    // The byte behind a backslash ends no string.
    if (in_string && c == '\\' && at + 1 < json.size()) small.push_back(json[++at]);
    if (c == '"') in_string = !in_string;
  }
  return small;
}

/// The text of an object or array. simdjson found its end without looking at what is inside, so the
/// content is checked here: a store would refuse the whole batch for one broken value.
std::string nested_json(std::string_view raw) {
  std::string text(trimmed(raw));
  // nlohmann's parser refuses a number that no double holds; only then is a copy made.
  if (!nlohmann::json::accept(text) && !nlohmann::json::accept(with_small_numbers(trimmed(raw)))) {
    throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
  }
  return text;
}

/// The texts of one value. simdjson checks a value only when it is asked for in its type. A number
/// is never asked for: get_double() would refuse those that no double holds.
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
    case ondemand::json_type::number: {
      // The digits of the line: a double would lose those of a large number.
      const std::string_view digits = trimmed(value.raw_json_token());
      if (!is_number(digits)) throw simdjson::simdjson_error(simdjson::NUMBER_ERROR);
      member.cell = digits;
      break;
    }
  }
  member.text = member.json = member.cell;
  return member;
}

/// False for most that is no number: times, addresses, versions.
bool may_be_number(std::string_view text) {
  const auto skip = [&](std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
  };
  std::size_t at = skip(text.front() == '-' ? 1 : 0);
  if (at == 0) return false;
  if (at < text.size() && text[at] == '.') at = skip(at + 1);
  return at == text.size() ||
         std::string_view("eE \t\r\n").find(text[at]) != std::string_view::npos;
}

/// `text` with quotes and escapes.
std::string quoted_json(const std::string& text) {
  // Text that is not UTF-8 would throw; no line that comes here holds any.
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

bool reads_as_json(std::string_view text) {
  if (text.empty()) return false;
  const auto is_space_from = [&](std::size_t at) {
    return text.find_first_not_of(" \t\r\n", at) == std::string_view::npos;
  };
  const auto is_literal = [&](std::string_view literal) {
    return text.starts_with(literal) && is_space_from(literal.size());
  };
  switch (text.front()) {
    case 't':
      return is_literal("true");
    case 'f':
      return is_literal("false");
    case 'n':
      return is_literal("null");
    case '{':
    case '[':
    case '"':
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case '\xef':  // of the mark of UTF-8, which the parser skips
      return nlohmann::json::accept(text);
    default:
      return may_be_number(text) && nlohmann::json::accept(text);
  }
}

std::string string_cell(std::string_view text, std::string_view raw_json) {
  const bool ambiguous = text.empty() || reads_as_json(text);
  return std::string(ambiguous ? raw_json : text);
}

JsonMember string_member(std::string name, std::string text) {
  JsonMember member;
  const std::string json = quoted_json(text);
  member.json = fmt::format("{}:{}", quoted_json(name), json);
  member.cell = string_cell(text, json);
  member.name = std::move(name);
  member.text = std::move(text);
  return member;
}

JsonMember bare_member(std::string name, std::string text) {
  const bool number = !text.empty() && (is_digit(text.front()) || text.front() == '-') &&
                      nlohmann::json::accept(text);
  if (!number && text != "true" && text != "false") {
    JsonMember member = string_member(std::move(name), std::move(text));
    if (member.text.empty()) member.cell.clear();
    return member;
  }
  return json_member(std::move(name), std::move(text));
}

JsonMember json_member(std::string name, std::string json) {
  JsonMember member;
  member.json = fmt::format("{}:{}", quoted_json(name), json);
  member.name = std::move(name);
  member.text = json;
  member.cell = std::move(json);
  return member;
}

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
