#include "watcher/tail/sender.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

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

Result<std::optional<std::chrono::steady_clock::time_point>> Sender::step(const Now& now) {
  for (;;) {
    if (child_ > 0) reap(now);
    if (child_ > 0) {
      return pid_fd_ && !timed_out_ ? deadline_ : std::min(deadline_, now.steady + kPoll);
    }
    if (failures_ > 0 && !rules_.once && now.steady < next_try_) return next_try_;
    if (!current_) {
      if (queue_.empty() && stale_) {
        auto files = outbox_.waiting();
        if (!files) return tl::unexpected(files.error());
        queue_ = std::move(*files);
        stale_ = false;
      }
      if (!pick()) {
        if (stale_) continue;
        return std::nullopt;
      }
    }
    CARAVEL_TRY(spawn(now));
  }
}

/// The next run's turn: its file with the lowest sequence.
bool Sender::pick() {
  const auto stopped = [&](const OutboxFile& file) {
    return std::find(stopped_runs_.begin(), stopped_runs_.end(), file.run) != stopped_runs_.end();
  };
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), stopped), queue_.end());
  if (queue_.empty()) return false;
  auto next = std::find_if(queue_.begin(), queue_.end(),
                           [&](const OutboxFile& file) { return file.run > last_run_; });
  if (next == queue_.end()) next = queue_.begin();
  current_ = *next;
  last_run_ = current_->run;
  queue_.erase(next);
  manifest_done_ = false;
  return true;
}

Result<> Sender::spawn(const Now& now) {
  const std::string manifest = outbox_.path(watcher::manifest_name(current_->name));
  if (!manifest_done_ && !exists(manifest)) manifest_done_ = true;
  const std::string path = manifest_done_ ? outbox_.path(current_->name) : manifest;
  if (!exists(path)) {  // somebody else took it
    current_.reset();
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
    ++failures_;
    next_try_ = now.steady + send_backoff(failures_, ::drand48());
    return fail_with_errno("start the send command", failed);
  }
  child_ = child;
  timed_out_ = false;
  deadline_ = now.steady + rules_.timeout;
  pid_fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (pid_fd_) ::fcntl(pid_fd_.get(), F_SETFD, FD_CLOEXEC);
  return {};
}

void Sender::reap(const Now& now) {
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

void Sender::end(const Now& now, int status) {
  if (status == 0 && !timed_out_) {
    failures_ = 0;
    notices_.clear("send", "sending works again");
    if (!manifest_done_) {
      manifest_done_ = true;
      return;
    }
    auto kept = outbox_.keep_as_sent(current_->name);
    if (!kept) {
      // It stays in the outbox and will be sent again: the loading side knows it by its digest.
      notices_.set("sent", kept.error().message);
      next_try_ = now.steady + send_backoff(++failures_, ::drand48());
    }
    current_.reset();
    stale_ = true;
    return;
  }
  ++failures_;
  notices_.set("send", "sending fails: " + why(status, timed_out_) + "; " + shown(current_->name) +
                           " and what follows stay in the outbox");
  next_try_ = now.steady + send_backoff(failures_, ::drand48());
  if (rules_.once) {
    stopped_runs_.push_back(current_->run);
    current_.reset();
  } else if (std::any_of(queue_.begin(), queue_.end(),
                         [&](const OutboxFile& file) { return file.run != current_->run; })) {
    // One file that nobody takes holds up its own log only.
    queue_.clear();
    stale_ = true;
    current_.reset();
  }
}

}  // namespace caravel::tail
