// The room that extracts take: --max-outbox, what was sent and is kept, and disks that are smaller.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/outbox/outbox.h"

namespace caravel::tail {

struct RoomRules {
  std::uint64_t max_outbox = 0;  // bytes of all that waits or was sent, with the manifests
  std::uint64_t max_bytes = 0;   // of one extract
  std::chrono::milliseconds keep_sent{0};
};

/// Counts what is stored, and gives up what was sent, the oldest first, where room is short. What
/// waits is never given up: if that fills the room, nothing more is cut, and the log itself is the
/// buffer. Counts the files in the directory before it refuses room, and adds up published extracts
/// in between.
class OutboxRoom {
 public:
  /// `outbox` and `notices` outlive this.
  OutboxRoom(Outbox& outbox, const RoomRules& rules, Notices& notices)
      : outbox_(outbox), rules_(rules), notices_(notices) {}

  /// Deletes what was sent longer than `keep_sent` ago, every ten minutes at most.
  [[nodiscard]] Result<> expire_if_due(const Moment& now);

  /// Makes room for `bytes` more, if need be by deleting what was sent. False: there is none, and a
  /// message says so.
  [[nodiscard]] Result<bool> make_room(std::uint64_t bytes, const Moment& now);
  /// Whether `bytes` more fit without deleting anything.
  [[nodiscard]] bool fits(std::uint64_t bytes) const {
    return stored_ + bytes <= rules_.max_outbox;
  }
  /// An extract was published.
  void add(std::uint64_t bytes) { stored_ += bytes; }

  /// For an `error` that says that the disk is full (it is smaller than --max-outbox): deletes sent
  /// extracts until one more fits. False: `error` has another cause, or no sent extract is left.
  [[nodiscard]] Result<bool> make_room_on_disk(const Error& error, const Moment& now);

 private:
  [[nodiscard]] Result<> count(std::uint64_t most, const Moment& now);

  Outbox& outbox_;
  RoomRules rules_;
  Notices& notices_;
  std::uint64_t stored_ = 0;  // bytes in the outbox and in sent/, when last counted, and since
  std::optional<std::chrono::steady_clock::time_point> counted_;
};

}  // namespace caravel::tail
