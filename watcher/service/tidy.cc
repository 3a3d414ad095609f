#include "watcher/service/tidy.h"

#include <optional>
#include <string>
#include <vector>

#include "watcher/files/directory.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/upkeep/overfull.h"
#include "watcher/ledger/upkeep/wishes.h"
#include "watcher/privacy/key_folder.h"
#include "watcher/retention/retention.h"
#include "watcher/service/program_log.h"
#include "watcher/spool/by_hand.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

/// One line for all that was deleted, and one for each error.
void log_removed(const Removed& removed) {
  for (const Error& error : removed.errors) log_warning("{}", error.message);
  if (removed.files > 0) {
    log_info("deleted {} files ({} bytes) that were kept long enough", removed.files,
             removed.bytes);
  }
}

/// A folder that holds more than it may, because of what may not be removed, is told of once.
void log_overfull(const Service& service, Ledger& ledger,
                  const std::vector<OverfullFolder>& now_full, Time now) {
  const auto news = Overfull(ledger).replace(service.spool.path(), now_full, now);
  if (!news) {
    log_warning("{}", news.error().message);
    return;
  }
  for (const OverfullFolder& folder : *news) log_warning("{}", folder.text(service.spool.path()));
}

/// When the oldest extract was claimed that waits in work/; nothing if none does.
std::optional<Time> oldest_claim(const Spool& spool) {
  std::string oldest;
  (void)for_each_name(spool.work_fd(), [&](const std::string& id) {
    if (time_of_claim_id(id) && (oldest.empty() || id < oldest)) oldest = id;
    return true;
  });
  return oldest.empty() ? std::nullopt : time_of_claim_id(oldest);
}

void forget_old_salts(const Service& service, Time now) {
  const auto forgotten =
      forget_salts(service.config.state, service.formats, oldest_claim(service.spool), now);
  if (!forgotten) {
    log_warning("salts: {}", forgotten.error().message);
  } else if (*forgotten > 0) {
    log_info("forgot the salts of {} days", *forgotten);
  }
}

}  // namespace

void log_broken_off_loads(const Service& service, Ledger& ledger, Time now) {
  const auto said = settle_broken_off_loads(service.config.state, &service.spool, ledger, now);
  if (!said) {
    log_warning("loads that were broken off: {}", said.error().message);
    return;
  }
  for (const std::string& text : *said) log_warning("{}", text);
}

void tidy(const Service& service, Ledger& ledger, Time now) {
  Remover remover;
  prune_spool(service.config, service.spool, ledger, now, remover);
  log_removed(remover.removed());
  log_overfull(service, ledger, remover.removed().overfull, now);
  forget_old_salts(service, now);
  // Temporaries go without a line in the log: nobody but us knew of them.
  if (auto removed = service.spool.remove_temporaries(now); !removed) {
    log_warning("{}", removed.error().message);
  }
}

FoldStep::FoldStep(const Service& service, Ledger& ledger) : service_(service), folding_(ledger) {}

bool FoldStep::run(Time now) {
  const bool captures = service_.origin == Origin::capture;
  auto step = folding_.step(fold_bounds(service_.config, now), [&](const Extract& extract) {
    // A capture does not know the spool that others load from.
    if (captures && extract.origin != Origin::capture) return false;
    return is_gone_from_spool(service_.spool.path(), extract);
  });
  if (!step) {
    log_warning("{}", step.error().message);
    step = Folded{};
  }
  pass_ += *step;
  if (step->more) return true;
  if (pass_.extracts > 0) {
    log_info("ledger: {} extracts became a part of their days' totals", pass_.extracts);
  }
  if (pass_.forgotten > 0) {
    log_info("ledger: the contents of {} extracts are not recognised any more", pass_.forgotten);
  }
  if (pass_.sources > 0) {
    log_info("ledger: forgot {} runs of capture hosts that sent nothing for so long",
             pass_.sources);
  }
  pass_ = {};
  return false;
}

void fold_ledger(const Service& service, Ledger& ledger, Time now, int most_steps) {
  FoldStep step(service, ledger);
  for (int i = 0; i < most_steps && !service.stop.requested(); ++i) {
    if (!step.run(now)) return;
  }
}

bool take_prune_wish(const Service& service, Ledger& ledger) {
  const auto asked = Wishes(ledger).take(prune_wish(service.spool.path()));
  if (!asked) log_warning("{}", asked.error().message);
  return asked.value_or(false);
}

void say_if_ledger_is_new(const Service& service, Ledger& ledger) {
  const auto is_empty = ledger.history().is_empty();
  if (!is_empty || !*is_empty) return;
  bool archived = false;
  const auto listed = for_each_name(service.spool.done_fd(), [&](const std::string&) {
    archived = true;
    return false;
  });
  if (!listed || !archived) return;
  log_warning(
      "the ledger {} knows of no extract, though done/ holds some: was it lost? `caravel ledger "
      "rebuild` recovers what done/, failed/ and the stores know",
      service.config.ledger_path());
}

}  // namespace caravel::watcher
