#include "base/sqlite/failure.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace caravel::sqlite {
namespace {

/// What passes by itself, and what a person must see to (sqlite.org/rescode.html).
ErrorKind kind_of(int code) {
  switch (code & 0xff) {  // an extended code has its primary one in the lowest byte
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:  // a lost race for a lock of the WAL
    case SQLITE_INTERRUPT:
      return ErrorKind::retry;
    default:
      // A damaged file, a file that is no database, a missing right, a missing table: waiting mends
      // none of these.
      return ErrorKind::fault;
  }
}

/// errno of the call that failed; 0 if it is not known. "disk I/O error" does not say that a limit
/// on the size of files was met, or that a quota is used up.
int reason_of_system(sqlite3* database, int code) {
  const int primary = code & 0xff;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN && primary != SQLITE_FULL) return 0;
  // SQLite keeps it for some failures only, not for that of a commit (c3ref/system_errno.html).
  // errno itself is that of the last system call that failed, which may have been a mere question
  // whether a file is there: so only what speaks of disks counts.
  const int asked = database != nullptr ? sqlite3_system_errno(database) : 0;
  const int last = asked != 0 ? asked : errno;
  for (const int reason : {EIO, ENOSPC, EDQUOT, EFBIG, EROFS, EMFILE, ENFILE}) {
    if (last == reason) return reason;
  }
  return 0;
}

/// A wait in vain that was shorter is worth another one.
constexpr std::chrono::seconds kLongWait{1};

}  // namespace

tl::unexpected<Error> failure(sqlite3* database, int code) {
  const char* const words = sqlite3_errstr(code);
  // The words of the connection name the table or the constraint. Without a connection only those
  // of the code are left.
  const char* const details = database != nullptr ? sqlite3_errmsg(database) : words;
  Error error{kind_of(code), details};
  const int primary = code & 0xff;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    error.message = std::string(kDamagedDatabase) + ": " + error.message;
  }
  if ((error.system = reason_of_system(database, code)) != 0) {
    error.message += std::string(" (") + ::strerrordesc_np(error.system) + ")";
  }
  return tl::unexpected<Error>(std::move(error));
}

bool would_wait_in_vain(sqlite3* database, const LockPatience& patience) {
  return std::chrono::steady_clock::now() < patience.in_vain_until &&
         sqlite3_get_autocommit(database) != 0;
}

void note_wait(int code, std::chrono::steady_clock::time_point begun, LockPatience& patience) {
  // SQLITE_PROTOCOL: SQLite has waited by itself, for ten seconds (sqlite.org/rescode.html).
  const int primary = code & 0xff;
  if (primary != SQLITE_BUSY && primary != SQLITE_PROTOCOL) return;
  const auto now = std::chrono::steady_clock::now();
  if (!patience.once || now - begun < kLongWait) return;
  patience.in_vain_until = now + (now - begun) / 2;
  patience.in_vain_code = code;
}

}  // namespace caravel::sqlite
