// What a service says in its log of the extracts that it loads.
#pragma once

#include <string>
#include <vector>

#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// The line about an extract that is through.
void log_result(const std::string& feed, const std::string& name, const PipelineResult& result);

/// Says what a pipeline waits for, once for each reason, and what it notes.
[[nodiscard]] PipelineObserver logging_observer(const std::string& feed, const std::string& store);

void log_warnings(const std::vector<std::string>& messages);

}  // namespace caravel::watcher
