// Loads that a person began (`process`, `upload`): who is still at work on one, and what becomes of
// those whose command was killed.
//
//   STATE/by-hand.lock    one byte for each load, locked as long as the command works on it
//
// The file is empty and stays so; only its locks mean something (fcntl(2), F_OFD_SETLK). The kernel
// takes a lock back when its process ends, be it by kill -9 or a loss of power, so neither a pid
// that another process has by now nor a clock can be mistaken for it. Which byte it is follows from
// the claim id.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Somebody works on the load of this claim id, as long as this lives.
class LoadByHand {
 public:
  /// Take it before the ledger hears of the claim. Errors: kind fault if the file system has no
  /// locks.
  static Result<LoadByHand> begin(const std::string& state, const std::string& claim);

 private:
  explicit LoadByHand(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

/// Ends every load whose command is gone (Extracts::finish_broken_off()), and removes its
/// temporaries (without a `spool` they go when they are old). Returns a sentence for each. A crash
/// in here leaves the rest to the next call. Anybody may call this at any time.
[[nodiscard]] Result<std::vector<std::string>> settle_broken_off_loads(const std::string& state,
                                                                       const Spool* spool,
                                                                       Ledger& ledger, Time now);

}  // namespace caravel::watcher
