// How the ledger stays small for years: what happened long ago becomes totals.
//
//   extracts ──(fold_before)──> remembered ──(forget_before)──> gone
//                  └──> daily: the sums of each feed and day, for ever
//
//   manifests, sources with their gaps, closed gaps ──(forget_before)──> gone
//
// docs/ledger.md, "What grows old", says what each step keeps, and why.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Extracts that ended earlier than these.
struct FoldBounds {
  Time fold_before;    // become a part of their day's totals
  Time forget_before;  // and their content is not recognised any more
};

/// What steps did.
struct Folded {
  std::uint64_t extracts = 0;   // that were folded
  std::uint64_t forgotten = 0;  // extracts
  std::uint64_t manifests = 0;  // forgotten
  std::uint64_t sources = 0;    // runs of capture hosts that were forgotten, with their gaps
  bool more = false;            // the pass is not at its end

  Folded& operator+=(const Folded& other);
};

/// SQL that adds the extracts of `table` (`extracts` or `remembered`) that are `where` to the
/// totals of their days.
[[nodiscard]] std::string daily_totals_of(std::string_view table, std::string_view where);

/// Folds and forgets, in passes of bounded steps. An extract is folded once it is done, or failed
/// and settled, nobody wants it to go in again, and its files are gone from the spool. Errors and
/// threads as for Ledger.
class Folding {
 public:
  /// So many extracts take part in one step: about 20 ms during which no other process writes.
  static constexpr std::size_t kBatch = 500;
  /// Whether nothing of the extract is left in the spool.
  using IsGone = std::function<bool(const Extract&)>;

  /// `ledger` outlives it.
  explicit Folding(Ledger& ledger) : database_(ledger.database()) {}

  /// The next step of the pass; the first step of another one behind `more == false`. Each batch
  /// is one transaction, on the disk when it returns: a crash leaves each extract either counted
  /// in its own row or in its day, and never in both.
  [[nodiscard]] Result<Folded> step(const FoldBounds& bounds, const IsGone& is_gone);
  /// What a whole pass would do. Changes nothing.
  [[nodiscard]] Result<Folded> look(const FoldBounds& bounds, const IsGone& is_gone);

 private:
  /// How far the pass has come: (done_at, id) of the last extract that was looked at.
  struct Place {
    std::string done_at{};
    std::int64_t id = 0;
  };
  struct Candidates {
    std::string ids{};  // of those that are gone, as a JSON list
    std::uint64_t gone = 0;
    bool more = false;
  };
  [[nodiscard]] Result<Candidates> candidates(const FoldBounds& bounds, const IsGone& is_gone,
                                              Place& place);
  [[nodiscard]] Result<std::uint64_t> fold(const std::string& ids);
  [[nodiscard]] Result<std::uint64_t> forget(const std::string& before);
  [[nodiscard]] Result<std::uint64_t> forget_manifests(const std::string& before);
  [[nodiscard]] Result<std::uint64_t> forget_sources(const std::string& before);

  Sqlite& database_;
  Place place_;
};

}  // namespace caravel::watcher
