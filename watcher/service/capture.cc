#include "watcher/service/capture.h"

#include <poll.h>

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "base/moment.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// True if we were asked to stop before.
bool stopped_before(steady_clock::time_point wake, const StopSignal& stop) {
  const auto left = std::chrono::ceil<milliseconds>(wake - steady_clock::now());
  pollfd polled{stop.fd(), POLLIN, 0};
  (void)::poll(&polled, 1, static_cast<int>(std::clamp<long long>(left.count(), 0, INT_MAX)));
  return stop.requested();
}

}  // namespace

Config capture_config(const Config& config, const FeedConfig& feed) {
  Config own = config;
  own.spool = capture_spool(config, feed.name);
  own.feeds = {feed};
  FeedConfig& only = own.feeds.front();
  only.drop = own.spool + "/drop";
  only.match = "*";
  // Nobody but the agent writes there, and what has its name there is whole.
  only.settle = milliseconds(1);
  only.manifest = ManifestRule::optional;
  for (uploader::StoreConfig& store : own.stores) {
    if (!store.documents_given) store.documents = uploader::Documents::rows;
  }
  return own;
}

std::string capture_spool(const Config& config, const std::string& feed) {
  return fmt::format("{}/capture/{}", config.spool, feed);
}

std::string capture_state(const Config& config, const std::string& feed) {
  return fmt::format("{}/capture/{}", config.state, feed);
}

Tailing::Tailing(std::unique_ptr<tail::Agent> agent, StopSignal& stop,
                 std::function<void(const std::string&)> say)
    : thread_([agent = std::move(agent), &stop, say = std::move(say)] {
        for (;;) {
          const tail::Step step = agent->step(Moment::now());
          for (const std::string& message : step.messages) say(message);
          if (stopped_before(step.wake, stop)) return;
        }
      }) {}

Tailing::~Tailing() { thread_.join(); }

bool tail_once(tail::Agent& agent, const StopSignal& stop,
               const std::function<void(const std::string&)>& say) {
  bool trouble = false;
  for (;;) {
    const tail::Step step = agent.step(Moment::now());
    for (const std::string& message : step.messages) say(message);
    trouble = trouble || step.trouble;
    if (step.idle) return !trouble;
    if (stopped_before(step.wake, stop)) return false;
  }
}

}  // namespace caravel::watcher
