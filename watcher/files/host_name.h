// This host's name, as rows and the ledger carry it.
#pragma once

#include <unistd.h>

#include <climits>
#include <string>

namespace caravel::watcher {

[[nodiscard]] inline std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "unknown";
  return name;
}

}  // namespace caravel::watcher
