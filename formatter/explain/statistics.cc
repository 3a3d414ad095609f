#include "formatter/explain/statistics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/excerpt.h"
#include "base/text.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/record_reader.h"

namespace caravel::formatter {
namespace {

/// Whether the digits at `at` belong to a name: "ISO 8601", "RFC 4180", "UTF-8".
bool is_named_number(std::string_view text, std::size_t at) {
  if (at == 0 || (text[at - 1] != ' ' && text[at - 1] != '-')) return false;
  std::size_t capitals = 0;
  while (capitals + 1 < at && text[at - 2 - capitals] >= 'A' && text[at - 2 - capitals] <= 'Z') {
    ++capitals;
  }
  return capitals >= 2;
}

/// One line of a table: a number, right-aligned, and what it counts.
void append_count(std::uint64_t count, Style style, std::string_view what, StyledText& out) {
  out.add(fmt::format("{:>10}  ", count));
  out.add(style, what);
  out.add("\n");
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t taken = columns_of(text);
  return std::string(text) + std::string(columns - std::min(columns, taken), ' ');
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string reason_without_values(std::string_view reason, const std::vector<Column>& names) {
  std::string out;
  for (std::size_t i = 0; i < reason.size();) {
    const char c = reason[i];
    const std::size_t close = reason.find(c, i + 1);
    if ((c == '"' || c == '\'') && close != std::string_view::npos) {
      const std::string_view inside = reason.substr(i + 1, close - i - 1);
      const bool known = std::any_of(names.begin(), names.end(),
                                     [&](const Column& column) { return column.name == inside; });
      out += c == '"' || known ? reason.substr(i, close - i + 1) : std::string_view("'…'");
      i = close + 1;
    } else if (is_digit(c) && !is_named_number(reason, i)) {
      out += 'N';
      while (i < reason.size() && is_digit(reason[i])) ++i;
    } else {
      // A named number is copied whole: its second digit stands behind no name.
      do out += reason[i++];
      while (is_digit(c) && i < reason.size() && is_digit(reason[i]));
    }
  }
  return out;
}

void Statistics::see(const SeenLine& seen) {
  counts_ = seen.after;
  if (seen.after.rejected > seen.before.rejected) count_reject(seen);
  const bool row = seen.after.rows > seen.before.rows;
  const bool dropped = seen.after.dropped > seen.before.dropped;
  if (!row && !dropped) return;
  values_.look_at(seen);
  if (values_.kind() != nullptr) {
    by_kind_.resize(seen.format.kinds.size());
    by_kind_[values_.kind_index()] += row ? 1 : seen.after.dropped - seen.before.dropped;
  } else if (dropped) {
    other_dropped_ += seen.after.dropped - seen.before.dropped;
  }
  if (row) count_values(seen);
}

void Statistics::count_reject(const SeenLine& seen) {
  const auto& columns = seen.records == nullptr ? seen.format.columns : seen.records->columns();
  const std::uint64_t lines = seen.after.rejected - seen.before.rejected;
  std::string group = reason_without_values(reason_, columns);
  const auto found = reasons_.find(group);
  if (found != reasons_.end()) {
    found->second.count += lines;
    return;
  }
  if (reasons_.size() == kMostReasons) {
    other_rejects_ += lines;
    return;
  }
  values_.look_at(seen);
  std::string_view line = values_.trimmed();
  line = line.substr(0, line.find('\n')).substr(0, kMostExampleBytes);
  reasons_.emplace(std::move(group), Reason{lines, seen.line.number, reason_, std::string(line)});
}

void Statistics::count_values(const SeenLine& seen) {
  if (columns_.empty()) {
    columns_ = seen.records == nullptr ? seen.format.columns : seen.records->columns();
    const std::size_t most =
        std::min(kMostDistinct, kMostHashes / std::max<std::size_t>(columns_.size(), 1));
    ranges_.assign(columns_.size(), ValueRange(most));
  }
  const auto& values = values_.values();
  for (std::size_t i = 0; i < std::min(values.size(), ranges_.size()); ++i) {
    ranges_[i].add(values[i]);
  }
}

void Statistics::append_to(const Format& format, std::size_t width, StyledText& out) const {
  out.add(Style::heading, "lines\n");
  append_kinds(format, out);
  if (counts_.rejected > 0) {
    out.add(Style::heading, "rejects\n");
    append_reasons(width, out);
  }
  if (!ranges_.empty()) {
    out.add(Style::heading, "columns\n");
    append_columns(width, out);
  }
}

void Statistics::append_kinds(const Format& format, StyledText& out) const {
  for (std::size_t i = 0; i < format.kinds.size(); ++i) {
    const Kind& kind = format.kinds[i];
    const std::string name = abbreviated(kind.name, 60);
    append_count(i < by_kind_.size() ? by_kind_[i] : 0, kind.keep ? Style::good : Style::faint,
                 kind.keep ? name : name + ", dropped", out);
  }
  if (format.reader != Reader::pattern) append_count(counts_.rows, Style::good, "records", out);
  if (counts_.more_lines > 0) {
    append_count(counts_.more_lines, Style::plain, "more lines of these", out);
  }
  if (other_dropped_ > 0) {
    append_count(
        other_dropped_, Style::faint,
        format.reader == Reader::csv ? "dropped: headers, blank lines" : "dropped: blank lines",
        out);
  }
  if (counts_.rejected > 0) append_count(counts_.rejected, Style::bad, "rejects", out);
  append_count(counts_.lines, Style::plain, "in all", out);
}

void Statistics::append_reasons(std::size_t width, StyledText& out) const {
  std::vector<std::pair<std::string_view, const Reason*>> sorted;
  for (const auto& [group, reason] : reasons_) sorted.emplace_back(group, &reason);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second->count > b.second->count; });
  constexpr std::size_t kBelowCount = 12;
  for (const auto& [group, reason] : sorted) {
    append_count(reason->count, Style::bad, shown(group), out);
    const bool same = group == reason->reason;
    out.add(Style::faint, fmt::format("{:{}}line {}{}{}\n", "", kBelowCount, reason->line,
                                      same ? "" : ": ", same ? "" : shown(reason->reason)));
    const std::string& line = reason->example;
    if (line.empty()) continue;
    out.add(
        fmt::format("{:{}}{}\n", "", kBelowCount,
                    excerpt_of(line, 0, 0, std::max<std::size_t>(width, 60) - kBelowCount).text));
  }
  if (other_rejects_ > 0) append_count(other_rejects_, Style::bad, "for further reasons", out);
}

void Statistics::append_columns(std::size_t width, StyledText& out) const {
  constexpr std::size_t kMostOfName = 30;
  std::size_t widest = 0;
  for (const Column& column : columns_) {
    widest = std::max(widest, columns_of(abbreviated(column.name, kMostOfName)));
  }
  // Two values, and about 30 columns of counts, stand beside the name.
  const std::size_t room = std::max<std::size_t>(width, 60) - 30;
  const std::size_t value = std::clamp<std::size_t>((room - std::min(room, widest)) / 2, 12, 40);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const ValueRange& range = ranges_[i];
    out.add("  ");
    out.add(Style::name, padded(abbreviated(columns_[i].name, kMostOfName), widest));
    if (range.filled() == 0) {
      out.add(Style::faint, "  always empty\n");
      continue;
    }
    const std::string least = abbreviated(range.least(), value);
    const std::string greatest = abbreviated(range.greatest(), value);
    const bool one = range.distinct() == 1 && !range.more_distinct();
    out.add(fmt::format("  {}  ", range.numbers() ? "number" : "text  "));
    out.add(one ? fmt::format("always {}", least) : fmt::format("{} to {}", least, greatest));
    std::string counts;
    if (!one) {
      counts = range.more_distinct() ? fmt::format(", over {} different", range.distinct())
                                     : fmt::format(", {} different", range.distinct());
    }
    if (range.empty() > 0) counts += ", " + plural(range.empty(), "row empty", "rows empty");
    out.add(Style::faint, counts + "\n");
  }
}

}  // namespace caravel::formatter
