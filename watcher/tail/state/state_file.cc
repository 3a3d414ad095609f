#include "watcher/tail/state/state_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "base/file.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

/// Room for half a million known files. A file that is larger is no state of this agent.
constexpr std::size_t kMaxStateBytes = 64 << 20;

}  // namespace

/// Takes the lock without waiting. flock(2) ends with the process, however that ends: kill -9
/// leaves no lock behind. The lock is on a file of its own, because the state file is replaced at
/// each save, and a lock stays with the replaced file.
Result<> StateFile::lock() {
  const std::string lock = path_ + std::string(kLockSuffix);
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(lock, O_RDWR | O_CREAT | O_NOFOLLOW));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_with_errno("lock " + lock, errno);
    return fail(ErrorKind::fault, path_ + ": another agent works with this state");
  }
  lock_ = std::move(fd);
  return {};
}

Result<std::optional<State>> read_state(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(path));
  if (!stamp) return std::nullopt;
  // read_file() allocates as much as its limit, so the file's own size is the limit.
  CARAVEL_ASSIGN_OR_RETURN(auto text,
                           read_file(path, std::min<std::size_t>(stamp->size, kMaxStateBytes)));
  auto state = parse_state(text);
  if (!state) return tl::unexpected(with_context(path, state.error()));
  return std::move(*state);
}

Result<State> StateFile::open() {
  CARAVEL_TRY(make_directory(directory_of(path_)));
  CARAVEL_TRY(lock());
  CARAVEL_ASSIGN_OR_RETURN(auto state, read_state(path_));
  if (!state) return State{};  // the first start, or somebody deleted it to begin new runs
  // A crash may have come between the rename of this state and the sync of its directory. What is
  // published from now on relies on this state, so its name must not be lost by a power loss.
  CARAVEL_TRY(disk_.sync_directory(directory_of(path_)));
  return std::move(*state);
}

Result<> StateFile::prepare(const State& state) {
  return prepare_file(disk_, path_, format_state(state));
}

Result<> StateFile::put_in_place() { return tail::put_in_place(disk_, path_); }

}  // namespace caravel::tail
