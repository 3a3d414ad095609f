#include "watcher/tail/follow/log_first.h"

#include <algorithm>
#include <cstdint>

namespace caravel::tail {
namespace {

/// Whether `next` was begun when the log had been written for the last time. `rewritten`: the log
/// was read once and is another text now. `same_text`: as in log_comes_first().
bool was_begun_after(const Unread& next, const Stamp& live, bool rewritten, bool same_text) {
  // A program that writes over its old files (rotatelogs -n): only the last writes tell.
  if (next.rewritten && rewritten) return next.file.stamp.modified > live.modified;
  // The first lines may be written together with the log's last ones (winston). But the file may
  // also be a copy of the log, which is truncated just after that.
  constexpr std::int64_t kOverlap = 500'000'000;
  const std::int64_t born = next.file.stamp.id.born;
  const std::int64_t overlap = same_text || next.file.proof != Proof::none ? kOverlap : 0;
  return born > live.id.born && born + overlap > live.modified;
}

}  // namespace

bool log_comes_first(const Survey& survey, const std::optional<Stamp>& live, bool same_text) {
  if (!live || !survey.rotated() || live->id.born == 0) return false;
  if (live->modified < live->id.born) return false;  // a clock was set
  const Unread& last = survey.fresh.back();
  const bool rewritten = last.file.rotation.empty() && last.rewritten;
  return std::all_of(survey.fresh.begin(), survey.fresh.end(), [&](const Unread& next) {
    // The birth of a packed file is that of its packing.
    return next.file.rotation.empty() ||
           (!next.file.packed && was_begun_after(next, *live, rewritten, same_text));
  });
}

}  // namespace caravel::tail
