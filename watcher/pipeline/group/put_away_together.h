// The files of several done extracts into done/, at the price of one sync for all of a day.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// What put_away() does for one done extract, for those of one feed that became done together. The
/// arguments outlive it.
class PutAwayTogether {
 public:
  PutAwayTogether(const Spool& spool, Ledger& ledger) : spool_(spool), ledger_(ledger) {}

  /// Moves the file of an extract that the ledger calls done since `done_at`. Not durable before
  /// finish(): after a loss of power it lies in work/ still, or there.
  [[nodiscard]] Result<> add(const ClaimRoot& root, const Claim& claim, std::string_view sha256,
                             Time done_at);
  /// Makes the moves durable, then tells the ledger where the files are. After an error, or a
  /// crash, put_away() finds each of them where it was moved to.
  [[nodiscard]] Result<> finish();

 private:
  [[nodiscard]] Result<> open_day(std::chrono::year_month_day day);

  const Spool& spool_;
  Ledger& ledger_;
  std::chrono::year_month_day day_{};
  UniqueFd directory_;                                      // of that day; closed at first
  std::vector<std::pair<std::string, std::string>> paths_;  // claim, path
};

}  // namespace caravel::watcher
