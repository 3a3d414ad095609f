// caravel ack
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/commands/setup.h"
#include "watcher/commands/upkeep/named.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/sources.h"
#include "watcher/report/words.h"
#include "watcher/service/console.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

/// "RUN", "RUN:5" or "RUN:5-7", as `status` writes runs.
struct GapName {
  std::string run;
  std::uint64_t first = 0;
  std::uint64_t last = std::numeric_limits<std::int64_t>::max();
};

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<GapName> gap_name_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  GapName name{text.substr(0, colon)};
  if (!is_hex(name.run, 8)) return std::nullopt;
  if (colon == std::string::npos) return name;
  const std::string range = text.substr(colon + 1);
  const std::size_t dash = range.find('-');
  const auto first = number_of(range.substr(0, dash));
  const auto last = dash == std::string::npos ? first : number_of(range.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  name.first = *first;
  name.last = *last;
  return name;
}

/// What was settled, for the last line.
struct Acknowledged {
  std::uint64_t failures = 0;
  std::uint64_t gaps = 0;     // extracts that are missing
  std::uint64_t rejects = 0;  // extracts whose rejects were
};

/// Works on the ledger in the name of one person.
class Acknowledging {
 public:
  Acknowledging(Ledger& ledger, std::string spool, std::string why)
      : ledger_(ledger),
        spool_(std::move(spool)),
        why_(std::move(why)),
        now_(std::chrono::system_clock::now()) {}

  Result<> all(const std::optional<std::string>& feed) {
    CARAVEL_ASSIGN_OR_RETURN(const auto failures, ledger_.history().open_failures(kAllExtracts));
    for (const Extract& extract : failures) {
      if (feed && extract.feed != *feed) continue;
      CARAVEL_TRY(settle(extract));
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto rejects,
                             ledger_.history().with_rejects(Time{}, kAllExtracts));
    for (const Extract& extract : rejects) {
      if (feed && extract.feed != *feed) continue;
      // Whose files somebody has deleted is settled, and was never shown.
      if (!find_reject_files(spool_of(spool_, extract), extract.feed, extract.name,
                             extract.sha256)) {
        continue;
      }
      CARAVEL_TRY(settle(extract));
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto sources, ledger_.sources().all());
    for (const SourceStatus& source : sources) {
      if (feed && source.run.feed != *feed) continue;
      CARAVEL_TRY(close(source, {source.run.run}));
    }
    return {};
  }

  /// A file, or a gap.
  Result<> one(const std::string& operand) {
    if (const auto gap = gap_name_of(operand)) {
      CARAVEL_ASSIGN_OR_RETURN(const auto sources, ledger_.sources().all());
      const std::uint64_t before = done_.gaps;
      for (const SourceStatus& source : sources) {
        if (source.run.run == gap->run) CARAVEL_TRY(close(source, *gap));
      }
      if (done_.gaps > before) return {};
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto known, extracts_called(ledger_, operand));
    const std::uint64_t before = done_.failures + done_.rejects;
    for (const Extract& extract : known) {
      if (extract.is_open_failure() || extract.has_open_rejects()) CARAVEL_TRY(settle(extract));
    }
    if (done_.failures + done_.rejects > before) return {};
    return fail(ErrorKind::usage,
                fmt::format("{}: the ledger has no failure, no rejects and no gap of this name "
                            "that are open",
                            printable(operand)));
  }

  [[nodiscard]] const Acknowledged& done() const { return done_; }

 private:
  Result<> settle(const Extract& extract) {
    CARAVEL_ASSIGN_OR_RETURN(
        const bool was_open,
        ledger_.extracts().settle(extract.id, Settled::acknowledged, why_, now_));
    if (was_open) ++(extract.state == State::failed ? done_.failures : done_.rejects);
    return {};
  }

  Result<> close(const SourceStatus& source, const GapName& gap) {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto closed, ledger_.sources().close_gaps(source.run.feed, source.run.run, gap.first,
                                                        gap.last, why_, now_));
    done_.gaps += closed;
    return {};
  }

  Ledger& ledger_;
  const std::string spool_;
  const std::string why_;
  const Time now_;
  Acknowledged done_;
};

Result<int> run_ack(const CommandCall& call) {
  CARAVEL_TRY(expect_choice(call.arguments, "ack"));
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(settings.config.ledger_path()));
  Acknowledging acknowledging(ledger, settings.config.spool,
                              call.arguments.get("why").value_or(""));
  int code = kExitGood;
  if (call.arguments.operands.empty()) {
    CARAVEL_TRY(acknowledging.all(call.arguments.get("feed")));
  }
  for (const std::string& operand : call.arguments.operands) {
    // One that is mistyped keeps none of the others.
    if (const auto one = acknowledging.one(operand); !one) code = report_error(one.error());
  }
  const Acknowledged& done = acknowledging.done();
  const std::string rejects =
      done.rejects == 0 ? ""
                        : fmt::format(", and the rejects of {}", plural(done.rejects, "extract"));
  say("{} and {} acknowledged{}", plural(done.failures, "failure"),
      plural(done.gaps, "missing extract"), rejects);
  return code;
}

}  // namespace

Command ack_command() {
  return {.name = "ack",
          .about = "a failure, rejects or a gap are settled: they count no longer",
          .usage = "FILE…|GAP…  |  --all [--feed NAME]",
          .help =
              "Says that a failure or rejected lines are seen and settled, or that a gap will\n"
              "never close. It stays in the history (caravel explain, caravel ledger export) and\n"
              "leaves what `status` shows; files in failed/ and rejects/ are removed keep_failed\n"
              "and keep_rejects later. FILE is a name, a path or a SHA-256; GAP is RUN, RUN:5 or\n"
              "RUN:5-7 as `status` names runs and numbers. A failure ends by itself when an\n"
              "extract with the same content is loaded, or when its file is removed from failed/.",
          .options = {flag("all", "every failure, all rejects and every gap that are open"),
                      value("feed=NAME", "with --all: only those of this feed"),
                      value("why=TEXT", "a word for who asks later")},
          .operands = Operands::many,
          .run = run_ack};
}

}  // namespace caravel::watcher
