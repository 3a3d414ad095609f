// caravel sweep

#include "watcher/commands/with_service.h"
#include "watcher/service/program_log.h"
#include "watcher/service/watch.h"

namespace caravel::watcher {
namespace {

Result<int> run_sweep(const CommandCall& call) {
  // cron starts a sweep again and again: one that finds another at work has nothing to report, and
  // an exit code other than 0 would send somebody a mail.
  return with_service(
      call, {"caravel sweep", kExitGood}, [](const Service& service) -> Result<int> {
        CARAVEL_ASSIGN_OR_RETURN(const SweepResult swept, sweep(service));
        log_info("{} done, {} failed, {} waiting", swept.done, swept.failed, swept.waiting);
        return exit_code_of(swept);
      });
}

}  // namespace

Command sweep_command() {
  return {.name = "sweep",
          .about = "one pass over the drop directories, then exit (cron)",
          .help =
              "Loads what lies in the drop directories and is whole, then exits: for cron. Does\n"
              "nothing if a watcher or another sweep is at it. Exit code 1 if an extract failed\n"
              "or waits for its store, 3 if lines were rejected.",
          .run = run_sweep};
}

}  // namespace caravel::watcher
