#include "watcher/report/words.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::watcher {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string ago(Time now, Time then) {
  return duration_for_people(duration_cast<milliseconds>(now - then));
}

std::string next_try_text(Time now, const std::optional<Time>& next_try) {
  if (!next_try) return {};
  // The worker that tries again has not come round yet.
  if (*next_try <= now) return "next try now";
  return fmt::format("next try at {} (in {})", time_for_people(*next_try),
                     duration_for_people(duration_cast<milliseconds>(*next_try - now)));
}

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string lines_text(const LineCounts& counts) {
  std::string out =
      fmt::format("{} = {} stored + {} already there + {} dropped + {} rejected", counts.lines,
                  counts.stored, counts.already_there, counts.dropped, counts.rejected);
  if (counts.failed != 0) out += fmt::format(" + {} failed", counts.failed);
  return out;
}

std::string waiting_text(const Extract& extract, Time now) {
  std::string out = printable(extract.why);
  // Only a try that the store or the disk made fail is an attempt: an extract that waits for its
  // manifest has none.
  if (extract.attempts != 0) out += fmt::format("; tried {}", plural(extract.attempts, "time"));
  if (extract.next_try) out += "; " + next_try_text(now, extract.next_try);
  return out;
}

void add_fact(std::string& out, std::string_view label, std::string_view value) {
  out += fmt::format("  {:<14} {}\n", label, shown(value));
}

void add_table(std::string& out, const std::vector<std::vector<std::string>>& rows) {
  // A name longer than most names is cut, and a column is no wider than a name usually is: one host
  // with a long name must not push all others off the page. The last cell is a reason or a place,
  // which may be longer.
  constexpr std::size_t kMostOfName = 200;
  constexpr std::size_t kMostOfLast = 1000;
  constexpr std::size_t kWidest = 60;
  std::vector<std::vector<std::string>> cells;
  // Widths are bytes: a name that is not ASCII moves the rest of its own row, and nothing else.
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& safe = cells.emplace_back();
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      safe.push_back(shown(row[i], i + 1 < row.size() ? kMostOfName : kMostOfLast));
      widths[i] = std::max(widths[i], std::min(safe[i].size(), kWidest));
    }
  }
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t width = i + 1 < row.size() ? widths[i] : 0;
      out += fmt::format("  {:<{}}", row[i], width);
    }
    out += '\n';
  }
}

}  // namespace caravel::watcher
