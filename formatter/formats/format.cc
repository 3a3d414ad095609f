#include "formatter/formats/format.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "formatter/formats/kind_compiler.h"

namespace caravel::formatter {
namespace {

/// Names and constants end up in CSV, JSON and SQL, where text that is not UTF-8 makes the store
/// refuse a whole batch. yaml-cpp lets any byte through, so it is checked here.
bool is_utf8(const Format& format) {
  std::vector<std::string_view> texts = {format.name, format.time_column, format.key_column};
  for (const Column& column : format.columns) texts.emplace_back(column.name);
  for (const Kind& kind : format.kinds) {
    texts.emplace_back(kind.name);
    for (const ColumnRule& rule : kind.columns) {
      texts.emplace_back(rule.constant);
      texts.insert(texts.end(), rule.values.begin(), rule.values.end());
    }
  }
  return std::all_of(texts.begin(), texts.end(), [](std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
  });
}

/// The text of a key that may be missing; `out` then stays as it is.
Result<> read_text(const YamlNode& node, std::string& out) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(out, node.as_string());
  return {};
}

/// `columns`, `time` and `key` of a reader that takes its columns from the first line, unless they
/// are named here.
Result<> read_record_keys(const YamlNode& root, Format& format) {
  for (const char* key : {"kinds", "blanks"}) {
    if (root[key].exists()) return root[key].error("belongs to `reader: pattern` only");
  }
  CARAVEL_TRY(read_text(root["time"], format.time_column));
  CARAVEL_TRY(read_text(root["key"], format.key_column));
  // Without a time two equal lines would be one event, on whatever days they were written.
  if (format.time_column.empty() && format.identity == Identity::line) {
    return root.error("a format without `time` must say `identity: position`");
  }
  // The first line of each extract names them.
  if (!root["columns"].exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto names, read_column_names(root));
  const auto type = format.reader == Reader::csv ? ColumnType::automatic : ColumnType::json;
  for (const std::string& name : names) format.columns.push_back({name, type});
  // With columns that are named here, a misspelt `time` or `key` is found before the first extract.
  for (const auto& [key, column] :
       {std::pair("time", &format.time_column), std::pair("key", &format.key_column)}) {
    if (column->empty() || std::find(names.begin(), names.end(), *column) != names.end()) {
      continue;
    }
    return root[key].error(fmt::format("'{}' is none of the columns", *column));
  }
  return {};
}

/// `identity: line` if the key is missing.
Result<> read_identity(const YamlNode& node, Identity& identity) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto word, node.as_choice({"line", "position"}));
  identity = word == "line" ? Identity::line : Identity::position;
  return {};
}

/// `reader: pattern` if the key is missing.
Result<> read_reader(const YamlNode& node, Reader& reader) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto word, node.as_choice({"pattern", "csv", "jsonl"}));
  if (word == "csv") reader = Reader::csv;
  if (word == "jsonl") reader = Reader::jsonl;
  return {};
}

}  // namespace

bool Format::needs_year() const {
  // `format` and `process` ask a person for it, so the question must come before the first line.
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const Kind& kind) { return kind.month_day.has_value(); });
}

std::vector<std::string> Format::kind_names() const {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  // Lines that carry their own structure are all of one kind, which no file names.
  if (reader != Reader::pattern) names.emplace_back("record");
  return names;
}

Result<Format> compile_format(const YamlNode& root) {
  // First of all: a misspelt key must not be taken for one that was left out.
  CARAVEL_TRY(root.expect_keys({"format", "about", "reader", "identity", "detect", "blanks", "time",
                                "key", "columns", "kinds"}));
  Format format;
  format.file = root.file();
  CARAVEL_ASSIGN_OR_RETURN(format.name, root["format"].as_string());
  // `auto` means "find the format" wherever a format is named.
  if (format.name == "auto" || format.name.empty()) {
    return root["format"].error("this name is taken: choose another");
  }
  CARAVEL_TRY(read_text(root["about"], format.about));
  // Before the kinds are read: they need a time unless the identity is the position.
  CARAVEL_TRY(read_identity(root["identity"], format.identity));
  if (root["detect"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(format.detect, root["detect"].as_bool());
  }
  CARAVEL_TRY(read_reader(root["reader"], format.reader));
  CARAVEL_TRY(format.reader == Reader::pattern ? compile_kinds(root, format)
                                               : read_record_keys(root, format));
  if (!is_utf8(format)) return root.error("holds text that is not valid UTF-8");
  return format;
}

}  // namespace caravel::formatter
