// caravel-tail: parses arguments, owns the loop, the clock and the signals.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/moment.h"
#include "base/stop_signal.h"
#include "watcher/tail/agent.h"
#include "watcher/tail/options.h"

/// What std::terminate() calls unless told otherwise: in its place, without the demangler and the
/// formatting that the library's brings into a static program (libstdc++, vterminate.cc).
namespace __gnu_cxx {
void __verbose_terminate_handler() {
  static_cast<void>(caravel::write_all(STDERR_FILENO, "caravel-tail: terminated\n"));
  std::abort();
}
}  // namespace __gnu_cxx

namespace {

using caravel::ErrorKind;
using caravel::Moment;
using caravel::UniqueFd;
using caravel::tail::Agent;
using caravel::tail::Disk;
using caravel::tail::Options;
using caravel::tail::Step;

void say(std::string_view message) {
  // A failing stderr is no reason to stop.
  static_cast<void>(
      caravel::write_all(STDERR_FILENO, "caravel-tail: " + std::string(message) + "\n"));
}

int status_of(const caravel::Error& error) {
  say(error.message);
  return error.kind == ErrorKind::usage ? 2 : 1;
}

/// Waits until `wake`, the end of a send command, or a signal: true, and the agent is to stop.
bool stopped_before(std::chrono::steady_clock::time_point wake, int signals, int send) {
  pollfd fds[] = {{signals, POLLIN, 0}, {send, POLLIN, 0}};
  const int timeout = caravel::poll_timeout(wake - std::chrono::steady_clock::now());
  return ::poll(fds, 2, timeout) > 0 && (fds[0].revents & POLLIN) != 0;
}

/// Stopping is what a service is for; a single pass that is broken off has failed.
int run(Agent& agent, bool once, int signals) {
  bool trouble = false;
  for (;;) {
    const Step step = agent.step(Moment::now());
    for (const std::string& message : step.messages) say(message);
    trouble = trouble || step.trouble;
    if (once && step.idle) return trouble ? 1 : 0;
    // With --once everything is due at once; what is waited for is a running send command.
    if (stopped_before(step.wake, signals, agent.send_fd())) return once ? 1 : 0;
  }
}

int resend(const Options& options) {
  Disk disk;
  caravel::tail::Outbox outbox(disk, options.agent.outbox);
  const auto found = outbox.resend(options.resend_run, options.resend_sequence);
  if (!found) return status_of(found.error());
  if (*found) return 0;
  say(options.agent.outbox + "/sent: holds no extract " + options.resend_run + ":" +
      std::to_string(options.resend_sequence) + " (sent ones are kept for --keep-sent)");
  return 1;
}

/// Each open log holds one descriptor. Raises the limit as far as it may be (setrlimit(2)) and
/// returns how many logs may be open.
std::size_t raise_file_limit() {
  constexpr rlim_t kOthers = 64;  // a batch of extracts with their manifests, and what we hold
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return SIZE_MAX;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur > kOthers ? limit.rlim_cur - kOthers : 1;
}

}  // namespace

int main(int argc, char** argv) {
  caravel::hold_standard_files();
  char directory[PATH_MAX] = {};
  if (::getcwd(directory, sizeof directory) == nullptr) directory[0] = '\0';
  auto options = caravel::tail::parse_options({argv + 1, argv + argc}, directory);
  if (!options) return status_of(options.error());
  const auto print = [](std::string_view text) {
    return caravel::write_all(STDOUT_FILENO, text) ? 0 : 1;
  };
  if (options->what == Options::What::help) return print(caravel::tail::help_text());
  if (options->what == Options::What::version) return print("caravel-tail " CARAVEL_VERSION "\n");
  if (options->what == Options::What::resend) return resend(*options);
  if (options->agent.host.empty()) {
    char host[HOST_NAME_MAX + 1] = {};
    options->agent.host = ::gethostname(host, sizeof host - 1) == 0 ? host : "unknown";
  }

  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGTERM);
  ::sigaddset(&mask, SIGINT);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(2) like others
  ::signal(SIGCHLD, SIG_DFL);  // ignored by some parents; then no exit status would be known
  // Read by poll(2) together with the send command: no signal is ever missed between two waits.
  const UniqueFd signals(::signalfd(-1, &mask, SFD_CLOEXEC));
  options->agent.max_open = raise_file_limit();
  // Spreads the tries of many hosts that failed at the same moment; nothing else is random.
  ::srand48(
      static_cast<long>(::getpid() ^ std::chrono::steady_clock::now().time_since_epoch().count()));

  const bool once = options->agent.once;
  Disk disk;
  auto agent = Agent::open(std::move(options->agent), disk);
  if (!agent) return status_of(agent.error());
  return run(**agent, once, signals.get());
}
