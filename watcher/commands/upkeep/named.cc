#include "watcher/commands/upkeep/named.h"

#include <fmt/format.h>

#include "watcher/ledger/history.h"

namespace caravel::watcher {

Result<> expect_choice(const Arguments& arguments, std::string_view command) {
  const bool all = arguments.has("all");
  if (!all && arguments.operands.empty()) {
    return fail(ErrorKind::usage, fmt::format("{}: names nothing; see --help", command));
  }
  if (all && !arguments.operands.empty()) {
    return fail(ErrorKind::usage, fmt::format("{}: names, or --all: not both", command));
  }
  if (!all && arguments.has("feed")) return fail(ErrorKind::usage, "--feed goes with --all");
  return {};
}

Result<std::vector<Extract>> extracts_called(Ledger& ledger, const std::string& text) {
  CARAVEL_ASSIGN_OR_RETURN(auto known, ledger.history().find_name(text));
  if (known.empty()) return ledger.history().find_sha256(text);
  return known;
}

}  // namespace caravel::watcher
