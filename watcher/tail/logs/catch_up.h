// After a restored backup: the state is older than the extracts that were cut with a later one.
#pragma once

#include "base/error.h"
#include "base/notices.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// If the outbox (or what was sent) has an extract of the log's run that the state does not know,
/// the log goes on behind the newest of them: cut again under its number, the same bytes would be
/// another extract. Returns whether `log` was changed.
[[nodiscard]] Result<bool> catch_up_with_outbox(LogState& log, const Outbox& outbox, Cutter& cutter,
                                                Notices& notices);

}  // namespace caravel::tail
