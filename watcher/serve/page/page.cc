#include "watcher/serve/page/page.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "watcher/report/words.h"
#include "watcher/serve/page/commands_to_copy.h"
#include "watcher/serve/page/page_values.h"
#include "watcher/serve/page/plots.h"
#include "watcher/serve/page/reasons.h"
#include "watcher/sources/sequence.h"

namespace caravel::watcher {
namespace {

std::string seconds_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  return duration_for_people(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

/// "10:00", UTC.
std::string clock_of(Time time) { return time_for_people(time).substr(11, 5); }
/// "10:00:03", UTC.
std::string clock_with_seconds(Time time) { return time_for_people(time).substr(11, 8); }

std::uint64_t extracts_in(const FeedStatus& feed, std::initializer_list<State> states) {
  std::uint64_t sum = 0;
  for (const State state : states) {
    const auto found = feed.summary.extracts.find(state);
    if (found != feed.summary.extracts.end()) sum += found->second;
  }
  return sum;
}

PageData states_of(const FeedStatus& feed) {
  struct Cell {
    const char* label;
    std::uint64_t count;
    const char* css_class;
  };
  const std::uint64_t waiting = extracts_in(feed, {State::waiting});
  const std::uint64_t failed = feed.summary.open_failures;
  const Cell cells[] = {
      {"seen", extracts_in(feed, {State::seen}), "seen"},
      {"waiting", waiting, waiting == 0 ? "none" : "waiting"},
      {"in work", extracts_in(feed, {State::claimed, State::formatted, State::uploading}), "work"},
      {"done", extracts_in(feed, {State::done}), "done"},
      {"failed", failed, failed == 0 ? "none" : "failed"}};
  PageData list(PageData::type::list);
  for (const Cell& cell : cells) {
    list << data_of(
        {{"label", cell.label}, {"count", std::to_string(cell.count)}, {"class", cell.css_class}});
  }
  return list;
}

PageData facts_of(const FeedStatus& feed, Time now) {
  const FeedSummary& summary = feed.summary;
  PageData list(PageData::type::list);
  const auto add = [&](const std::string& label, const std::string& value) {
    list << data_of({{"label", label}, {"value", value}});
  };
  add("lines", lines_text(summary.counts));
  const auto throughput = [](const Throughput& sums) {
    return fmt::format("{}, {}, {}", plural(sums.extracts, "extract"),
                       plural(sums.rows, "row") + " stored", size_for_people(sums.bytes));
  };
  add("last hour", throughput(feed.last_hour));
  add("last day", throughput(feed.last_day));
  add("last extract", summary.last_claim ? ago(now, *summary.last_claim) + " ago" : "never");
  if (summary.oldest_open) {
    add("behind by",
        fmt::format("{}: {} is {}", ago(now, summary.oldest_open->seen_at),
                    shown(summary.oldest_open->name, 200), name_of(summary.oldest_open->state)));
  }
  if (summary.retries != 0) add("retries", std::to_string(summary.retries));
  if (summary.counts.differs != 0) {
    add("differs", plural(summary.counts.differs, "row") +
                       " came again in another form; caravel process --reprocess replaces them");
  }
  return list;
}

PageData grid() {
  PageData list(PageData::type::list);
  for (const int y : {30, 60, 90}) list << data_of({{"y", std::to_string(y)}});
  return list;
}

PageData feed_data(const FeedStatus& feed, const Overview& overview) {
  const auto found = overview.series.find(feed.name);
  const Series series = found == overview.series.end() ? Series{} : found->second;
  const double most_rows = *std::ranges::max_element(series.rows);
  const double slowest = *std::ranges::max_element(series.latest);
  PageData out = data_of(
      {{"name", feed.name},
       {"rows_last_hour", std::to_string(feed.last_hour.rows)},
       {"rows_last_day", std::to_string(feed.last_day.rows)},
       {"most_rows", fmt::format("{:.0f}", most_rows)},
       {"rows_path", bars_path(series.rows)},
       {"rows_label",
        fmt::format("Rows of feed {} stored in each 5 minutes of the last 6 hours: {:.0f} at most, "
                    "{} in the last hour",
                    feed.name, most_rows, feed.last_hour.rows)},
       {"slowest", slowest > 0 ? seconds_text(slowest) : "–"},
       {"delay_path", area_path(series.latest)},
       {"delay_label",
        fmt::format("From drop to stored, the slowest extract of feed {} in each 5 minutes of the "
                    "last 6 hours: {} at most",
                    feed.name, seconds_text(slowest))},
       {"from", clock_of(overview.first_span) + " UTC"}});
  out.set("configured", PageData(feed.configured));
  out.set("states", states_of(feed));
  out.set("facts", facts_of(feed, overview.report.now));
  out.set("grid", grid());
  for (const DropStatus& drop : overview.report.drops) {
    if (drop.feed != feed.name || drop.state == "ok") continue;
    out.set("trouble", fmt::format("{}: {}", shown(drop.path), shown(drop.why)));
  }
  return out;
}

PageData command_data(const std::string& command, const char* what, const char* meaning) {
  return data_of({{"command", command}, {"what", what}, {"meaning", meaning}});
}

PageData failed_data(const Extract& extract, const StatusReport& report, const PageFacts& facts) {
  PageData out = data_of({{"name", shown(extract.name, 300)},
                          {"feed", extract.feed},
                          {"age", ago(report.now, extract.since)},
                          {"why", shown(extract.why)}});
  PageData commands(PageData::type::list);
  const std::string operand = operand_of(extract);
  if (!operand.empty()) {
    const auto add = [&](const char* command, const char* what, const char* meaning) {
      commands << command_data(shell_command(command, facts.config, {operand}), what, meaning);
    };
    add("explain", "explaining", "where it came from, where it is, why");
    // What a person loaded by hand is not in failed/: only the person can load it again.
    if (extract.origin == Origin::drop) add("retry", "retrying", "when what was wrong is mended");
    add("ack", "settling", "seen and settled: it counts no longer");
  }
  out.set("commands", commands);
  return out;
}

PageData rejects_data(const RejectsStatus& rejects) {
  const LineCounts& counts = rejects.extract.counts;
  PageData out =
      data_of({{"name", shown(rejects.extract.name, 300)},
               {"feed", rejects.extract.feed},
               {"rejected", fmt::format("{} of {}", counts.rejected, plural(counts.lines, "line"))},
               {"class", rejects.many() ? "bad" : "few"},
               {"files", rejects.files + ".rejects"}});
  constexpr std::size_t kMostReasons = 3;
  set_list(out, "reasons", frequent_reasons(rejects.files + ".reasons.csv", kMostReasons),
           [](const std::string& reason) {
             return data_of({{"reason", shown(reason, 200)}});
           });
  return out;
}

/// "42: 30 stored, 12 rejected": what is 0 is left out.
std::string lines_in_short(const LineCounts& counts) {
  std::string out;
  const std::pair<const char*, std::uint64_t> parts[] = {{"stored", counts.stored},
                                                         {"already there", counts.already_there},
                                                         {"dropped", counts.dropped},
                                                         {"rejected", counts.rejected}};
  for (const auto& [word, count] : parts) {
    if (count != 0) out += fmt::format("{} {} {}", out.empty() ? ":" : ",", count, word);
  }
  return std::to_string(counts.lines) + out;
}

PageData recent_data(const Extract& extract) {
  const auto since = [](Time from, const std::optional<Time>& to) {
    if (!to) return std::string("–");
    return fmt::format("+{}", seconds_text(std::chrono::duration<double>(*to - from).count()));
  };
  return data_of({{"name", shown(extract.name, 300)},
                  {"feed", extract.feed},
                  {"origin", std::string(name_of(extract.origin))},
                  {"size", size_for_people(extract.size)},
                  {"seen", clock_with_seconds(extract.seen_at)},
                  {"claimed", since(extract.seen_at, extract.claimed_at)},
                  {"stored", since(extract.seen_at, extract.done_at)},
                  {"lines", lines_in_short(extract.counts)},
                  {"store", extract.store}});
}

std::string state_text(const StoreRecord& store, Time now) {
  if (store.since == Time{}) return "not used yet";
  if (store.state == StoreState::ok) return "ok";
  std::string out = fmt::format("{} for {}: {}",
                                store.state == StoreState::fault ? "at fault" : "does not answer",
                                ago(now, store.since), shown(store.why));
  const std::string next = next_try_text(now, store.next_try);
  return next.empty() ? out : out + "; " + next;
}

PageData places_data(const StatusReport& report) {
  PageData list(PageData::type::list);
  for (const StoreRecord& store : report.stores) {
    const bool good = store.since == Time{} || store.state == StoreState::ok;
    list << data_of({{"what", "store " + store.name},
                     {"place", store.place},
                     {"state", state_text(store, report.now)},
                     {"class", good ? "good" : "bad"}});
  }
  for (const DiskRoom& disk : report.disks) {
    list << data_of(
        {{"what", "disk of " + disk.what},
         {"place", disk.path},
         {"state", disk.full.empty() ? fmt::format("{} of {} free", size_for_people(disk.free),
                                                   size_for_people(disk.size))
                                     : disk.full},
         {"class", disk.full.empty() ? "good" : "bad"}});
  }
  return list;
}

/// The newest gaps in words, and the commands that close them.
void add_gaps(const ReportedSource& reported, const StatusReport& report, const PageFacts& facts,
              PageData& out) {
  constexpr std::size_t kMost = 3;
  const SourceStatus& source = reported.status;
  std::string missing;
  std::size_t told = 0;
  PageData commands(PageData::type::list);
  for (const SequenceGap& gap : source.gaps) {
    if (gap.since < reported.forget_before) continue;
    if (told++ == kMost) break;
    missing += fmt::format("{}{} for {}", missing.empty() ? "" : ", ", describe(gap),
                           ago(report.now, gap.since));
    const std::string range = gap.first == gap.last ? std::to_string(gap.first)
                                                    : fmt::format("{}-{}", gap.first, gap.last);
    commands << command_data(
        shell_command("ack", facts.config, {fmt::format("{}:{}", source.run.run, range)}),
        "closing a gap", "");
  }
  if (source.gaps_total > told) missing += fmt::format(" and {} more", source.gaps_total - told);
  out.set("missing", missing.empty() ? "nothing" : missing);
  out.set("class", source.gaps_total == 0 ? "good" : "bad");
  out.set("commands", commands);
}

PageData sources_data(const StatusReport& report, const PageFacts& facts) {
  PageData list(PageData::type::list);
  constexpr std::size_t kMost = 100;
  std::size_t listed = 0;
  for (const ReportedSource& reported : report.sources) {
    if (reported.forgotten || listed++ >= kMost) continue;
    const SourceStatus& source = reported.status;
    const bool silent = std::ranges::any_of(report.silent, [&](const SilentSource& one) {
      return one.feed == source.run.feed && one.run == source.run.run;
    });
    const std::string heard =
        source.last_at == Time{} ? "by hand" : ago(report.now, source.last_at) + " ago";
    PageData out = data_of(
        {{"source", shown(source.run.source, 300)},
         {"run", fmt::format("run {}, up to {}", shown(source.run.run, 40), source.last_sequence)},
         {"feed", source.run.feed},
         {"heard", silent ? heard + ": silent for longer than expected" : heard}});
    add_gaps(reported, report, facts, out);
    list << out;
  }
  // A feed of which no source is known may be silent too.
  for (const SilentSource& silent : report.silent) {
    if (!silent.source.empty()) continue;
    PageData out =
        data_of({{"source", "the whole feed"},
                 {"feed", silent.feed},
                 {"heard", ago(report.now, silent.last_at) + " ago: silent for longer than "
                                                             "expected"},
                 {"missing", "nothing"},
                 {"class", "bad"}});
    list << out;
  }
  return list;
}

void set_head(PageData& page, const StatusReport& report, const PageFacts& facts) {
  const Health& health = report.health;
  const std::size_t count = health.problems.size();
  page.set("level", std::string(name_of(health.level())));
  page.set("mark", health.level() == Level::ok ? "" : fmt::format("({})", count));
  page.set("headline", count == 0   ? std::string("All is well")
                       : count == 1 ? std::string("One thing needs attention")
                                    : fmt::format("{} things need attention", count));
  page.set("host", facts.host);
  page.set("version", facts.version);
  page.set("now", time_for_people(report.now));
  page.set("now_iso", time_text(report.now));
  std::string watched = report.lock_holder.empty()
                            ? "Nobody watches the drop directories at the moment."
                            : fmt::format("Watched by {}.", shown(report.lock_holder));
  for (const auto& [feed, holder] : report.captures) {
    watched += fmt::format(" Feed {} is captured by {}.", feed, shown(holder));
  }
  page.set("watched", watched);
  set_list(page, "problems", health.problems, [](const Problem& problem) {
    return data_of({{"level", std::string(name_of(problem.level))}, {"text", problem.text}});
  });
}

}  // namespace

std::string page_html(const Overview& overview, const PageFacts& facts) {
  const StatusReport& report = overview.report;
  PageData page;
  set_head(page, report, facts);
  set_list(page, "feeds", report.feeds,
           [&](const FeedStatus& feed) { return feed_data(feed, overview); });
  set_list(page, "waiting", report.waiting, [&](const Extract& extract) {
    return data_of({{"name", shown(extract.name, 300)},
                    {"feed", extract.feed},
                    {"age", ago(report.now, extract.since)},
                    {"why", waiting_text(extract, report.now)}});
  });
  page.set("waiting_total", std::to_string(report.waiting_total));
  set_list(page, "failed", report.failed,
           [&](const Extract& extract) { return failed_data(extract, report, facts); });
  page.set("failed_total", std::to_string(report.failed_total));
  set_list(page, "rejects", report.rejects, rejects_data);
  set_list(page, "recent", overview.recent, recent_data);
  page.set("stores", places_data(report));
  const PageData sources = sources_data(report, facts);
  page.set("has_sources", PageData(!sources.is_empty_list()));
  page.set("sources", sources);
  set_list(page, "left_alone", report.left_alone, [&](const LeftAloneStatus& entry) {
    return data_of({{"name", shown(entry.name.name, 300)},
                    {"feed", entry.feed},
                    {"age", ago(report.now, entry.name.since)},
                    {"why", shown(entry.name.why)}});
  });
  page.set("left_alone_total", std::to_string(report.left_alone_total));
  return filled_page("page.html", page);
}

std::string error_html(const std::string& title, const std::string& text) {
  return filled_page("error.html", data_of({{"title", title}, {"text", text}}));
}

}  // namespace caravel::watcher
