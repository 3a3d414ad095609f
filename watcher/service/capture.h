// All in one on one host: the tail agent cuts a log, and the pipeline loads what it cut.
//
//   LOG ──> tail::Agent (Tailing, a thread) ──> SPOOL/capture/FEED/drop ──> watch() ──> store
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/stop_signal.h"
#include "watcher/config/config.h"
#include "watcher/tail/agent.h"

namespace caravel::watcher {

/// What a capture of `feed` runs under: one feed, whose drop directory is the agent's outbox, in a
/// spool of its own (SPOOL/capture/FEED), so that `watch` may run beside it. Its store takes rows
/// only, unless the configuration says what it takes.
[[nodiscard]] Config capture_config(const Config& config, const FeedConfig& feed);

/// That spool.
[[nodiscard]] std::string capture_spool(const Config& config, const std::string& feed);

/// Where the agent of such a capture keeps its state: STATE/capture/FEED.
[[nodiscard]] std::string capture_state(const Config& config, const std::string& feed);

/// Runs the agent in a thread of its own: a store that is down, or an extract of an hour, keeps
/// nobody from following the log. Messages go to `say`, in that thread.
class Tailing {
 public:
  /// Errors: the system grants no thread.
  static Result<std::unique_ptr<Tailing>> start(std::unique_ptr<tail::Agent> agent,
                                                const StopSignal& stop,
                                                std::function<void(const std::string&)> say);
  /// Waits for the thread: request `stop` first.
  ~Tailing();
  Tailing(const Tailing&) = delete;
  Tailing& operator=(const Tailing&) = delete;

 private:
  explicit Tailing(std::thread thread) : thread_(std::move(thread)) {}

  std::thread thread_;
};

/// One pass: everything that is there is cut. False if something was at fault.
[[nodiscard]] bool tail_once(tail::Agent& agent, const StopSignal& stop,
                             const std::function<void(const std::string&)>& say);

}  // namespace caravel::watcher
