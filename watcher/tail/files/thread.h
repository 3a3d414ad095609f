// A thread, where the system allows one. pthreads(7), not <thread>: the agent is linked statically,
// and the standard library's would make it a tenth larger.
#pragma once

#include <pthread.h>

namespace caravel::tail {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { join(); }

  /// Runs `(object->*run)()` in a new thread. False if none can be started (a limit on processes).
  template <auto run, class Object>
  [[nodiscard]] bool start(Object* object) {
    const auto call = [](void* given) -> void* {
      (static_cast<Object*>(given)->*run)();
      return nullptr;
    };
    running_ = ::pthread_create(&thread_, nullptr, call, object) == 0;
    return running_;
  }
  [[nodiscard]] bool running() const { return running_; }
  void join() {
    if (running_) ::pthread_join(thread_, nullptr);
    running_ = false;
  }

 private:
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace caravel::tail
