// What SQLite's codes mean to us, and how a wait for a lock is remembered. Internal to this room.
#pragma once

#include <chrono>

#include "base/error.h"
#include "base/sqlite/statement.h"

namespace caravel::sqlite {

/// The error that `code` stands for, with the words of the connection; of the code alone if
/// `database` is null.
[[nodiscard]] tl::unexpected<Error> failure(sqlite3* database, int code);

/// Whether a statement that is about to begin need not try: one before it waited in vain just now.
/// Within a transaction the lock is held already, and a ROLLBACK must never be kept from running.
[[nodiscard]] bool would_wait_in_vain(sqlite3* database, const LockPatience& patience);

/// Notes how a statement ended that was begun at `begun`.
void note_wait(int code, std::chrono::steady_clock::time_point begun, LockPatience& patience);

}  // namespace caravel::sqlite
