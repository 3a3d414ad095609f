// `caravel ledger rebuild`: a new ledger of all that can still be known.
//
//   the old file       every row that can be read        watcher/ledger/salvage
//   feed documents     extracts that it lost             feed_documents.h
//   done/, failed/     extracts and manifests            archived_files.h
//   the exchange       the old one is kept beside        exchange.h
#pragma once

#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "watcher/config/config.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/salvage/salvage.h"
#include "watcher/rebuild/archived_files.h"
#include "watcher/rebuild/feed_documents.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

struct Rebuilt {
  Salvaged salvaged;
  /// The old file could not be read at all; "" if it could, or there was none.
  std::string unreadable{};
  RecoveredDocuments documents{};
  RecoveredFiles files{};
  std::string kept_as{};  // the old ledger; "" if there was none
  /// A rebuild before this one had come as far as the exchange: this one only ended it.
  bool only_finished = false;
};

/// The caller holds the spool's lock, so nobody moves its files. Errors: another process has the
/// ledger open (fault; it names the process), the state directory cannot be written, kind stopped;
/// the old ledger is then as it was.
[[nodiscard]] Result<Rebuilt> rebuild_ledger(const Config& config, const Spool& spool,
                                             const StopSignal& stop, Time now);

/// A few lines for people: what was recovered, and what was not.
[[nodiscard]] std::string rebuild_text(const Rebuilt& rebuilt, const std::string& ledger);

}  // namespace caravel::watcher
