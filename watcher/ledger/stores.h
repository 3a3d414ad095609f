// What the ledger remembers of stores: how each is, and whether it ever held a row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

enum class StoreState { ok, waiting, fault };

[[nodiscard]] std::string_view name_of(StoreState state);

struct StoreRecord {
  std::string name;
  std::string place;  // see store_place()
  std::optional<Time> first_row_at;
  StoreState state = StoreState::ok;
  std::string why;
  Time since;
  std::optional<Time> next_try;
};

/// So many rows at most in each class of batches, and so many seconds; one class more is for what
/// is above. The numbers of the classes stand in ledgers: add none, change none.
inline constexpr std::array<double, 9> kBatchRowBounds{1,    10,   50,   100,  500,
                                                       1000, 2000, 5000, 10000};
inline constexpr std::array<double, 13> kBatchSecondBounds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30};

/// Batches that stores took: how many rows each had, and how long it took.
class BatchSums {
 public:
  struct Sum {
    std::uint64_t batches = 0;
    std::uint64_t rows = 0;
    double seconds = 0;
  };
  /// The classes of a batch by its rows and by its seconds.
  using Classes = std::pair<std::size_t, std::size_t>;

  void add(std::uint64_t rows, double seconds);
  void add(Classes classes, const Sum& sum);
  void clear() { sums_.clear(); }
  [[nodiscard]] const std::map<Classes, Sum>& sums() const { return sums_; }

 private:
  std::map<Classes, Sum> sums_;
};

/// One row for each place (a URL and database, a path): a store that is configured anew under the
/// same name is another one. Errors and threads as for Ledger.
class StoreRecords {
 public:
  /// `database` outlives it.
  explicit StoreRecords(Sqlite& database) : database_(database) {}

  /// True until first_row_stored() was called for this place: only then may a missing database be
  /// made. Later, one that vanished is a fault.
  [[nodiscard]] Result<bool> may_create(const std::string& place);
  [[nodiscard]] Result<> first_row_stored(const std::string& name, const std::string& place,
                                          Time now);
  /// Writes only what has changed. A state that goes on keeps the time when it began.
  [[nodiscard]] Result<> set_state(const std::string& name, const std::string& place,
                                   StoreState state, const std::string& why,
                                   std::optional<Time> next_try, Time now);
  /// By name and place.
  [[nodiscard]] Result<std::vector<StoreRecord>> all();

  /// Adds what the store of this name took of a feed, since the ledger was made.
  [[nodiscard]] Result<> add_batches(const std::string& feed, const std::string& store,
                                     const BatchSums& batches);
  /// By feed and store.
  [[nodiscard]] Result<std::map<std::pair<std::string, std::string>, BatchSums>> batches();

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
