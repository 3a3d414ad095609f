// A disk with little room.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/tail/files/disk.h"

namespace caravel::tail {

/// A disk with room for `room` bytes. May be used by several threads.
class SmallDisk : public Disk {
 public:
  explicit SmallDisk(std::uintmax_t room = UINTMAX_MAX) : room_(room) {}

  /// Calls `action` before the n-th write from now (counted from 1).
  void before_write(int n, std::function<void()> action) {
    countdown_ = n;
    action_ = std::move(action);
  }

  /// Waits until a file is created whose path holds both texts, then calls `action` before the next
  /// write.
  void once_created(std::string sequence, std::string suffix, std::function<void()> action) {
    created_ = {std::move(sequence), std::move(suffix)};
    action_ = std::move(action);
  }

  /// Calls `action` before the next removal of a sent extract.
  void before_expiry(std::function<void()> action) { expiry_ = std::move(action); }

  Result<UniqueFd> create(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    GiveBack(path);
    if (!created_.empty() && std::ranges::all_of(created_, [&](const std::string& part) {
          return path.find(part) != std::string::npos;
        })) {
      created_.clear();
      countdown_ = 1;
    }
    return Disk::create(path);
  }
  Result<> write(int fd, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (countdown_ > 0 && --countdown_ == 0) action_();
    if (bytes.size() > room_) return fail_with_errno("write", ENOSPC);
    room_ -= bytes.size();
    return Disk::write(fd, bytes);
  }
  Result<> replace(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    GiveBack(to);
    return Disk::replace(from, to);
  }
  Result<> remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (expiry_ && path.find("/sent/") != std::string::npos) std::exchange(expiry_, nullptr)();
    GiveBack(path);
    return Disk::remove(path);
  }

 private:
  void GiveBack(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!error) room_ += size;
  }

  std::mutex mutex_;
  std::uintmax_t room_;
  int countdown_ = 0;
  std::vector<std::string> created_;
  std::function<void()> action_;
  std::function<void()> expiry_;
};

}  // namespace caravel::tail
