// Open files that wait to be read: whatever they are renamed to, packed into, or deleted meanwhile,
// their bytes are there as long as they are held.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/watch/directory_watch.h"

namespace caravel::tail {

struct HeldFile {
  FileId id;
  UniqueFd fd;                     // none if it must not be read
  std::vector<std::string> paths;  // names that it had; the last is the newest
  std::uint64_t appeared = 0;      // its place in the order of appearance, from 1; 0: only found
  std::chrono::steady_clock::time_point needed;  // when a log last said that it needs the file
};

/// Holds files for all logs of an agent, each once. Which log's a file is, and when it is no longer
/// needed, others say.
class HeldFiles {
 public:
  /// `most`: how many files are held at a time.
  explicit HeldFiles(std::size_t most) : most_(most) {}

  /// Takes over what appeared. A file that is held already gets further names.
  void take_over(std::vector<Arrival> arrivals, const Moment& now);
  /// Holds a file that a look found, by a descriptor of its own. False: there are too many already;
  /// this one must be read by its name, as long as it has one.
  bool hold(const Sibling& file, const Moment& now);

  /// Null if the file is not held. For the moment: any other call may move it.
  [[nodiscard]] const HeldFile* find(const FileId& id) const;
  [[nodiscard]] const std::vector<HeldFile>& all() const { return files_; }
  [[nodiscard]] std::size_t size() const { return files_.size(); }
  /// Sets descriptor and order of appearance, if the file is held.
  void complete(Sibling& file) const;
  /// The place of the newest file in the order of appearance.
  [[nodiscard]] std::uint64_t newest() const { return appeared_; }

  /// Asks for each file how long it is held on after it was last needed; nothing: it is needed now.
  /// Lets go of those whose time is over.
  template <class Patience>
  void release(const Moment& now, Patience patience) {
    std::erase_if(files_, [&](HeldFile& file) {
      const std::optional<std::chrono::milliseconds> held_on = patience(file);
      if (!held_on) file.needed = now.steady;
      return held_on && now.steady - file.needed > *held_on;
    });
  }
  void release(const FileId& id);

  /// Whether files were left to their names since this was last asked, because of the limit.
  [[nodiscard]] bool take_full() { return std::exchange(full_, false); }

 private:
  [[nodiscard]] std::vector<HeldFile>::const_iterator place_of(const FileId& id) const;

  std::size_t most_;
  std::vector<HeldFile> files_;  // by inode number
  std::uint64_t appeared_ = 0;
  bool full_ = false;
};

}  // namespace caravel::tail
