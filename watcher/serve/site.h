// What stands at which path.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/serve/delay_counter.h"
#include "watcher/serve/snapshots.h"

namespace caravel::watcher {

struct Answer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body{};
  bool is_stream = false;  // of events, which the server sends (html.spec.whatwg.org, 9.2)
};

/// Answers from the ledger, which it only reads. One thread.
class Site {
 public:
  /// `config` outlives it. `version` of the program is for the page and the metrics.
  Site(const Config& config, Snapshots::Clock clock, std::string version);

  /// `path` without the query.
  [[nodiscard]] Answer answer(std::string_view path);

  /// What the listeners of events are to be told; "" if nothing has changed since the last call.
  /// The page's age is a change too, every quarter of a minute.
  [[nodiscard]] std::string take_event();

 private:
  [[nodiscard]] Result<Overview> look_and_count(Time now);
  [[nodiscard]] Answer page();
  [[nodiscard]] Answer metrics();
  [[nodiscard]] Answer ready();
  [[nodiscard]] Answer status();

  const Config& config_;
  const Snapshots::Clock clock_;
  const std::string version_;
  DelayCounter delays_;
  Snapshots snapshots_;
  std::string told_stamp_;
  std::chrono::steady_clock::time_point told_at_{};
};

}  // namespace caravel::watcher
