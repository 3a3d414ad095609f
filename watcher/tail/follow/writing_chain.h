// Which files with doubtful names ("app1.log" beside "app.log") were written in turn with a log's
// own files: one was begun when the one before it fell still. Two programs write their logs at the
// same time, so the times tell them apart.
#pragma once

#include <cstdint>
#include <vector>

#include "watcher/tail/names/siblings.h"

namespace caravel::tail {

/// A file in the comparison; times in nanoseconds since 1970.
struct ChainLink {
  std::int64_t born = 0;
  std::int64_t modified = 0;
  Proof proof = Proof::none;  // none: it is known to be the log's
  bool is_log = false;        // it has the log's own name
};

/// For each of `links`, in their order: whether it is the log's. Those that need no proof are. A
/// file that was born after the log's last write counts only once the log was still for `grace`
/// (nanoseconds) at `now`. Without any file that needs no proof, none is the log's.
[[nodiscard]] std::vector<bool> written_in_turn(const std::vector<ChainLink>& links,
                                                std::int64_t now, std::int64_t grace);

}  // namespace caravel::tail
