#include "watcher/intake/noticing/noticer.h"

#include <algorithm>
#include <utility>

namespace caravel::watcher {

Noticer::Noticed Noticer::on_events(const std::vector<DropEvent>& events, const Moment& now) {
  const std::vector<bool> none(directories_.size(), false);
  Noticed noticed{{}, none, none};
  Named named;
  for (const DropEvent& event : events) {
    if (event.kind == EventKind::overflow) {
      // The kernel does not say whose events were lost (inotify(7), IN_Q_OVERFLOW), so every
      // directory is scanned.
      noticed.rescan.assign(directories_.size(), true);
      continue;
    }
    for (std::size_t i = 0; i < directories_.size(); ++i) on_event(event, i, now, named, noticed);
  }
  return noticed;
}

void Noticer::on_event(const DropEvent& event, std::size_t index, const Moment& now, Named& named,
                       Noticed& noticed) {
  const DropDirectory& directory = *directories_[index];
  if (event.watch != directory.watch()) {
    // The parent tells that the directory was removed or made anew (watch_parent()).
    if (event.watch == directory.parent_watch() && !directory.is_current()) {
      noticed.rescan[index] = true;
    }
    return;
  }
  if (event.kind == EventKind::watch_gone) {
    noticed.rescan[index] = true;
    return;
  }
  // An event without a name is about the directory itself: its removal changes its count of links
  // (IN_ATTRIB), which tells of it where the parent may not be watched.
  if (event.name.empty()) {
    if (!directory.is_current()) noticed.rescan[index] = true;
    return;
  }
  // A subdirectory is never taken.
  if (event.is_directory) return;
  // A sender's create, write and close come as several events of one name.
  if (named.contains({index, event.name})) return;
  const std::size_t before = noticed.candidates.size();
  const bool complete = event.kind == EventKind::closed || event.kind == EventKind::moved_in;
  if (!look(index, event.name, complete, now, noticed.candidates)) {
    noticed.unmatched[index] = true;
  }
  if (noticed.candidates.size() > before) named.emplace(index, event.name);
}

std::vector<Candidate> Noticer::look_at_due(const Moment& now) {
  std::vector<Candidate> candidates;
  const auto look_at_all = [&](const std::vector<StillnessTracker::Key>& keys) {
    for (const auto& [directory, name] : keys) {
      (void)look(static_cast<std::size_t>(directory), name, false, now, candidates);
    }
  };
  look_at_all(still_.due(now));
  look_at_all(linked_.due(now));
  return candidates;
}

bool Noticer::look(std::size_t index, const std::string& name, bool closed, const Moment& now,
                   std::vector<Candidate>& candidates) {
  const DropDirectory& directory = *directories_[index];
  if (!directory.is_open()) return true;
  const StillnessTracker::Key key{static_cast<int>(index), name};
  // Between the event and this look the file may have been removed, replaced or linked.
  const auto judged = directory.look(name);
  if (!judged || !*judged || (*judged)->feed == nullptr) {
    still_.forget(key.first, name);
    const bool linked = judged && *judged && (*judged)->entry.kind == FileKind::linked &&
                        (*judged)->entry.has_good_name();
    if (linked) {
      linked_.wait(key, now);
    } else {
      linked_.forget(key);
    }
    return !judged || !*judged || (*judged)->entry.verdict.kind != NameKind::unmatched;
  }
  linked_.forget(key);
  const ScanEntry& entry = (*judged)->entry;
  const FeedConfig& feed = *(*judged)->feed;
  // A close says that a writer is done, not that no other writes: that is asked of the claim, where
  // nobody new can open it by a name.
  if (closed ||
      still_.look(key.first, name, entry.stamp, now, feed.settle, directory.traits().own_clock)) {
    still_.forget(key.first, name);
    candidates.push_back({index, &feed, name, entry.stamp, (*judged)->is_manifest()});
  }
  return true;
}

Result<> Noticer::scan(std::size_t index, const Moment& now, DropListing& listing,
                       const std::function<void(std::vector<Candidate>)>& claim) {
  const DropDirectory& directory = *directories_[index];
  std::vector<Candidate> candidates;
  // scan_directory() wants one pattern. Its verdict does not count: judge() asks every feed.
  const std::string& any_match = directory.feeds().front()->match;
  auto scanned = scan_directory(directory.fd(), any_match, [&](const ScanEntry& entry) {
    // A scan sees no writer close a file: only stillness speaks for what it finds.
    const DropDirectory::Judged judged = directory.judge(entry);
    if (judged.feed == nullptr) {
      listing.add_left_alone(judged.entry);
    } else if (still_.look(static_cast<int>(index), entry.name, entry.stamp, now,
                           judged.feed->settle, directory.traits().own_clock)) {
      candidates.push_back({index, judged.feed, entry.name, entry.stamp, judged.is_manifest()});
    } else if (!judged.is_manifest()) {
      listing.add_waiting(*judged.feed, entry.name, entry.stamp,
                          "it must be still for the settle time");
    }
    // The scan goes on while its files are renamed away: readdir(3) may then show such a name or
    // leave it out, and both are fine.
    if (candidates.size() >= batch_) claim(std::exchange(candidates, {}));
    return true;
  });
  // What was found before an error can be claimed all the same.
  claim(std::move(candidates));
  if (!scanned) return tl::unexpected(with_context(directory.path(), std::move(scanned).error()));
  return {};
}

void Noticer::forget_directory(std::size_t directory) {
  still_.forget_directory(static_cast<int>(directory));
  linked_.forget_directory(static_cast<int>(directory));
}

std::optional<std::chrono::steady_clock::time_point> Noticer::next_deadline() const {
  const auto still = still_.next_deadline();
  const auto linked = linked_.next_deadline();
  if (!still || !linked) return still ? still : linked;
  return std::min(*still, *linked);
}

}  // namespace caravel::watcher
