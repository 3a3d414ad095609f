#include "watcher/spool/give_way.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "watcher/files/directory.h"
#include "watcher/ledger/extracts.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

struct Removable {
  int directory = -1;
  std::string name;
  timespec written{};
  std::uint64_t bytes = 0;
};

/// All files of a claim, whatever has become of it.
void add_files(int directory, std::vector<Removable>& files) {
  // A directory that cannot be read now has nothing to give.
  (void)for_each_name(directory, [&](const std::string& name) {
    struct stat status;
    if (claim_of_file(name).empty() ||
        ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      return true;
    }
    files.push_back({directory, name, status.st_mtim, static_cast<std::uint64_t>(status.st_size)});
    return true;
  });
}

bool is_older(const Removable& a, const Removable& b) {
  if (a.written.tv_sec != b.written.tv_sec) return a.written.tv_sec < b.written.tv_sec;
  return a.written.tv_nsec < b.written.tv_nsec;
}

/// Of an extract that is in work, or that the ledger does not know, nothing is removed: it may be
/// read at this moment.
bool has_ended(Ledger& ledger, std::string_view claim) {
  const auto known = ledger.extracts().find_claim(std::string(claim));
  return known && *known && ((*known)->state == State::done || (*known)->state == State::failed);
}

void cut_off(std::string_view& name, std::string_view ending) {
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
}

}  // namespace

std::string_view claim_of_file(std::string_view name) {
  if (name.starts_with(kTemporaryPrefix)) {
    name.remove_prefix(kTemporaryPrefix.size());
    const std::string_view id = name.substr(0, name.find('.'));
    return is_claim_id(id) ? id : std::string_view();
  }
  cut_off(name, ".sidecar");
  if (!name.ends_with(".csv")) return {};
  name.remove_suffix(4);
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || !is_claim_id(name.substr(dot + 1))) return {};
  return name.substr(dot + 1);
}

Expired give_way(const Spool& spool, Ledger& ledger, const std::function<bool()>& enough) {
  std::vector<Removable> files;
  add_files(spool.csv_fd(), files);
  add_files(spool.rejects_fd(), files);
  std::ranges::sort(files, is_older);
  Expired gone;
  for (const Removable& file : files) {
    if (enough()) break;
    if (!has_ended(ledger, claim_of_file(file.name))) continue;
    if (::unlinkat(file.directory, file.name.c_str(), 0) != 0) continue;
    ++gone.files;
    gone.bytes += file.bytes;
  }
  return gone;
}

}  // namespace caravel::watcher
