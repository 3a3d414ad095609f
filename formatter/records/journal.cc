#include "formatter/records/journal.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>
#include <nlohmann/json.hpp>

namespace caravel::formatter {
namespace {

/// The bytes that say how many a value has.
constexpr std::size_t kSizeBytes = 8;

/// What journalctl itself says between entries, such as "-- No entries --".
bool is_remark(std::string_view line) { return line.starts_with("-- "); }

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The number that `bytes`, kSizeBytes, are.
std::uint64_t size_of(std::string_view bytes) {
  std::uint64_t size = 0;
  for (std::size_t i = kSizeBytes; i-- > 0;)
    size = size << 8 | static_cast<unsigned char>(bytes[i]);
  return size;
}

/// A field as it stands in the text.
struct JournalField {
  std::string_view name;
  std::string_view value;
  std::size_t end = 0;  // behind its last byte; a LF follows in a whole entry
};

/// The field that begins at `at`. Nothing if it goes on behind `text`. Error: that is no field.
Result<std::optional<JournalField>> field_at(std::string_view text, std::size_t at) {
  const std::size_t line_end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(at, line_end - at);
  const std::size_t equals = std::min(line.find('='), line.size());
  JournalField field;
  field.name = line.substr(0, equals);
  if (!is_field_name(field.name)) {
    return fail(ErrorKind::content,
                fmt::format("expected the name of a field at byte {} of the entry", at));
  }
  if (equals < line.size()) {
    field.value = line.substr(equals + 1);
    field.end = line_end;
    return field;
  }
  const std::size_t size_at = line_end + 1;
  if (text.size() < size_at + kSizeBytes) return std::nullopt;
  const std::uint64_t size = size_of(text.substr(size_at, kSizeBytes));
  const std::size_t value_at = size_at + kSizeBytes;
  if (text.size() - value_at < size) return std::nullopt;
  field.value = text.substr(value_at, size);
  field.end = value_at + size;
  if (field.end < text.size() && text[field.end] != '\n') {
    return fail(ErrorKind::content,
                fmt::format("expected a line end at byte {} of the entry", field.end));
  }
  return field;
}

/// A value as journalctl writes it in JSON.
nlohmann::json json_of(std::string_view value) {
  const bool text = value.find('\0') == std::string_view::npos &&
                    simdjson::validate_utf8(value.data(), value.size());
  if (text) return value;
  auto bytes = nlohmann::json::array();
  for (const char c : value) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

JsonMember member_of(const std::string& name, const std::vector<std::string_view>& values) {
  if (values.size() > 1) {
    auto all = nlohmann::json::array();
    for (const std::string_view value : values) all.push_back(json_of(value));
    return json_member(name, all.dump());
  }
  const nlohmann::json value = json_of(values.front());
  return value.is_string() ? string_member(name, value.get<std::string>())
                           : json_member(name, value.dump());
}

}  // namespace

Result<std::string_view> gather_journal_entry(const RecordLimits& limits, LineSplitter& lines,
                                              Line& line) {
  constexpr std::string_view kCutOff = "no empty line behind the entry (cut off?)";
  // Any number of lines: a message may have many, and only bytes are memory.
  const RecordLimits looked_at{limits.bytes, ~std::uint64_t{0}};
  const auto refusal = [&](std::string_view why) {
    return fail(ErrorKind::content,
                fmt::format("line {}: {}: is this `journalctl -o export`?", line.number, why));
  };
  std::size_t at = 0;  // where the field begins that the text ends in
  for (;;) {
    auto field = field_at(line.text(), at);
    if (!field) return refusal(field.error().message);
    CARAVEL_ASSIGN_OR_RETURN(const auto more, lines.extend(line, looked_at));
    if (!more) {
      if (lines.ended() && line.offset + line.text().size() + 1 >= lines.bytes()) return kCutOff;
      return refusal(fmt::format(
          "an entry over max_record ({} bytes), or with a line over max_line", limits.bytes));
    }
    if (!*field) continue;
    at = (*field)->end + 1;
    // The line behind a whole field is empty.
    if (line.text().size() == at) return "";
  }
}

Result<std::vector<JsonMember>> read_journal_entry(std::string_view entry,
                                                   std::size_t most_fields) {
  std::vector<std::string> names;
  std::vector<std::vector<std::string_view>> values;
  std::size_t count = 0;
  for (std::size_t at = 0; at < entry.size();) {
    CARAVEL_ASSIGN_OR_RETURN(const auto field, field_at(entry, at));
    if (!field) return fail(ErrorKind::content, fmt::format("no end of the field at byte {}", at));
    if (++count > most_fields) {
      return fail(ErrorKind::content, fmt::format("over {} fields", most_fields));
    }
    at = field->end + 1;
    const auto known = std::find(names.begin(), names.end(), field->name);
    if (known == names.end()) {
      names.emplace_back(field->name);
      values.push_back({field->value});
    } else {
      values[static_cast<std::size_t>(known - names.begin())].push_back(field->value);
    }
  }
  std::vector<JsonMember> members;
  for (std::size_t i = 0; i < names.size(); ++i) members.push_back(member_of(names[i], values[i]));
  return members;
}

Result<std::string_view> JournalReader::gather(const CutLog& log, LineSplitter& lines, Line& line) {
  if (log.began_ahead && line.number == 1) {
    return fail(ErrorKind::content,
                "begins in the middle of its log, perhaps within a message: entries of `reader: "
                "journal` must be given in whole (journalctl -o export > FILE)");
  }
  const std::string_view text = line.text();
  if (text.empty() || text == "\r" || is_remark(text)) return "";
  return gather_journal_entry(format().records, lines, line);
}

std::string_view JournalReader::trim(std::string_view record) const {
  if (record.ends_with('\n')) record.remove_suffix(1);
  return record;
}

RecordReader::Outcome JournalReader::take(std::string_view record) {
  if (is_remark(record)) return Outcome::header;
  return take_members(read_journal_entry(record, kMaxColumns));
}

}  // namespace caravel::formatter
