#include "watcher/service/nudge.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <string>

namespace caravel::watcher {
namespace {

constexpr const char* kNudgeName = ".nudge";

/// Opened for writing and closed again, which is what the watcher hears of.
UniqueFd open_nudge(const Spool& spool) {
  return UniqueFd(::openat(spool.fd(), kNudgeName,
                           O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
}

}  // namespace

Nudges::Nudges(const Spool& spool) {
  if (!open_nudge(spool)) return;
  UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string path = spool.absolute(kNudgeName);
  if (!events || ::inotify_add_watch(events.get(), path.c_str(), IN_CLOSE_WRITE) < 0) return;
  events_ = std::move(events);
}

bool Nudges::take() {
  bool any = false;
  alignas(inotify_event) char buffer[4096];
  while (events_ && ::read(events_.get(), buffer, sizeof buffer) > 0) any = true;
  return any;
}

void nudge(const Spool& spool) { (void)open_nudge(spool); }

}  // namespace caravel::watcher
