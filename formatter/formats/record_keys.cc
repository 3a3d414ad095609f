#include "formatter/formats/record_keys.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/formats/kind_compiler.h"
#include "formatter/formats/time_keys.h"

namespace caravel::formatter {
namespace {

/// The text of a key that may be missing; `out` then stays as it is.
Result<> read_text(const YamlNode& node, std::string& out) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(out, node.as_string());
  return {};
}

/// `separator`: one character, `tab`, or `auto`.
Result<> read_separator(const YamlNode& node, CsvOptions& csv) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto text, node.as_string());
  csv.separator_given = true;
  csv.separator_auto = text == "auto";
  if (csv.separator_auto) return {};
  const std::string separator = text == "tab" ? "\t" : text;
  const char first = separator.empty() ? '\0' : separator.front();
  // A letter or a digit would take values apart, and a separator of two bytes would take characters
  // apart.
  const bool is_letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  const bool is_fit = separator.size() == 1 && !is_letter && !is_digit(first) && first < '\x7f' &&
                      (first == '\t' || first > ' ') && std::strchr("\"'.-+_", first) == nullptr;
  if (!is_fit) {
    return node.error("must be one character such as \",\" \";\" \"|\", or `tab`, or `auto`");
  }
  csv.dialect.separator = first;
  return {};
}

/// `quote`: one character, or `none`.
Result<> read_quote(const YamlNode& node, CsvDialect& dialect) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto text, node.as_string());
  if (text == "none") {
    dialect.quote = '\0';
    return {};
  }
  if (text.size() != 1 || (text != "\"" && text != "'")) {
    return node.error("must be \" or ' or `none`");
  }
  dialect.quote = text.front();
  return {};
}

Result<> read_csv_keys(const YamlNode& root, Format& format) {
  CsvOptions& csv = format.csv;
  CARAVEL_TRY(read_separator(root["separator"], csv));
  CARAVEL_TRY(read_quote(root["quote"], csv.dialect));
  if (root["records"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto records, root["records"].as_choice({"multiline", "line"}));
    if (records == "line") format.records.lines = 1;
  }
  if (root["decimal"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto sign, root["decimal"].as_choice({"point", "comma"}));
    csv.decimal_comma = sign == "comma";
  }
  if (root["header"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto header, root["header"].as_bool());
    csv.header = header ? CsvHeaderLine::present : CsvHeaderLine::absent;
  }
  if (root["skip"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(csv.skip, root["skip"].as_count(0, 1'000'000));
  }
  if (root["columns_extra"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto extra, root["columns_extra"].as_choice({"refuse", "more"}));
    csv.takes_more = extra == "more";
  }
  return {};
}

}  // namespace

Result<> refuse_csv_keys(const YamlNode& root) {
  for (const char* key :
       {"records", "separator", "quote", "decimal", "header", "skip", "columns_extra"}) {
    if (root[key].exists()) return root[key].error("belongs to `reader: csv` only");
  }
  return {};
}

/// The columns come from the first line, unless they are named here.
Result<> read_record_keys(const YamlNode& root, Format& format) {
  CARAVEL_TRY(format.reader == Reader::csv ? read_csv_keys(root, format) : refuse_csv_keys(root));
  for (const char* key : {"kinds", "blanks", "continues", "starts"}) {
    if (root[key].exists()) return root[key].error("belongs to `reader: pattern` only");
  }
  CARAVEL_TRY(read_record_time(root["time"], format.zones, format.record_time));
  CARAVEL_TRY(read_text(root["key"], format.key_column));
  // Without a time two equal lines would be one event, on whatever days they were written.
  if (format.record_time.columns.empty() && format.identity == Identity::line) {
    return root.error("a format without `time` must say `identity: position`");
  }
  // The first line of each extract names them.
  if (!root["columns"].exists()) {
    if (format.csv.header == CsvHeaderLine::absent) {
      return root["header"].error("without a header the format must name the `columns`");
    }
    if (format.csv.takes_more) {
      return root["columns_extra"].error("wants `columns`: else each of the file is one");
    }
    return {};
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto names, read_column_names(root));
  const auto type = format.reader == Reader::csv ? ColumnType::automatic : ColumnType::json;
  for (const std::string& name : names) format.columns.push_back({name, type});
  // With columns that are named here, a misspelt `time` or `key` is found before the first extract.
  const auto is_named = [&](std::string_view column) {
    return std::find(names.begin(), names.end(), column) != names.end();
  };
  for (const std::string& column : format.record_time.columns) {
    bool named = is_named(column);
    // Of a path into a JSON object, the object is the column.
    std::size_t dot = format.reader == Reader::jsonl ? column.find('.') : std::string::npos;
    for (; dot != std::string::npos && !named; dot = column.find('.', dot + 1)) {
      named = is_named(std::string_view(column).substr(0, dot));
    }
    if (!named) return root["time"].error(fmt::format("'{}' is none of the columns", column));
  }
  if (!format.key_column.empty() && !is_named(format.key_column)) {
    return root["key"].error(fmt::format("'{}' is none of the columns", format.key_column));
  }
  return {};
}

}  // namespace caravel::formatter
