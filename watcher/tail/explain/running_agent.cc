#include "watcher/tail/explain/running_agent.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string_view>

#include "base/file.h"
#include "watcher/exchange/key_value.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/state/state_file.h"

namespace caravel::tail {
namespace {

/// Room for many thousand locks; the file has no size that could be asked for.
constexpr std::size_t kMostOfLocks = 4 << 20;

/// In base 16, as the kernel writes the numbers of a device ("%02x").
std::string two_digits(unsigned number) {
  std::string text;
  for (; number > 0 || text.size() < 2; number /= 16) {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
  }
  return text;
}

/// The process that holds a flock(2) on `path`, from a line of /proc/locks such as
/// "3: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; 0: none does.
long holder_of_lock(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return 0;
  const std::string place = " " + two_digits(::major(file.st_dev)) + ":" +
                            two_digits(::minor(file.st_dev)) + ":" + std::to_string(file.st_ino) +
                            " ";
  const auto locks = read_file("/proc/locks", kMostOfLocks);
  if (!locks) return 0;
  const std::size_t at = locks->find(place);
  if (at == std::string::npos) return 0;
  const std::size_t before = locks->rfind(' ', at - 1);
  if (before == std::string::npos) return 0;
  const auto pid =
      watcher::parse_whole_number(std::string_view(*locks).substr(before + 1, at - before - 1));
  return pid ? static_cast<long>(*pid) : 0;
}

/// Where the link of a descriptor leads.
std::string path_of(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

RunningAgent find_running_agent(const std::string& state,
                                const std::vector<std::string>& directories) {
  RunningAgent agent;
  agent.pid = holder_of_lock(state + std::string(kLockSuffix));
  if (agent.pid <= 0) return agent;
  const std::string folder = "/proc/" + std::to_string(agent.pid) + "/fd";
  const auto names = names_in(folder);
  agent.may_look = names.has_value();
  if (!names) return agent;
  for (const std::string& name : *names) {
    const std::string link = folder + "/" + name;
    struct stat file {};
    if (::stat(link.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
    std::string path = path_of(link);
    const std::string directory = directory_of(path);
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) continue;
    agent.files.push_back({std::move(path), static_cast<std::uint64_t>(file.st_size)});
  }
  std::sort(agent.files.begin(), agent.files.end(),
            [](const OpenedFile& a, const OpenedFile& b) { return a.path < b.path; });
  // A file may be open twice: to be read, and held.
  const auto again = std::unique(agent.files.begin(), agent.files.end(),
                                 [](const OpenedFile& a, const OpenedFile& b) {
                                   return a.path == b.path && a.size == b.size;
                                 });
  agent.files.erase(again, agent.files.end());
  return agent;
}

}  // namespace caravel::tail
