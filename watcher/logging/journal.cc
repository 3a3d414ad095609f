#include "watcher/logging/journal.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

namespace caravel::watcher {

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

bool send_to_journal(int priority, std::string_view message, const LogFields& fields) {
  std::vector<std::string> entries = {fmt::format("MESSAGE={}", message),
                                      fmt::format("PRIORITY={}", priority),
                                      "SYSLOG_IDENTIFIER=caravel"};
  for (const auto& [name, value] : fields) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    entries.push_back(fmt::format("CARAVEL_{}={}", upper, value));
  }
  std::vector<iovec> parts;
  for (std::string& entry : entries) parts.push_back({entry.data(), entry.size()});
  return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace caravel::watcher
