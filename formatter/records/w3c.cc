#include "formatter/records/w3c.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace caravel::formatter {
namespace {

constexpr std::string_view kFields = "#Fields:";
constexpr std::string_view kBlanks = " \t";

/// The next word or string of `rest`, which loses it and the blanks ahead. False at the end.
Result<bool> next_value(std::string_view& rest, std::string& value, bool& quoted) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  if (rest.empty()) return false;
  value.clear();
  quoted = rest.front() == '"';
  if (!quoted) {
    value = rest.substr(0, rest.find_first_of(kBlanks));
    rest.remove_prefix(value.size());
    return true;
  }
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] != '"') {
      value.push_back(rest[at]);
    } else if (at + 1 < rest.size() && rest[at + 1] == '"') {
      value.push_back(rest[at++]);
    } else {
      rest.remove_prefix(at + 1);
      if (rest.empty() || kBlanks.find(rest.front()) != std::string_view::npos) return true;
      break;
    }
  }
  return fail(ErrorKind::content, "broken quotes");
}

}  // namespace

Result<> W3cLines::direct(std::string_view line) {
  if (!line.starts_with(kFields)) return {};
  fields_.clear();
  std::vector<std::string> names;
  std::string_view rest = line.substr(kFields.size());
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    if (rest.empty()) break;
    names.emplace_back(rest.substr(0, rest.find_first_of(kBlanks)));
    rest.remove_prefix(names.back().size());
    if (names.size() <= most_fields_) continue;
    return fail(ErrorKind::content, fmt::format("over {} fields", most_fields_));
  }
  if (names.empty()) return fail(ErrorKind::content, "#Fields names no field");
  fields_ = std::move(names);
  return {};
}

Result<std::vector<JsonMember>> W3cLines::read(std::string_view line) const {
  // What the values are cannot be known, and a guess would put them under wrong names.
  if (fields_.empty()) return fail(ErrorKind::content, "no #Fields came before this line");
  std::vector<JsonMember> members;
  std::string value;
  bool quoted = false;
  std::size_t count = 0;
  for (;; ++count) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, next_value(line, value, quoted));
    if (!more) break;
    if (count >= fields_.size()) continue;  // only counted, for the reason
    const bool none = !quoted && value == "-";
    members.push_back(quoted ? string_member(fields_[count], value)
                             : bare_member(fields_[count], none ? std::string() : value));
  }
  if (count == fields_.size()) return members;
  return fail(ErrorKind::content, fmt::format("{} values instead of {}", count, fields_.size()));
}

RecordReader::Outcome W3cReader::take(std::string_view record) {
  if (!W3cLines::is_directive(record)) return take_members(lines_.read(record));
  if (auto taken = lines_.direct(record); !taken) return reject(std::move(taken.error().message));
  // It decides for the whole extract: the CSV's header is written now.
  if (!has_columns() && !lines_.fields().empty()) begin_columns(lines_.fields());
  return Outcome::header;
}

}  // namespace caravel::formatter
