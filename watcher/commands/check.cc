// caravel check
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "formatter/check_examples.h"
#include "uploader/store.h"
#include "watcher/checks/disks.h"
#include "watcher/checks/drops.h"
#include "watcher/checks/findings.h"
#include "watcher/checks/folders.h"
#include "watcher/checks/ledger.h"
#include "watcher/commands/setup.h"
#include "watcher/ledger/directories.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/stores.h"
#include "watcher/service/console.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {
namespace {

/// Asks each store whether it would take rows. Nothing is made.
void check_stores(const Config& config, Findings& findings) {
  auto ledger = Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
  for (const auto& store_config : config.stores) {
    // Without a ledger nothing was ever stored: a missing database will be made then.
    const auto fresh =
        ledger ? ledger->stores().may_create(store_place(store_config)) : Result<bool>(true);
    auto answer = uploader::make_store(store_config)->check(fresh.value_or(true));
    if (answer) {
      findings.good(fmt::format("store {}: {}", store_config.name, *answer));
    } else {
      findings.fault(fmt::format("store {}: {}", store_config.name, answer.error().message));
    }
  }
}

/// Runs the examples that the formats carry.
Result<> check_formats(const formatter::FormatSet& formats, Findings& findings) {
  findings.good(fmt::format("formats: {}", fmt::join(formats.names(), ", ")));
  std::size_t examples = 0;
  std::size_t differences = 0;
  for (const auto& format : formats.all()) {
    CARAVEL_ASSIGN_OR_RETURN(auto report, formatter::check_examples(*format));
    examples += format->examples.size();
    differences += report.differences.size();
    for (std::string& difference : report.differences) findings.fault(std::move(difference));
  }
  if (differences == 0) findings.good(fmt::format("examples of formats: {} hold", examples));
  return {};
}

/// Whether somebody watches the drop directory, and has the watches for that (Directories).
bool has_events(const Config& config, const FeedConfig& feed) {
  if (lock_holder(config.spool).empty()) return false;
  auto ledger = Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
  if (!ledger) return false;
  const auto records = ledger->directories().all();
  return records && std::ranges::none_of(*records, [&](const DirectoryRecord& record) {
           return record.path == feed.drop;
         });
}

/// Prints the findings from `said` on, and counts them in. Errors: stdout did not take them.
Result<> show(const Findings& findings, std::size_t& said) {
  for (; said < findings.all().size(); ++said) {
    const Finding& finding = findings.all()[said];
    const char* const mark = finding.kind == Finding::Kind::good   ? "ok   "
                             : finding.kind == Finding::Kind::note ? "note "
                                                                   : "FAULT";
    CARAVEL_TRY(print(format_shown("  {}  {}", mark, finding.text) + "\n"));
  }
  return {};
}

Result<int> run_check(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  const Config& config = settings.config;
  Findings findings;
  findings.good(fmt::format("configuration {}: {} feeds, {} stores", config.file,
                            config.feeds.size(), config.stores.size()));
  if (config.feeds.empty()) findings.note("no feed is configured: nothing would be watched");
  CARAVEL_TRY(check_formats(settings.formats, findings));
  check_folders(config, findings);
  for (std::string& full : full_disks(config)) findings.fault(std::move(full));
  check_ledger_file(config, findings);
  for (const FeedConfig& feed : config.feeds) {
    check_drop(config, feed, has_events(config, feed), findings);
  }
  // A store may take its time to answer: what is known is shown before.
  std::size_t said = 0;
  CARAVEL_TRY(show(findings, said));
  check_stores(config, findings);
  CARAVEL_TRY(show(findings, said));
  return findings.any_fault() ? kExitFailed : kExitGood;
}

}  // namespace

Command check_command() {
  return {.name = "check",
          .about = "validate the configuration, try the stores; change nothing",
          .help =
              "Validates the configuration and the formats, runs the examples that these carry,\n"
              "tries the stores, looks at the directories, their disks, the ledger and inotify.\n"
              "Changes nothing. Exit code 2 if the configuration is wrong, 1 if something would\n"
              "not work. Run it as the user of the service; root looks at the directories with\n"
              "the rights of the spool's owner.",
          .run = run_check};
}

}  // namespace caravel::watcher
