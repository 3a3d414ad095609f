#include "formatter/records/json_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

/// A name that stands twice in the object: one of its two values would be lost.
std::optional<std::string_view> first_duplicate(const std::vector<JsonMember>& members) {
  std::vector<std::string_view> names;
  for (const JsonMember& member : members) names.emplace_back(member.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return *twice;
}

/// Copying so many bytes is cheaper than asking how many there are.
constexpr std::size_t kCopiedTogether = 16;

/// So many bytes more than `text` has must be readable and writable.
char* put_text(std::string_view text, char* at) {
  if (text.size() > kCopiedTogether) {
    std::memcpy(at, text.data(), text.size());
  } else {
    std::memcpy(at, text.data(), kCopiedTogether);
  }
  return at + text.size();
}

/// The same with each quote doubled.
char* put_doubled(std::string_view text, char* at) {
  for (const char c : text) {
    *at++ = c;
    *at = '"';
    at += static_cast<int>(c == '"');
  }
  return at;
}

/// As string_cell() and append_csv_field() write it.
char* put_cell(const JsonSpan& member, char* at) {
  if (member.kind == JsonSpan::Kind::null) return at;
  const bool with_its_quotes =
      member.kind == JsonSpan::Kind::string && (member.text.empty() || reads_as_json(member.text));
  if (!with_its_quotes && !member.wants_quotes) return put_text(member.text, at);
  *at++ = '"';
  at = put_doubled(with_its_quotes ? member.json : member.text, at);
  *at++ = '"';
  return at;
}

/// The members as one JSON object, which CSV puts quotes around, since it holds some.
char* put_more(const std::vector<const JsonSpan*>& members, char* at) {
  *at++ = '"';
  for (const JsonSpan* member : members) {
    *at++ = member == members.front() ? '{' : ',';
    *at++ = '"';  // that of the name, doubled
    *at++ = '"';
    at = put_doubled(member->name, at);
    *at++ = '"';
    *at++ = '"';
    *at++ = ':';
    at = put_doubled(member->json, at);
  }
  *at++ = '}';
  *at++ = '"';
  return at;
}

}  // namespace

MemberReader::MemberReader(const Format& format, const YearTable& years)
    : RecordReader(format, years), objects_(kMaxColumns) {
  if (format.columns.empty()) return;
  // Columns that the format names are known before the first line: even an extract without rows
  // gets its CSV header.
  std::vector<std::string> names;
  for (const Column& column : format.columns) names.push_back(column.name);
  begin_columns(names);
}

void MemberReader::begin_columns(const std::vector<std::string>& names) {
  names_ = names;
  set_columns(names, ColumnType::json);
  add_column(std::string(kMore), ColumnType::json);
}

RecordReader::Outcome MemberReader::take_members(Result<std::vector<JsonMember>> members) {
  if (!members) return reject(std::move(members.error().message));
  if (const auto twice = first_duplicate(*members)) {
    return reject(fmt::format("the member '{}' stands twice", printable_head(*twice)));
  }
  if (!has_columns()) {
    // This first object decides for the whole extract: the CSV's header is written now.
    std::vector<std::string> names;
    for (const JsonMember& member : *members) names.push_back(member.name);
    begin_columns(names);
  }
  time_texts_.clear();
  for (const std::string& name : format().record_time.columns) {
    time_texts_.push_back(member_text(objects_, *members, name));
  }
  times_.assign(time_texts_.begin(), time_texts_.end());
  // A member that the object does not have leaves its cell empty.
  values_.assign(columns().size(), "");
  std::string_view key;
  std::string more;
  for (const JsonMember& member : *members) {
    // The key needs no column: where the format names the columns, it may end up in "more".
    if (!format().key_column.empty() && member.name == format().key_column) key = member.text;
    if (const auto place = place_of(member.name)) {
      values_[*place] = member.cell;
    } else {
      // As it came, name and value: "more" is a JSON object of the members without a column.
      more += (more.empty() ? "{" : ",") + member.json;
    }
  }
  // The column "more" is always the last.
  if (!more.empty()) values_.back() = more += "}";
  return finish(values_, times_, key);
}

std::string_view JsonReader::take_plain(std::string_view line) {
  // The first object decides on the columns.
  if (!has_columns()) return {};
  const std::string_view record = trim_line(line);
  if (record.empty() || !spans_.read(record, kMaxColumns)) return {};
  if (!place_members() || !find_times()) return {};
  const JsonSpan* const key = format().key_column.empty() ? nullptr : find(format().key_column);
  // What is no row is rejected by take(), with the reason.
  const Outcome outcome = finish_ready(write_record(record.size()), time_spans_,
                                       key != nullptr ? key->text : std::string_view());
  return outcome == Outcome::row ? record : std::string_view();
}

bool JsonReader::place_members() {
  // Each is compared with all others, so only few are gathered here.
  constexpr std::size_t kMostWithoutColumn = 16;
  cells_.assign(names().size(), nullptr);
  more_.clear();
  std::size_t last = names().size();  // none yet
  for (const JsonSpan& member : spans_.members()) {
    if (const auto place = place_behind(last, member.name)) {
      if (cells_[*place] != nullptr) return false;
      cells_[*place] = &member;
      last = *place;
      continue;
    }
    if (more_.size() == kMostWithoutColumn) return false;
    for (const JsonSpan* other : more_) {
      if (other->name == member.name) return false;
    }
    more_.push_back(&member);
  }
  return true;
}

/// The members of most lines stand in the order of the lines before, so that a name is looked for
/// in one place first.
std::optional<std::size_t> JsonReader::place_behind(std::size_t last, std::string_view name) {
  if (followers_.empty()) followers_.assign(names().size() + 1, names().size());
  std::size_t& follower = followers_[last];
  if (follower < names().size() && names()[follower] == name) return follower;
  const auto place = place_of(name);
  if (place) follower = *place;
  return place;
}

const JsonSpan* JsonReader::find(std::string_view name) const {
  for (const JsonSpan& member : spans_.members()) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

bool JsonReader::find_times() {
  time_spans_.clear();
  for (const std::string& name : format().record_time.columns) {
    const JsonSpan* const member = find(name);
    if (member == nullptr) return false;
    time_spans_.push_back(member->text);
  }
  return true;
}

std::string_view JsonReader::write_record(std::size_t line_size) {
  // Each byte of the line once, perhaps doubled as a quote; a comma and two quotes for each column;
  // the braces of "more"; what put_text() copies too much.
  const std::size_t most = 2 * line_size + 3 * columns().size() + 2 + kCopiedTogether;
  if (written_.size() < most) written_.resize(most);
  char* at = written_.data();
  for (const JsonSpan* member : cells_) {
    if (member != nullptr) at = put_cell(*member, at);
    *at++ = ',';
  }
  if (!more_.empty()) at = put_more(more_, at);
  return std::string_view(written_).substr(0, static_cast<std::size_t>(at - written_.data()));
}

RecordReader::Outcome JsonReader::take(std::string_view record) {
  return take_members(objects().read(record));
}

}  // namespace caravel::formatter
