#include "formatter/formats/examples.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/formats/format.h"

namespace caravel::formatter {
namespace {

/// The columns that rows of `format` have; empty if each extract names its own.
std::vector<std::string> known_columns(const Format& format) {
  std::vector<std::string> names;
  for (const Column& column : format.columns) names.push_back(column.name);
  // Readers of lines that carry their own names gather there what has no column.
  const bool gathers =
      format.reader == Reader::csv ? format.csv.takes_more : format.reader != Reader::pattern;
  if (!names.empty() && gathers) names.emplace_back("more");
  return names;
}

/// `line: TEXT`, or `lines: [TEXT, …]`.
Result<std::vector<std::string>> read_lines(const YamlNode& node) {
  if (node["line"].exists() == node["lines"].exists()) {
    return node.error("needs either `line` or `lines`");
  }
  if (node["lines"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(auto lines, node["lines"].as_strings());
    if (lines.empty()) return node["lines"].error("must hold at least one line");
    return lines;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto line, node["line"].as_string());
  return std::vector{std::move(line)};
}

/// One row: a map of columns.
Result<Example::Cells> read_cells(const YamlNode& node, const std::vector<std::string>& columns) {
  // A misspelt column would else be one that the rows never have.
  CARAVEL_TRY(columns.empty() ? node.expect_map() : node.expect_keys(columns));
  Example::Cells cells;
  for (const auto& [name, value] : node.pairs()) {
    CARAVEL_ASSIGN_OR_RETURN(auto text, value.as_string());
    cells.emplace_back(name, std::move(text));
  }
  return cells;
}

/// A text, or a list of texts.
Result<std::vector<std::string>> read_one_or_more(const YamlNode& node) {
  if (node.is_list()) return node.as_strings();
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  return std::vector{std::move(text)};
}

/// What must become of the lines: `row`, `rows`, `reject`, or `dropped: true` alone.
Result<> read_outcome(const YamlNode& node, const std::vector<std::string>& columns,
                      Example& example) {
  if (node["row"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(auto cells, read_cells(node["row"], columns));
    example.rows.push_back(std::move(cells));
  }
  if (node["rows"].exists()) {
    if (node["row"].exists()) return node["rows"].error("does not go with `row`");
    if (!node["rows"].is_list()) return node["rows"].error("must be a list of rows");
    for (const YamlNode& row : node["rows"].items()) {
      CARAVEL_ASSIGN_OR_RETURN(auto cells, read_cells(row, columns));
      example.rows.push_back(std::move(cells));
    }
  }
  if (node["reject"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(example.rejects, read_one_or_more(node["reject"]));
  }
  const bool rows_or_rejects = !example.rows.empty() || !example.rejects.empty();
  if (!node["dropped"].exists()) {
    if (rows_or_rejects) return {};
    // Such an example would say nothing, and hold whatever the format does.
    return node.error("must say what becomes of the lines: `row`, `rows`, `dropped` or `reject`");
  }
  CARAVEL_ASSIGN_OR_RETURN(const bool dropped, node["dropped"].as_bool());
  if (dropped && !rows_or_rejects) return {};
  return node["dropped"].error("can only be `true`, without `row`, `rows` and `reject`");
}

Result<Example> read_example(const YamlNode& node, const Format& format) {
  CARAVEL_TRY(
      node.expect_keys({"line", "lines", "year", "kind", "row", "rows", "dropped", "reject"}));
  Example example;
  example.place = node.place();
  CARAVEL_ASSIGN_OR_RETURN(example.lines, read_lines(node));
  for (const std::string& line : example.lines) {
    if (line.find('\n') == std::string::npos) continue;
    return node.error("a line holds no line end: `lines` takes a list of them");
  }
  if (node["year"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto year, node["year"].as_count(1, 9999));
    example.year = std::chrono::year(static_cast<int>(year));
  } else if (format.needs_year()) {
    // Whether 02/29 exists must not depend on the day on which the example is read.
    return node.error("needs `year`: the dates of this format have none");
  }
  if (node["kind"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(example.kind, node["kind"].as_string());
    const auto kinds = format.kind_names();
    if (std::find(kinds.begin(), kinds.end(), example.kind) == kinds.end()) {
      return node["kind"].error(
          fmt::format("'{}' is not one of {}", example.kind, fmt::join(kinds, ", ")));
    }
  }
  CARAVEL_TRY(read_outcome(node, known_columns(format), example));
  return example;
}

}  // namespace

Result<> read_examples(const YamlNode& node, Format& format) {
  if (!node.exists()) return {};
  if (!node.is_list()) return node.error("must be a list of examples");
  for (const YamlNode& item : node.items()) {
    CARAVEL_ASSIGN_OR_RETURN(auto example, read_example(item, format));
    format.examples.push_back(std::move(example));
  }
  return {};
}

}  // namespace caravel::formatter
