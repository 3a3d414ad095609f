#include "watcher/serve/snapshots.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "watcher/spool/spool.h"

namespace caravel::watcher {

const Result<Overview>& Snapshots::current() {
  const Moment before = clock_();
  const auto keep = std::max<std::chrono::steady_clock::duration>(kKeep, cost_ * kTimesCost);
  if (last_ && before.steady - made_ < keep) return *last_;
  last_.reset();  // before the new one: the two need not be in memory at once
  last_.emplace(look_(before.wall));
  made_ = clock_().steady;
  cost_ = made_ - before.steady;
  return *last_;
}

std::string stamp_of_ledger(const Config& config) {
  std::string out;
  for (const std::string& path : {config.ledger_path(), config.ledger_path() + "-wal"}) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    out += fmt::format("{}.{}.{}.{} ", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec);
  }
  return out + lock_holder(config.spool);
}

}  // namespace caravel::watcher
