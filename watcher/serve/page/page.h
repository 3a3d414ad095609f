// The page at "/": an Overview as HTML, by the templates in watcher/serve/page/files/.
#pragma once

#include <string>

#include "watcher/status/overview.h"

namespace caravel::watcher {

struct PageFacts {
  std::string host;     // of this process
  std::string config;   // the configuration file, for commands to copy
  std::string version;  // of the program
};

/// Every text is escaped for HTML, and what could drive or deceive a reader of it (control
/// characters, marks of direction) shows as \xNN: names are a stranger's.
[[nodiscard]] std::string page_html(const Overview& overview, const PageFacts& facts);

/// The page when nothing can be known.
[[nodiscard]] std::string error_html(const std::string& title, const std::string& text);

}  // namespace caravel::watcher
