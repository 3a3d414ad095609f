#include "watcher/commands/with_service.h"

#include <fmt/format.h>

#include "watcher/commands/setup.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/service/program_log.h"

namespace caravel::watcher {

Result<int> with_service(const CommandCall& call, const ServiceWanted& wanted,
                         const std::function<Result<int>(const Service&)>& run) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  CARAVEL_TRY(expect_feeds(settings.config));
  start_logging(settings.config.log_level, settings.config.log_format);
  Config config = settings.config;
  if (!wanted.captured.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(const FeedConfig* const feed, choose_feed(config, wanted.captured));
    config = capture_config(settings.config, *feed);
  }
  CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(config.spool, Room(config.min_free)));
  // Before anything is moved: one process alone moves the files of a spool.
  CARAVEL_ASSIGN_OR_RETURN(const LockAttempt attempt,
                           spool.lock(wanted.command, std::chrono::system_clock::now()));
  if (!attempt.lock) {
    say("{} is in use by {}", config.spool, attempt.holder);
    return wanted.exit_if_locked;
  }
  // `attempt` holds the lock until `run` returns.
  const Origin origin = wanted.captured.empty() ? Origin::drop : Origin::capture;
  return run(Service{config, settings.formats, spool, call.stop, origin});
}

Result<int> with_reload(const CommandCall& call, const std::function<Result<int>(Reload&)>& run) {
  Reload reload([&call]() -> Result<> {
    CARAVEL_TRY(load_settings(call, Secrets::read));
    return {};
  });
  auto code = run(reload);
  if (code && reload.accepted()) return tl::unexpected(start_anew());
  return code;
}

int exit_code_of(const SweepResult& swept) {
  // `waiting` alone is no failure: a file that is not whole yet is the next sweep's.
  if (swept.failed > 0 || swept.gave_up > 0 || swept.faults > 0) return kExitFailed;
  return swept.rejected > 0 ? kExitRejects : kExitGood;
}

}  // namespace caravel::watcher
