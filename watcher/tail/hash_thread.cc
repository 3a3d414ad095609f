#include "watcher/tail/hash_thread.h"

#include <string_view>

namespace caravel::tail {

HashThread::HashThread(std::size_t slot_bytes, std::size_t slots)
    : buffer_(slot_bytes * slots), sizes_(slots), slot_bytes_(slot_bytes) {
  // Where no thread can be had, put() hashes.
  static_cast<void>(thread_.start<&HashThread::run>(this));
}

HashThread::~HashThread() { stop(); }

char* HashThread::slot() {
  const MonitorLock lock(monitor_);
  while (filled_ - hashed_ == sizes_.size()) monitor_.wait();
  return buffer_.data() + filled_ % sizes_.size() * slot_bytes_;
}

void HashThread::put(std::size_t size) {
  const std::size_t index = filled_ % sizes_.size();
  if (!thread_.running()) sha256_.update({buffer_.data() + index * slot_bytes_, size});
  const MonitorLock lock(monitor_);
  sizes_[index] = size;
  ++filled_;
  if (!thread_.running()) hashed_ = filled_;
  monitor_.say_changed();
}

void HashThread::run() {
  const MonitorLock lock(monitor_);
  for (;;) {
    while (!ended_ && hashed_ == filled_) monitor_.wait();
    if (hashed_ == filled_) return;
    const std::size_t index = hashed_ % sizes_.size();
    const std::string_view bytes(buffer_.data() + index * slot_bytes_, sizes_[index]);
    monitor_.unlock();
    sha256_.update(bytes);
    monitor_.lock();
    ++hashed_;
    monitor_.say_changed();
  }
}

void HashThread::stop() {
  {
    const MonitorLock lock(monitor_);
    ended_ = true;
    monitor_.say_changed();
  }
  thread_.join();
}

std::string HashThread::finish() {
  stop();
  return sha256_.finish();
}

}  // namespace caravel::tail
