#include "watcher/rebuild/rebuild.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "base/file.h"
#include "base/sqlite/sqlite.h"
#include "base/sqlite/transaction.h"
#include "watcher/ledger/ledger.h"
#include "watcher/rebuild/exchange.h"

namespace caravel::watcher {
namespace {

constexpr int kNoWaitMs = 0;

/// Where SQLite locks: the bytes of the database file from "pending" to the last "shared" one
/// (sqlite.org/src, os.h: PENDING_BYTE), and those of the shared memory (wal.c: WIN_SHM_BASE, the
/// last of which every connection holds).
struct LockRange {
  const char* suffix;
  off_t start;
  off_t size;
};
constexpr LockRange kLockRanges[] = {{"", 0x40000000, 512}, {"-shm", 120, 9}};

/// Keeps other processes from beginning with the old ledger while it is read: they wait, as for any
/// writer. Errors: one of them has it open.
class OldLedgerLock {
 public:
  static Result<OldLedgerLock> take(const std::string& ledger) {
    OldLedgerLock lock;
    for (const LockRange& range : kLockRanges) {
      UniqueFd fd(::open((ledger + range.suffix).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
      if (!fd && errno == ENOENT) continue;
      if (!fd) return fail_with_errno(ledger + range.suffix, errno);
      struct flock wanted {};
      wanted.l_type = F_WRLCK;
      wanted.l_whence = SEEK_SET;
      wanted.l_start = range.start;
      wanted.l_len = range.size;
      // Open file description locks (fcntl(2)): closing another descriptor of the file, as the
      // salvage does, takes an ordinary lock away.
      if (::fcntl(fd.get(), F_OFD_SETLK, &wanted) != 0) {
        if (errno != EAGAIN && errno != EACCES) return fail_with_errno(ledger, errno);
        wanted.l_pid = 0;
        ::fcntl(fd.get(), F_OFD_GETLK, &wanted);
        return fail(ErrorKind::fault,
                    fmt::format("{}: {} has it open: wait for its end, or end it", ledger,
                                wanted.l_pid > 0 ? fmt::format("pid {}", wanted.l_pid)
                                                 : std::string("another process")));
      }
      (range.start == 120 ? lock.shared_memory_ : lock.file_) = std::move(fd);
    }
    return lock;
  }

 private:
  UniqueFd file_;
  UniqueFd shared_memory_;
};

bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// A new ledger at `path`, open, as one file without a log beside it.
Result<Sqlite> make_fresh(const std::string& path) {
  // What a rebuild left that was broken off.
  for (const char* const suffix : {"", "-wal", "-shm", "-journal"}) {
    if (::unlink((path + suffix).c_str()) != 0 && errno != ENOENT) {
      return fail_with_errno("remove " + path + suffix, errno);
    }
  }
  CARAVEL_TRY(Ledger::open(path));
  CARAVEL_ASSIGN_OR_RETURN(auto fresh, Sqlite::open(path, Sqlite::Mode::read_write, kNoWaitMs));
  // Nothing depends on the file before it is published, which syncs it.
  CARAVEL_TRY(fresh.script("PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF"));
  return fresh;
}

Result<> check_fresh(Sqlite& fresh) {
  std::string found;
  CARAVEL_TRY(
      fresh.each("PRAGMA quick_check(1)", [&](const Statement& row) { found = row.text(0); }));
  if (found == "ok") return {};
  return fail(ErrorKind::fault, "the new ledger is not sound: " + found);
}

Result<Rebuilt> fill(const Config& config, const Spool& spool, Sqlite& fresh,
                     const StopSignal& stop, Time now) {
  Rebuilt rebuilt;
  const std::string ledger = config.ledger_path();
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(fresh));
  // Both are looked up for each file, in a ledger whose own way of asking needs no such index.
  CARAVEL_TRY(fresh.script("CREATE INDEX rebuild_paths ON extracts (done_path)"));
  if (is_there(ledger)) {
    auto salvaged = salvage_ledger(ledger, fresh);
    if (salvaged) {
      rebuilt.salvaged = *salvaged;
    } else {
      // A file that cannot be opened yields nothing; a new ledger that cannot be written ends this.
      CARAVEL_TRY(fresh.script("SELECT 1"));
      rebuilt.unreadable = salvaged.error().message;
    }
  }
  if (stop.requested()) return fail(ErrorKind::stopped, "stopped");
  CARAVEL_ASSIGN_OR_RETURN(rebuilt.documents, recover_documents(config, fresh, now));
  CARAVEL_ASSIGN_OR_RETURN(rebuilt.files, recover_files(config, spool, fresh, stop));
  CARAVEL_TRY(fresh.script("DROP INDEX rebuild_paths"));
  CARAVEL_TRY(transaction.commit());
  CARAVEL_TRY(check_fresh(fresh));
  return rebuilt;
}

}  // namespace

Result<Rebuilt> rebuild_ledger(const Config& config, const Spool& spool, const StopSignal& stop,
                               Time now) {
  const std::string ledger = config.ledger_path();
  CARAVEL_ASSIGN_OR_RETURN(const auto lock, OldLedgerLock::take(ledger));
  Rebuilt rebuilt;
  if (has_rebuilt(ledger)) {
    rebuilt.only_finished = true;
  } else {
    {
      CARAVEL_ASSIGN_OR_RETURN(auto fresh, make_fresh(rebuilding_path(ledger)));
      CARAVEL_ASSIGN_OR_RETURN(rebuilt, fill(config, spool, fresh, stop, now));
    }
    CARAVEL_TRY(publish_rebuilt(ledger));
  }
  CARAVEL_ASSIGN_OR_RETURN(rebuilt.kept_as, finish_exchange(ledger, now));
  return rebuilt;
}

}  // namespace caravel::watcher
