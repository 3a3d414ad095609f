#include "watcher/tail/agent.h"

#include <algorithm>

#include "watcher/tail/glob.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// How often what was sent is looked through for what is old enough to go.
constexpr std::chrono::minutes kExpireEvery{10};

milliseconds default_grace(milliseconds interval) {
  return std::clamp(2 * interval, milliseconds(5'000), milliseconds(120'000));
}

}  // namespace

Agent::Agent(AgentOptions options, Disk& disk)
    : options_(std::move(options)), disk_(disk), outbox_(disk, options_.outbox), cutter_(disk) {
  if (!options_.grace) options_.grace = default_grace(options_.interval);
  if (!options_.send.empty()) {
    sender_.emplace(outbox_, SendRules{options_.send, options_.send_timeout, options_.once},
                    notices_);
  }
}

Agent::Log& Agent::add_log(LogState state) {
  auto log = std::make_unique<Log>();
  log->state = std::move(state);
  log->follower = std::make_unique<LogFollower>(log->state, *options_.grace, notices_);
  logs_.push_back(std::move(log));
  return *logs_.back();
}

Step Agent::step(const Now& now) {
  Step step;
  const auto report = [&](const std::string& subject, const Error& error) {
    notices_.set(subject, error.message);
    step.trouble = true;
  };
  if (now.steady >= next_look_) {
    find_logs();
    next_look_ = now.steady + options_.interval;
    if (sender_) {
      sender_->look_again();
      if (!counted_ || now.steady >= *counted_ + kExpireEvery) {
        auto counted = count_stored(0, now);
        if (!counted) report("expire", counted.error());
      }
    }
  }
  bool more = false;
  step.wake = next_look_;
  for (const auto& log : logs_) {
    if (now.steady >= log->due) {
      auto again = advance(*log, now, step);
      if (!again) {
        log->follower->doubt();
        report(log->state.log, with_context(shown(log->state.log), again.error()));
      } else {
        notices_.clear(log->state.log, shown(log->state.log) + ": works again");
      }
      // All logs at one time: an idle agent wakes once an interval.
      log->due = again && *again ? now.steady : next_look_;
    }
    more = more || log->due <= now.steady;
    step.wake = std::min(step.wake, log->due);
  }
  forget_deserted();
  // While a backlog is worked off, the state is saved with the next extract's announcement.
  if (dirty_ && !more) {
    auto saved = save();
    if (!saved) report("state", saved.error());
  }
  if (!dirty_) notices_.clear("state", "the state can be written again");
  std::optional<std::chrono::steady_clock::time_point> send_wake;
  if (sender_) {
    if (!step.published.empty()) sender_->look_again();
    auto wake = sender_->step(now);
    if (!wake) {
      report("sender", wake.error());
    } else {
      send_wake = *wake;
    }
    if (sender_->failed()) step.trouble = true;
    if (send_wake) step.wake = std::min(step.wake, *send_wake);
  }
  step.messages = notices_.take();
  step.idle = !more && !(sender_ && sender_->running());
  return step;
}

Result<bool> Agent::advance(Log& log, const Now& now, Step& step) {
  if (log.state.pending) {
    CARAVEL_TRY(publish(log, step));
    return true;
  }
  if (!log.followed) return false;
  if (!log.begun) {
    CARAVEL_TRY(log.follower->begin(options_.from_start || log.from_start, cutter_));
    log.begun = true;
    dirty_ = true;
  }
  LogFollower& follower = *log.follower;
  auto readable = follower.look(now);
  if (!readable) return readable;
  if (follower.fd() < 0) return false;
  if (*readable) {
    auto range = next_range(follower);
    if (!range) return tl::unexpected(range.error());
    if (*range) {
      auto room = make_room((*range)->last - (*range)->first, now);
      if (!room || !*room) return room;
      auto cut_it = cut(log, **range, now);
      if (!cut_it) return cut_it;
      if (*cut_it) CARAVEL_TRY(publish(log, step));
      return true;
    }
  }
  auto finished = follower.finish(now);
  if (finished && *finished) dirty_ = true;
  return finished;
}

Result<std::optional<Range>> Agent::next_range(LogFollower& follower) {
  const std::uint64_t end = follower.stamp().size;
  if (follower.position().offset == 0) {
    auto first = cutter_.skip_nuls(follower.fd(), 0, end);
    if (!first) return tl::unexpected(first.error());
    if (*first == end) return std::nullopt;
    if (*first > 0) {
      notices_.say(shown(follower.path()) + ": begins with " + std::to_string(*first) +
                   " NUL bytes (truncated under a writer that does not append?); skipped");
      follower.skip_to(*first);
    }
  }
  return cutter_.next(follower.fd(), follower.position().offset, end, options_.max_bytes,
                      follower.scanned());
}

/// Builds the extract and announces it in the state. False: what was to be the extract's name is
/// taken; a new run was begun.
Result<bool> Agent::cut(Log& log, const Range& range, const Now& now) {
  LogFollower& follower = *log.follower;
  watcher::Manifest manifest;
  manifest.host = options_.host;
  manifest.log = log.state.log;
  manifest.device = follower.position().id.device;
  manifest.inode = follower.position().id.inode;
  manifest.run = log.state.run;
  manifest.sequence = log.state.sequence + 1;
  manifest.first = range.first;
  manifest.last = range.last;
  manifest.bytes = range.last - range.first;
  manifest.cut = std::chrono::floor<milliseconds>(now.wall);
  const std::string name = Outbox::name_of(manifest);
  if (outbox_.knows(name)) {
    notices_.say(shown(outbox_.path(name)) +
                 ": is there already and not from this state; a new run begins");
    start_new_run(log);
    return false;
  }
  const std::string temporary = outbox_.temporary_path(name);
  Position after = follower.position();
  auto built = [&]() -> Result<> {
    auto out = disk_.create(temporary);
    if (!out) return tl::unexpected(out.error());
    auto copied = cutter_.copy(follower.fd(), range, out->get());
    if (!copied) return tl::unexpected(copied.error());
    CARAVEL_TRY(disk_.sync(out->get()));
    // Was it truncated and did it grow again while it was copied?
    auto same = holds(follower.fd(), follower.position());
    if (!same) return tl::unexpected(same.error());
    if (!*same) return fail(ErrorKind::retry, "changed while it was read");
    if (after.first_line.empty()) {
      auto first_line = first_line_of(follower.fd());
      if (!first_line) return tl::unexpected(first_line.error());
      after.first_line = *first_line;
    }
    CARAVEL_TRY(move_to(follower.fd(), range.last, after));
    manifest.first_line = after.first_line;
    manifest.lines = copied->lines;
    manifest.sha256 = copied->sha256;
    return disk_.sync_directory(options_.outbox);
  }();
  if (!built) {
    static_cast<void>(disk_.remove(temporary));
    return tl::unexpected(built.error());
  }
  after.modified = follower.stamp().modified;
  after.finished = false;
  log.state.pending = Pending{std::move(manifest), std::move(after)};
  log.unsaved_pending = true;
  return true;
}

/// The announcement, the manifest, the extract; in memory the log then stands behind it. Any
/// failure leaves it pending: the next step goes on here, a new start does in load().
Result<> Agent::publish(Log& log, Step& step) {
  if (log.unsaved_pending) {
    CARAVEL_TRY(save());
    log.unsaved_pending = false;
  }
  const Pending& pending = *log.state.pending;
  auto published = outbox_.publish(pending.manifest, log.verify_pending);
  if (!published) return tl::unexpected(published.error());
  const std::string name = Outbox::name_of(pending.manifest);
  if (!*published) {
    notices_.say(shown(outbox_.path(name)) +
                 ": another file has this name, or it was damaged; a new run begins");
    log.state.pending.reset();
    log.verify_pending = false;
    start_new_run(log);
    CARAVEL_TRY(save());
    return disk_.remove(outbox_.temporary_path(name));
  }
  stored_ += pending.manifest.bytes;
  step.published.push_back(outbox_.path(name));
  log.state.sequence = pending.manifest.sequence;
  log.state.file = pending.after;
  log.follower->advance(pending.after);
  log.state.pending.reset();
  log.verify_pending = false;
  dirty_ = true;
  return {};
}

/// Counts what is stored; deletes what was sent if it is old, or to make room for `bytes`.
Result<> Agent::count_stored(std::uint64_t bytes, const Now& now) {
  const std::uint64_t most = options_.max_outbox > bytes ? options_.max_outbox - bytes : 0;
  auto stored = outbox_.expire(now.wall - options_.keep_sent, most);
  if (!stored) return tl::unexpected(stored.error());
  stored_ = *stored;
  counted_ = now.steady;
  return {};
}

Result<bool> Agent::make_room(std::uint64_t bytes, const Now& now) {
  const auto fits = [&] { return stored_ + bytes <= options_.max_outbox || stored_ == 0; };
  if (!counted_ || !fits()) CARAVEL_TRY(count_stored(bytes, now));
  if (fits()) {
    notices_.clear("full", "there is room in the outbox again");
    return true;
  }
  notices_.set("full", shown(options_.outbox) + ": holds " + std::to_string(stored_) +
                           " bytes (--max-outbox); nothing more is cut until files are taken");
  return false;
}

void Agent::start_new_run(Log& log) {
  log.state.run = random_run();
  log.state.sequence = 0;
  dirty_ = true;
}

std::uint64_t Agent::bytes_left_behind() const {
  std::uint64_t bytes = 0;
  for (const auto& log : logs_) bytes += log->follower->bytes_left_behind();
  return bytes;
}

}  // namespace caravel::tail
