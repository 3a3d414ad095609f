#include "formatter/suggest/record_columns.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/suggest/candidates.h"
#include "formatter/suggest/shapes/tokens.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostSeen = 200;
constexpr std::size_t kShownBytes = 40;

/// What a column is called that holds the time of the row, and not of something else.
constexpr auto kTimeNames = std::to_array<std::string_view>(
    {"time", "timestamp", "@timestamp", "ts", "datetime", "date", "at", "t", "when", "created_at",
     "log_time", "measured_at", "_source_realtime_timestamp"});

/// What a column is called that says which thing a row is about.
constexpr auto kKeyNames = std::to_array<std::string_view>(
    {"vehicle",  "device",   "sensor",  "client",  "host",       "hostname", "user",
     "username", "customer", "account", "station", "stop",       "route",    "service",
     "unit",     "id",       "key",     "session", "door",       "machine",  "node",
     "program",  "logger",   "name",    "address", "remote_addr"});

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return lower;
}

template <std::size_t n>
std::size_t rank(std::string_view name, const std::array<std::string_view, n>& names) {
  const std::string lower = lower_case(name);
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), lower) - names.begin());
}

bool is_comma_decimal(std::string_view value) {
  const std::size_t comma = value.find(',');
  return comma != value.npos && is_whole_number(value.substr(0, comma)) &&
         is_whole_number(value.substr(comma + 1)) && is_digit(value[comma + 1]);
}

}  // namespace

void RecordColumn::add(std::string_view value, StampFinder& stamps) {
  if (value.empty()) {
    ++empty_;
    return;
  }
  if (values_++ == 0) first_ = value.substr(0, kShownBytes);
  quotes_ = quotes_ || value.find('"') != value.npos;
  const auto place = std::lower_bound(seen_.begin(), seen_.end(), value);
  if (seen_.size() < kMostSeen && (place == seen_.end() || *place != value)) {
    seen_.emplace(place, value);
  }
  const bool number = formatter::is_number(value);
  if (number) ++numbers_;
  if (is_whole_number(value)) ++whole_;
  if (is_comma_decimal(value)) ++comma_;
  if (!is_digit(value[0]) && !is_letter(value[0])) return;
  const auto found = stamps.find(value, 0);
  if (!found || found->text.size() != value.size()) return;
  fractions_ = fractions_ || has_fraction(value);
  for (std::size_t shape = 0; shape < kStampShapes.size(); ++shape) {
    if (shape == found->shape || (!number && stamps.is(shape, value))) ++stamps_[shape];
  }
}

std::size_t RecordColumn::stamp() const {
  // One damaged value in fifty does not change what a column is; its record is a reject.
  const auto most = std::max_element(stamps_.begin(), stamps_.end());
  if (values_ == 0 || *most * 50 < values_ * 49) return kStampShapes.size();
  return static_cast<std::size_t>(most - stamps_.begin());
}

ColumnDraft RecordColumn::draft() const {
  ColumnDraft draft;
  draft.name = name_;
  draft.distinct = seen_.size();
  draft.values = values_;
  const bool stamp = this->stamp() < kStampShapes.size();
  draft.may_be_key = empty_ == 0 && !stamp && !is_comma_number() && (!is_number() || is_whole());
  const char* type = "text";
  if (is_number()) type = is_whole() ? "a whole number" : "a number";
  if (is_comma_number()) type = "a number with a comma";
  if (stamp) type = "a time";
  draft.about = values_ == 0 ? "empty in all lines that were looked at"
                             : fmt::format("{}, such as {}", type, in_comment(first_, kShownBytes));
  if (values_ > 0 && empty_ > 0) draft.about += "; may be empty";
  return draft;
}

namespace {

/// A day and a clock in two columns are a time together.
std::optional<RecordTimeChoice> time_of_two(const std::vector<RecordColumn>& columns) {
  const auto find = [&](std::string_view StampShape::*layout) {
    return std::find_if(columns.begin(), columns.end(), [&](const RecordColumn& column) {
      return column.stamp() < kStampShapes.size() && column.empty() == 0 &&
             !(kStampShapes[column.stamp()].*layout).empty();
    });
  };
  const auto day = find(&StampShape::day);
  const auto clock = find(&StampShape::clock);
  if (day == columns.end() || clock == columns.end()) return std::nullopt;
  const std::string names =
      fmt::format("[{}, {}]", yaml_scalar(day->name()), yaml_scalar(clock->name()));
  const std::string_view layout = kStampShapes[day->stamp()].day;
  if (layout == kDayLayout) return RecordTimeChoice{names, clock->has_fractions()};
  return RecordTimeChoice{fmt::format("{{columns: {}, format: ['{} {}', '{} {}.%f']}}", names,
                                      layout, kClockLayout, layout, kClockLayout),
                          clock->has_fractions()};
}

}  // namespace

std::vector<RecordTimeChoice> choose_times(const std::vector<RecordColumn>& columns) {
  std::vector<const RecordColumn*> sorted;
  for (const RecordColumn& column : columns) {
    const std::size_t shape = column.stamp();
    if (shape == kStampShapes.size() || column.empty() * 20 > column.values()) continue;
    if (kStampShapes[shape].record_time || !kStampShapes[shape].record.empty()) {
      sorted.push_back(&column);
    }
  }
  // A number may be a time by chance, and a name tells more than the order does.
  std::stable_sort(sorted.begin(), sorted.end(), [](const RecordColumn* a, const RecordColumn* b) {
    const auto key = [](const RecordColumn* column) {
      return std::pair(rank(column->name(), kTimeNames), column->is_number());
    };
    return key(a) < key(b);
  });
  std::vector<RecordTimeChoice> times;
  for (const RecordColumn* column : sorted) {
    const StampShape& shape = kStampShapes[column->stamp()];
    const std::string name = yaml_scalar(column->name());
    if (shape.record_time) {
      times.push_back({name, column->has_fractions()});
    } else {
      times.push_back(
          {fmt::format("{{column: {}, format: {}}}", name, shape.record), column->has_fractions()});
    }
  }
  if (auto both = time_of_two(columns)) times.push_back(std::move(*both));
  return times;
}

void set_identity(Draft& draft, bool timed, bool fractions, bool repeated_lines) {
  draft.by_position = true;
  if (!timed) {
    draft.identity_reason = "the lines have no time of their own: their place tells them apart";
  } else if (repeated_lines) {
    draft.identity_reason = "equal lines come more than once: they are different events";
  } else if (!fractions) {
    draft.identity_reason = "the time counts whole seconds: two events can make equal lines";
  } else {
    draft.by_position = false;
    draft.identity_reason = "the time is finer than a second: equal lines are one event";
  }
}

std::vector<Draft> with_times(const Draft& draft, const std::vector<RecordTimeChoice>& times,
                              bool repeated_lines) {
  std::vector<Draft> drafts;
  for (const RecordTimeChoice& time : times) {
    drafts.push_back(draft);
    drafts.back().time = time.yaml;
    set_identity(drafts.back(), true, time.fractions, repeated_lines);
  }
  drafts.push_back(draft);
  set_identity(drafts.back(), false, false, repeated_lines);
  return drafts;
}

bool has_repeated_lines(const std::vector<std::string_view>& lines) {
  std::unordered_set<std::string_view> seen;
  return std::any_of(lines.begin(), lines.end(),
                     [&](std::string_view line) { return !seen.insert(line).second; });
}

std::vector<std::string_view> spread(const std::vector<std::string_view>& lines, std::size_t most) {
  std::vector<std::string_view> some;
  const std::size_t step = lines.size() / most + 1;
  for (std::size_t i = 0; i < lines.size(); i += step) some.push_back(lines[i]);
  return some;
}

std::string choose_key(const std::vector<ColumnDraft>& columns) {
  const ColumnDraft* best = nullptr;
  std::size_t best_rank = kKeyNames.size() + 1;
  for (const ColumnDraft& column : columns) {
    // A value of every row, or a new one for each, says nothing of which thing a row is about.
    const bool comes_again = column.distinct > 1 && column.distinct * 3 <= column.values * 2;
    const std::size_t column_rank = rank(column.name, kKeyNames);
    if (!column.may_be_key || !comes_again || column_rank >= best_rank) continue;
    best = &column;
    best_rank = column_rank;
  }
  return best == nullptr ? "" : best->name;
}

}  // namespace caravel::formatter
