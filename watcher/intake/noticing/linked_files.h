// Files in drop directories that have a second link.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/moment.h"
#include "watcher/files/completeness.h"

namespace caravel::watcher {

/// Says when to look again at files that have more than one link. A sender may link a finished file
/// into place and remove its first name right after; that name lies in another directory, so no
/// watch tells of its removal. The looks come at ever longer intervals, up to the regular scan,
/// which then takes over. Pure.
class LinkedFiles {
 public:
  using Key = StillnessTracker::Key;

  /// The file was looked at and has more than one link.
  void wait(const Key& file, const Moment& now);
  void forget(const Key& file) { files_.erase(file); }
  void forget_directory(int directory);

  [[nodiscard]] std::vector<Key> due(const Moment& now) const;
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_deadline() const;
  [[nodiscard]] std::size_t size() const { return files_.size(); }

 private:
  struct File {
    std::chrono::milliseconds delay;
    std::chrono::steady_clock::time_point next_look;
  };
  std::map<Key, File> files_;
};

}  // namespace caravel::watcher
