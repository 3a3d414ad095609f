// What a watcher deletes each hour, and a sweep at its end.
#pragma once

#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Settles the loads by hand whose command was killed, and says so in the log.
void log_broken_off_loads(const Service& service, Ledger& ledger, Time now);

/// Deletes what was kept long enough in done/ and csv/ (each feed's files by that feed's keep_done
/// and keep_csv; an original that rejects are kept in by their place stays), and temporaries that a
/// crash left. Forgets the salts whose time is over. What cannot be deleted is logged, and stays.
void tidy(const Service& service, Time now);

/// Says so in the log if the ledger knows of no extract though done/ holds some: it was lost, or
/// moved away, and what is forgotten with it can partly be had again.
void say_if_ledger_is_new(const Service& service, Ledger& ledger);

}  // namespace caravel::watcher
