#include "uploader/couchdb/documents/row_document.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/eight_bytes.h"
#include "base/text.h"
#include "uploader/column_names.h"
#include "uploader/json_text.h"

namespace caravel::uploader {

using formatter::ColumnType;

namespace {

constexpr std::string_view kBeforeId = R"({"_id":")";
constexpr std::string_view kBehindId = R"(","doc_type":"Row")";
constexpr std::string_view kBeforeSum = R"(,"sum":")";
constexpr std::string_view kEnd = R"("}})";
constexpr std::size_t kSumDigits = 16;
constexpr std::size_t kMostLineDigits = 20;

/// Does every byte of a CSV record stand for itself in CSV and in JSON, and is it ASCII?
bool is_plain_record(std::string_view record) {
  const char* at = record.data();
  const char* const end = at + record.size();
  std::uint64_t marks = 0;
  const auto look = [&](std::uint64_t bytes) {
    marks |= mark_equal(bytes, '"') | mark_equal(bytes, '\\') | mark_equal(bytes, '\x7f') |
             mark_less(bytes, 0x20) | bytes;
  };
  for (; end - at >= 8; at += 8) look(load8(at));
  if (at < end) {
    std::uint64_t rest = in_every_byte(' ');
    std::memcpy(&rest, at, static_cast<std::size_t>(end - at));
    look(rest);
  }
  return (marks & in_every_byte(0x80)) == 0;
}

/// Is `text` a number whose digits every reader gives back, so plainly that it is seen at once? If
/// not, number_survives() knows.
bool is_short_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 15;  // see number_survives()
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at < end && *at == '-';
  if (negative) ++at;
  if (static_cast<std::size_t>(end - at) > kMostDigits || at == end || !is_digit(*at)) return false;
  // -0 would come back as 0, and no zero stands in front of other digits.
  if (*at == '0' && (negative || (end - at > 1 && at[1] != '.'))) return false;
  while (at < end && is_digit(*at)) ++at;
  if (at == end) return true;
  if (*at != '.' || at + 1 == end) return false;
  return std::all_of(at + 1, end, is_digit);
}

char* put(std::string_view text, char* at) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_quoted(std::string_view text, char* at) {
  *at++ = '"';
  at = put(text, at);
  *at++ = '"';
  return at;
}

/// What stands at the end of every document, from the row's line on.
char* put_line_and_sum(std::uint64_t line, std::uint64_t sum, char* at) {
  at = std::to_chars(at, at + kMostLineDigits, line).ptr;
  at = put(kBeforeSum, at);
  // As sum_text() writes it, without a string for each row.
  for (std::size_t i = kSumDigits; i-- > 0; sum >>= 4U) at[i] = "0123456789abcdef"[sum & 15U];
  return put(kEnd, at + kSumDigits);
}

}  // namespace

Result<DocumentBuilder> DocumentBuilder::make(const ExtractInfo& extract,
                                              const formatter::SidecarHeader& header,
                                              std::string_view sha256) {
  DocumentBuilder builder;
  builder.id_prefix_ = extract.feed + ":";
  for (const std::string& name : document_field_names(header.columns)) {
    // With the comma and the colon, so that append() only copies bytes.
    std::string key = ",";
    append_json_string(name, key);
    key.push_back(':');
    builder.keys_.push_back(std::move(key));
  }
  for (const formatter::Column& column : header.columns) {
    builder.types_.push_back(column.type);
    builder.has_json_ = builder.has_json_ || column.type == ColumnType::json;
  }
  // All of the origin but line and sum is the same for every row of a kind: built once.
  for (const std::string& kind : header.kinds) {
    std::string origin = R"(,"caravel":{"feed":)";
    append_json_string(extract.feed, origin);
    origin.append(R"(,"kind":)");
    append_json_string(kind, origin);
    origin.append(R"(,"extract":)");
    append_json_string(extract_tag(sha256), origin);
    origin.append(R"(,"line":)");
    builder.origins_.push_back(std::move(origin));
  }
  builder.most_bytes_ = kBeforeId.size() + builder.id_prefix_.size() + kBehindId.size() +
                        kMostLineDigits + kBeforeSum.size() + kSumDigits + kEnd.size();
  // Each value may have quotes.
  for (const std::string& key : builder.keys_) builder.most_bytes_ += key.size() + 2;
  std::size_t longest_origin = 0;
  for (const std::string& origin : builder.origins_) {
    longest_origin = std::max(longest_origin, origin.size());
  }
  builder.most_bytes_ += longest_origin;
  if (!extract.timezone.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(auto utc, UtcConverter::make(extract.timezone));
    builder.utc_ = utc;
  }
  return builder;
}

/// Appends `time`, and `time_utc` if the feed has a time zone and the row is not in UTC already.
/// Nothing for a row whose line has no time.
void DocumentBuilder::append_time(std::string_view id_tail, std::string& out) {
  RowTime time;
  if (!read_row_time(id_tail, time)) return;
  out.append(R"(,"time":")");
  append_iso_time(time, out);
  out.push_back('"');
  if (!utc_ || time.utc) return;
  out.append(R"(,"time_utc":")");
  append_iso_time(utc_->to_utc(time), out);
  out.push_back('"');
}

/// What append_time() appends. Rows come in runs of one time, so that of the row before is kept.
std::string_view DocumentBuilder::time_members(std::string_view id_tail) {
  const std::string_view time = id_tail.substr(0, id_tail.find(':'));
  if (time != last_time_) {
    last_time_ = time;
    last_members_.clear();
    append_time(id_tail, last_members_);
  }
  return last_members_;
}

/// Written by hand and not with a JSON library: this runs once for each row, and no number may pass
/// through a double on its way.
std::optional<std::string> DocumentBuilder::append(const formatter::Row& row, std::uint64_t sum,
                                                   std::string& out) {
  if (append_plain(row, sum, out)) return {};
  return append_any(row, sum, out);
}

/// The row of nearly every line. False if its record or its id holds anything that must be looked
/// at more closely; then `out` is as it was.
bool DocumentBuilder::append_plain(const formatter::Row& row, std::uint64_t sum, std::string& out) {
  if (has_json_ || keys_.empty() || row.kind >= origins_.size() || !is_plain_record(row.record) ||
      !is_id_tail(row.id_tail)) {
    return false;
  }
  const std::string_view time = time_members(row.id_tail);
  const std::size_t before = out.size();
  out.resize(before + most_bytes_ + row.id_tail.size() + time.size() + row.record.size());
  char* at = put(kBeforeId, out.data() + before);
  at = put(row.id_tail, put(id_prefix_, at));
  at = put(time, put(kBehindId, at));
  // Without quotes in the record, each comma ends a field.
  const char* from = row.record.data();
  const char* const end = from + row.record.size();
  const std::size_t columns = keys_.size();
  for (std::size_t i = 0; i < columns; ++i) {
    const char* const stop = std::find(from, end, ',');
    const std::string_view field(from, static_cast<std::size_t>(stop - from));
    // As many fields as columns: the last one ends the record, and no other does.
    if ((stop == end) != (i + 1 == columns)) {
      out.resize(before);
      return false;
    }
    if (stop != end) from = stop + 1;
    // CSV cannot tell an empty value from a missing one, and so the document does not try.
    if (field.empty()) continue;
    at = put(keys_[i], at);
    const bool number =
        types_[i] != ColumnType::text && (is_short_number(field) || number_survives(field));
    at = number ? put(field, at) : put_quoted(field, at);
  }
  at = put_line_and_sum(row.line, sum, put(origins_[row.kind], at));
  out.resize(static_cast<std::size_t>(at - out.data()));
  return true;
}

std::optional<std::string> DocumentBuilder::append_any(const formatter::Row& row, std::uint64_t sum,
                                                       std::string& out) {
  // Both checks come before the first byte is written: a row that is refused leaves `out` as it
  // was.
  if (auto reason = split_row(row, keys_.size(), fields_, scratch_)) return reason;
  if (row.kind >= origins_.size()) return "the row is of a kind that its format does not have";
  out.append(kBeforeId).append(id_prefix_).append(row.id_tail).append(kBehindId);
  append_time(row.id_tail, out);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const std::string_view field = fields_[i];
    if (field.empty()) continue;
    out.append(keys_[i]);
    switch (types_[i]) {
      case ColumnType::text:
        append_json_string(field, out);
        break;
      case ColumnType::number:
      case ColumnType::automatic:
        append_json_value(field, true, out);
        break;
      case ColumnType::json:
        append_verbatim_json(field, out);
        break;
    }
  }
  char end[kMostLineDigits + kBeforeSum.size() + kSumDigits + kEnd.size()];
  out.append(origins_[row.kind]).append(end, put_line_and_sum(row.line, sum, end));
  return {};
}

}  // namespace caravel::uploader
