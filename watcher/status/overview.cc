#include "watcher/status/overview.h"

#include "watcher/status/question.h"

namespace caravel::watcher {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::int64_t kSpanSeconds = duration_cast<seconds>(Series::kSpan).count();

/// Spans since 1970 up to the one that `now` lies in.
std::int64_t last_span(Time now) {
  return duration_cast<seconds>(now.time_since_epoch()).count() / kSpanSeconds;
}

std::int64_t oldest_span(Time now) {
  return last_span(now) - static_cast<std::int64_t>(Series::kSpans) + 1;
}

}  // namespace

Time first_span(Time now) { return Time(seconds(oldest_span(now) * kSpanSeconds)); }

std::map<std::string, Series> series_of(const std::vector<SpanOfLoads>& loads, Time now) {
  std::map<std::string, Series> out;
  for (const SpanOfLoads& load : loads) {
    const std::int64_t place = load.span - oldest_span(now);
    // What ended in the future ended before the clock was set back.
    if (place < 0 || place >= static_cast<std::int64_t>(Series::kSpans)) continue;
    const auto at = static_cast<std::size_t>(place);
    Series& series = out[load.feed];
    series.extracts[at] = static_cast<double>(load.sums.extracts);
    series.rows[at] = static_cast<double>(load.sums.rows);
    series.bytes[at] = static_cast<double>(load.sums.bytes);
    series.latest[at] = load.latest;
  }
  return out;
}

Result<Overview> build_overview(Ledger& ledger, const StatusQuestion& question, Time now) {
  constexpr std::size_t kRecent = 12;
  Overview out;
  CARAVEL_ASSIGN_OR_RETURN(out.report, build_status(ledger, question, now));
  out.first_span = first_span(now);
  CARAVEL_ASSIGN_OR_RETURN(const auto loads,
                           ledger.history().loads_since(out.first_span, Series::kSpan));
  out.series = series_of(loads, now);
  CARAVEL_ASSIGN_OR_RETURN(out.recent, ledger.history().newest_in(State::done, kRecent));
  CARAVEL_ASSIGN_OR_RETURN(out.batches, ledger.stores().batches());
  return out;
}

Result<Overview> look(const Config& config, Time now) {
  const StatusQuestion question = status_question(config);
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, open_ledger_to_look(config));
  return build_overview(ledger, question, now);
}

}  // namespace caravel::watcher
