#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "watcher/files/directory.h"
#include "watcher/ledger/extracts.h"
#include "watcher/retention/folders.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/give_way.h"

namespace caravel::watcher {
namespace {

struct CsvFile {
  std::string name;
  std::uint64_t bytes = 0;
  timespec written{};  // a CSV is made by us, so its mtime is the time at which it was written
};

bool is_older_csv(const CsvFile& a, const CsvFile& b) {
  return std::tie(a.written.tv_sec, a.written.tv_nsec, a.name) <
         std::tie(b.written.tv_sec, b.written.tv_nsec, b.name);
}

/// Whether an upload may be reading it, or begin to. Of a ledger that does not answer nobody knows.
bool may_be_needed(Ledger& ledger, const std::string& name) {
  const std::string_view claim = claim_of_file(name);
  if (claim.empty()) return false;
  const auto known = ledger.extracts().find_claim(std::string(claim));
  if (!known) return true;
  return *known && (*known)->state != State::done && (*known)->state != State::failed;
}

}  // namespace

void prune_csv(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
               Time now, Remover& remover) {
  std::vector<CsvFile> files;
  Fill fill(most);
  const auto listed = for_each_name(spool.csv_fd(), [&](const std::string& name) {
    struct stat status;
    if (!name.starts_with(kTemporaryPrefix) &&
        ::fstatat(spool.csv_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode)) {
      files.push_back({name, static_cast<std::uint64_t>(status.st_size), status.st_mtim});
      fill.add(files.back().bytes);
    }
    return true;
  });
  if (!listed) remover.note(listed.error());
  std::ranges::sort(files, is_older_csv);
  for (const CsvFile& file : files) {
    const std::string path = "csv/" + file.name;
    const auto age = std::chrono::floor<std::chrono::milliseconds>(
        now - std::chrono::system_clock::from_time_t(file.written.tv_sec));
    const bool old = age >= keep(path);
    if ((!old && !fill.is_over()) || may_be_needed(ledger, file.name)) continue;
    const auto reason = old ? RemovalReason::age : RemovalReason::size;
    if (remover.remove(spool.csv_fd(), file.name, {path, file.bytes, reason})) {
      fill.take(file.bytes);
    }
  }
  remover.note_fill("csv", fill);
}

}  // namespace caravel::watcher
