#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "watcher/files/directory.h"
#include "watcher/files/file_stamp.h"
#include "watcher/ledger/history.h"
#include "watcher/retention/folders.h"
#include "watcher/spool/why_file.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kPageOfFailures = 1000;
constexpr std::size_t kAllFailures = 1'000'000'000;

struct FailedFile {
  Time settled_at;
  std::string feed;
  std::string name;
  std::uint64_t bytes = 0;  // with its .why
};

std::string why_name(const std::string& name) { return name + ".why"; }

/// 0 for one that is not there.
std::uint64_t size_in_failed(const Spool& spool, const std::string& name) {
  struct stat status;
  const bool there = ::fstatat(spool.failed_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  return there ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// A name in failed/ may have been given again, after a person took the file away. The file is
/// this failure's if its .why says so; where that is gone, if it is the file that was claimed.
bool is_file_of(const Spool& spool, const Extract& extract, const std::string& name,
                const struct stat& status) {
  const WhyFile why(spool, Claim{extract.claim, extract.name}, "");
  if (why.is_ours(why_name(name))) return true;
  const auto there = exists_at(spool.failed_fd(), why_name(name));
  FileStamp claimed;
  claimed.size = extract.size;
  claimed.mtime_ns = extract.mtime_ns;
  return there && !*there && !changed_since(claimed, stamp_of(status));
}

/// The files whose failures are settled, and no open failure's.
Result<std::vector<FailedFile>> settled_files(const Spool& spool, Ledger& ledger) {
  const std::string folder = spool.path() + "/failed/";
  std::set<std::string> open;
  CARAVEL_ASSIGN_OR_RETURN(const auto failures, ledger.history().open_failures(kAllFailures));
  for (const Extract& extract : failures) open.insert(extract.done_path);
  std::vector<FailedFile> files;
  std::int64_t after = 0;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto page,
                             ledger.history().settled_failures(after, kPageOfFailures));
    for (const Extract& extract : page) {
      after = extract.id;
      if (!extract.done_path.starts_with(folder) || open.contains(extract.done_path)) continue;
      const std::string name = extract.done_path.substr(folder.size());
      struct stat status;
      if (::fstatat(spool.failed_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          S_ISDIR(status.st_mode) || !is_file_of(spool, extract, name, status)) {
        continue;
      }
      files.push_back(
          {extract.settled_at.value_or(extract.since), extract.feed, name,
           static_cast<std::uint64_t>(status.st_size) + size_in_failed(spool, why_name(name))});
    }
    if (page.size() < kPageOfFailures) return files;
  }
}

/// All that lies in the folder, settled or not.
void add_all(const Spool& spool, Fill& fill, Remover& remover) {
  const auto listed = for_each_name(spool.failed_fd(), [&](const std::string& name) {
    struct stat status;
    if (::fstatat(spool.failed_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode)) {
      fill.add(static_cast<std::uint64_t>(status.st_size));
    }
    return true;
  });
  if (!listed) remover.note(listed.error());
}

}  // namespace

void prune_failed(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
                  Time now, Remover& remover) {
  auto files = settled_files(spool, ledger);
  if (!files) return remover.note(std::move(files).error());
  Fill fill(most);
  if (fill.is_bounded()) add_all(spool, fill, remover);
  std::ranges::sort(*files, {}, &FailedFile::settled_at);
  for (const FailedFile& file : *files) {
    const auto age = std::chrono::floor<std::chrono::milliseconds>(now - file.settled_at);
    const bool old = age >= keep(file.feed);
    if (!old && !fill.is_over()) continue;
    const auto reason = old ? RemovalReason::age : RemovalReason::size;
    if (!remover.remove(spool.failed_fd(), file.name,
                        {"failed/" + file.name, file.bytes, reason})) {
      continue;
    }
    fill.take(file.bytes);
    // Behind the file: a file without its .why would be one that nothing explains.
    remover.remove_hidden(spool.failed_fd(), why_name(file.name));
  }
  remover.note_fill("failed", fill);
}

}  // namespace caravel::watcher
