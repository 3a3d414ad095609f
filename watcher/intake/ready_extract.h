// What the intake hands out: a claimed extract that is whole, as far as completeness can be told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

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
  std::uint64_t bytes = 0;  // of the file, when it was found ready
  /// Nothing of an earlier try lies anywhere.
  bool is_new = false;
  /// The wait is over: a file that still is not what its manifest says is given up.
  bool last_chance = false;
  /// How often it was loaded in vain, for trouble of its own or because the store refuses it.
  unsigned tries = 0;
  /// How many manifests had come for it when it was found ready, and what it looked like then.
  std::size_t manifests = 0;
  FileStamp stamp{};
};

/// Why an extract that was handed out waits again.
enum class WaitReason {
  not_ready,   // it could not be opened: look at it soon
  mismatched,  // its content is not what its manifest says: another transfer may come
  put_off,     // trouble of its own: tried again by the clock, ever less often
  refused,     // by its store: the same, but it was told of already
};
struct WaitAgain {
  WaitReason reason = WaitReason::not_ready;
  std::string why;                    // for people
  std::chrono::milliseconds took{0};  // the try in vain; 0: the next costs nothing
};

}  // namespace caravel::watcher
