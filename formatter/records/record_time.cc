#include "formatter/records/record_time.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/patterns/parsers.h"
#include "formatter/records/json_object.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/row_time.h"
#include "formatter/times/iso8601.h"

namespace caravel::formatter {

bool RecordTime::read(const std::vector<std::string_view>& values, std::string& out) {
  date_ = 0;
  reason_.clear();
  text_.clear();
  for (const std::string_view value : values) {
    if (!text_.empty()) text_.push_back(' ');
    text_.append(value);
  }
  size_ = text_.size();
  // The parsers want a line's end, and readable bytes behind it.
  text_.append(1 + kReadableBehind, '\n');
  if (rule_.layouts.empty()
          ? read_usual(out)
          : std::any_of(rule_.layouts.begin(), rule_.layouts.end(),
                        [&](const TimeLayout& layout) { return read_layout(layout, out); })) {
    return true;
  }
  refuse(std::string_view(text_).substr(0, size_));
  return false;
}

/// ISO 8601 or seconds since 1970. Each must take the whole text: "2012-03-09T09:48:00 or so" is no
/// time.
bool RecordTime::read_usual(std::string& out) {
  const char* const begin = text_.data();
  const char* const end = begin + size_;
  const std::string_view text = std::string_view(text_).substr(0, size_);
  Capture capture;
  // The usual forms first, by the way that has always written their ids.
  if (rule_.zone == nullptr && parse_timestamp(begin, '\n', capture) == end &&
      (capture.number & kOtherIsoForm) == 0) {
    append_timestamp(text, out);
    return true;
  }
  // As seconds: a number does not say that it means milliseconds.
  if (parse_epoch(begin, 0, capture) == end) {
    append_epoch(text, false, out);
    return true;
  }
  TimeParts parts;
  return parse_iso_time(begin, '\n', true, parts) == end && finish(parts, out);
}

bool RecordTime::read_layout(const TimeLayout& layout, std::string& out) {
  TimeParts parts;
  TimeLayout::Failure failure;
  const char* const end = layout.parse(text_.data(), parts, &failure);
  if (end == text_.data() + size_) {
    if (parts.counted || parts.has_year || !layout.has_date()) return finish(parts, out);
    parts.year = years_.year_of(parts.month, parts.day);
    if (parts.year == 0) return false;
    const bool ok = finish(parts, out);
    date_ = pack_date(static_cast<unsigned>(parts.year), parts.month, parts.day);
    return ok;
  }
  if (end != nullptr) failure = {static_cast<std::size_t>(-1), end};
  // Of several layouts the first is told: it is the usual one.
  if (reason_.empty()) {
    reason_ =
        fmt::format("wanted {} at byte {}", layout.wanted(failure.step), failure.at - text_.data());
  }
  return false;
}

bool RecordTime::finish(TimeParts& parts, std::string& out) {
  if (!parts.counted && !settle_date(parts)) return false;
  if (append_parts(parts, rule_.zone, out)) return true;
  reason_ = skipped_reason(parts, rule_.zone);
  return false;
}

void RecordTime::refuse(std::string_view text) {
  const std::string name = fmt::format("{}", fmt::join(rule_.columns, " "));
  const std::string head = printable_head(text);
  if (rule_.layouts.empty() && reason_.empty()) {
    reason_ = fmt::format("'{}' is no ISO 8601 time and no epoch: '{}'", name, head);
    return;
  }
  std::string layouts;
  for (const TimeLayout& layout : rule_.layouts) {
    layouts += fmt::format("{}'{}'", layouts.empty() ? " as " : " or ", layout.text());
  }
  if (reason_.empty()) reason_ = "no calendar has that day";
  reason_ = fmt::format("'{}' is no time{}: '{}': {}", name, layouts, head, reason_);
}

std::string member_text(JsonObjectReader& reader, const std::vector<JsonMember>& members,
                        std::string_view name) {
  // A member that is really called so comes first, whatever the dots in its name.
  const JsonMember* found = nullptr;
  for (const JsonMember& member : members) {
    if (member.name != name) continue;
    if (found != nullptr) return {};
    found = &member;
  }
  if (found != nullptr) return found->text;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    const std::string_view head = name.substr(0, dot);
    for (const JsonMember& member : members) {
      if (member.name != head || !member.json.ends_with('}')) continue;
      // As deep as the path has dots, whatever the line holds.
      const auto nested = reader.read(member.text);
      if (nested) return member_text(reader, *nested, name.substr(dot + 1));
    }
  }
  return {};
}

}  // namespace caravel::formatter
