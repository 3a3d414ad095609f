#include "watcher/tail/hash_thread.h"

#include <string_view>
#include <system_error>

namespace caravel::tail {

HashThread::HashThread(std::size_t slot_bytes, std::size_t slots)
    : buffer_(slot_bytes * slots), sizes_(slots), slot_bytes_(slot_bytes) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    // No more threads for this user: put() hashes.
  }
}

HashThread::~HashThread() { stop(); }

char* HashThread::slot() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return filled_ - hashed_ < sizes_.size(); });
  return buffer_.data() + filled_ % sizes_.size() * slot_bytes_;
}

void HashThread::put(std::size_t size) {
  const std::size_t index = filled_ % sizes_.size();
  if (!thread_.joinable()) sha256_.update({buffer_.data() + index * slot_bytes_, size});
  const std::lock_guard lock(mutex_);
  sizes_[index] = size;
  ++filled_;
  if (!thread_.joinable()) hashed_ = filled_;
  changed_.notify_all();
}

void HashThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || hashed_ < filled_; });
    if (hashed_ == filled_) return;
    const std::size_t index = hashed_ % sizes_.size();
    const std::string_view bytes(buffer_.data() + index * slot_bytes_, sizes_[index]);
    lock.unlock();
    sha256_.update(bytes);
    lock.lock();
    ++hashed_;
    changed_.notify_all();
  }
}

void HashThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::string HashThread::finish() {
  stop();
  return sha256_.finish();
}

}  // namespace caravel::tail
