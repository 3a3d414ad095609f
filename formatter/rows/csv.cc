#include "formatter/rows/csv.h"

#include <cstring>

namespace caravel::formatter {

void append_csv_field(std::string_view value, std::string& out) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) {
    if (c == '"') out.push_back('"');
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
  return names.empty() ? std::string() : csv_record(names) + "\n";
}

bool split_csv_record(std::string_view record, std::vector<std::string_view>& fields,
                      std::string& scratch) {
  fields.clear();
  scratch.clear();
  if (record.empty()) {
    fields.emplace_back();
    return true;
  }
  // Unquoted fields never grow, so this keeps the views into scratch valid.
  scratch.reserve(record.size());
  const char* at = record.data();
  const char* const end = at + record.size();
  for (;;) {
    if (at < end && *at == '"') {
      const char* from = ++at;
      const std::size_t scratch_from = scratch.size();
      bool doubled = false;
      for (;;) {
        const char* quote =
            static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
        if (quote == nullptr) return false;
        if (quote + 1 < end && quote[1] == '"') {
          doubled = true;
          scratch.append(from, quote + 1);
          from = at = quote + 2;
          continue;
        }
        if (doubled) {
          scratch.append(from, quote);
          fields.push_back(std::string_view(scratch).substr(scratch_from));
        } else {
          fields.emplace_back(from, static_cast<std::size_t>(quote - from));
        }
        at = quote + 1;
        break;
      }
      if (at < end && *at != ',') return false;
    } else {
      const char* comma =
          static_cast<const char*>(std::memchr(at, ',', static_cast<std::size_t>(end - at)));
      const char* stop = comma != nullptr ? comma : end;
      const std::string_view field(at, static_cast<std::size_t>(stop - at));
      if (field.find('"') != std::string_view::npos) return false;
      fields.push_back(field);
      at = stop;
    }
    if (at >= end) return true;
    ++at;
    if (at == end) {
      fields.emplace_back();
      return true;
    }
  }
}

}  // namespace caravel::formatter
