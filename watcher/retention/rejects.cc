#include "watcher/spool/rejects.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "watcher/ledger/history.h"
#include "watcher/retention/folders.h"
#include "watcher/spool/originals.h"

namespace caravel::watcher {
namespace {

/// The files that one extract left.
struct RejectGroup {
  RejectOwner owner;
  std::vector<Removal> files;  // their paths begin with "rejects/"
  std::uint64_t bytes = 0;
};

std::string name_in_rejects(const Removal& file) {
  return file.path.substr(file.path.rfind('/') + 1);
}

RejectGroup group_of(const Spool& spool, RejectOwner owner) {
  RejectGroup group{std::move(owner), {}, 0};
  for (const std::string& name : reject_file_names(group.owner.base)) {
    struct stat status;
    if (::fstatat(spool.rejects_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    group.files.push_back({"rejects/" + name, bytes});
    group.bytes += bytes;
  }
  return group;
}

/// When a person acknowledged the rejects; nothing if nobody did. The files are those of the newest
/// extract of this content: an older one's were replaced by them.
std::optional<Time> acknowledged_at(Ledger& ledger, const RejectOwner& owner) {
  const auto known = ledger.history().find_sha256(owner.sha256);
  if (!known) return std::nullopt;
  const auto newest = std::ranges::find_if(*known, [&](const Extract& extract) {
    return extract.feed == owner.feed && extract.state != State::failed;
  });
  if (newest == known->end() || newest->state != State::done) return std::nullopt;
  return newest->settled == Settled::acknowledged ? newest->settled_at : std::nullopt;
}

/// The owner goes last: as long as a file is there, a replay must find whose it is.
void remove_group(const Spool& spool, const RejectGroup& group, RemovalReason reason,
                  Remover& remover, Fill& fill) {
  for (Removal file : group.files) {
    file.reason = reason;
    if (!remover.remove(spool.rejects_fd(), name_in_rejects(file), file)) return;
    fill.take(file.bytes);
  }
  remover.remove_hidden(spool.rejects_fd(), original_mark(group.owner.base));
  remover.remove_hidden(spool.rejects_fd(), reject_owner_name(group.owner.base));
}

}  // namespace

void prune_rejects(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
                   Time now, Remover& remover) {
  // Whoever publishes holds this lock for the time of a few renames; the next hour comes.
  const UniqueFd lock = lock_rejects(spool);
  if (!lock) return;
  const auto owners = reject_owners(spool);
  if (!owners) return remover.note(owners.error());
  std::vector<std::pair<Time, RejectGroup>> settled;
  Fill fill(most);
  for (const RejectOwner& owner : *owners) {
    RejectGroup group = group_of(spool, owner);
    fill.add(group.bytes);
    // Files that a person has deleted leave nothing to be settled.
    if (group.files.empty()) {
      remove_group(spool, group, RemovalReason::age, remover, fill);
    } else if (const auto at = acknowledged_at(ledger, owner)) {
      settled.emplace_back(*at, std::move(group));
    }
  }
  std::ranges::sort(settled, {}, [](const auto& one) { return one.first; });
  for (const auto& [at, group] : settled) {
    const auto age = std::chrono::floor<std::chrono::milliseconds>(now - at);
    const bool old = age >= keep(group.owner.feed);
    if (!old && !fill.is_over()) continue;
    remove_group(spool, group, old ? RemovalReason::age : RemovalReason::size, remover, fill);
  }
  remover.note_fill("rejects", fill);
}

}  // namespace caravel::watcher
