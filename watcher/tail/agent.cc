#include "watcher/tail/agent.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/rotation.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// Fills in what the user did not set. Extracts larger than the outbox may be would each have to
/// wait until it is empty.
AgentOptions completed(AgentOptions options) {
  options.grace = grace_of(options);
  options.max_bytes = std::min(options.max_bytes, options.max_outbox);
  return options;
}

}  // namespace

milliseconds grace_of(const AgentOptions& options) {
  // Two intervals, so that two looks in a row find a rotated file unchanged.
  if (options.grace) return *options.grace;
  return std::clamp(2 * options.interval, milliseconds(1'000), milliseconds(120'000));
}

Agent::Agent(AgentOptions options, Disk& disk)
    : options_(completed(std::move(options))),
      outbox_(disk, options_.outbox),
      cutter_(disk),
      room_(outbox_, RoomRules{options_.max_outbox, options_.max_bytes, options_.keep_sent},
            notices_),
      held_(options_.max_held),
      unpacker_(disk, options_.outbox),
      logs_(FollowRules{options_.logs, options_.outbox, *options_.grace, options_.from_start,
                        options_.siblings},
            held_, unpacker_, notices_),
      keeper_(disk, options_.state, logs_, outbox_, room_, notices_),
      extracts_(
          Workbench{disk, outbox_, room_, logs_, keeper_, cutter_, notices_},
          ExtractRules{options_.host, options_.max_bytes, options_.record_start, *options_.grace}),
      publisher_(outbox_, room_, logs_, keeper_, notices_),
      watch_(options_.max_held) {
  if (!options_.send.empty()) {
    sender_.emplace(
        outbox_,
        SendRules{options_.send, options_.send_timeout, options_.once, options_.send_open_files},
        notices_);
  }
}

Result<std::unique_ptr<Agent>> Agent::open(AgentOptions options, Disk& disk) {
  std::unique_ptr<Agent> agent(new Agent(std::move(options), disk));
  CARAVEL_TRY(agent->load());
  return agent;
}

Result<> Agent::load() {
  CARAVEL_TRY(outbox_.open());
  unpacker_.clean_up();
  // sent/ is made while the disk still has room for it: on a full disk, sent extracts could not be
  // moved there. If it cannot be made now, keep_as_sent() tries again.
  if (sender_) static_cast<void>(make_directory(options_.outbox + "/sent"));
  CARAVEL_TRY(keeper_.load(cutter_));
  // Logs are found now, and not with the first step: a log that appears between the start and the
  // first step is new, and is read from its beginning.
  logs_.find();
  watch_directories();
  if (options_.watch_in_thread && !options_.once) watch_.start();
  if (!logs_.changed()) return {};
  // A full disk does not keep the agent from starting: each step tries to save the state again, and
  // the sending may make room.
  auto saved = keeper_.save();
  return saved || saved.error().kind == ErrorKind::retry ? Result<>() : saved;
}

/// Says an error, once while it lasts, and marks the step: --once ends with status 1 then.
void Agent::report(std::string_view subject, const Error& error, Step& step) {
  notices_.set(subject, error.message);
  step.trouble = true;
}

Step Agent::step(const Moment& now) {
  Step step;
  const bool look_due = now.steady >= next_look_;
  take_over_what_appeared(now);
  if (look_due) look_for_logs(now, step);
  step.trouble = step.trouble || logs_.cannot_see_all();
  step.wake = next_look_;
  const bool more = advance_logs(now, step);
  // After all logs were looked at: a log whose file was renamed is found under its new name first.
  if (look_due) logs_.forget_deserted();
  if (!more) logs_.release_held(now);
  // While a backlog is worked off, the state is saved with the next extract's announcement.
  if (!more) save_if_changed(now, step);
  if (!logs_.changed()) notices_.clear("state", "the state can be written again");
  if (sender_) send(now, step);
  step.messages = notices_.take();
  step.idle = !more && !(sender_ && sender_->running());
  return step;
}

/// Directories are watched before anything in them is looked at: what appears in between is seen
/// twice, not missed. A single pass looks once and needs no watch.
void Agent::watch_directories() {
  if (options_.once) return;
  if (!watch_.watch(logs_.directories(), logs_.paths())) {
    logs_.look_through();
    notices_.set("watch",
                 "not all directories of the logs can be watched (inotify); they are "
                 "looked through at each interval");
  } else {
    notices_.clear("watch", "all directories of the logs are watched again");
  }
}

void Agent::take_over_what_appeared(const Moment& now) {
  watch_.collect();
  DirectoryWatch::News news = watch_.take();
  held_.take_over(std::move(news.arrivals), now);
  for (const std::string& path : news.missed) {
    // Of a packed file, the original was seen to appear, too.
    if (is_packed(path)) continue;
    logs_.say_if_lost(path, printable(path) +
                                ": was there for a moment only and is gone before it could be "
                                "opened; unless it was packed with gzip, its lines are lost");
  }
  if (news.look_again || news.full) logs_.look_through();
  if (news.full || held_.take_full()) {
    notices_.set("held", "more than " + std::to_string(options_.max_held) +
                             " rotated files wait to be read (--max-open); the newest of them are "
                             "not held open: if they are deleted first, they are lost");
  } else if (held_.size() < options_.max_held) {
    notices_.clear("held", "all rotated files that wait to be read are held open again");
  }
}

/// Once an interval: looks for new logs, and for what other programs did to the outbox.
void Agent::look_for_logs(const Moment& now, Step& step) {
  logs_.find();
  watch_directories();
  next_look_ = now.steady + options_.interval;
  if (!sender_) return;
  // Others may have put extracts back (--resend), or taken some away.
  sender_->look_again();
  if (auto expired = room_.expire_if_due(now); !expired) report("expire", expired.error(), step);
}

/// Looks at each log that is due. True: at least one log has more to be done at once.
bool Agent::advance_logs(const Moment& now, Step& step) {
  bool more = false;
  for (const auto& log : logs_.all()) {
    if (now.steady >= log->due) {
      const std::string& path = log->state.log;
      const auto again = advance(*log, now, step);
      // One log's trouble keeps no other from being read.
      if (!again) {
        // The step may have stopped half way through a change of the file: nothing that was seen of
        // the file counts, and the next look compares its content.
        log->follower->file().compare_at_next_look();
        report(path, with_context(printable(path), again.error()), step);
      } else if (!log->one_by_one) {
        notices_.clear(path, printable(path) + ": works again");
      }
      // All logs become due at the same time: an idle agent wakes up once an interval, however many
      // logs it follows.
      log->due = again && *again ? now.steady : next_look_;
    }
    more = more || log->due <= now.steady;
    step.wake = std::min(step.wake, log->due);
  }
  return more;
}

/// One step of one log: publishes what is pending, looks, cuts, publishes. True: something was
/// done, and the log is to be looked at again at once.
Result<bool> Agent::advance(FollowedLog& log, const Moment& now, Step& step) {
  // What a crash, or a step that failed half way, left pending is published before anything is
  // read: new extracts get the numbers that follow.
  if (!log.state.pending.empty()) {
    CARAVEL_TRY(publisher_.publish(log, now, step.published));
    return true;
  }
  if (!log.followed) return false;
  if (!log.begun) CARAVEL_TRY(begin(log));
  LogFollower& follower = *log.follower;
  if (!follower.file().is_open()) CARAVEL_TRY(may_open());
  const auto readable = follower.look(now);
  // Asked also if the look failed: it may have changed the state before it failed.
  if (follower.take_changed()) logs_.mark_changed();
  if (!readable) return readable;
  if (!follower.file().is_open()) return false;
  if (*readable) {
    using Cut = ExtractCutter::Cut;
    CARAVEL_ASSIGN_OR_RETURN(const auto cut, extracts_.cut(log, now));
    if (cut == Cut::no_room) return false;
    if (!log.state.pending.empty()) CARAVEL_TRY(publisher_.publish(log, now, step.published));
    if (cut == Cut::part) return true;
    // Not all is read: the next look cuts the rest, also if the log has not changed.
    if (cut == Cut::held) return false;
    // Lines that were written during this step wait for the next interval. Otherwise a busy writer
    // would get an extract every few milliseconds.
  }
  auto finished = follower.finish(now);
  if (finished && *finished) logs_.mark_changed();
  if (!finished || !follower.half_line()) return finished;
  CARAVEL_ASSIGN_OR_RETURN(const auto half, extracts_.cut_half_line(log, now));
  if (half != ExtractCutter::Cut::part) return false;
  CARAVEL_TRY(publisher_.publish(log, now, step.published));
  return true;
}

/// Decides where a log without a state is read from. An error leaves it undecided: the next look
/// tries again.
Result<> Agent::begin(FollowedLog& log) {
  const bool looked_before = log.state.first_look.has_value();
  const auto begun = log.follower->begin(log.start, cutter_);
  // The first look is remembered also if the log must not be read yet.
  if (begun || !looked_before) logs_.mark_changed();
  log.begun = begun.has_value();
  return begun;
}

/// Whether one more log may be opened. The limit leaves descriptors for extracts and the state:
/// without those, nothing could be cut from any log.
Result<> Agent::may_open() const {
  const std::size_t open = logs_.open_files();
  if (open < options_.max_open) return {};
  return fail(ErrorKind::retry, "waits: " + std::to_string(open) +
                                    " logs are open, as many as the limit of open files allows "
                                    "(ulimit -n)");
}

void Agent::save_if_changed(const Moment& now, Step& step) {
  if (!logs_.changed()) return;
  if (auto saved = keeper_.save_making_room(now); !saved) report("state", saved.error(), step);
}

void Agent::send(const Moment& now, Step& step) {
  if (!step.published.empty()) sender_->look_again();
  const auto wake = sender_->step(now);
  if (wake) {
    notices_.clear("sender", "the outbox can be read again");
    // The sender wakes the agent earlier than the interval: a retry after 1 s is not delayed to 60.
    if (*wake) step.wake = std::min(step.wake, **wake);
  } else {
    report("sender", wake.error(), step);
  }
  // The sender has its own notices; a pass of --once must still end with status 1.
  if (sender_->failed()) step.trouble = true;
}

}  // namespace caravel::tail
