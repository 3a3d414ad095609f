#include "uploader/row.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/text.h"
#include "formatter/rows/csv.h"
#include "uploader/json_text.h"

namespace caravel::uploader {

namespace {

constexpr std::array<bool, 256> bytes_of_ids() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 128; ++c) {
    const char byte = static_cast<char>(c);
    table[static_cast<std::size_t>(c)] =
        is_letter(byte) || is_digit(byte) ||
        std::string_view("._-:%").find(byte) != std::string_view::npos;
  }
  return table;
}
constexpr std::array<bool, 256> kIdBytes = bytes_of_ids();

}  // namespace

std::uint64_t row_sum(std::string_view record) { return XXH3_64bits(record.data(), record.size()); }

std::string sum_text(std::uint64_t sum) {
  std::string text;
  append_sum(sum, text);
  return text;
}

void append_sum(std::uint64_t sum, std::string& out) {
  constexpr std::size_t kDigits = 16;
  char text[kDigits];
  for (std::size_t i = kDigits; i-- > 0; sum >>= 4U) text[i] = "0123456789abcdef"[sum & 0xfU];
  out.append(text, kDigits);
}

/// The formatter makes ids of these bytes only. Here they are checked again because a CSV can come
/// from a person, and a store puts ids into URLs and JSON without escaping them.
bool is_id_tail(std::string_view text) {
  // With the feed's name in front, an id must fit into the 16 bits of BatchRow::id_size.
  constexpr std::size_t kMostBytes = 512;
  return !text.empty() && text.size() <= kMostBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return kIdBytes[static_cast<unsigned char>(c)]; });
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
