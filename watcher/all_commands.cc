#include "watcher/all_commands.h"

/// Every command, in the order of `caravel --help`. NAME is a file commands/NAME.cc that defines
/// `Command NAME_command()` (upkeep/settle.cc has two, http/ has serve.cc); a new command gets a
/// line here and nowhere else.
#define CARAVEL_COMMANDS(COMMAND) \
  COMMAND(watch)                  \
  COMMAND(sweep)                  \
  COMMAND(process)                \
  COMMAND(capture)                \
  COMMAND(format)                 \
  COMMAND(upload)                 \
  COMMAND(mapping)                \
  COMMAND(status)                 \
  COMMAND(explain)                \
  COMMAND(retry)                  \
  COMMAND(ack)                    \
  COMMAND(prune)                  \
  COMMAND(serve)                  \
  COMMAND(check)                  \
  COMMAND(ledger)

namespace caravel::watcher {

#define CARAVEL_DECLARE(NAME) Command NAME##_command();
CARAVEL_COMMANDS(CARAVEL_DECLARE)
#undef CARAVEL_DECLARE

std::vector<Command> all_commands() {
#define CARAVEL_CALL(NAME) NAME##_command(),
  return {CARAVEL_COMMANDS(CARAVEL_CALL)};
#undef CARAVEL_CALL
}

}  // namespace caravel::watcher
