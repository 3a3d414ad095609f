#include "watcher/tail/watch/events.h"

#include <sys/inotify.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace caravel::tail {
namespace {

constexpr std::size_t kMostMissed = 1000;

}  // namespace

std::vector<DirectoryEvent> decode_events(std::string_view bytes) {
  std::vector<DirectoryEvent> events;
  while (bytes.size() >= sizeof(inotify_event)) {
    inotify_event head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    if (bytes.size() - sizeof head < head.len) break;
    // The name is padded with NUL bytes to a multiple of the alignment.
    const std::string_view padded = bytes.substr(sizeof head, head.len);
    events.push_back(
        {head.wd, head.mask, head.cookie, std::string(padded.substr(0, padded.find('\0')))});
    bytes.remove_prefix(sizeof head + head.len);
  }
  return events;
}

bool Appeared::forget(const std::string& path) {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const Waiting& file) { return file.path == path; });
  if (at == waiting_.end()) return false;
  const bool was_offered = at->was_offered;
  waiting_.erase(at);
  return !was_offered;
}

void Appeared::note_created(const std::string& path) {
  static_cast<void>(forget(path));
  waiting_.push_back({path, false});
}

void Appeared::note_renamed(const std::string& from, const std::string& to) {
  // What had the name `to` is overwritten.
  note_gone(to);
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const Waiting& file) { return file.path == from; });
  if (at != waiting_.end()) {
    at->path = to;
  } else if (std::find(offered_.begin(), offered_.end(), from) != offered_.end()) {
    // Perhaps the name was another file's when it was opened.
    waiting_.push_back({to, true});
  }
}

void Appeared::note_gone(const std::string& path) {
  if (forget(path) && missed_.size() < kMostMissed) missed_.push_back(path);
}

std::vector<std::string> Appeared::take() {
  offered_.clear();
  for (Waiting& file : waiting_) offered_.push_back(std::move(file.path));
  waiting_.clear();
  return offered_;
}

}  // namespace caravel::tail
