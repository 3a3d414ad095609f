// What lasts, and was told of once: a silence, a missing extract.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/sqlite/sqlite.h"

namespace caravel::watcher {

/// Something that lasts and is told of once: its feed, and what it is.
using NewsKey = std::pair<std::string, std::string>;
/// To what is to be said when it ends; "" = nothing.
using News = std::map<NewsKey, std::string>;

/// Remembers the news beyond a restart, and beyond a pass of cron, so that each is told once.
/// Errors and threads as for Ledger.
class LastingNews {
 public:
  /// `database` outlives it.
  explicit LastingNews(Sqlite& database) : database_(database) {}

  /// What lasts now, of these feeds. Returns what lasted before: a key of `news` that is not in it
  /// is to be told of, one that is only in it has ended. Of several processes that say the same at
  /// once, one alone is answered that it is new. Writes only what has changed.
  [[nodiscard]] Result<News> replace(const std::set<std::string>& feeds, const News& news);

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
