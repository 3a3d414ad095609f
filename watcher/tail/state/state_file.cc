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

constexpr std::size_t kMaxStateBytes = 64 << 20;

}  // namespace

/// flock(2) ends with the process, however that ends: a lock is never left behind.
Result<> StateFile::lock() {
  const std::string lock = path_ + ".lock";
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(lock, O_RDWR | O_CREAT | O_NOFOLLOW));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_with_errno("lock " + lock, errno);
    return fail(ErrorKind::fault, path_ + ": another agent works with this state");
  }
  lock_ = std::move(fd);
  return {};
}

Result<State> StateFile::open() {
  CARAVEL_TRY(make_directory(directory_of(path_)));
  CARAVEL_TRY(lock());
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(path_));
  if (!stamp) return State{};  // the first start, or somebody deleted it to begin new runs
  // The limit is also what read_file() allocates.
  CARAVEL_ASSIGN_OR_RETURN(auto text,
                           read_file(path_, std::min<std::size_t>(stamp->size, kMaxStateBytes)));
  auto state = parse_state(text);
  if (!state) return tl::unexpected(with_context(path_, state.error()));
  // A crash may have come between its rename and the sync; what is published now relies on it.
  CARAVEL_TRY(disk_.sync_directory(directory_of(path_)));
  return state;
}

Result<> StateFile::prepare(const State& state) {
  return prepare_file(disk_, path_, format_state(state));
}

Result<> StateFile::put_in_place() { return tail::put_in_place(disk_, path_); }

}  // namespace caravel::tail
