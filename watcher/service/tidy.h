// What a watcher deletes and folds each hour, and a sweep at its end.
#pragma once

#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/upkeep/folding.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Settles the loads by hand whose command was killed, and says so in the log.
void log_broken_off_loads(const Service& service, Ledger& ledger, Time now);

/// Deletes what the configuration does not keep (prune_spool()), and temporaries that a crash left.
/// Forgets the salts whose time is over. What cannot be deleted is logged, and stays.
void tidy(const Service& service, Ledger& ledger, Time now);

/// Folds the ledger (Folding) step by step, between which others write, and says in the log what
/// whole passes did.
class FoldStep {
 public:
  /// Both outlive it.
  FoldStep(const Service& service, Ledger& ledger);
  /// One step. True if the pass goes on; after an error it is over.
  bool run(Time now);

 private:
  const Service& service_;
  Folding folding_;
  Folded pass_;  // what its steps did so far
};

/// A whole pass, but for `most_steps` of it, and none once the service is to stop. A pass over a
/// ledger that nobody ever folded goes on with the next one.
void fold_ledger(const Service& service, Ledger& ledger, Time now, int most_steps = 200);

/// Whether `caravel prune` asked for both now; it does not any longer. An error is logged.
bool take_prune_wish(const Service& service, Ledger& ledger);

/// Says so in the log if the ledger knows of no extract though done/ holds some: it was lost, or
/// moved away, and what is forgotten with it can partly be had again.
void say_if_ledger_is_new(const Service& service, Ledger& ledger);

}  // namespace caravel::watcher
