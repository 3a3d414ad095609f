// SHA-256 on another thread, for as long as one extract is copied.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "watcher/tail/sha256.h"
#include "watcher/tail/thread.h"

namespace caravel::tail {

/// A ring of buffers between the thread that fills them and the one that hashes them. Without a
/// second thread (a limit on processes) the first one hashes.
class HashThread {
 public:
  HashThread(std::size_t slot_bytes, std::size_t slots);
  HashThread(const HashThread&) = delete;
  HashThread& operator=(const HashThread&) = delete;
  /// Ends the thread, also in the middle.
  ~HashThread();

  /// The next buffer to fill; waits until it is hashed. The bytes of the one before stay readable.
  [[nodiscard]] char* slot();
  /// The slot holds `size` bytes.
  void put(std::size_t size);
  /// 64 hex digits over all that was put.
  [[nodiscard]] std::string finish();

 private:
  void run();
  void stop();

  std::vector<char> buffer_;
  std::vector<std::size_t> sizes_;
  std::size_t slot_bytes_;
  Sha256 sha256_;
  Monitor monitor_;         // of what follows
  std::size_t filled_ = 0;  // slots put so far
  std::size_t hashed_ = 0;
  bool ended_ = false;
  Thread thread_;
};

}  // namespace caravel::tail
