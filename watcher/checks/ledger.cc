#include "watcher/checks/ledger.h"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

void check_ledger_file(const Config& config, Findings& findings) {
  const std::string path = config.ledger_path();
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return findings.good(fmt::format("ledger {}: will be made", path));
  }
  auto ledger = Ledger::open(path, Ledger::Mode::read_only);
  if (!ledger) return findings.fault(ledger.error().message);
  const auto sound = ledger->check_pages();
  if (!sound) return findings.fault(sound.error().message);
  findings.good(fmt::format("ledger {}", path));
}

}  // namespace caravel::watcher
