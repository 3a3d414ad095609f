#include "uploader/sqlite/rows_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "uploader/sqlite/rows/rows_table.h"

namespace caravel::uploader {
namespace {

/// Another process may hold the file for as long as this; then the upload waits as for a store that
/// is down.
constexpr int kBusyMilliseconds = 5000;

/// WAL: people may read while rows are stored. FULL: a committed row is on the disk, whatever the
/// power does (sqlite.org/pragma.html#pragma_synchronous). The cache is bounded: 8 MiB. The WAL of
/// a large transaction does not keep its size (sqlite.org/pragma.html#pragma_journal_size_limit).
/// Pages of 16 KiB take four times as many rows until they must be divided; a file that is there
/// keeps the pages that it has.
constexpr const char* kSettings =
    "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
    "cache_size=-8192; "
    "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864";

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

Error RowsFile::said_of_file(Error error) const {
  return with_context(name_, with_context(path_, std::move(error)));
}

/// Makes the last directory of the path only, for its owner alone. A crash behind it leaves an
/// empty directory, which the next open() takes. SQLite syncs the directory in which its files lie,
/// and nothing above it: without the sync here a loss of power could take all rows away with it.
Result<> RowsFile::make_parent() const {
  const std::string parent = parent_of(path_);
  const bool made = ::mkdir(parent.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) {
    return fail_with_errno(fmt::format("{}: mkdir {}", name_, parent), errno);
  }
  // One that was there may belong to others, who need not let us open what is above it.
  const Result<> synced = sync_directory(parent_of(parent));
  if (made && !synced) return tl::unexpected(with_context(name_, synced.error()));
  return {};
}

void RowsFile::stop_waiting_at(const StopSignal* stop) {
  stop_ = stop;
  if (file_) file_->stop_waiting_at(stop);
}

Result<Sqlite*> RowsFile::open(bool may_create) {
  if (file_ && still_there()) return file_.get();
  // The path leads to another file, or to none. What is written to the open one is lost, so it is
  // closed before anything else is opened.
  group_.reset();
  tables_ = KnownTables();
  file_.reset();
  if (!exists(path_)) {
    if (!may_create) return nullptr;
    CARAVEL_TRY(make_parent());
  }
  return in_context([&]() -> Result<Sqlite*> {
    CARAVEL_ASSIGN_OR_RETURN(
        auto file, Sqlite::open(path_, may_create ? Sqlite::Mode::create : Sqlite::Mode::read_write,
                                kBusyMilliseconds, stop_));
    struct stat status {};
    // By device and inode still_there() knows the file again. A path says nothing: a new file may
    // have it.
    if (::stat(path_.c_str(), &status) == 0) {
      device_ = status.st_dev;
      inode_ = status.st_ino;
    }
    CARAVEL_TRY(file.script(kSettings));
    CARAVEL_TRY(declare_rows_table(file));
    file_ = std::make_unique<Sqlite>(std::move(file));
    ++times_opened_;
    return file_.get();
  });
}

bool RowsFile::begin_group() {
  const auto file = open(false);
  if (!file || *file == nullptr) return false;
  auto begun = Transaction::begin(**file);
  if (!begun) return false;
  group_.emplace(*std::move(begun));
  return true;
}

void RowsFile::end_group() {
  if (group_) tables_.forget();
  group_.reset();
}

Result<> RowsFile::commit_group() {
  if (!is_in_group() || !still_there()) {
    return fail(ErrorKind::retry, name_ + ": the transaction of several extracts was broken off");
  }
  CARAVEL_TRY(in_context([&] { return group_->commit(); }));
  group_.reset();
  // A commit into a file that is no longer at its path stored nothing that anybody will find.
  if (still_there()) return {};
  return fail(ErrorKind::retry, name_ + ": the file was replaced while rows were stored in it");
}

Result<Sqlite*> RowsFile::open_with(std::string_view table) {
  CARAVEL_ASSIGN_OR_RETURN(auto file, open(false));
  if (file == nullptr) return nullptr;
  CARAVEL_ASSIGN_OR_RETURN(const auto columns, in_context([&] { return file->columns_of(table); }));
  return columns.empty() ? nullptr : file;
}

bool RowsFile::still_there() const {
  struct stat status {};
  return ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

Result<std::string> RowsFile::check(bool may_create) const {
  if (!exists(path_)) return check_missing(may_create);
  if (::access(path_.c_str(), R_OK | W_OK) != 0) return fail_with_errno(path_, errno);
  // The WAL and its index are files beside it (sqlite.org/wal.html): they must be made there.
  const std::string parent = parent_of(path_);
  if (::access(parent.c_str(), W_OK | X_OK) != 0) return fail_with_errno(parent, errno);
  CARAVEL_ASSIGN_OR_RETURN(const auto tables, in_context([&] { return count_tables(); }));
  return fmt::format("{} can be written and has {} tables", path_, tables);
}

Result<std::string> RowsFile::check_missing(bool may_create) const {
  if (!may_create) {
    return fail(ErrorKind::fault,
                fmt::format("{}: {} has vanished: rows were stored there before. Bring it back; "
                            "the next extract would make it anew",
                            name_, path_));
  }
  // open() makes one directory, not a whole path.
  const std::string parent = parent_of(path_);
  const std::string above = exists(parent) ? parent : parent_of(parent);
  if (::access(above.c_str(), W_OK | X_OK) != 0) {
    return fail_with_errno(fmt::format("{}: {} cannot be made in {}", name_, path_, above), errno);
  }
  return fmt::format("{} is not there yet and will be created", path_);
}

Result<std::uint64_t> RowsFile::count_tables() const {
  // Immutable, because check() must not change anything, and even a reader of a WAL database makes
  // files beside it (sqlite.org/wal.html).
  CARAVEL_ASSIGN_OR_RETURN(auto file,
                           Sqlite::open(path_, Sqlite::Mode::immutable, kBusyMilliseconds));
  std::uint64_t tables = 0;
  CARAVEL_TRY(file.each("SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
                        [&](const Statement& row) { tables = row.count(0); }));
  return tables;
}

}  // namespace caravel::uploader
