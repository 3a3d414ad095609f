#include "watcher/tail/early_sync.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace caravel::tail {

EarlySync::EarlySync(int first, int second) {
  const auto sync = [this, first, second] {
    for (const int fd : {first, second}) {
      if (::fsync(fd) != 0) error_ = errno;
    }
  };
  try {
    thread_ = std::thread(sync);
  } catch (const std::system_error&) {
    sync();  // a limit on threads
  }
}

EarlySync::~EarlySync() { static_cast<void>(wait()); }

int EarlySync::wait() {
  if (thread_.joinable()) thread_.join();
  return error_;
}

}  // namespace caravel::tail
