// This host's name, as rows and the ledger carry it.
#pragma once

#include <unistd.h>

#include <climits>
#include <string>

namespace caravel::watcher {

/// As it was when it was first asked for.
[[nodiscard]] inline const std::string& host_name() {
  static const std::string kName = [] {
    char name[HOST_NAME_MAX + 1] = {};
    return std::string(::gethostname(name, sizeof name - 1) == 0 ? name : "unknown");
  }();
  return kName;
}

}  // namespace caravel::watcher
