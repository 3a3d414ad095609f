#include "watcher/tail/early_sync.h"

#include <unistd.h>

#include <cerrno>

namespace caravel::tail {

EarlySync::EarlySync(int first, int second) : first_(first), second_(second) {
  if (!thread_.start<&EarlySync::sync>(this)) sync();
}

EarlySync::~EarlySync() { static_cast<void>(wait()); }

void EarlySync::sync() {
  for (const int fd : {first_, second_}) {
    if (::fsync(fd) != 0) error_ = errno;
  }
}

int EarlySync::wait() {
  thread_.join();
  return error_;
}

}  // namespace caravel::tail
