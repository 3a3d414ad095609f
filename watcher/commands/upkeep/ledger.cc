// caravel ledger
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/commands/setup.h"
#include "watcher/ledger/ledger.h"
#include "watcher/rebuild/rebuild.h"
#include "watcher/report/export.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {
namespace {

Result<int> export_ledger(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  CARAVEL_ASSIGN_OR_RETURN(auto ledger,
                           Ledger::open(settings.config.ledger_path(), Ledger::Mode::read_only));
  Result<> printed;
  const auto write = [&](const std::string& line) {
    if (printed) printed = print(line);
  };
  CARAVEL_TRY(call.arguments.has("json") ? export_rows(ledger, write) : export_csv(ledger, write));
  CARAVEL_TRY(printed);
  return kExitGood;
}

/// Whoever watches, sweeps or captures has the ledger in use.
Result<SpoolLock> lock_for_rebuild(const Config& config, const Spool& spool, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(LockAttempt attempt, spool.lock("caravel ledger rebuild", now));
  if (!attempt.lock) {
    return fail(ErrorKind::fault, fmt::format("{} is in use by {}: stop it first", config.spool,
                                              printable(attempt.holder)));
  }
  for (const FeedConfig& feed : config.feeds) {
    const std::string holder = lock_holder(capture_spool(config, feed.name));
    if (holder.empty()) continue;
    return fail(ErrorKind::fault, fmt::format("feed {} is captured by {}: stop it first", feed.name,
                                              printable(holder)));
  }
  return std::move(*attempt.lock);
}

Result<int> rebuild(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  const Config& config = settings.config;
  CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(config.spool));
  const Time now = std::chrono::system_clock::now();
  CARAVEL_ASSIGN_OR_RETURN(const SpoolLock lock, lock_for_rebuild(config, spool, now));
  CARAVEL_ASSIGN_OR_RETURN(const Rebuilt rebuilt, rebuild_ledger(config, spool, call.stop, now));
  CARAVEL_TRY(print(rebuild_text(rebuilt, config.ledger_path())));
  // What a store that did not answer knows is missing: the person should hear of it, and may
  // rebuild once more.
  return rebuilt.documents.unasked.empty() ? kExitGood : kExitFailed;
}

Result<int> run_ledger(const CommandCall& call) {
  const auto& operands = call.arguments.operands;
  const std::string what = operands.empty() ? "" : operands.front();
  if (what == "export") return export_ledger(call);
  if (what == "rebuild") return rebuild(call);
  return fail(ErrorKind::usage,
              what.empty() ? "ledger: export or rebuild? See --help"
                           : fmt::format("ledger: '{}': is neither export nor rebuild; see --help",
                                         printable(what)));
}

}  // namespace

Command ledger_command() {
  return {.name = "ledger",
          .about = "print all that the ledger knows, or make a damaged one anew",
          .usage = "export|rebuild [--json]",
          .help =
              "export   prints every extract and the daily totals as CSV (docs/ledger.md); with\n"
              "         --json every row of the ledger as a line of JSON, with its table.\n"
              "rebuild  makes a new ledger of all that can still be known: each row of the old\n"
              "         file that can be read, the feed documents of the stores, the files in\n"
              "         done/ and failed/. Says what was recovered and what was not. Keeps the\n"
              "         old file beside it, as ledger.db.damaged-TIME. Refuses while a watch,\n"
              "         sweep or capture runs. Exit code 1 also if a store did not answer: then\n"
              "         run it again later.",
          .options = {flag("json", "export: lines of JSON, and all tables")},
          .operands = Operands::one,
          .run = run_ledger};
}

}  // namespace caravel::watcher
