// caravel prune
#include <filesystem>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/commands/setup.h"
#include "watcher/ledger/upkeep/overfull.h"
#include "watcher/ledger/upkeep/wishes.h"
#include "watcher/report/words.h"
#include "watcher/retention/retention.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/service/nudge.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

std::string_view words_of(RemovalReason reason) {
  return reason == RemovalReason::age ? "kept long enough" : "its folder is full";
}

/// Prunes one spool, or only says what would go.
class Pruning {
 public:
  /// All outlive it. `config`: as the one who moves the files of this spool has it.
  Pruning(const Config& config, const Spool& spool, Ledger& ledger, Remover::Mode mode)
      : config_(config), spool_(spool), ledger_(ledger), mode_(mode) {}

  Result<> run(const StopSignal& stop) {
    const Time now = std::chrono::system_clock::now();
    Result<> printed;
    Remover remover(mode_, [&](const Removal& removal) {
      gone_.insert(spool_.absolute(removal.path));
      if (printed) {
        printed = print(fmt::format("{}/{}  {}, {}\n", shown(spool_.path()), shown(removal.path),
                                    plural(removal.bytes, "byte"), words_of(removal.reason)));
      }
    });
    prune_spool(config_, spool_, ledger_, now, remover);
    CARAVEL_TRY(printed);
    removed_ = remover.removed();
    const auto is_gone = [this](const Extract& extract) { return will_be_gone(extract); };
    Folding folding(ledger_);
    const FoldBounds bounds = fold_bounds(config_, now);
    if (mode_ == Remover::Mode::only_look) {
      CARAVEL_ASSIGN_OR_RETURN(folded_, folding.look(bounds, is_gone));
      return {};
    }
    do {
      CARAVEL_ASSIGN_OR_RETURN(const Folded step, folding.step(bounds, is_gone));
      folded_ += step;
    } while (folded_.more && !stop.requested());
    return {};
  }

  /// One line: what went, or would go.
  [[nodiscard]] std::string summary() const {
    const bool looks = mode_ == Remover::Mode::only_look;
    return fmt::format("{}{} ({}); ledger: {} {} daily totals, {} and {} forgotten",
                       looks ? "would remove " : "removed ", plural(removed_.files, "file"),
                       plural(removed_.bytes, "byte"), plural(folded_.extracts, "extract"),
                       looks ? "would become" : "became", plural(folded_.forgotten, "content"),
                       plural(folded_.sources, "source"));
  }
  /// Folders that hold too much still.
  [[nodiscard]] const std::vector<OverfullFolder>& overfull() const { return removed_.overfull; }
  [[nodiscard]] const std::vector<Error>& errors() const { return removed_.errors; }

 private:
  /// A look finds the files still there that a removal would have removed.
  [[nodiscard]] bool will_be_gone(Extract extract) const {
    const auto rejects = find_reject_files(spool_of(config_.spool, extract), extract.feed,
                                           extract.name, extract.sha256);
    if (rejects && gone_.contains(*rejects + ".reasons.csv")) extract.counts.rejected = 0;
    if (gone_.contains(extract.done_path)) extract.done_path.clear();
    return is_gone_from_spool(config_.spool, extract);
  }

  const Config& config_;
  const Spool& spool_;
  Ledger& ledger_;
  Remover::Mode mode_;
  std::set<std::string> gone_;  // paths
  Removed removed_;
  Folded folded_;
};

Result<int> look_at(const CommandCall& call, const Config& config, const Spool& spool) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger,
                           Ledger::open(config.ledger_path(), Ledger::Mode::read_only));
  Pruning pruning(config, spool, ledger, Remover::Mode::only_look);
  CARAVEL_TRY(pruning.run(call.stop));
  for (const OverfullFolder& folder : pruning.overfull()) say("{}", folder.text(spool.path()));
  say("{}", pruning.summary());
  return kExitGood;
}

/// By whoever holds the lock of the spool, if anybody does.
Result<int> prune(const CommandCall& call, const Config& config, const Spool& spool) {
  const Time now = std::chrono::system_clock::now();
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(config.ledger_path()));
  CARAVEL_ASSIGN_OR_RETURN(const LockAttempt attempt, spool.lock("caravel prune", now));
  if (!attempt.lock) {
    CARAVEL_TRY(Wishes(ledger).ask(prune_wish(spool.path()), now));
    nudge(spool);
    say("{}: handed to {}, whose log will say what went", spool.path(), attempt.holder);
    return kExitGood;
  }
  Pruning pruning(config, spool, ledger, Remover::Mode::remove);
  CARAVEL_TRY(pruning.run(call.stop));
  CARAVEL_TRY(Overfull(ledger).replace(spool.path(), pruning.overfull(), now));
  for (const Error& error : pruning.errors()) say("{}", error.message);
  for (const OverfullFolder& folder : pruning.overfull()) say("{}", folder.text(spool.path()));
  say("{}", pruning.summary());
  return pruning.errors().empty() ? kExitGood : kExitFailed;
}

Result<int> run_prune(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  CARAVEL_TRY(expect_feeds(settings.config));
  Config config = settings.config;
  // Of a feed that is captured here there is a spool of its own.
  if (const auto feed = call.arguments.get("feed")) {
    CARAVEL_ASSIGN_OR_RETURN(const FeedConfig* const captured, choose_feed(config, feed));
    config = capture_config(settings.config, *captured);
    std::error_code ignored;
    if (!std::filesystem::is_directory(config.spool, ignored)) {
      return fail(ErrorKind::usage, fmt::format("--feed {}: was never captured here", *feed));
    }
  }
  CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(config.spool));
  return call.arguments.has("dry-run") ? look_at(call, config, spool) : prune(call, config, spool);
}

}  // namespace

Command prune_command() {
  return {
      .name = "prune",
      .about = "remove now what retention would",
      .usage = "[--dry-run] [--feed CAPTURED]",
      .help =
          "Removes what the configuration does not keep (keep_done, max_done_size and the\n"
          "others), and folds what is old in the ledger (fold_after, remember), now and not\n"
          "when the hour comes. A running watch does it, and says so in its log. What is not\n"
          "settled (caravel ack, caravel retry) is never removed.",
      .options = {flag("dry-run", "say what would go, and remove nothing"),
                  value("feed=NAME", "the spool of this feed's capture, not the one of all feeds")},
      .run = run_prune};
}

}  // namespace caravel::watcher
