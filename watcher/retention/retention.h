// What is not kept for ever: files of the spool, and rows of the ledger.
#pragma once

#include <string>

#include "watcher/config/config.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/upkeep/folding.h"
#include "watcher/retention/remover.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Removes what the configuration does not keep: in done/, csv/, rejects/ and failed/ (folders.h).
/// Each folder for itself: one that cannot be read keeps no other from it. For the holder of the
/// spool's lock; anybody may look (Remover::Mode::only_look).
void prune_spool(const Config& config, const Spool& spool, Ledger& ledger, Time now,
                 Remover& remover);

/// The bounds of fold_after and remember.
[[nodiscard]] FoldBounds fold_bounds(const Config& config, Time now);
/// Whether neither the extract's file nor its rejects are in the spool any more: only then its row
/// in the ledger has no more to do. `spool`: the path of the configured one.
[[nodiscard]] bool is_gone_from_spool(const std::string& spool, const Extract& extract);

}  // namespace caravel::watcher
