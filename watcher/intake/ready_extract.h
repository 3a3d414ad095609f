// What the intake hands out: a claimed extract that is whole, as far as completeness can be told.
#pragma once

#include <chrono>
#include <cstddef>

#include "watcher/config/config.h"
#include "watcher/files/file_stamp.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {

struct ReadyExtract {
  Claim claim;
  const FeedConfig* feed = nullptr;
  const ClaimRoot* root = nullptr;  // valid as long as the Intake
  /// When it was claimed: its manifest, or a good transfer, is waited for from then on.
  std::chrono::steady_clock::time_point claimed{};
  /// The wait is over: a file that still is not what its manifest says is given up.
  bool last_chance = false;
  /// How many manifests had come for it when it was found ready, and what it looked like then.
  std::size_t manifests = 0;
  FileStamp stamp{};
};

}  // namespace caravel::watcher
