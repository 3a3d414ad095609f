#include "watcher/tail/outbox/sender.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/outbox/shell.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// How often a command is looked at where no descriptor tells of its end: on kernels without
/// pidfd_open(2) (before 5.3), and after a SIGTERM.
constexpr milliseconds kPoll{200};
/// The time that a command has between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kKillAfter{5};

/// For people: what waitpid(2)'s `status` says.
std::string how_it_ended(int status, bool timed_out) {
  if (timed_out) return "took too long and was ended";
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  return "ended";
}

}  // namespace

std::string fill_command(std::string_view command, std::string_view path) {
  // The path ends up in a shell's command line, and the log's name is a part of it: within single
  // quotes no character but the quote itself means anything to sh (POSIX, Shell Command Language,
  // 2.2.2).
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
  // Half of the delay is random: hosts that failed together try again at different moments.
  return delay -
         milliseconds(static_cast<std::int64_t>(random * static_cast<double>(delay.count()) / 2));
}

Sender::~Sender() {
  if (child_ <= 0) return;
  // The destructor does not wait for the command's end, which may take long. init becomes its
  // parent as soon as the agent exits, and reaps it.
  ::kill(-child_, SIGTERM);
  int status = 0;
  static_cast<void>(::waitpid(child_, &status, WNOHANG));
}

Result<std::optional<std::chrono::steady_clock::time_point>> Sender::step(const Moment& now) {
  for (;;) {
    if (child_ > 0) look_after_command(now);
    if (child_ > 0) {
      // Without a descriptor, or while a SIGTERM is to take effect, the command is looked at often.
      return pid_fd_ && !timed_out_ ? deadline_ : std::min(deadline_, now.steady + kPoll);
    }
    if (!current_) {
      // Not before each file: a backlog of thousands would be listed thousands of times.
      if (stale_) CARAVEL_TRY(read_outbox());
      if (!pick(now)) return next_try();
    }
    CARAVEL_TRY(start_command(now));
  }
}

Result<> Sender::read_outbox() {
  CARAVEL_ASSIGN_OR_RETURN(queue_, outbox_.waiting());
  stale_ = false;
  // Somebody else may have taken all files of a run: then the run does not fail any more.
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

/// Puts the current file back to its place in the queue, before all others of its run, so that its
/// run keeps its order. The reason is said once, until the file or the reason is another.
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

/// When the first of those failing runs is due that still have a file. Nothing with --once: a run
/// that failed is not tried again there.
std::optional<std::chrono::steady_clock::time_point> Sender::next_try() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  for (const Failing& failing : failing_) {
    const bool waits = std::any_of(queue_.begin(), queue_.end(),
                                   [&](const OutboxFile& file) { return file.run == failing.run; });
    if (waits && !rules_.once && (!next || failing.next_try < *next)) next = failing.next_try;
  }
  return next;
}

/// Takes the next file from the queue: of the run that follows the last one (they take turns, so
/// that a long backlog of one log does not hold up the others), among the runs that are due, the
/// file with the lowest sequence. False: no run is due.
bool Sender::pick(const Moment& now) {
  auto next = queue_.end();
  for (auto file = queue_.begin(); file != queue_.end(); ++file) {
    const Failing* const failing = find_failing(file->run);
    if (failing != nullptr && failing->next_try > now.steady) continue;
    if (next == queue_.end()) next = file;  // the first one, if no run is behind the last one
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

/// Starts the command for the current file, or for its manifest if that was not sent yet.
Result<> Sender::start_command(const Moment& now) {
  const std::string manifest = outbox_.path(watcher::manifest_name(current_->name));
  CARAVEL_ASSIGN_OR_RETURN(const auto with_manifest, is_there(manifest));
  // Somebody else took the manifest, or sent it: the extract goes alone.
  if (!with_manifest) manifest_done_ = true;
  const std::string path = manifest_done_ ? outbox_.path(current_->name) : manifest;
  CARAVEL_ASSIGN_OR_RETURN(const auto there, is_there(path));
  if (!there) {
    // Somebody else took the file, so the queue is out of date.
    current_.reset();
    stale_ = true;
    return {};
  }
  std::string line = fill_command(rules_.command, path);
  if (!rules_.open_files.empty()) line.insert(0, "ulimit -S -n " + rules_.open_files + "; ");
  auto command = start_shell(line);
  if (!command) {
    failed_again(now, with_context("start the send command", command.error()).message);
    return {};
  }
  child_ = command->id;
  pid_fd_ = std::move(command->fd);
  timed_out_ = false;
  deadline_ = now.steady + rules_.timeout;
  return {};
}

/// Looks whether the command has ended; ends one that takes too long.
void Sender::look_after_command(const Moment& now) {
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0) {
    if (now.steady < deadline_) return;
    // The whole process group: a child of the shell (ssh, rsync) holds the connection that hangs.
    ::kill(-child_, timed_out_ ? SIGKILL : SIGTERM);
    timed_out_ = true;
    deadline_ = now.steady + kKillAfter;
    return;
  }
  // The shell ended at the SIGTERM; a child of its own may not have.
  if (timed_out_) ::kill(-child_, SIGKILL);
  child_ = 0;
  pid_fd_.reset();
  // ECHILD: if SIGCHLD is ignored, the kernel keeps no status (wait(2), NOTES). Nobody can say how
  // the command ended: it counts as failed, and the file is sent again.
  command_ended(now, ended > 0 ? status : 1);
}

void Sender::command_ended(const Moment& now, int status) {
  // A command that was told to end counts as failed, even if it then exits with 0: it may have been
  // in the middle of a transfer.
  if (status != 0 || timed_out_) {
    failed_again(now, "sending fails: " + how_it_ended(status, timed_out_));
    return;
  }
  if (!manifest_done_) {
    manifest_done_ = true;
    return;
  }
  if (auto kept = outbox_.keep_as_sent(current_->name); !kept) {
    // The extract was delivered, stays in the outbox, and will be sent again: the loading host
    // knows it by its digest.
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
