// What a scan leaves lying in a drop directory, as `caravel status` shows it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/config/config.h"
#include "watcher/files/file_stamp.h"
#include "watcher/intake/noticing/drop_directory.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Collected during one scan, then written into the ledger. The number of names is bounded: a
/// directory may hold more than memory should.
class DropListing {
 public:
  /// A file of the feed that is not claimed now, and why.
  void add_waiting(const FeedConfig& feed, const std::string& name, const FileStamp& stamp,
                   std::string why);
  /// An entry that no feed takes.
  void add_left_alone(const ScanEntry& entry);

  /// The first names whose files match no feed: a person should hear of them.
  [[nodiscard]] const std::vector<std::string>& unmatched() const { return unmatched_; }

  /// Replaces what the ledger knows of the feeds of `directory`. A feed that cannot be written
  /// holds up no other; returns the first error.
  [[nodiscard]] Result<> write(Ledger& ledger, const DropDirectory& directory, Origin origin,
                               Time now);

 private:
  std::map<const FeedConfig*, std::vector<InDrop>> waiting_;
  std::vector<LeftAlone> left_alone_;
  std::vector<std::string> unmatched_;
};

}  // namespace caravel::watcher
