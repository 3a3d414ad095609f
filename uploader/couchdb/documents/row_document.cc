#include "uploader/couchdb/documents/row_document.h"

#include <charconv>

#include "uploader/column_names.h"
#include "uploader/json_text.h"

namespace caravel::uploader {

using formatter::ColumnType;

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
  for (const formatter::Column& column : header.columns) builder.types_.push_back(column.type);
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

/// Written by hand and not with a JSON library: this runs once for each row, and no number may pass
/// through a double on its way.
std::optional<std::string> DocumentBuilder::append(const formatter::Row& row, std::uint64_t sum,
                                                   std::string& out) {
  // Both checks come before the first byte is written: a row that is refused leaves `out` as it
  // was.
  if (auto reason = split_row(row, keys_.size(), fields_, scratch_)) return reason;
  if (row.kind >= origins_.size()) return "the row is of a kind that its format does not have";
  out.append(R"({"_id":")").append(id_prefix_).append(row.id_tail).append(R"(","doc_type":"Row")");
  append_time(row.id_tail, out);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const std::string_view field = fields_[i];
    // CSV cannot tell an empty value from a missing one, and so the document does not try.
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
  char line[24];
  const auto end = std::to_chars(line, line + sizeof line, row.line);
  out.append(origins_[row.kind]).append(line, end.ptr);
  // As sum_text() writes it, without a string for each row.
  out.append(R"(,"sum":")");
  constexpr char kHex[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kHex[(sum >> shift) & 15]);
  out.append(R"("}})");
  return {};
}

}  // namespace caravel::uploader
