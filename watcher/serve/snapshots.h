// The ledger as it was a moment ago: what all requests of that moment are answered from.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/status/overview.h"

namespace caravel::watcher {

/// Asks the ledger only if the last answer is old: a second, or many times as old as it took to
/// ask. So whoever asks how often cannot keep this process, or the disk, from other work. One
/// thread.
class Snapshots {
 public:
  using Look = std::function<Result<Overview>(Time now)>;
  using Clock = std::function<Moment()>;

  Snapshots(Look look, Clock clock) : look_(std::move(look)), clock_(std::move(clock)) {}

  /// Valid until the next call. Errors: those of the ledger; they are remembered as long as an
  /// answer is.
  [[nodiscard]] const Result<Overview>& current();

  /// How long the last look took.
  [[nodiscard]] std::chrono::steady_clock::duration cost() const { return cost_; }

  static constexpr std::chrono::seconds kKeep{1};
  static constexpr int kTimesCost = 10;

 private:
  Look look_;
  Clock clock_;
  std::optional<Result<Overview>> last_;
  std::chrono::steady_clock::time_point made_;
  std::chrono::steady_clock::duration cost_{};
};

/// Changes whenever the ledger was written, or somebody began or ended to watch. Costs some calls
/// of stat(2).
[[nodiscard]] std::string stamp_of_ledger(const Config& config);

}  // namespace caravel::watcher
