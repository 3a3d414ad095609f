// What is wrong with drop directories, as whoever watches them found last.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

enum class DirectoryState {
  well,       // open, and noticed as configured
  polled,     // open, and scanned again and again because no event can be had
  unmounted,  // open, but the file system that was there is not mounted any more
  closed,     // it cannot be opened
};

[[nodiscard]] std::string_view name_of(DirectoryState state);

struct DirectoryRecord {
  std::string path;
  DirectoryState state = DirectoryState::well;
  std::string why;
  Time since;
};

/// One row for each directory that is not well, so that `status` can say what only the watching
/// process knows. After a kill -9 the rows stay as they were: they speak of the last one who
/// watched, and the next one writes them anew. Errors and threads as for Ledger.
class Directories {
 public:
  /// `database` outlives it.
  explicit Directories(Sqlite& database) : database_(database) {}

  /// Writes only what has changed. A state that goes on keeps the time when it began.
  [[nodiscard]] Result<> set(const std::string& path, DirectoryState state, const std::string& why,
                             Time now);
  /// Those that are not well, by path.
  [[nodiscard]] Result<std::vector<DirectoryRecord>> all();

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
