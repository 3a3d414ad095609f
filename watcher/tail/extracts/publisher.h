// Gives extracts that were built their names, in an order that a crash at any point cannot break.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/logs/followed_logs.h"
#include "watcher/tail/logs/state_keeper.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/room.h"

namespace caravel::tail {

/// Announces what a log has pending (LogState::pending, built and synced) by saving the state,
/// renames manifests and extracts, and moves the log's state behind them. Everything that is given
/// outlives this.
class Publisher {
 public:
  Publisher(Outbox& outbox, OutboxRoom& room, FollowedLogs& logs, StateKeeper& keeper,
            Notices& notices)
      : outbox_(outbox), room_(room), logs_(logs), keeper_(keeper), notices_(notices) {}

  /// Appends the paths of published extracts to `published`. Any failure leaves the rest pending:
  /// call it again, or start anew.
  [[nodiscard]] Result<> publish(FollowedLog& log, const Moment& now,
                                 std::vector<std::string>& published);

 private:
  [[nodiscard]] Result<> announce(FollowedLog& log, const Moment& now);
  [[nodiscard]] Result<> cut_again_in_new_run(FollowedLog& log, const std::string& why);

  Outbox& outbox_;
  OutboxRoom& room_;
  FollowedLogs& logs_;
  StateKeeper& keeper_;
  Notices& notices_;
};

/// Deletes what the log has pending and forgets it; its bytes are cut again. Only for extracts that
/// the state on the disk does not announce: a start would take those for published.
[[nodiscard]] Result<> discard_unannounced(FollowedLog& log, Outbox& outbox);

}  // namespace caravel::tail
