#include "uploader/mapping.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "formatter/rows/csv.h"
#include "formatter/rows/row_id.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

/// A type of mapping, and the two columns that its CSV must have.
struct Type {
  std::string_view name;
  std::array<std::string_view, 2> columns;
};
constexpr std::array kTypes = {Type{"vehicle", {"vid", "bus"}}, Type{"route", {"rid", "Route"}},
                               Type{"stop", {"sid", "Stop"}}};

/// Is `text` YYYY-MM-DD, a day that the calendar has, in the year 1 or later?
bool is_real_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](std::size_t at, std::size_t size) {
    unsigned value = 0;
    const char* const end = text.data() + at + size;
    // Anything but digits becomes 0, which is no year, month or day.
    return std::from_chars(text.data() + at, end, value).ptr == end ? value : 0;
  };
  const auto year = static_cast<int>(number(0, 4));
  return year > 0 &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(number(5, 2)),
                                     std::chrono::day(number(8, 2)))
             .ok();
}

/// Takes one record off the front of `rest`: RFC 4180 lets a quoted field hold line ends. `lines`
/// grows by the lines that it spans.
std::string_view take_record(std::string_view& rest, std::uint64_t& lines) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    // A doubled quote, which stands for a quote within a quoted field, ends and begins the quoting.
    if (rest[end] == '"') quoted = !quoted;
    if (rest[end] == '\n') ++lines;
    if (rest[end] == '\n' && !quoted) break;
  }
  std::string_view record = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  if (record.ends_with('\r')) record.remove_suffix(1);
  return record;
}

/// Errors: kind usage, with the line of the CSV, because a person made the file and can mend it.
/// The check ends at the first mistake.
Result<> check_csv(const Mapping& mapping, const Type& type) {
  std::string_view rest = mapping.csv;
  // A byte order mark, as spreadsheets write it, is not a part of the first column's name.
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  std::uint64_t next_line = 1;
  std::uint64_t records = 0;
  std::size_t columns = 0;
  std::vector<std::string_view> fields;
  std::string scratch;
  while (!rest.empty()) {
    const std::uint64_t line = next_line;
    const std::string_view record = take_record(rest, next_line);
    // An empty line is no record.
    if (record.empty()) continue;
    const auto wrong = [&](const std::string& what) {
      return fail(ErrorKind::usage, fmt::format("line {}: {}", line, what));
    };
    if (!formatter::split_csv_record(record, fields, scratch)) return wrong("broken quoting");
    if (columns == 0) {
      columns = fields.size();
      // Several columns may be without a name. Two of one name leave open which of them is meant.
      for (auto column = fields.begin(); column != fields.end(); ++column) {
        if (!column->empty() && std::find(fields.begin(), column, *column) != column) {
          return wrong(fmt::format("the header has the column '{}' twice", *column));
        }
      }
      for (const std::string_view column : type.columns) {
        if (std::find(fields.begin(), fields.end(), column) == fields.end()) {
          return wrong(
              fmt::format("the header has no column '{}'; a mapping of type {} has {} and "
                          "{}",
                          column, type.name, type.columns[0], type.columns[1]));
        }
      }
      continue;
    }
    if (fields.size() != columns) {
      return wrong(fmt::format("{} fields, but the header has {}", fields.size(), columns));
    }
    ++records;
  }
  if (columns == 0) return fail(ErrorKind::usage, "is empty: a header and records were expected");
  if (records == 0) return fail(ErrorKind::usage, "holds nothing but a header");
  return {};
}

}  // namespace

Result<> check_mapping(const Mapping& mapping) {
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const Type& known) { return known.name == mapping.type; });
  if (type == kTypes.end()) {
    return fail(ErrorKind::usage,
                fmt::format("'{}' is no type of mapping: vehicle, route or stop", mapping.type));
  }
  if (!is_real_day(mapping.effective_date)) {
    return fail(ErrorKind::usage, fmt::format("'{}' is no date: YYYY-MM-DD, as in 2012-03-09",
                                              mapping.effective_date));
  }
  if (mapping.csv.find('\0') != std::string::npos) {
    return fail(ErrorKind::usage, "holds a NUL byte: no CSV");
  }
  if (!is_utf8(mapping.csv)) return fail(ErrorKind::usage, "is not valid UTF-8");
  return check_csv(mapping, *type);
}

std::string mapping_id(const Mapping& mapping) {
  // The digest makes a corrected table for the same day another document: it never takes the place
  // of the first one.
  const formatter::Hash128 hash = formatter::hash_bytes(mapping.csv);
  return fmt::format("mapping:{}:{}:{:016x}{:016x}", mapping.type, mapping.effective_date,
                     hash.high, hash.low);
}

std::string mapping_text(const Mapping& mapping) {
  // The CSV is no part of this: CouchDB keeps it as an attachment, SQLite in a column of its own.
  const nlohmann::ordered_json document = {{"_id", mapping_id(mapping)},
                                           {"doc_type", "Mapping"},
                                           {"mapping_type", mapping.type},
                                           {"effective_date", mapping.effective_date},
                                           {"timestamp", mapping.timestamp}};
  return document.dump();
}

}  // namespace caravel::uploader
