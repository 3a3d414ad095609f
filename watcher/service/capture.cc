#include "watcher/service/capture.h"

#include <fmt/format.h>

#include "base/moment.h"
#include "watcher/service/start_thread.h"

namespace caravel::watcher {
namespace {

/// The agent holds no clock: it is told what time it is, and says when it wants to be called next.
tail::Step step_and_say(tail::Agent& agent, const std::function<void(const std::string&)>& say) {
  tail::Step step = agent.step(Moment::now());
  for (const std::string& message : step.messages) say(message);
  return step;
}

}  // namespace

Config capture_config(const Config& config, const FeedConfig& feed) {
  // Whatever else is configured, such as other feeds with their drop directories, is not ours.
  Config own = config;
  own.spool = capture_spool(config, feed.name);
  own.feeds = {feed};
  FeedConfig& only = own.feeds.front();
  only.drop = own.spool + "/drop";
  // The agent names extracts after their logs. The pattern of the feed is for what senders drop.
  only.match = "*";
  // Nobody but the agent writes there, and what has its name there is whole.
  only.settle = std::chrono::milliseconds(1);
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

Result<std::unique_ptr<Tailing>> Tailing::start(std::unique_ptr<tail::Agent> agent,
                                                const StopSignal& stop,
                                                std::function<void(const std::string&)> say) {
  CARAVEL_ASSIGN_OR_RETURN(auto thread,
                           start_thread([agent = std::move(agent), &stop, say = std::move(say)] {
                             for (;;) {
                               const tail::Step step = step_and_say(*agent, say);
                               if (stopped_before(stop, step.wake)) return;
                             }
                           }));
  return std::unique_ptr<Tailing>(new Tailing(std::move(thread)));
}

// Joined, not detached: the agent writes its state in this thread until the end.
Tailing::~Tailing() { thread_.join(); }

bool tail_once(tail::Agent& agent, const StopSignal& stop,
               const std::function<void(const std::string&)>& say) {
  bool trouble = false;
  for (;;) {
    const tail::Step step = step_and_say(agent, say);
    trouble = trouble || step.trouble;
    // Idle: nothing is left to cut. Until then steps follow each other at once.
    if (step.idle) return !trouble;
    if (stopped_before(stop, step.wake)) return false;
  }
}

}  // namespace caravel::watcher
