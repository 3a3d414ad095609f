// The extracts that are built, synced and announced together: with a backlog, waiting for the disk
// at each extract would cost as much as copying it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/exchange/manifest.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// add() them, build() them, sync() them; what was built is pending() then, and may be announced.
/// Large batches are built by two threads, each with two extracts in hand: hashing costs more than
/// copying, and two messages are hashed in little more than the time of one.
class Batch {
 public:
  /// `log` is the open log; everything given outlives the batch.
  Batch(int log, Outbox& outbox, Disk& disk) : log_(log), outbox_(outbox), disk_(disk) {}

  /// `manifest` says all but what building finds: lines and sha256. `after`: where the log stands
  /// behind it.
  void add(watcher::Manifest manifest, Position after);
  /// The second half of a line whose first half was published: a piece, not a line.
  void add_second_half(watcher::Manifest manifest, Position after);
  /// The first half of a line, which ends its file without a line end: a piece. `half` is the
  /// manifest's range; `goes_on`: the log's next file begins with the other half.
  void add_first_half(watcher::Manifest manifest, Position after, Range half, bool goes_on);
  /// A line that was cut in two, as a whole. `half` is the part of the manifest's range that this
  /// file has; `next` is the place behind the second half in `rest`, an open file.
  void add_joined(watcher::Manifest manifest, Position after, Range half, UniqueFd rest,
                  Position next);

  [[nodiscard]] bool empty() const { return extracts_.empty(); }
  [[nodiscard]] std::size_t size() const { return extracts_.size(); }
  /// Of extracts and manifests.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const watcher::Manifest& last() const { return extracts_.back().pending.manifest; }

  /// Writes the temporary files; they are not synced yet. If an extract fails, the ones before it
  /// are kept; that extract and the ones behind it are discarded and forgotten.
  [[nodiscard]] Result<> build(Cutter& cutter);
  /// What is announced must be on the disk: extracts, manifests, then their (temporary) names.
  [[nodiscard]] Result<> sync();
  /// What was built, in order.
  [[nodiscard]] std::vector<Pending> pending() const;

 private:
  struct Extract {
    Pending pending;
    UniqueFd file;
    UniqueFd manifest;
    Result<> built;
    bool piece = false;           // of a line
    std::optional<Range> half{};  // of `log_`, where the extract is more, or no whole line
    UniqueFd rest{};
  };
  [[nodiscard]] bool is_large() const;
  void build_in_turns(Cutter& cutter);
  void build_in_second_thread();
  void build_both(Extract& first, Extract& second, Cutter& cutter);
  void build_one(Extract& extract, Cutter& cutter);
  [[nodiscard]] Result<> begin(Extract& extract);
  [[nodiscard]] Result<> finish(Extract& extract, Result<Cutter::Copied> copied);
  [[nodiscard]] Result<Cutter::Copied> copy(const Extract& extract, Cutter& cutter) const;
  [[nodiscard]] static Range range_of(const Extract& extract);

  int log_;
  Outbox& outbox_;
  Disk& disk_;
  std::vector<Extract> extracts_;
  std::uint64_t bytes_ = 0;
  std::atomic<std::size_t> next_{0};  // to be built, by whichever thread comes first
};

}  // namespace caravel::tail
