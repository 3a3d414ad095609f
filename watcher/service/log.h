// What a service says in its log of the extracts that it loads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/notices.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// The line about an extract that is through.
void log_result(const std::string& feed, const std::string& name, const PipelineResult& result);

/// Says what a pipeline notes, and what it waits for: that is a condition of `waits` (which must
/// outlive the observer), so it is said once for each reason, until somebody clears kWait.
[[nodiscard]] PipelineObserver logging_observer(const std::string& feed, const std::string& store,
                                                Notices& waits);
inline constexpr std::string_view kWait = "wait";

void log_warnings(const std::vector<std::string>& messages);

}  // namespace caravel::watcher
