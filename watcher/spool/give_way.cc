#include "watcher/spool/give_way.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <limits>
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

enum class Turn { first, second, never };

/// When the files of this claim go. Of an extract that is in work, or that the ledger does not
/// know, nothing is removed: it may be read at this moment.
Turn turn_of(Ledger& ledger, std::string_view claim, unsigned tries_of_asker) {
  const auto known = ledger.extracts().find_claim(std::string(claim));
  if (!known || !*known) return Turn::never;
  const Extract& extract = **known;
  if (extract.state == State::done || extract.state == State::failed) return Turn::first;
  const bool yields = extract.state == State::waiting && extract.attempts > tries_of_asker;
  return yields ? Turn::second : Turn::never;
}

unsigned tries_of(Ledger& ledger, const std::string& claim) {
  const auto known = ledger.extracts().find_claim(claim);
  // Of whom nothing is known, nobody has to give way to.
  return known && *known ? (*known)->attempts : std::numeric_limits<unsigned>::max();
}

void cut_off(std::string_view& name, std::string_view ending) {
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
}

}  // namespace

std::string_view claim_of_file(std::string_view name) {
  if (name.starts_with(kTemporaryPrefix)) {
    name.remove_prefix(kTemporaryPrefix.size());
    // Behind the id, which may have a "." itself, stands an ending.
    const std::string_view id = name.substr(0, name.rfind('.'));
    return is_claim_id(id) ? id : std::string_view();
  }
  cut_off(name, ".sidecar");
  if (!name.ends_with(".csv")) return {};
  name.remove_suffix(4);
  return claim_id_at_end(name);
}

GivenWay give_way(const Spool& spool, Ledger& ledger, const std::string& asker,
                  const std::function<bool()>& enough) {
  std::vector<Removable> files;
  add_files(spool.csv_fd(), files);
  add_files(spool.rejects_fd(), files);
  std::ranges::sort(files, is_older);
  const unsigned tries = tries_of(ledger, asker);
  GivenWay gone;
  for (const Turn turn : {Turn::first, Turn::second}) {
    for (const Removable& file : files) {
      if (enough()) return gone;
      if (turn_of(ledger, claim_of_file(file.name), tries) != turn) continue;
      if (::unlinkat(file.directory, file.name.c_str(), 0) != 0) continue;
      ++gone.files;
      gone.bytes += file.bytes;
    }
  }
  return gone;
}

}  // namespace caravel::watcher
