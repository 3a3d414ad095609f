// Cuts what a log has grown by into extracts: decides where they begin and end, builds them under
// temporary names, syncs them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/extracts/batch.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/logs/followed_logs.h"
#include "watcher/tail/logs/state_keeper.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/room.h"

namespace caravel::tail {

struct ExtractRules {
  std::string host;             // as manifests and names carry it
  std::uint64_t max_bytes = 0;  // of an extract
  /// How the first line of a record begins, with wildcards: extracts end between records, but for a
  /// record over max_bytes. "": a record is a line.
  std::string record_start;
  /// So long, from its last write, the last record of a log may go on.
  std::chrono::milliseconds record_wait{0};
};

/// What the parts that cut and publish extracts work with; all of it outlives them.
struct Workbench {
  Disk& disk;
  Outbox& outbox;
  OutboxRoom& room;
  FollowedLogs& logs;
  StateKeeper& keeper;
  Cutter& cutter;
  Notices& notices;
};

/// Several extracts of one log at a time while there is a backlog, else one.
class ExtractCutter {
 public:
  ExtractCutter(const Workbench& bench, ExtractRules rules)
      : bench_(bench), rules_(std::move(rules)) {}

  enum class Cut {
    nothing,  // there is no whole line behind the position
    no_room,
    part,  // there may be more to be cut
    held,  // all but the last record, which may go on
    all,   // of what was there at the last look
  };
  /// Cuts what the follower's open file holds behind its position. What was built is
  /// LogState::pending then, complete and on the disk, and the follower stands behind it. After an
  /// error nothing is pending and the follower stands where it was.
  [[nodiscard]] Result<Cut> cut(FollowedLog& log, const Moment& now);
  /// Cuts the half line with which the follower's open file ends (LogFollower::half_line()): with
  /// its other half, or as a piece. `part`: it is pending. `nothing`: the other half is not
  /// finished yet.
  [[nodiscard]] Result<Cut> cut_half_line(FollowedLog& log, const Moment& now);

 private:
  /// What is to be cut next.
  struct Next {
    Range range;
    bool second_half = false;  // of a line whose first half was published
  };
  struct SecondHalf {
    UniqueFd file;
    Position behind;
  };
  /// An extract but for what the copying finds, and the place behind it.
  struct Planned {
    watcher::Manifest manifest;
    Position after;
  };
  [[nodiscard]] Result<std::optional<Next>> next_range(FollowedLog& log, const Moment& now);
  [[nodiscard]] Result<Range> whole_records(const OpenFile& file, Range range,
                                            const Moment& now) const;
  [[nodiscard]] Result<std::optional<SecondHalf>> find_second_half(const Sibling& next);
  [[nodiscard]] Result<Cut> build(FollowedLog& log, Batch& batch, const Position& planned_from,
                                  const Result<Cut>& planned, const Moment& now);
  [[nodiscard]] Result<Cut> plan(FollowedLog& log, const Moment& now, Batch& batch);
  [[nodiscard]] Result<Planned> plan_one(FollowedLog& log, const Range& range, const Moment& now,
                                         const Batch& batch);
  [[nodiscard]] Result<> name_extract(FollowedLog& log, const Batch& batch,
                                      watcher::Manifest& manifest);
  [[nodiscard]] Result<> prepare_to_build(FollowedLog& log, const Position& planned_from,
                                          const Moment& now);
  [[nodiscard]] Result<Cut> give_up_batch(FollowedLog& log, bool several, const Error& error,
                                          const Moment& now);

  Workbench bench_;
  ExtractRules rules_;
};

}  // namespace caravel::tail
