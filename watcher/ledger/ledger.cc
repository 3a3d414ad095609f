#include "watcher/ledger/ledger.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "watcher/files/directory.h"
#include "watcher/ledger/directories.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/news.h"
#include "watcher/ledger/rows.h"
#include "watcher/ledger/schema.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

/// So long a connection waits for the write lock of another one (PRAGMA busy_timeout).
constexpr int kBusyTimeoutMs = 10'000;
constexpr int kSwitchPauseMs = 10;

/// `folder` and what is missing above it, durable, so that no loss of power takes the ledger away
/// with its directory. Only the last one is closed to others: those above it may be shared ones,
/// like /var/lib.
Result<> make_folder(const std::filesystem::path& folder, mode_t mode) {
  constexpr mode_t kShared = 0755;
  std::error_code ignored;
  const std::filesystem::path parent = folder.parent_path();
  if (!parent.empty() && parent != folder && !std::filesystem::exists(parent, ignored)) {
    CARAVEL_TRY(make_folder(parent, kShared));
  }
  return make_durable_directory(folder.string(), mode);
}

/// An empty file of mode 0600 at `path`, and its directory, unless they are there.
Result<> make_file(const std::string& path) {
  constexpr mode_t kPrivate = 0700;
  CARAVEL_TRY(make_folder(std::filesystem::path(path).parent_path(), kPrivate));
  // mknod, not open: closing a descriptor of ours would drop the locks that another connection of
  // this process holds on the file (https://www.sqlite.org/howtocorrupt.html, 2.2). The WAL and the
  // shared memory get the same mode from SQLite. A crash after this leaves an empty file, which is
  // an SQLite database without tables: the next start makes them.
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return fail_with_errno(fmt::format("make {}", path), errno);
  }
  return {};
}

/// With a write-ahead log readers such as `status` and the one writer do not block each other
/// (https://www.sqlite.org/wal.html). Errors: kind fault if the file system cannot do it.
Result<> use_wal(Sqlite& database, const StopSignal* stop) {
  std::string mode;
  const auto read_mode = [&](const Statement& row) { mode = row.text(0); };
  const auto switch_over = [&]() -> Result<> {
    CARAVEL_TRY(database.each("PRAGMA journal_mode", read_mode));
    if (mode == "wal") return {};
    return database.each("PRAGMA journal_mode=WAL", read_mode);
  };
  // For this one switch SQLite does not call the busy handler when another connection makes the
  // same switch, and it offers no way to be told when that one has finished: so we ask again.
  // By the clock, not by the number of tries: each of them may have waited for a lock itself.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyTimeoutMs);
  auto switched = switch_over();
  while (!switched && switched.error().kind == ErrorKind::retry) {
    if (std::chrono::steady_clock::now() >= give_up) return switched;
    if (stop != nullptr && stop->requested()) return switched;
    ::poll(nullptr, 0, kSwitchPauseMs);
    switched = switch_over();
  }
  if (!switched) return switched;
  if (mode == "wal" || mode == "memory") return {};
  return fail(ErrorKind::fault, "this file system cannot hold it (no shared memory: NFS?)");
}

/// How a file is opened that is only read. SQLite wants to make the log's index beside it
/// (https://www.sqlite.org/wal.html, "Read-Only Databases"); where nothing can be made and there is
/// no log, the file alone is all there is.
Sqlite::Mode mode_to_read(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const bool can_make = ::access(folder.empty() ? "." : folder.c_str(), W_OK) == 0;
  const bool has_log = ::access((path + "-wal").c_str(), F_OK) == 0;
  return can_make || has_log ? Sqlite::Mode::read_only : Sqlite::Mode::immutable;
}

Result<Sqlite> open_database(const std::string& path, Ledger::Mode mode, const StopSignal* stop) {
  const bool write = mode == Ledger::Mode::read_write;
  std::error_code ignored;
  if (std::filesystem::exists(path + std::string(Ledger::kRebuiltSuffix), ignored)) {
    return fail(ErrorKind::fault,
                "a rebuild was broken off at its end: run `caravel ledger rebuild` again");
  }
  if (path == Ledger::kInMemory) {
    // Nothing to make.
  } else if (write) {
    CARAVEL_TRY(make_file(path));
  } else if (!std::filesystem::exists(path, ignored)) {
    // SQLite itself would only say that it is "unable to open database file".
    return fail(ErrorKind::fault, "there is none yet; caravel watch or sweep makes it");
  }
  CARAVEL_ASSIGN_OR_RETURN(auto database,
                           Sqlite::open(path, write ? Sqlite::Mode::read_write : mode_to_read(path),
                                        kBusyTimeoutMs, stop));
  database.wait_once_only();
  if (!write) {
    CARAVEL_TRY(check_ledger(database));
    return database;
  }
  // The schema first: a switch to WAL would already change a file that turns out not to be ours.
  CARAVEL_TRY(upgrade_ledger(database));
  CARAVEL_TRY(use_wal(database, stop));
  // journal_size_limit: after a burst of commits the WAL file is cut back to 16 MiB.
  // FULL: each commit is on the disk when it returns. With NORMAL a power loss could take back a
  // claim whose rename is on the disk already
  // (https://www.sqlite.org/pragma.html#pragma_synchronous).
  CARAVEL_TRY(
      database.script("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                      "PRAGMA journal_size_limit=16777216"));
  return database;
}

}  // namespace

/// On the heap: the parts refer to `database`, which must not move when the Ledger does.
struct Ledger::Parts {
  explicit Parts(Sqlite opened) : database(std::move(opened)) {}

  Sqlite database;
  Extracts extracts{database};
  DropNames drop_names{database};
  Directories directories{database};
  Manifests manifests{database};
  Sources sources{database};
  LastingNews news{database};
  StoreRecords stores{database};
  History history{database};
};

Ledger::Ledger(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Ledger::Ledger(Ledger&& other) noexcept = default;
Ledger& Ledger::operator=(Ledger&& other) noexcept = default;
Ledger::~Ledger() = default;

Result<Ledger> Ledger::open(const std::string& path, Mode mode, const StopSignal* stop) {
  return in_context(path, [&]() -> Result<Ledger> {
    CARAVEL_ASSIGN_OR_RETURN(auto database, open_database(path, mode, stop));
    return Ledger(std::make_unique<Parts>(std::move(database)));
  });
}

Extracts& Ledger::extracts() { return parts_->extracts; }
DropNames& Ledger::drop_names() { return parts_->drop_names; }
Directories& Ledger::directories() { return parts_->directories; }
Manifests& Ledger::manifests() { return parts_->manifests; }
Sources& Ledger::sources() { return parts_->sources; }
LastingNews& Ledger::news() { return parts_->news; }
StoreRecords& Ledger::stores() { return parts_->stores; }
History& Ledger::history() { return parts_->history; }
Sqlite& Ledger::database() { return parts_->database; }

Result<> Ledger::in_group(bool synced, const std::function<Result<>()>& work) {
  std::optional<UnsyncedCommits> unsynced;
  if (!synced) unsynced.emplace(parts_->database);
  return in_context("group", [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(parts_->database));
    CARAVEL_TRY(work());
    return transaction.commit();
  });
}

Result<> Ledger::in_snapshot(const std::function<Result<>()>& work) {
  return in_context("questions", [&]() -> Result<> {
    CARAVEL_TRY(parts_->database.run("BEGIN"));
    const Result<> done = work();
    if (is_in_group()) CARAVEL_TRY(parts_->database.run(done ? "COMMIT" : "ROLLBACK"));
    return done;
  });
}

bool Ledger::is_in_group() const { return parts_->database.in_transaction(); }

Result<> Ledger::for_each_row(
    const std::function<void(std::string_view table, const Statement& row)>& each) {
  return in_context("export", [&]() -> Result<> {
    for (const std::string_view table : kLedgerTables) {
      CARAVEL_TRY(parts_->database.each(fmt::format("SELECT * FROM {}", table),
                                        [&](const Statement& row) { each(table, row); }));
    }
    return {};
  });
}

Result<> Ledger::check_pages() {
  return in_context("check", [&]() -> Result<> {
    std::string found;
    CARAVEL_TRY(parts_->database.each("PRAGMA quick_check(1)",
                                      [&](const Statement& row) { found = row.text(0); }));
    if (found == "ok") return {};
    // Some findings have several lines.
    std::ranges::replace(found, '\n', ' ');
    return fail(ErrorKind::fault, fmt::format("{}: {}", kDamagedDatabase, found));
  });
}

}  // namespace caravel::watcher
