#include "watcher/tail/outbox/sender.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// For kernels without pidfd_open(2) (before 5.3), and after a SIGTERM.
constexpr milliseconds kPoll{200};
constexpr std::chrono::seconds kKillAfter{5};

std::string why(int status, bool timed_out) {
  if (timed_out) return "took too long and was ended";
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  return "ended";
}

}  // namespace

std::string fill_command(std::string_view command, std::string_view path) {
  std::string quoted = "'";
  for (const char c : path) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  quoted += '\'';
  std::string out;
  bool filled = false;
  while (!command.empty()) {
    const std::size_t at = command.find("{}");
    out.append(command.substr(0, at));
    if (at == std::string_view::npos) break;
    out += quoted;
    filled = true;
    command.remove_prefix(at + 2);
  }
  if (!filled) out += " " + quoted;
  return out;
}

milliseconds send_backoff(unsigned failures, double random) {
  constexpr milliseconds kMost{300'000};
  milliseconds delay{1000};
  for (unsigned i = 1; i < failures && delay < kMost; ++i) delay *= 2;
  delay = std::min(delay, kMost);
  return delay -
         milliseconds(static_cast<std::int64_t>(random * static_cast<double>(delay.count()) / 2));
}

Sender::~Sender() {
  if (child_ <= 0) return;
  ::kill(-child_, SIGTERM);
  int status = 0;
  static_cast<void>(::waitpid(child_, &status, WNOHANG));
}

Result<std::optional<std::chrono::steady_clock::time_point>> Sender::step(const Moment& now) {
  for (;;) {
    if (child_ > 0) reap(now);
    if (child_ > 0) {
      return pid_fd_ && !timed_out_ ? deadline_ : std::min(deadline_, now.steady + kPoll);
    }
    if (!current_) {
      if (stale_) CARAVEL_TRY(look());
      if (!pick(now)) return next_try();
    }
    CARAVEL_TRY(spawn(now));
  }
}

Result<> Sender::look() {
  CARAVEL_ASSIGN_OR_RETURN(auto files, outbox_.waiting());
  queue_ = std::move(files);
  stale_ = false;
  // A run of which nothing waits any more (somebody else took it) does not fail.
  std::erase_if(failing_, [&](const Failing& failing) {
    return std::none_of(queue_.begin(), queue_.end(),
                        [&](const OutboxFile& file) { return file.run == failing.run; });
  });
  return {};
}

Sender::Failing* Sender::find_failing(std::string_view run) {
  const auto found = std::find_if(failing_.begin(), failing_.end(),
                                  [&](const Failing& failing) { return failing.run == run; });
  return found == failing_.end() ? nullptr : &*found;
}

/// The current file is tried again, before all others of its run. Said once, until it is another
/// file or another reason.
void Sender::failed_again(const Moment& now, const std::string& why) {
  Failing* failing = find_failing(current_->run);
  if (failing == nullptr) failing = &failing_.emplace_back(Failing{current_->run, {}, 0, {}, 0});
  const std::string said =
      why + "; " + printable(current_->name) + " and what follows stay in the outbox";
  if (failing->said != said) notices_.say(said);
  failing->said = said;
  failing->next_try = rules_.once ? std::chrono::steady_clock::time_point::max()
                                  : now.steady + send_backoff(++failing->times, ::drand48());
  if (manifest_done_) failing->manifest_done_of = current_->sequence;
  const auto place = std::find_if(queue_.begin(), queue_.end(), [&](const OutboxFile& file) {
    return file.run >= current_->run;
  });
  queue_.insert(place, std::move(*current_));
  current_.reset();
}

/// When the first of the failing runs is due that still has a file; nothing for those of --once,
/// which never are.
std::optional<std::chrono::steady_clock::time_point> Sender::next_try() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  for (const Failing& failing : failing_) {
    const bool waits = std::any_of(queue_.begin(), queue_.end(),
                                   [&](const OutboxFile& file) { return file.run == failing.run; });
    if (waits && !rules_.once && (!next || failing.next_try < *next)) next = failing.next_try;
  }
  return next;
}

/// The next run's turn, of those that are due: its file with the lowest sequence.
bool Sender::pick(const Moment& now) {
  auto next = queue_.end();
  for (auto file = queue_.begin(); file != queue_.end(); ++file) {
    const Failing* const failing = find_failing(file->run);
    if (failing != nullptr && failing->next_try > now.steady) continue;
    if (next == queue_.end()) next = file;  // from the start, if none is behind the last one
    if (file->run <= last_run_) continue;
    next = file;
    break;
  }
  if (next == queue_.end()) return false;
  current_ = std::move(*next);
  queue_.erase(next);
  last_run_ = current_->run;
  const Failing* const failing = find_failing(last_run_);
  manifest_done_ = failing != nullptr && failing->manifest_done_of == current_->sequence;
  return true;
}

Result<> Sender::spawn(const Moment& now) {
  const std::string manifest = outbox_.path(watcher::manifest_name(current_->name));
  CARAVEL_ASSIGN_OR_RETURN(const auto with_manifest, is_there(manifest));
  if (!with_manifest) manifest_done_ = true;
  const std::string path = manifest_done_ ? outbox_.path(current_->name) : manifest;
  CARAVEL_ASSIGN_OR_RETURN(const auto there, is_there(path));
  if (!there) {  // somebody else took it
    current_.reset();
    stale_ = true;
    return {};
  }
  const std::string command = fill_command(rules_.command, path);
  const char* const arguments[] = {"/bin/sh", "-c", command.c_str(), nullptr};

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, 2, 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, arguments[0], &files, &attributes,
                                   const_cast<char* const*>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    failed_again(now, system_error("start the send command", failed).message);
    return {};
  }
  child_ = child;
  timed_out_ = false;
  deadline_ = now.steady + rules_.timeout;
  pid_fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (pid_fd_) ::fcntl(pid_fd_.get(), F_SETFD, FD_CLOEXEC);
  return {};
}

void Sender::reap(const Moment& now) {
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0) {
    if (now.steady < deadline_) return;
    // The whole group: the shell's children hold the connection that hangs.
    ::kill(-child_, timed_out_ ? SIGKILL : SIGTERM);
    timed_out_ = true;
    deadline_ = now.steady + kKillAfter;
    return;
  }
  if (timed_out_) ::kill(-child_, SIGKILL);
  child_ = 0;
  pid_fd_.reset();
  // ECHILD: our host ignores SIGCHLD. Nobody can say how it ended: not well.
  end(now, ended > 0 ? status : 1);
}

void Sender::end(const Moment& now, int status) {
  if (status != 0 || timed_out_) {
    failed_again(now, "sending fails: " + why(status, timed_out_));
    return;
  }
  if (!manifest_done_) {
    manifest_done_ = true;
    return;
  }
  if (auto kept = outbox_.keep_as_sent(current_->name); !kept) {
    // It stays in the outbox and will be sent again: the loading side knows it by its digest.
    failed_again(now, kept.error().message);
    return;
  }
  const auto ours = [&](const Failing& failing) { return failing.run == current_->run; };
  if (std::erase_if(failing_, ours) > 0 && failing_.empty()) {
    notices_.say("sending works again");
  }
  current_.reset();
}

}  // namespace caravel::tail
