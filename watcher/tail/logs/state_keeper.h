// Keeps the state file in step with the logs that are followed, and with the outbox.
#pragma once

#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/logs/followed_logs.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/room.h"
#include "watcher/tail/state/state_file.h"

namespace caravel::tail {

/// Everything that is given outlives this. An extract counts as published as soon as the state that
/// announces it is saved: docs/tail.md, "The state file", has the order that survives a crash.
class StateKeeper {
 public:
  StateKeeper(Disk& disk, std::string path, FollowedLogs& logs, Outbox& outbox, OutboxRoom& room,
              Notices& notices)
      : file_(disk, std::move(path)),
        logs_(logs),
        outbox_(outbox),
        room_(room),
        notices_(notices) {}

  /// At the start: takes the lock, reads the state, deletes the temporary files that a crash left
  /// in the outbox. Errors as StateFile::open().
  [[nodiscard]] Result<> load(Cutter& cutter);

  [[nodiscard]] Result<> save();
  /// The same; on a full disk, what was sent makes room for it.
  [[nodiscard]] Result<> save_making_room(const Moment& now);

 private:
  [[nodiscard]] bool is_on_outbox_disk() const;

  StateFile file_;
  FollowedLogs& logs_;
  Outbox& outbox_;
  OutboxRoom& room_;
  Notices& notices_;
};

}  // namespace caravel::tail
