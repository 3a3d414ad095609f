// What the ledger remembers of stores: how each is, and whether it ever held a row.
#pragma once

#include <optional>
#include <string>
#include <string_view>
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

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
