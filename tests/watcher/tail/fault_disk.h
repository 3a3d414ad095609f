// A disk that fails, "crashes" and loses its power on demand.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/tail/files/disk.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {

/// Thrown where a real agent would crash.
struct Crash {};

/// Does what Disk does, but waits for no disk to sync; fails on demand, and can forget what was not
/// synced.
class FaultDisk : public Disk {
 public:
  /// `lost`: a directory on the same file system. Replaced files are kept there, because
  /// cut_power() may bring them back.
  explicit FaultDisk(std::filesystem::path lost) : lost_(std::move(lost)) {}

  /// The agent crashes in the n-th operation from now (counted from 1). With `halfway`, the
  /// operation is done in part.
  void crash_in(int operations, bool halfway) {
    countdown_ = operations;
    halfway_ = halfway;
  }
  /// Until heal(), each operation for which `which` returns true fails with `error`.
  void break_operations(std::function<bool()> which, int error) {
    broken_ = std::move(which);
    error_ = error;
  }
  void heal() {
    broken_ = nullptr;
    countdown_ = 0;
  }
  [[nodiscard]] int operations() const { return operations_; }

  /// A fetcher takes a file away. Its removal is not synced either: cut_power() may bring the file
  /// back.
  void taken_away(const std::string& path) { RemoveForgettably(path); }

  /// The machine loses its power and starts again. What was synced is there. Each directory has its
  /// names as they were at some moment since its last sync, as if each were a file system of its
  /// own; any part of the bytes that were not synced may be lost. Names come back in the order of a
  /// journal, which says nothing about the bytes of the files.
  void cut_power(std::mt19937& random) {
    for (auto& [directory, changes] : names_) {
      std::size_t undone = std::uniform_int_distribution<std::size_t>(0, changes.size())(random);
      for (; undone > 0; --undone) {
        Undo(changes.back());
        changes.pop_back();
      }
    }
    names_.clear();
    for (const auto& directory : directories_) {
      for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (!entry.is_regular_file() || !bytes_.contains(Inode(entry.path()))) continue;
        std::uniform_int_distribution<std::uintmax_t> kept(0, entry.file_size());
        std::filesystem::resize_file(entry.path(), kept(random));
      }
    }
    bytes_.clear();
  }

  Result<UniqueFd> create(const std::string& path) override {
    if (Broken()) return fail_with_errno(path, error_);
    const bool last = Last();
    if (last && !halfway_) throw Crash{};
    const bool is_new = !is_there(path).value_or(false);
    auto fd = Disk::create(path);
    if (fd) {
      bytes_.insert(Inode(path));
      directories_.insert(directory_of(path));
      if (is_new) names_[directory_of(path)].push_back({{}, path, {}, {}});
    }
    if (last) throw Crash{};
    return fd;
  }
  Result<> write(int fd, std::string_view bytes) override {
    const bool broken = Broken();
    const bool last = Last();
    if (last || broken) {
      static_cast<void>(Disk::write(fd, bytes.substr(0, bytes.size() / 2)));
      if (last) throw Crash{};
      return fail_with_errno("write", error_);
    }
    return Disk::write(fd, bytes);
  }
  Result<> sync(int fd) override {
    return Simple([&]() -> Result<> {
      struct stat status {};
      if (::fstat(fd, &status) != 0) return fail_with_errno("stat", errno);
      bytes_.erase(status.st_ino);
      return {};
    });
  }
  Result<> sync_directory(const std::string& path) override {
    return Simple([&]() -> Result<> {
      names_.erase(path);
      return {};
    });
  }
  Result<> replace(const std::string& from, const std::string& to) override {
    return Simple([&]() -> Result<> {
      Change change{from, to, {}, {}};
      if (is_there(to).value_or(false)) KeepAside(to, change);
      auto done = Disk::replace(from, to);
      if (done) names_[directory_of(to)].push_back(std::move(change));
      return done;
    });
  }
  Result<bool> publish(const std::string& from, const std::string& to) override {
    if (Broken()) return fail_with_errno("rename", error_);
    const bool last = Last();
    if (last && !halfway_) throw Crash{};
    auto result = Disk::publish(from, to);
    if (result && *result) names_[directory_of(to)].push_back({from, to, {}, {}});
    if (last) throw Crash{};
    return result;
  }
  Result<> remove(const std::string& path) override {
    return Simple([&]() -> Result<> {
      if (!is_there(path).value_or(false)) return {};
      RemoveForgettably(path);
      return {};
    });
  }

 private:
  /// One change of names: `from` was renamed to `to`. If `from` is empty, the file was made; if
  /// `to` is empty, it was deleted. The file that had been at `was_at` lies at `replaced` since.
  struct Change {
    std::string from;
    std::string to;
    std::string replaced;
    std::string was_at;
  };
  static void Undo(const Change& change) {
    if (change.from.empty() && !change.to.empty()) std::filesystem::remove(change.to);
    if (!change.from.empty()) std::filesystem::rename(change.to, change.from);
    if (!change.replaced.empty()) std::filesystem::rename(change.replaced, change.was_at);
  }

  static ino_t Inode(const std::filesystem::path& path) {
    struct stat status {};
    ::lstat(path.c_str(), &status);
    return status.st_ino;
  }
  void KeepAside(const std::string& path, Change& change) {
    change.replaced = lost_ / std::to_string(++kept_);
    change.was_at = path;
    std::filesystem::create_hard_link(path, change.replaced);
  }
  void RemoveForgettably(const std::string& path) {
    Change change;
    KeepAside(path, change);
    std::filesystem::remove(path);
    names_[directory_of(path)].push_back(std::move(change));
  }
  bool Broken() { return broken_ && broken_(); }
  bool Last() {
    ++operations_;
    return countdown_ > 0 && --countdown_ == 0;
  }
  template <class Operation>
  Result<> Simple(Operation operation) {
    if (Broken()) return fail_with_errno("disk", error_);
    const bool last = Last();
    if (last && !halfway_) throw Crash{};
    auto result = operation();
    if (last) throw Crash{};
    return result;
  }

  std::filesystem::path lost_;
  int kept_ = 0;
  std::map<std::string, std::vector<Change>> names_;  // changes not synced, by directory, in order
  std::set<ino_t> bytes_;                             // files with bytes not synced
  std::set<std::string> directories_;                 // where files were made
  int countdown_ = 0;
  bool halfway_ = false;
  std::function<bool()> broken_;
  int error_ = ENOSPC;
  int operations_ = 0;
};

}  // namespace caravel::tail
