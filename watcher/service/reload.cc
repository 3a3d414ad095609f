#include "watcher/service/reload.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "watcher/service/program_log.h"

namespace caravel::watcher {
namespace {

/// More than any command line that a unit has.
constexpr std::size_t kMostArguments = std::size_t{1} << 20;

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  return set;
}

/// The path of this program. After an update the old file is gone and the kernel says so behind its
/// name (proc(5), /proc/PID/exe): the new file has the name.
std::string path_of_program() {
  char target[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", target, sizeof target);
  std::string_view path(target, size > 0 ? static_cast<std::size_t>(size) : 0);
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

}  // namespace

void Reload::listen() {
  if (::isatty(STDERR_FILENO) == 1) return;
  // Threads that are started later inherit the mask, so none of them gets the signal.
  const sigset_t hang_up = set_of({SIGHUP});
  ::pthread_sigmask(SIG_BLOCK, &hang_up, nullptr);
  signals_ = UniqueFd(::signalfd(-1, &hang_up, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool Reload::take_request() {
  signalfd_siginfo signal;
  if (!signals_ || ::read(signals_.get(), &signal, sizeof signal) <= 0) return false;
  if (const auto good = check_(); !good) {
    log_error("SIGHUP: the configuration stays as it was: {}", good.error().message);
    for (const std::string& other : good.error().others) log_error("SIGHUP: {}", other);
    return false;
  }
  log_info("SIGHUP: starting anew with the configuration as it is now");
  // Until the new program runs: a SIGTERM that comes now must not be forgotten with the old one,
  // and its handlers go with it (execve(2)). Blocked, it waits for main(), which lets it through.
  const sigset_t stops = set_of({SIGINT, SIGTERM});
  ::pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  accepted_ = true;
  return true;
}

Error start_anew() {
  // procfs says the size of no file, hence the bound.
  auto line = read_file("/proc/self/cmdline", kMostArguments);
  if (!line) return std::move(line).error();
  if (line->empty() || line->back() != '\0') line->push_back('\0');
  std::vector<char*> arguments;
  for (std::size_t at = 0; at < line->size(); at = line->find('\0', at) + 1) {
    arguments.push_back(line->data() + at);
  }
  arguments.push_back(nullptr);
  // An alarm that is set says that a SIGTERM came just before they were blocked
  // (base/ending/stop_on_signal.h). The new program would be ended by the alarm, which outlasts
  // execve(2): it gets the SIGTERM instead.
  if (::alarm(0) > 0) ::kill(::getpid(), SIGTERM);
  const std::string program = path_of_program();
  ::execv(program.c_str(), arguments.data());
  return system_error("start " + program + " anew", errno);
}

}  // namespace caravel::watcher
