// caravel watch, caravel sweep
#include "watcher/service/watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"

namespace caravel::watcher {
namespace {

/// The part that both share. `run` gets the service with the spool locked.
template <class Run>
int with_service(const CommandCall& call, CommandLine line, const char* command, int exit_if_locked,
                 Run run) {
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  auto settings = load_settings(call, true);
  if (!settings) return report_error(settings.error());
  if (auto some = expect_feeds(settings->config); !some) return report_error(some.error());
  start_logging(settings->config.log_level, false);
  auto spool = Spool::open(settings->config.spool);
  if (!spool) return report_error(spool.error());
  auto lock = spool->lock(command, std::chrono::system_clock::now());
  if (!lock) return report_error(lock.error());
  if (!lock->lock) {
    fmt::print(stderr, "caravel: {} is in use by {}\n", settings->config.spool, lock->holder);
    return exit_if_locked;
  }
  return run(Service{settings->config, settings->formats, *spool, call.stop});
}

}  // namespace

int run_watch(const CommandCall& call) {
  return with_service(
      call,
      CommandLine(
          "caravel watch",
          "Watches the drop directories of all feeds and loads each new extract as soon as it\n"
          "is whole. Runs until SIGTERM or Ctrl-C; what is in work then goes on at the next "
          "start."),
      "caravel watch", kExitFailed, [](const Service& service) {
        auto watched = watch(service);
        return watched ? kExitGood : report_error(watched.error());
      });
}

int run_sweep(const CommandCall& call) {
  return with_service(
      call,
      CommandLine(
          "caravel sweep",
          "Loads what lies in the drop directories and is whole, then exits: for cron. Does\n"
          "nothing if a watcher or another sweep is at it. Exit code 1 if an extract failed or\n"
          "waits for its store, 3 if lines were rejected."),
      "caravel sweep", kExitGood, [](const Service& service) {
        auto swept = sweep(service);
        if (!swept) return report_error(swept.error());
        spdlog::info("{} done, {} failed, {} waiting", swept->done, swept->failed, swept->waiting);
        if (swept->failed > 0 || swept->gave_up > 0 || swept->faults > 0) return kExitFailed;
        return swept->rejected > 0 ? kExitRejects : kExitGood;
      });
}

}  // namespace caravel::watcher
