// Names that are still in a drop directory: those that will be claimed, and those that are left
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// A name that is still in the drop directory.
struct InDrop {
  std::string name{};
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string why{};  // what it waits for; "" = seen, nothing known yet
};

/// A name in a drop directory that is left alone.
struct LeftAlone {
  std::string name{};
  std::string why{};
  Time since{};  // set by the ledger
};

/// Follows what each scan saw. Writes only differences: an idle scan costs no write. Senders choose
/// the names, so both lists are bounded. Errors and threads as for Ledger; each call is one
/// transaction.
class DropNames {
 public:
  /// `database` outlives it.
  explicit DropNames(Sqlite& database) : database_(database) {}

  /// Replaces what is known of the names of `feed` that are not claimed yet; those of `origin`: a
  /// capture has a drop directory of its own. Beyond kMaxInDrop names the rest is left out.
  [[nodiscard]] Result<> set_in_drop(const std::string& feed, const std::vector<InDrop>& files,
                                     Time now, Origin origin = Origin::drop);
  static constexpr std::size_t kMaxInDrop = 10'000;

  /// Replaces the names of `feed` that are left alone, the same way; at most kMaxLeftAlone.
  [[nodiscard]] Result<> set_left_alone(const std::string& feed,
                                        const std::vector<LeftAlone>& names, Time now);
  static constexpr std::size_t kMaxLeftAlone = 1000;

  /// By feed, in the order of names. Names in the other list are in History, as extracts that are
  /// seen or waiting.
  [[nodiscard]] Result<std::map<std::string, std::vector<LeftAlone>>> left_alone();

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
