#include "watcher/rebuild/exchange.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {
namespace {

constexpr unsigned kMostKept = 1000;

/// Whether both names lead to one file.
bool is_same_file(const std::string& one, const std::string& other) {
  struct stat a {};
  struct stat b {};
  return ::lstat(one.c_str(), &a) == 0 && ::lstat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

/// A second name for a file; one that it has already is fine. A missing file is false.
Result<bool> link_as(const std::string& file, const std::string& name) {
  if (::link(file.c_str(), name.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  if (errno == EEXIST && is_same_file(file, name)) return true;
  return fail_with_errno(fmt::format("link {} as {}", file, name), errno);
}

/// "ledger.db.damaged-20261130T001500Z", or the next free one; the one that the file has already,
/// after a crash.
std::string name_for_old(const std::string& ledger, Time now) {
  const std::filesystem::path path(ledger);
  const std::string prefix = path.filename().string() + ".damaged-";
  std::error_code error;
  // error_code forms throughout: a directory that cannot be listed only costs a second name.
  for (std::filesystem::directory_iterator entry(path.parent_path(), error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().string();
    if (entry->path().filename().string().starts_with(prefix) && is_same_file(ledger, name)) {
      return name;
    }
  }
  // 2026-11-30T00:15:00.250Z -> 20261130T001500Z
  std::string time = time_text(now).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  for (unsigned n = 1; n < kMostKept; ++n) {
    std::string name =
        fmt::format("{}.damaged-{}Z{}", ledger, time, n == 1 ? "" : fmt::format("-{}", n));
    struct stat status {};
    if (::lstat(name.c_str(), &status) != 0) return name;
  }
  return fmt::format("{}.damaged-{}Z-{}", ledger, time, kMostKept);
}

Result<> remove_if_there(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return fail_with_errno("remove " + path, errno);
}

Result<> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return fail_with_errno(fmt::format("rename {} to {}", from, to), errno);
}

}  // namespace

std::string rebuilding_path(const std::string& ledger) { return ledger + ".rebuilding"; }

Result<> publish_rebuilt(const std::string& ledger) {
  const std::string path = rebuilding_path(ledger);
  {
    CARAVEL_ASSIGN_OR_RETURN(const auto file, open_file(path, O_RDWR));
    // Whoever rebuilds, the service's user must be able to write it: as the old file, or else as
    // the directory that it lies in.
    struct stat like {};
    const std::string folder = std::filesystem::path(ledger).parent_path().string();
    const bool known = ::stat(ledger.c_str(), &like) == 0 || ::stat(folder.c_str(), &like) == 0;
    if (known && ::geteuid() == 0 && ::fchown(file.get(), like.st_uid, like.st_gid) != 0) {
      return fail_with_errno("chown " + path, errno);
    }
    if (::fsync(file.get()) != 0) return fail_with_errno("fsync " + path, errno);
  }
  CARAVEL_TRY(rename_file(path, ledger + std::string(Ledger::kRebuiltSuffix)));
  return sync_directory(std::filesystem::path(ledger).parent_path().string());
}

bool has_rebuilt(const std::string& ledger) {
  struct stat status {};
  return ::lstat((ledger + std::string(Ledger::kRebuiltSuffix)).c_str(), &status) == 0;
}

Result<std::string> finish_exchange(const std::string& ledger, Time now) {
  const std::string folder = std::filesystem::path(ledger).parent_path().string();
  std::string kept = name_for_old(ledger, now);
  // Both get their second names first: whatever comes after, nothing of the old ledger is lost.
  CARAVEL_ASSIGN_OR_RETURN(const bool had_log, link_as(ledger + "-wal", kept + "-wal"));
  CARAVEL_ASSIGN_OR_RETURN(const bool had_one, link_as(ledger, kept));
  CARAVEL_TRY(sync_directory(folder));
  // SQLite would apply the old log to the new file, for nothing in the file says that the log is
  // not its own. So the log goes first. A crash here leaves the old ledger without it: nobody opens
  // that one as long as PATH.rebuilt is there.
  CARAVEL_TRY(remove_if_there(ledger + "-wal"));
  CARAVEL_TRY(remove_if_there(ledger + "-shm"));
  CARAVEL_TRY(remove_if_there(ledger + "-journal"));
  CARAVEL_TRY(sync_directory(folder));
  CARAVEL_TRY(rename_file(ledger + std::string(Ledger::kRebuiltSuffix), ledger));
  CARAVEL_TRY(sync_directory(folder));
  return had_one || had_log ? kept : std::string();
}

}  // namespace caravel::watcher
