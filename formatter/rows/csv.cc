#include "formatter/rows/csv.h"

#include <algorithm>
#include <cstring>

namespace caravel::formatter {
namespace {

/// RFC 4180, 2.6: only these need quotes. Everything else stays as people wrote it.
bool needs_quotes(char c) { return c == ',' || c == '"' || c == '\r' || c == '\n'; }

template <typename Text>
void append_record(const std::vector<Text>& values, std::string& out) {
  for (const Text& value : values) {
    if (&value != &values.front()) out.push_back(',');
    append_csv_field(value, out);
  }
}

}  // namespace

void append_csv_field(std::string_view value, std::string& out) {
  if (std::none_of(value.begin(), value.end(), needs_quotes)) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (std::size_t quote = value.find('"'); quote != value.npos; quote = value.find('"')) {
    out.append(value.substr(0, quote + 1)).push_back('"');  // RFC 4180, 2.7
    value.remove_prefix(quote + 1);
  }
  out.append(value).push_back('"');
}

std::string csv_record(const std::vector<std::string>& values) {
  std::string out;
  append_record(values, out);
  return out;
}

void append_csv_record(const std::vector<std::string_view>& values, std::string& out) {
  append_record(values, out);
}

std::string csv_header(const std::vector<std::string>& names) {
  // An extract without a readable line has no columns, and a line end alone would be a record.
  return names.empty() ? std::string() : csv_record(names) + "\n";
}

namespace {

/// The next `wanted` in [at, end), or `end`.
const char* find_byte(const char* at, const char* end, char wanted) {
  const void* const found = std::memchr(at, wanted, static_cast<std::size_t>(end - at));
  return found != nullptr ? static_cast<const char*>(found) : end;
}

/// Only blanks and CRs: what may stand between a closing quote and the line's end.
bool is_line_end(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
  return at == end;
}

}  // namespace

CsvQuotes split_csv(std::string_view record, const CsvDialect& dialect,
                    std::vector<std::string_view>& fields, std::string& scratch) {
  fields.clear();
  scratch.clear();
  // A record always has a field: an empty one is one empty field.
  if (record.empty()) {
    fields.emplace_back();
    return CsvQuotes::sound;
  }
  // No field is longer than the record, so scratch never moves and the views into it stay valid.
  scratch.reserve(record.size());
  const char* at = record.data();
  const char* const end = at + record.size();
  const char quote = dialect.quote;
  for (;;) {
    if (quote != '\0' && at < end && *at == quote) {
      const char* from = ++at;
      // All fields with doubled quotes of one record share `scratch`, one behind the other.
      const std::size_t scratch_from = scratch.size();
      bool doubled = false;
      for (;;) {
        const char* const close = find_byte(at, end, quote);
        if (close == end) return CsvQuotes::open;
        if (close + 1 < end && close[1] == quote) {
          doubled = true;
          scratch.append(from, close + 1);
          from = at = close + 2;
          continue;
        }
        // Without doubled quotes the field is a view into the record: nothing is copied.
        if (doubled) {
          scratch.append(from, close);
          fields.push_back(std::string_view(scratch).substr(scratch_from));
        } else {
          fields.emplace_back(from, static_cast<std::size_t>(close - from));
        }
        at = close + 1;
        break;
      }
      // Between the closing quote and the separator nothing may stand.
      if (at < end && *at != dialect.separator) return CsvQuotes::broken;  // "a"b
    } else {
      const char* const stop = find_byte(at, end, dialect.separator);
      const std::string_view field(at, static_cast<std::size_t>(stop - at));
      // RFC 4180, 2.5: a quote inside a bare field has no meaning that all readers agree on.
      if (quote != '\0' && field.find(quote) != std::string_view::npos) return CsvQuotes::broken;
      fields.push_back(field);
      at = stop;
    }
    if (at >= end) return CsvQuotes::sound;
    ++at;
    // The record ends with a separator: behind it stands one more field, an empty one.
    if (at == end) {
      fields.emplace_back();
      return CsvQuotes::sound;
    }
  }
}

bool split_csv_record(std::string_view record, std::vector<std::string_view>& fields,
                      std::string& scratch) {
  const char* at = record.data();
  const char* const end = at + record.size();
  if (record.empty() || find_byte(at, end, '"') != end) {
    return split_csv(record, {}, fields, scratch) == CsvQuotes::sound;
  }
  // Nearly every record: without a quote in it, each comma ends a field.
  fields.clear();
  for (;;) {
    const char* const stop = find_byte(at, end, ',');
    fields.emplace_back(at, static_cast<std::size_t>(stop - at));
    if (stop == end) return true;
    at = stop + 1;
  }
}

CsvQuotes CsvRecordEnd::take(std::string_view line) {
  const char quote = dialect_.quote;
  const char* at = line.data();
  const char* const end = at + line.size();
  if (quote == '\0') return CsvQuotes::sound;
  while (in_quotes_ || at < end) {
    if (!in_quotes_) {
      if (*at != quote) {
        const char* const stop = find_byte(at, end, dialect_.separator);
        if (find_byte(at, stop, quote) != stop) return CsvQuotes::broken;
        at = stop < end ? stop + 1 : end;
        continue;
      }
      in_quotes_ = true;
      ++at;
    }
    const char* const close = find_byte(at, end, quote);
    if (close == end) return CsvQuotes::open;
    at = close + 1;
    if (at < end && *at == quote) {
      ++at;
      continue;
    }
    in_quotes_ = false;
    if (is_line_end(at, end)) return CsvQuotes::sound;
    if (*at++ != dialect_.separator) return CsvQuotes::broken;
  }
  return CsvQuotes::sound;
}

}  // namespace caravel::formatter
