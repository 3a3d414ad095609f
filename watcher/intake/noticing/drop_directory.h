// One drop directory: its descriptor, its watches, where its claims go, and the feeds it serves.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/config/config.h"
#include "watcher/files/file_system.h"
#include "watcher/files/scan.h"
#include "watcher/intake/noticing/inotify.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Every drop directory is scanned so often, whatever inotify says.
inline constexpr std::chrono::seconds kScanEvery{60};
/// Where no event tells of a file, one scan follows the other after this time.
inline constexpr std::chrono::seconds kPollEvery{2};

/// One thread's, like the Inotify that it sets its watches with.
class DropDirectory {
 public:
  explicit DropDirectory(std::string path) : path_(std::move(path)) {}

  /// Feeds in the configuration's order: the first whose pattern names a file has it.
  void add_feed(const FeedConfig& feed) { feeds_.push_back(&feed); }

  /// Opens the directory by its path (again, if it was removed and made anew) and watches it, if
  /// `inotify` is given. Errors: there is no such directory (its parent is watched even so), or
  /// `.caravel` in it is not ours alone (claim_root_for()). A watch that cannot be had is none of
  /// them: watched() says so, and the directory is polled.
  [[nodiscard]] Result<> open(const Spool& spool, Inotify* inotify);
  /// Sets the watches that are wanted and missing, on the directory and on its parent: call it
  /// before each scan. The watch comes before the scan, so a file that comes between the two is
  /// seen twice, never missed.
  void watch(Inotify* inotify);
  /// Why no event tells of new files though one should, as watch() last found it.
  [[nodiscard]] const Result<>& watched() const { return watched_; }
  void close(Inotify* inotify);
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  /// The directory is open, and its path still leads to it.
  [[nodiscard]] bool is_current() const;
  /// A fault if the directory was on a file system that is not mounted any more: its path then
  /// leads to a directory on the disk below, which is open.
  [[nodiscard]] Result<> mounted() const;

  /// Judges one name for the feeds; the feed is nullptr unless one of them takes it, as an extract
  /// or as the manifest of one.
  struct Judged {
    const FeedConfig* feed = nullptr;
    ScanEntry entry;

    [[nodiscard]] bool is_manifest() const { return entry.verdict.kind == NameKind::manifest; }
  };
  [[nodiscard]] Judged judge(ScanEntry entry) const;
  /// Looks at one name; nothing if it vanished.
  [[nodiscard]] Result<std::optional<Judged>> look(const std::string& name) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] int watch() const { return watch_; }
  [[nodiscard]] int parent_watch() const { return parent_watch_; }
  [[nodiscard]] const ClaimRoot& root() const { return *roots_.back(); }
  [[nodiscard]] const FileSystemTraits& traits() const { return traits_; }
  [[nodiscard]] const std::vector<const FeedConfig*>& feeds() const { return feeds_; }
  /// Files are found by scans that follow each other closely, since no event tells of them here.
  [[nodiscard]] bool polled() const;
  /// A feed wants to be told of new files by events (`notice`), and the file system has them.
  [[nodiscard]] bool wants_events() const;

  [[nodiscard]] std::chrono::steady_clock::time_point next_scan() const { return next_scan_; }
  /// A scan begins: when the next is due.
  void scan_begins(const Moment& now);
  /// Something could not be done: scan again soon.
  void scan_soon(const Moment& now);
  /// The directory could not be opened: when to try again, besides the watch on its parent.
  void open_later(const Moment& now);

 private:
  Result<> watch_what_is_missing(Inotify& inotify);
  void note_mount();

  std::string path_;
  std::vector<const FeedConfig*> feeds_;
  UniqueFd fd_;
  int watch_ = -1;
  int parent_watch_ = -1;
  Result<> watched_;
  std::string mount_;       // the mount point that the directory was on when it was opened last
  std::string lost_mount_;  // a longer one before, whose file system is not mounted any more
  // New claims go to the last of these. The earlier ones stay open, because claims in work refer to
  // them and outlive a drop directory that is removed, or that is covered by another mount.
  std::vector<std::unique_ptr<ClaimRoot>> roots_;
  FileSystemTraits traits_;
  std::chrono::steady_clock::time_point next_scan_{};
};

/// In the order of the configuration. Their addresses stay, and so do their places, by which
/// stillness and candidates name them.
using DropDirectories = std::vector<std::unique_ptr<DropDirectory>>;

/// One for each `drop` of the feeds, which feeds may share; none is open. `config` must outlive
/// them.
[[nodiscard]] DropDirectories drop_directories(const Config& config);

}  // namespace caravel::watcher
