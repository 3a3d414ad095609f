#include "uploader/postgresql/row_text.h"

#include "base/text.h"
#include "uploader/json_text.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

// Of pg_type.dat: these numbers are the same in every server.
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kJson = 114;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kTimestamp = 1114;
constexpr Oid kTimestampTz = 1184;
constexpr Oid kNumeric = 1700;
constexpr Oid kJsonb = 3802;

/// "2012-03-09 05:00:00+00" (DateStyle ISO, TimeZone UTC) as ISO 8601 has it.
std::string iso_time(std::string_view text, bool instant) {
  std::string time(text);
  if (const std::size_t blank = time.find(' '); blank != std::string::npos) time[blank] = 'T';
  if (instant && time.ends_with("+00")) time.replace(time.size() - 3, 3, "Z");
  return time;
}

void append_value(Oid type, std::string_view text, std::string& out) {
  switch (type) {
    case kBool:
      out.append(text == "t" ? "true" : "false");
      return;
    case kJson:
    case kJsonb:
      out.append(text);
      return;
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
    case kNumeric:
      // NaN and Infinity are no JSON.
      if (is_digit(text.back())) {
        out.append(text);
        return;
      }
      break;
    case kTimestamp:
    case kTimestampTz:
      return append_json_string(iso_time(text, type == kTimestampTz), out);
    default:
      break;
  }
  append_json_string(text, out);
}

}  // namespace

StoredDocument document_at(const Reply& reply, int row, const std::string& id, bool of_extract) {
  StoredDocument document;
  document.id = id;
  document.text = "{";
  for (int i = 0; i < reply.columns(); ++i) {
    if (reply.is_null(row, i)) continue;
    const std::string_view name = reply.name(i);
    const std::string_view text = reply.text(row, i);
    if (document.text.size() > 1) document.text.push_back(',');
    append_json_string(name, document.text);
    document.text.push_back(':');
    append_value(reply.type(i), text, document.text);
    if (of_extract && name == "sha256") document.extract = extract_tag(text);
    if (of_extract) continue;
    if (name == "_extract") document.extract = text;
    if (name == "_line") document.line = reply.number(row, i);
    if (name == "_sum") document.sum = text;
  }
  document.text.push_back('}');
  return document;
}

}  // namespace caravel::uploader
