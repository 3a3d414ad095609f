// Deletes what was kept long enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

struct Expired {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<Error> errors;  // the first few; one file that cannot be deleted holds up no other
};

/// How long to keep one file, by its path relative to the spool (feeds differ); seconds::max() is
/// for ever.
using KeepFor = std::function<std::chrono::seconds(const std::string& relative)>;

/// Files of done/YYYY/MM/DD/ whose day (UTC) ended longer ago than that, and the directories that
/// are empty then. Nothing else in done/ is touched, and no symlink is followed.
[[nodiscard]] Result<Expired> expire_done(const Spool& spool, const KeepFor& keep,
                                          std::chrono::system_clock::time_point now);

/// Regular files of csv/ whose mtime is longer ago than that. Not temporaries.
[[nodiscard]] Result<Expired> expire_csv(const Spool& spool, const KeepFor& keep,
                                         std::chrono::system_clock::time_point now);

}  // namespace caravel::watcher
