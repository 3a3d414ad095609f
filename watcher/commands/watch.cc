// caravel watch
#include "watcher/service/watch.h"

#include "watcher/commands/with_service.h"

namespace caravel::watcher {
namespace {

Result<int> run_watch(const CommandCall& call) {
  return with_reload(call, [&](Reload& reload) {
    reload.listen();
    // A second watcher is a mistake of the person who starts it, hence exit code 1.
    return with_service(call, {"caravel watch", kExitFailed},
                        [&](const Service& service) -> Result<int> {
                          CARAVEL_TRY(watch(service, reload));
                          return kExitGood;
                        });
  });
}

}  // namespace

Command watch_command() {
  return {.name = "watch",
          .about = "run until told to stop; load each new extract at once",
          .help =
              "Watches the drop directories of all feeds and loads each new extract as soon as\n"
              "it is whole. Runs until SIGTERM or Ctrl-C; what is in work then goes on at the\n"
              "next start. SIGHUP: reads the configuration again and goes on with it, if it is\n"
              "good.",
          .run = run_watch};
}

}  // namespace caravel::watcher
