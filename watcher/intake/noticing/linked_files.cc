#include "watcher/intake/noticing/linked_files.h"

#include <algorithm>

#include "watcher/intake/noticing/drop_directory.h"

namespace caravel::watcher {
namespace {

/// How long after the first look the second comes. The time doubles with each look.
constexpr std::chrono::milliseconds kFirstDelay{20};
/// At most so many files are remembered, for senders choose how many there are. The regular scan
/// finds the others.
constexpr std::size_t kMostFiles = 1000;

}  // namespace

void LinkedFiles::wait(const Key& file, const Moment& now) {
  auto place = files_.find(file);
  if (place == files_.end()) {
    if (files_.size() >= kMostFiles) return;
    place = files_.emplace(file, File{kFirstDelay, {}}).first;
  } else if (place->second.next_look <= now.steady) {
    // Only a look that was due makes the time longer: events may come in any number.
    place->second.delay *= 2;
    if (place->second.delay >= kScanEvery) {
      files_.erase(place);
      return;
    }
  }
  place->second.next_look = now.steady + place->second.delay;
}

void LinkedFiles::forget_directory(int directory) {
  std::erase_if(files_, [&](const auto& file) { return file.first.first == directory; });
}

std::vector<LinkedFiles::Key> LinkedFiles::due(const Moment& now) const {
  std::vector<Key> keys;
  for (const auto& [key, file] : files_) {
    if (file.next_look <= now.steady) keys.push_back(key);
  }
  return keys;
}

std::optional<std::chrono::steady_clock::time_point> LinkedFiles::next_deadline() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  for (const auto& [key, file] : files_) {
    next = next ? std::min(*next, file.next_look) : file.next_look;
  }
  return next;
}

}  // namespace caravel::watcher
