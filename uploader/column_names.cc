#include "uploader/column_names.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

std::string named(const formatter::Column& column, std::size_t index) {
  return column.name.empty() ? fmt::format("column_{}", index + 1) : column.name;
}

}  // namespace

std::string folded_name(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::vector<std::string> document_field_names(const std::vector<formatter::Column>& columns) {
  std::set<std::string> taken = {"_id", "time", "time_utc", "caravel", "doc_type"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string name = named(columns[i], i);
    if (taken.contains(name)) name.push_back('_');
    if (name.front() == '_') name.insert(0, 1, 'x');
    while (!taken.insert(name).second) name.push_back('_');
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> table_column_names(const std::vector<formatter::Column>& columns) {
  std::set<std::string> taken = {"_id", "_kind", "_time", "_time_utc", "_extract", "_line", "_sum"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string name = named(columns[i], i);
    // SQLite reads a statement up to the first NUL.
    std::replace(name.begin(), name.end(), '\0', '_');
    while (!taken.insert(folded_name(name)).second) name.push_back('_');
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace caravel::uploader
