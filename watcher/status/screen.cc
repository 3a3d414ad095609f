#include "watcher/status/screen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "watcher/report/words.h"

namespace caravel::watcher {
namespace {

using formatter::Style;
using formatter::StyledText;

/// As many characters of `text`, which is UTF-8, as fit into `columns`.
std::string_view fitting(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  while (bytes < text.size() && columns > 0) {
    // A byte that begins no character cannot come out of shown(); it would count as one.
    bytes += std::max<std::size_t>(1, utf8_length(text.substr(bytes)));
    --columns;
  }
  return text.substr(0, bytes);
}

/// Lines are added until the terminal is full; what is beyond its right edge is left out, so that
/// no line wraps and pushes another one off.
class Lines {
 public:
  Lines(std::size_t columns, std::size_t lines) : columns_(columns), left_(lines) {}

  [[nodiscard]] bool full() const { return left_ == 0; }
  [[nodiscard]] std::size_t left() const { return left_; }
  void add(std::initializer_list<StyledText::Part> parts) {
    if (full()) return;
    std::size_t room = columns_;
    for (const StyledText::Part& part : parts) {
      const std::string_view text = fitting(part.text, room);
      for (std::size_t at = 0; at < text.size(); --room) {
        at += std::max<std::size_t>(1, utf8_length(text.substr(at)));
      }
      out_.add(part.style, text);
    }
    out_.add("\n");
    --left_;
  }
  void blank() { add({}); }
  [[nodiscard]] StyledText take() { return std::move(out_); }

 private:
  const std::size_t columns_;
  std::size_t left_;
  StyledText out_;
};

Style style_of(Level level) {
  switch (level) {
    case Level::ok:
      return Style::good;
    case Level::warning:
      return Style::name;
    case Level::critical:
      return Style::mark;
  }
  return Style::plain;
}

void add_problems(const StatusReport& report, Lines& lines) {
  const Level level = report.health.level();
  const std::string word = level == Level::ok        ? "all is well"
                           : level == Level::warning ? "WARNING"
                                                     : "CRITICAL";
  lines.add({{Style::heading, "Caravel  "},
             {style_of(level), word},
             {Style::faint, "  " + time_for_people(report.now)}});
  lines.add({{Style::faint, report.lock_holder.empty()
                                ? std::string("Nobody watches the spool at the moment.")
                                : "Watched by " + shown(report.lock_holder)}});
  for (const Problem& problem : report.health.problems) {
    lines.add({{style_of(problem.level), "  ! "}, {Style::plain, problem.text}});
  }
  lines.blank();
}

std::uint64_t count_of(const FeedStatus& feed, State state) {
  const auto found = feed.summary.extracts.find(state);
  return found == feed.summary.extracts.end() ? 0 : found->second;
}

/// The plot gets what the numbers behind it leave.
void add_plot(std::string_view label, const std::vector<double>& values, std::size_t width,
              const std::string& numbers, Lines& lines) {
  lines.add({{Style::faint, fmt::format("  {:<6}", label)},
             {Style::good, sparkline(values, width)},
             {Style::plain, "  " + numbers}});
}

void add_feed(const FeedStatus& feed, const Overview& overview, std::size_t width, Lines& lines) {
  const auto found = overview.series.find(feed.name);
  const Series series = found == overview.series.end() ? Series{} : found->second;
  const auto& oldest = feed.summary.oldest_open;
  lines.add({{Style::heading, shown(feed.name, 60)},
             {Style::plain, fmt::format("  {} done, {} waiting, ", count_of(feed, State::done),
                                        count_of(feed, State::waiting))},
             {feed.summary.open_failures == 0 ? Style::plain : Style::bad,
              fmt::format("{} failed", feed.summary.open_failures)},
             {Style::plain, oldest ? ", behind by " + ago(overview.report.now, oldest->seen_at)
                                   : std::string()}});
  add_plot("rows", series.rows, width, fmt::format("{} in the last hour", feed.last_hour.rows),
           lines);
  const double slowest = *std::ranges::max_element(series.latest);
  add_plot("delay", series.latest, width,
           fmt::format("{:.1f} s at most, from drop to stored", slowest), lines);
}

void add_stores(const StatusReport& report, Lines& lines) {
  for (const StoreRecord& store : report.stores) {
    const bool good = store.since == Time{} || store.state == StoreState::ok;
    lines.add(
        {{Style::plain, fmt::format("store {}  ", shown(store.name, 60))},
         {good ? Style::good : Style::bad,
          good ? std::string("ok") : ago(report.now, store.since) + ": " + shown(store.why)}});
  }
}

void add_extracts(std::string_view heading, std::uint64_t total,
                  const std::vector<Extract>& extracts, Lines& lines) {
  if (extracts.empty()) return;
  lines.blank();
  lines.add({{Style::heading, fmt::format("{} ({})", heading, total)}});
  // Each list leaves room for the next.
  std::size_t left = std::max<std::size_t>(1, lines.left() / 2);
  for (const Extract& extract : extracts) {
    if (left-- == 0) break;
    lines.add(
        {{Style::name, "  " + shown(extract.name, 80)}, {Style::plain, "  " + shown(extract.why)}});
  }
}

void add_recent(const Overview& overview, Lines& lines) {
  if (overview.recent.empty()) return;
  lines.blank();
  lines.add({{Style::heading, "Recent"}});
  for (const Extract& extract : overview.recent) {
    lines.add({{Style::faint,
                fmt::format("  {:>10} ago  ",
                            ago(overview.report.now, extract.done_at.value_or(extract.since)))},
               {Style::name, shown(extract.name, 80)},
               {Style::plain, fmt::format("  {}", lines_text(extract.counts))}});
  }
}

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t most) {
  constexpr std::array<std::string_view, 9> kBars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (values.empty() || most == 0) return {};
  const std::size_t together = (values.size() + most - 1) / most;
  std::vector<double> sums;
  // From the end: the newest value has as many neighbours as the others.
  for (std::size_t end = values.size(); end > 0; end -= std::min(end, together)) {
    const std::size_t begin = end - std::min(end, together);
    sums.push_back(std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                   values.begin() + static_cast<std::ptrdiff_t>(end), 0.0));
  }
  std::ranges::reverse(sums);
  const double largest = *std::ranges::max_element(sums);
  std::string out;
  for (const double sum : sums) {
    const double share = largest > 0 ? sum / largest : 0;
    out += kBars[static_cast<std::size_t>(std::ceil(share * 8))];
  }
  return out;
}

StyledText screen(const Overview& overview, std::size_t columns, std::size_t lines_of_terminal) {
  constexpr std::size_t kBesidePlot = 45;
  const std::size_t width =
      std::clamp<std::size_t>(columns > kBesidePlot ? columns - kBesidePlot : 0, 8, Series::kSpans);
  const StatusReport& report = overview.report;
  Lines lines(columns, lines_of_terminal);
  add_problems(report, lines);
  for (const FeedStatus& feed : report.feeds) add_feed(feed, overview, width, lines);
  lines.blank();
  add_stores(report, lines);
  add_extracts("Failed", report.failed_total, report.failed, lines);
  add_extracts("Waiting", report.waiting_total, report.waiting, lines);
  add_recent(overview, lines);
  return lines.take();
}

}  // namespace caravel::watcher
