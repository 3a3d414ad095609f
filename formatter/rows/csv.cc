#include "formatter/rows/csv.h"

#include <cstring>

namespace caravel::formatter {

void append_csv_field(std::string_view value, std::string& out) {
  // RFC 4180, 2.6: only these need quotes. Everything else stays as people wrote it.
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) {
    if (c == '"') out.push_back('"');  // RFC 4180, 2.7
    out.push_back(c);
  }
  out.push_back('"');
}

std::string csv_record(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) {
    if (&value != &values.front()) out.push_back(',');
    append_csv_field(value, out);
  }
  return out;
}

std::string csv_header(const std::vector<std::string>& names) {
  // An extract without a readable line has no columns, and a line end alone would be a record.
  return names.empty() ? std::string() : csv_record(names) + "\n";
}

bool split_csv_record(std::string_view record, std::vector<std::string_view>& fields,
                      std::string& scratch) {
  fields.clear();
  scratch.clear();
  // A record always has a field: an empty one is one empty field.
  if (record.empty()) {
    fields.emplace_back();
    return true;
  }
  // No field is longer than the record, so scratch never moves and the views into it stay valid.
  scratch.reserve(record.size());
  const char* at = record.data();
  const char* const end = at + record.size();
  for (;;) {
    if (at < end && *at == '"') {
      const char* from = ++at;
      // All fields with doubled quotes of one record share `scratch`, one behind the other.
      const std::size_t scratch_from = scratch.size();
      bool doubled = false;
      for (;;) {
        const char* quote =
            static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
        if (quote == nullptr) return false;  // the quotes are never closed
        if (quote + 1 < end && quote[1] == '"') {
          doubled = true;
          scratch.append(from, quote + 1);
          from = at = quote + 2;
          continue;
        }
        // Without doubled quotes the field is a view into the record: nothing is copied.
        if (doubled) {
          scratch.append(from, quote);
          fields.push_back(std::string_view(scratch).substr(scratch_from));
        } else {
          fields.emplace_back(from, static_cast<std::size_t>(quote - from));
        }
        at = quote + 1;
        break;
      }
      // Between the closing quote and the comma nothing may stand.
      if (at < end && *at != ',') return false;  // "a"b
    } else {
      const char* comma =
          static_cast<const char*>(std::memchr(at, ',', static_cast<std::size_t>(end - at)));
      const char* stop = comma != nullptr ? comma : end;
      const std::string_view field(at, static_cast<std::size_t>(stop - at));
      // RFC 4180, 2.5: a quote inside a bare field has no meaning that all readers agree on.
      if (field.find('"') != std::string_view::npos) return false;
      fields.push_back(field);
      at = stop;
    }
    if (at >= end) return true;
    ++at;
    // The record ends with a comma: behind it stands one more field, an empty one.
    if (at == end) {
      fields.emplace_back();
      return true;
    }
  }
}

}  // namespace caravel::formatter
