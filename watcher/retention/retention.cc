#include "watcher/retention/retention.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "watcher/retention/folders.h"
#include "watcher/retention/keep_times.h"
#include "watcher/spool/originals.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

/// An original that rejects are kept in by their place stays as long as they do.
void prune_originals(const Config& config, const Spool& spool, Time now, Remover& remover) {
  const auto needed = originals_in_use(spool);
  if (!needed) return remover.note(needed.error());
  prune_done(
      spool,
      [&](std::string_view relative) {
        return is_in_use(*needed, spool, std::string(relative))
                   ? std::chrono::milliseconds::max()
                   : keep_time_of_file(config.feeds, relative, &FeedConfig::keep_done);
      },
      config.max_done_size, now, remover);
}

}  // namespace

void prune_spool(const Config& config, const Spool& spool, Ledger& ledger, Time now,
                 Remover& remover) {
  const auto of_feed = [&config](KeepKey keep) {
    return [&config, keep](std::string_view feed) {
      return keep_time_of_feed(config.feeds, feed, keep);
    };
  };
  // Rejects first: an original that they are kept in may go in the same pass.
  prune_rejects(spool, ledger, of_feed(&FeedConfig::keep_rejects), config.max_rejects_size, now,
                remover);
  prune_originals(config, spool, now, remover);
  prune_csv(
      spool, ledger,
      [&](std::string_view relative) {
        return keep_time_of_file(config.feeds, relative, &FeedConfig::keep_csv);
      },
      config.max_csv_size, now, remover);
  prune_failed(spool, ledger, of_feed(&FeedConfig::keep_failed), config.max_failed_size, now,
               remover);
}

FoldBounds fold_bounds(const Config& config, Time now) {
  return {now - config.fold_after, now - config.remember};
}

bool is_gone_from_spool(const std::string& spool, const Extract& extract) {
  struct stat status;
  // An error other than that nothing is there tells nothing: the row stays.
  if (!extract.done_path.empty() &&
      (::fstatat(AT_FDCWD, extract.done_path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ||
       (errno != ENOENT && errno != ENOTDIR))) {
    return false;
  }
  return extract.counts.rejected == 0 ||
         !find_reject_files(spool_of(spool, extract), extract.feed, extract.name, extract.sha256);
}

}  // namespace caravel::watcher
