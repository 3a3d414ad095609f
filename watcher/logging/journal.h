// journald's own protocol: a line with its severity and fields.
#pragma once

#include <string>
#include <string_view>

#include "watcher/logging/log_line.h"

namespace caravel::watcher {

/// Whether stderr is the journal: JOURNAL_STREAM (systemd.exec(5)) names its device and inode. The
/// variable alone says nothing, for children inherit it.
[[nodiscard]] bool stderr_is_journal();

/// Sends one entry with PRIORITY= `priority` (syslog(3): 3 error … 7 debug), SYSLOG_IDENTIFIER=
/// `caravel` and a field CARAVEL_NAME= for each of `fields` (sd_journal_sendv(3)). False if nobody
/// took it.
[[nodiscard]] bool send_to_journal(int priority, std::string_view message, const LogFields& fields);

}  // namespace caravel::watcher
