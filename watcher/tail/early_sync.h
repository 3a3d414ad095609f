// fsync(2) of an extract on a thread of its own, while the next one is copied.
#pragma once

#include <atomic>

#include "watcher/tail/thread.h"

namespace caravel::tail {

/// Begins at once; both descriptors outlive it. Where no thread can be had, it is done at once.
class EarlySync {
 public:
  EarlySync(int first, int second);
  EarlySync(const EarlySync&) = delete;
  EarlySync& operator=(const EarlySync&) = delete;
  ~EarlySync();

  /// Waits for the end. 0, or an errno: the kernel tells of a failed write-back only once.
  [[nodiscard]] int wait();

 private:
  void sync();

  int first_;
  int second_;
  std::atomic<int> error_{0};
  Thread thread_;
};

}  // namespace caravel::tail
