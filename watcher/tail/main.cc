// caravel-tail: parses arguments, owns the loop, the clock and the signals.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cxxabi.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "base/ending/last_words.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/stop_signal.h"
#include "base/text.h"
#include "base/words/commit.h"
#include "watcher/tail/agent.h"
#include "watcher/tail/explain/explanation.h"
#include "watcher/tail/options.h"

/// libstdc++'s std::terminate() calls this name (vterminate.cc). Its own version prints the
/// exception's type, and for that it links a demangler and a formatter into a static program. This
/// version stands in its place. It does not ask the exception what it says: that links more than
/// the program may have for it, and what is thrown here is memory that has run out.
namespace __gnu_cxx {
void __verbose_terminate_handler() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  const bool no_memory = type != nullptr && *type == typeid(std::bad_alloc);
  caravel::say_last_words("caravel-tail", no_memory         ? caravel::kOutOfMemory
                                          : type != nullptr ? std::string_view(type->name())
                                                            : std::string_view("terminated"));
  ::_exit(caravel::kExitOfException);
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

/// Writes one message to stderr, as one write(2), so that lines of several agents that share a
/// stderr do not mix. The one way out for all text of the agent: names of files and hosts in it are
/// escaped and bounded here.
void say(std::string_view message) {
  constexpr std::size_t kMostOfMessage = 8000;
  // A failing stderr is no reason to stop.
  static_cast<void>(caravel::write_all(
      STDERR_FILENO, "caravel-tail: " + caravel::shown(message, kMostOfMessage) + "\n"));
}

/// Says the error and returns the exit status that --help promises: 2 for a wrong command line, 1
/// for everything else.
int status_of(const caravel::Error& error) {
  say(error.message);
  return error.kind == ErrorKind::usage ? 2 : 1;
}

/// Reads the signal that came. True: the agent is to stop. SIGHUP asks a service to read its
/// configuration again, and there is none; to end would leave the logs alone. But at a terminal it
/// says that the terminal is gone, and to a single pass (`once`) that nobody waits for it.
bool stops(int signals, bool once) {
  signalfd_siginfo signal{};
  if (::read(signals, &signal, sizeof signal) != sizeof signal) return false;
  if (signal.ssi_signo != SIGHUP || once || ::isatty(STDERR_FILENO) == 1) return true;
  say("SIGHUP: there is no configuration to read again; going on. A new start reads options anew");
  return false;
}

/// Waits until `wake`, until a send command ends (`send`, -1 if none runs: poll(2) passes over a
/// negative descriptor), or until a signal comes. True: the agent is to stop.
bool stopped_before(std::chrono::steady_clock::time_point wake, int signals, int send, bool once) {
  pollfd fds[] = {{signals, POLLIN, 0}, {send, POLLIN, 0}};
  const int timeout = caravel::poll_timeout(wake - std::chrono::steady_clock::now());
  // A failed poll(2) counts as a timeout: the next step finds nothing due and waits again.
  return ::poll(fds, 2, timeout) > 0 && (fds[0].revents & POLLIN) != 0 && stops(signals, once);
}

/// The loop. Returns the exit status: 0 after a signal, for a service is stopped in that way; with
/// --once, 0 only if the pass came to its end without trouble.
int run(Agent& agent, bool once, int signals) {
  bool trouble = false;
  for (;;) {
    const Step step = agent.step(Moment::now());
    for (const std::string& message : step.messages) say(message);
    trouble = trouble || step.trouble;
    if (once && step.idle) return trouble ? 1 : 0;
    // With --once everything is due at once; what is waited for is a running send command.
    if (stopped_before(step.wake, signals, agent.send_fd(), once)) return once ? 1 : 0;
  }
}

std::string version_text() {
  const std::string commit = caravel::kCommit;
  return "caravel-tail " CARAVEL_VERSION + (commit.empty() ? "" : ", commit " + commit) + "\n";
}

/// --resend: moves one sent extract back into the outbox. Takes no lock: an agent that runs
/// meanwhile finds the extract with its next look.
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

/// Each log that is open holds one descriptor, and so does each rotated file that is held. Raises
/// the limit of descriptors as far as an unprivileged process may (to the hard limit,
/// setrlimit(2)), notes how many logs may be open, how many files may be held, and what the send
/// command is to have: the limit as it was.
void raise_file_limit(caravel::tail::AgentOptions& agent) {
  // A batch of 16 extracts holds 32 descriptors, with its manifests; the agent's own (state lock,
  // signals, send command, standard files) are fewer than ten.
  constexpr rlim_t kOthers = 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  if (limit.rlim_cur != before) agent.send_open_files = std::to_string(before);
  const rlim_t ours = limit.rlim_cur > kOthers ? limit.rlim_cur - kOthers : 1;
  // What appeared and was not taken over yet is counted by itself: up to twice the number.
  agent.max_held = std::min<rlim_t>(agent.max_held, std::max<rlim_t>(ours / 4, 1));
  agent.max_open = std::max<rlim_t>(ours - std::min(ours, 2 * agent.max_held), 1);
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that closed its end of stdout or stderr: EPIPE
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(2) like others
  // Before anything is opened: were stderr closed, the state file could get its number, and
  // messages would be written into it.
  caravel::hold_standard_files();
  char directory[PATH_MAX] = {};
  // The current directory may be deleted (getcwd(3), ENOENT): options with full paths still work.
  if (::getcwd(directory, sizeof directory) == nullptr) directory[0] = '\0';
  auto options = caravel::tail::parse_options({argv + 1, argv + argc}, directory);
  if (!options) return status_of(options.error());
  const auto print = [](std::string_view text) {
    const auto written = caravel::write_all(STDOUT_FILENO, text);
    return written ? 0 : status_of(caravel::with_context("stdout", written.error()));
  };
  if (options->what == Options::What::help) return print(caravel::tail::help_text());
  if (options->what == Options::What::version) return print(version_text());
  if (options->what == Options::What::resend) return resend(*options);
  if (options->what == Options::What::explain) {
    const auto& agent = options->agent;
    const auto text = caravel::tail::explain_log(
        {agent.state, caravel::tail::grace_of(agent), agent.logs, agent.siblings},
        options->explained_log);
    return text ? print(*text) : status_of(text.error());
  }
  if (options->agent.host.empty()) {
    char host[HOST_NAME_MAX + 1] = {};
    // gethostname(2) need not end a name that it cuts off with a NUL: the last byte is kept free.
    options->agent.host = ::gethostname(host, sizeof host - 1) == 0 ? host : "unknown";
  }

  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGTERM);
  ::sigaddset(&mask, SIGINT);
  ::sigaddset(&mask, SIGHUP);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // ignored by some parents; then no exit status would be known
  // The signals are blocked and read from a descriptor: poll(2) waits for them and for the send
  // command at once, so a signal that comes between two waits is not missed (signalfd(2)).
  const UniqueFd signals(::signalfd(-1, &mask, SFD_CLOEXEC));
  raise_file_limit(options->agent);
  // Only for send_backoff(): many hosts whose sending failed at the same moment must not all try
  // again at the same moment. The numbers of runs come from getrandom(2).
  ::srand48(
      static_cast<long>(::getpid() ^ std::chrono::steady_clock::now().time_since_epoch().count()));

  const bool once = options->agent.once;
  options->agent.watch_in_thread = true;
  Disk disk;
  auto agent = Agent::open(std::move(options->agent), disk);
  if (!agent) return status_of(agent.error());
  return run(**agent, once, signals.get());
}
