// caravel retry
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/commands/setup.h"
#include "watcher/commands/upkeep/named.h"
#include "watcher/commands/with_service.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/report/words.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/service/nudge.h"
#include "watcher/service/program_log.h"
#include "watcher/service/watch.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {
namespace {

/// The feed whose capture has the extract in its spool; "" for the spool of the drop directories.
std::string captured_feed(const Extract& extract) {
  return extract.origin == Origin::capture ? extract.feed : "";
}

/// The path of that spool.
std::string spool_path(const Config& config, const std::string& captured) {
  return captured.empty() ? config.spool : capture_spool(config, captured);
}

bool is_regular_file(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// "" if the extract can go in again; else why not, and what to do instead.
std::string why_not(const Config& config, const Extract& extract) {
  if (config.find_feed(extract.feed) == nullptr) {
    return fmt::format("its feed {} is not configured any more", printable(extract.feed));
  }
  if (extract.state != State::failed &&
      (extract.state != State::done || extract.counts.rejected == 0)) {
    return fmt::format("is {}, and none of its lines was rejected", name_of(extract.state));
  }
  if (extract.origin == Origin::process || extract.origin == Origin::upload) {
    return fmt::format("was loaded by hand: caravel {} {} loads it again", name_of(extract.origin),
                       printable(extract.path));
  }
  const std::string spool = spool_path(config, captured_feed(extract));
  const std::string folder = spool + (extract.state == State::failed ? "/failed/" : "/done/");
  // Only looked at: whoever moves the files of that spool looks again.
  if (extract.done_path.starts_with(folder) && is_regular_file(extract.done_path)) return "";
  if (extract.state == State::failed) {
    return extract.settled == Settled::open
               ? "its file is not in failed/ any more"
               : fmt::format("is settled already ({})", name_of(extract.settled));
  }
  return fmt::format(
      "its original is not in done/ any more; `caravel process {}/rejects/{}.rejects` "
      "loads the lines that were rejected",
      spool, printable(extract.name));
}

/// The newest extract of this name, path or SHA-256 that can go in again; an error that says why
/// none can.
Result<Extract> find_retryable(const Config& config, Ledger& ledger, const std::string& file) {
  CARAVEL_ASSIGN_OR_RETURN(const auto known, extracts_called(ledger, file));
  for (const Extract& extract : known) {
    if (why_not(config, extract).empty()) return extract;
  }
  return fail(ErrorKind::usage,
              known.empty()
                  ? fmt::format("{}: the ledger knows no such extract", printable(file))
                  : fmt::format("{}: {}", printable(file), why_not(config, known.front())));
}

/// All of these feeds that failed or had rejects, and whose files are there.
Result<std::vector<Extract>> find_all(const Config& config, Ledger& ledger,
                                      const std::optional<std::string>& feed) {
  CARAVEL_ASSIGN_OR_RETURN(auto all, ledger.history().open_failures(kAllExtracts));
  CARAVEL_ASSIGN_OR_RETURN(auto rejects, ledger.history().with_rejects(Time{}, kAllExtracts));
  std::ranges::move(rejects, std::back_inserter(all));
  std::erase_if(all, [&](const Extract& extract) {
    return (feed && extract.feed != *feed) || !why_not(config, extract).empty();
  });
  return all;
}

/// How many extracts were asked for in the spool of each captured feed (see captured_feed()).
using Asked = std::map<std::string, std::size_t>;

/// Asks for them in the ledger.
Result<Asked> ask(const CommandCall& call, const Config& config) {
  const auto feed = call.arguments.get("feed");
  if (feed) CARAVEL_TRY(choose_feed(config, feed));
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(config.ledger_path()));
  std::vector<Extract> wanted;
  if (call.arguments.operands.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(wanted, find_all(config, ledger, feed));
  }
  // Every argument is looked at before anything is asked for.
  for (const std::string& file : call.arguments.operands) {
    CARAVEL_ASSIGN_OR_RETURN(auto extract, find_retryable(config, ledger, file));
    wanted.push_back(std::move(extract));
  }
  const Time now = std::chrono::system_clock::now();
  Asked asked;
  for (const Extract& extract : wanted) {
    CARAVEL_TRY(ledger.extracts().ask_retry(extract.id, now));
    ++asked[captured_feed(extract)];
  }
  return asked;
}

/// Whoever holds the lock of a spool is told; without one, a sweep follows. `captured`: see
/// captured_feed().
Result<int> bring_in(const CommandCall& call, const Config& config, const std::string& captured,
                     std::size_t asked) {
  const std::string path = spool_path(config, captured);
  const std::string holder = lock_holder(path);
  if (!holder.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(path));
    nudge(spool);
    say("{} handed to {}; if a format was mended since it started, it must read it first "
        "({})",
        plural(asked, "extract"), shown(holder),
        captured.empty() ? "systemctl reload" : "SIGHUP, or systemctl reload");
    return kExitGood;
  }
  const auto load = [](const Service& service) -> Result<int> {
    CARAVEL_ASSIGN_OR_RETURN(const SweepResult swept, sweep(service));
    log_info("{} done, {} failed, {} waiting", swept.done, swept.failed, swept.waiting);
    return exit_code_of(swept);
  };
  return with_service(call, {"caravel retry", kExitGood, captured}, load);
}

/// A failure before rejects, and these before success.
int worse_of(int a, int b) {
  const auto rank = [](int code) { return code == kExitRejects ? 1 : code == kExitGood ? 0 : 2; };
  return rank(b) > rank(a) ? b : a;
}

Result<int> run_retry(const CommandCall& call) {
  CARAVEL_TRY(expect_choice(call.arguments, "retry"));
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  CARAVEL_ASSIGN_OR_RETURN(const Asked asked, ask(call, settings.config));
  if (asked.empty()) {
    say("nothing failed, and nothing was rejected, whose file is still there");
    return kExitGood;
  }
  int code = kExitGood;
  for (const auto& [captured, count] : asked) {
    CARAVEL_ASSIGN_OR_RETURN(const int one, bring_in(call, settings.config, captured, count));
    code = worse_of(code, one);
  }
  return code;
}

}  // namespace

Command retry_command() {
  return {.name = "retry",
          .about = "what failed, or had rejects, goes in again",
          .usage = "FILE…  |  --all [--feed NAME]",
          .help =
              "For when a format, a limit or a file was mended: files of failed/ go in again,\n"
              "and originals of done/ whose lines were rejected. FILE is a name, a path or a\n"
              "SHA-256. A running watch or capture takes them at once; without one, a sweep\n"
              "follows. Rows that are stored already are not stored again.",
          .options = {flag("all", "all that failed or had rejects, as far as the files are there"),
                      value("feed=NAME", "with --all: only those of this feed")},
          .operands = Operands::many,
          .run = run_retry};
}

}  // namespace caravel::watcher
