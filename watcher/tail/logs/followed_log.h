// One log, as the agent has it in hand.
#pragma once

#include <chrono>
#include <memory>

#include "watcher/tail/follow/log_follower.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Whether the state on the disk speaks of the extracts that a log has pending. `maybe`: a save
/// failed half way. The extracts must not be discarded then, for a start may rely on them.
enum class Announced { no, maybe, yes };

/// Stays where it is as long as the log is followed: the follower refers to the state.
struct FollowedLog {
  LogState state;
  std::unique_ptr<LogFollower> follower;
  bool followed = true;  // the options name the log; else only its pending extracts are published
  bool begun = false;    // its state says where to begin
  StartRules start;      // until it is begun

  Announced announced = Announced::no;
  bool run_saved = false;       // the state on the disk has its run, by which a start knows what
                                // temporary files are ours
  bool verify_pending = false;  // what is pending is from before a crash: it may be damaged
  bool one_by_one = false;      // the last time, several extracts together could not be built

  std::chrono::steady_clock::time_point due;

  /// The next extract is the first of a new run. The state is to be saved.
  void start_new_run() {
    state.run = random_run();
    state.sequence = 0;
    run_saved = false;
  }
};

}  // namespace caravel::tail
