// The sequences of capture hosts: which extracts of each run came, and which are missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/source_run.h"

namespace caravel::watcher {

/// Of each run the table `sources` has the next number that is expected, and `gaps` the ranges
/// below it that did not come. An arrival beyond the next number opens a gap; an arrival inside of
/// a gap closes or splits it. Errors and threads as for Ledger.
class Sources {
 public:
  /// `database` outlives it.
  explicit Sources(Sqlite& database) : database_(database) {}

  /// The extract with this sequence number ends as `end`: done or failed. It came at `came`;
  /// nothing: by hand, which is no sign of life of its source. Those that it overtook and that are
  /// here, on their way or in the drop directory still, are not missing: `in_drop` is asked for the
  /// numbers there if it overtook any. Arriving twice changes nothing. One transaction, on the disk
  /// when this returns; `in_drop` is called before it begins.
  [[nodiscard]] Result<Arrival> arrived(
      const SourceRun& run, std::uint64_t sequence, State end, std::optional<Time> came, Time now,
      const std::function<std::set<std::uint64_t>()>& in_drop = {});

  /// A person knows that what is missing of the run from `first` to `last` will never come: it is
  /// no gap any more, and `closed_gaps` remembers it with `why`. Returns how many numbers that
  /// were. One transaction, on the disk when this returns.
  [[nodiscard]] Result<std::uint64_t> close_gaps(const std::string& feed, const std::string& run,
                                                 std::uint64_t first, std::uint64_t last,
                                                 const std::string& why, Time now);

  /// Every run of every source, by feed, source and time. What is on its way is in no gap.
  [[nodiscard]] Result<std::vector<SourceStatus>> all();
  static constexpr std::size_t kMaxGaps = 100;

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
