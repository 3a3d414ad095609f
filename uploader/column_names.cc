#include "uploader/column_names.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

/// The name that the format gave the column; "column_3" for a third column without a name.
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
  // The fields that a row document has for itself (row_document.cc).
  std::set<std::string> taken = {"_id", "time", "time_utc", "caravel", "doc_type"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string name = named(columns[i], i);
    // This order of the three steps is what docs/couchdb-store.md promises: taken names first, then
    // the underscore in front, then names that two columns share.
    if (taken.contains(name)) name.push_back('_');
    // CouchDB refuses the whole request for one field with an underscore in front.
    if (name.front() == '_') name.insert(0, 1, 'x');
    while (!taken.insert(name).second) name.push_back('_');
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> table_column_names(const std::vector<formatter::Column>& columns) {
  // The columns that a feed's table has for itself (sqlite/row_writer.cc).
  std::set<std::string> taken = {"_id", "_kind", "_time", "_time_utc", "_extract", "_line", "_sum"};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string name = named(columns[i], i);
    // SQLite reads a statement up to the first NUL.
    std::replace(name.begin(), name.end(), '\0', '_');
    // "Lat" and "lat" are one column to SQLite: it would refuse to add the second.
    while (!taken.insert(folded_name(name)).second) name.push_back('_');
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace caravel::uploader
