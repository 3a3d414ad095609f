#include "uploader/row.h"

#include <algorithm>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/text.h"
#include "formatter/rows/csv.h"
#include "uploader/json_text.h"

namespace caravel::uploader {

std::uint64_t row_sum(std::string_view record) { return XXH3_64bits(record.data(), record.size()); }

std::string sum_text(std::uint64_t sum) { return fmt::format("{:016x}", sum); }

/// The formatter makes ids of these bytes only. Here they are checked again because a CSV can come
/// from a person, and a store puts ids into URLs and JSON without escaping them.
bool is_id_tail(std::string_view text) {
  // With the feed's name in front, an id must fit into the 16 bits of BatchRow::id_size.
  constexpr std::size_t kMostBytes = 512;
  return !text.empty() && text.size() <= kMostBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-' || c == ':' ||
                  c == '%';
         });
}

std::optional<std::string> split_row(const formatter::Row& row, std::size_t columns,
                                     std::vector<std::string_view>& fields, std::string& scratch) {
  if (!is_id_tail(row.id_tail)) return "the row's id has bytes that no id has";
  // CouchDB answers 400 to a body that is not UTF-8, for all of its rows.
  if (!is_utf8(row.record)) return "the row is not valid UTF-8";
  if (!formatter::split_csv_record(row.record, fields, scratch)) {
    return "the CSV record's quoting is broken";
  }
  // Values would stand under the names of other columns.
  if (fields.size() != columns) {
    return fmt::format("the CSV record has {} fields instead of {}", fields.size(), columns);
  }
  return {};
}

}  // namespace caravel::uploader
