// A thread that may not be had, and what two of them need to wait for each other. pthreads(7), not
// <thread>: the agent is linked statically, and the standard library's would make it a tenth
// larger.
#pragma once

#include <pthread.h>

namespace caravel::tail {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { join(); }

  /// Runs `(object->*run)()`. False where no thread can be had (a limit on processes).
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

/// A lock and the one condition under it.
class Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() {
    ::pthread_cond_destroy(&changed_);
    ::pthread_mutex_destroy(&mutex_);
  }

  void lock() { ::pthread_mutex_lock(&mutex_); }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }
  /// Under the lock: until somebody says that something changed.
  void wait() { ::pthread_cond_wait(&changed_, &mutex_); }
  void say_changed() { ::pthread_cond_broadcast(&changed_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
};

class MonitorLock {
 public:
  explicit MonitorLock(Monitor& monitor) : monitor_(monitor) { monitor_.lock(); }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;
  ~MonitorLock() { monitor_.unlock(); }

 private:
  Monitor& monitor_;
};

}  // namespace caravel::tail
