#include "watcher/tail/follow/log_first.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/rotation.h"

namespace caravel::tail {
namespace {

struct LogItself {
  const std::string& path;
  const Stamp& stamp;
  bool rewritten;
  bool same_text;
};

/// Whether a copy of the log may have this name. winston's `app1.log` has none that tools which
/// copy a log and truncate it give.
bool may_be_copy(const std::string& path, const std::string& log) {
  return directory_of(path) != directory_of(log) || rotation_of(base_of(path), base_of(log));
}

/// Whether `next` was begun when the log had been written for the last time.
bool was_begun_after(const Unread& next, const LogItself& log) {
  // A program that writes over its old files (rotatelogs -n): only the last writes tell.
  if (next.rewritten && log.rewritten) return next.file.stamp.modified > log.stamp.modified;
  // The first lines may be written together with the log's last ones. But the file may also be a
  // copy of the log, which is truncated just after that.
  constexpr std::int64_t kOverlap = 500'000'000;
  const std::int64_t born = next.file.stamp.id.born;
  const bool overlaps = log.same_text || !may_be_copy(next.file.path, log.path);
  return born > log.stamp.id.born && born + (overlaps ? kOverlap : 0) > log.stamp.modified;
}

}  // namespace

bool log_comes_first(const Survey& survey, const std::string& path,
                     const std::optional<Stamp>& live, bool same_text) {
  if (!live || !survey.rotated() || live->id.born == 0) return false;
  if (live->modified < live->id.born) return false;  // a clock was set
  const Unread& last = survey.fresh.back();
  const LogItself log{path, *live, last.file.rotation.empty() && last.rewritten, same_text};
  return std::all_of(survey.fresh.begin(), survey.fresh.end(), [&](const Unread& next) {
    // The birth of a packed file is that of its packing.
    return next.file.rotation.empty() || (!next.file.packed && was_begun_after(next, log));
  });
}

}  // namespace caravel::tail
