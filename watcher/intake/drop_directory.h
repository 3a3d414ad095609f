// One drop directory: its descriptor, its watches, where its claims go, and the feeds it serves.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/config/config.h"
#include "watcher/files/file_system.h"
#include "watcher/files/scan.h"
#include "watcher/intake/inotify.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

class DropDirectory {
 public:
  explicit DropDirectory(std::string path) : path_(std::move(path)) {}

  /// Feeds in the configuration's order: the first whose pattern names a file has it.
  void add_feed(const FeedConfig& feed) { feeds_.push_back(&feed); }

  /// Opens the directory by its path (again, if it was removed and made anew) and watches it and
  /// its parent, if `inotify` is given. Add the watch, then scan.
  [[nodiscard]] Result<> open(const Spool& spool, Inotify* inotify);
  void close(Inotify* inotify);
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  /// The path still leads to the directory that is open.
  [[nodiscard]] bool is_current() const;

  /// Judges one name for the feeds; the feed is nullptr unless one of them takes it, as an extract
  /// or as the manifest of one.
  struct Judged {
    const FeedConfig* feed = nullptr;
    ScanEntry entry;

    [[nodiscard]] bool is_manifest() const { return entry.verdict.kind == NameKind::manifest; }
  };
  [[nodiscard]] Judged judge(ScanEntry entry) const;
  /// Looks at one name.
  [[nodiscard]] Result<std::optional<Judged>> look(const std::string& name) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int watch() const { return watch_; }
  [[nodiscard]] int parent_watch() const { return parent_watch_; }
  [[nodiscard]] const ClaimRoot& root() const { return *roots_.back(); }
  [[nodiscard]] const FileSystemTraits& traits() const { return traits_; }
  [[nodiscard]] const std::vector<const FeedConfig*>& feeds() const { return feeds_; }
  /// Files are found by scans that follow each other closely.
  [[nodiscard]] bool polled() const;

  std::chrono::steady_clock::time_point next_scan{};

 private:
  std::string path_;
  std::vector<const FeedConfig*> feeds_;
  UniqueFd fd_;
  int watch_ = -1;
  int parent_watch_ = -1;
  // The last is the one for new claims. Those of before stay: claims in work refer to them, and
  // outlive a drop directory that is removed, or that another file system is mounted over.
  std::vector<std::unique_ptr<ClaimRoot>> roots_;
  FileSystemTraits traits_;
};

}  // namespace caravel::watcher
