#include "watcher/tail/agent.h"

#include <algorithm>
#include <utility>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/tail/files/glob.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// How often, at least, what was sent is looked through for what is old enough to go.
constexpr std::chrono::minutes kExpireEvery{10};

/// Extracts that are announced together while there is a backlog: waiting for the disk three times
/// costs about what the copying of 8 MiB does.
constexpr std::size_t kExtractsAtOnce = 16;
constexpr std::uint64_t kBytesAtOnce = 128ULL << 20;

milliseconds default_grace(milliseconds interval) {
  return std::clamp(2 * interval, milliseconds(1'000), milliseconds(120'000));
}

}  // namespace

Agent::Agent(AgentOptions options, Disk& disk)
    : options_(std::move(options)), disk_(disk), outbox_(disk, options_.outbox), cutter_(disk) {
  if (!options_.grace) options_.grace = default_grace(options_.interval);
  options_.max_bytes = std::min(options_.max_bytes, options_.max_outbox);
  if (!options_.send.empty()) {
    sender_.emplace(outbox_, SendRules{options_.send, options_.send_timeout, options_.once},
                    notices_);
  }
}

Agent::Log& Agent::add_log(LogState state) {
  auto log = std::make_unique<Log>();
  log->state = std::move(state);
  const OtherLogs& others = *this;
  log->follower =
      std::make_unique<LogFollower>(log->state, *options_.grace, options_.logs, others, notices_);
  logs_.push_back(std::move(log));
  return *logs_.back();
}

Step Agent::step(const Moment& now) {
  Step step;
  const auto report = [&](const std::string& subject, const Error& error) {
    notices_.set(subject, error.message);
    step.trouble = true;
  };
  const bool look_due = now.steady >= next_look_;
  if (look_due) {
    find_logs();
    next_look_ = now.steady + options_.interval;
    if (sender_) {
      sender_->look_again();
      const milliseconds expire_every = std::min<milliseconds>(kExpireEvery, options_.keep_sent);
      if (!counted_ || now.steady >= *counted_ + expire_every) {
        auto counted = count_stored(0, now);
        if (!counted) report("expire", counted.error());
      }
    }
  }
  step.trouble = step.trouble || cannot_look_;
  bool more = false;
  step.wake = next_look_;
  for (const auto& log : logs_) {
    if (now.steady >= log->due) {
      auto again = advance(*log, now, step);
      if (!again) {
        log->follower->doubt();
        report(log->state.log, with_context(printable(log->state.log), again.error()));
      } else if (!log->one_by_one) {
        notices_.clear(log->state.log, printable(log->state.log) + ": works again");
      }
      // All logs at one time: an idle agent wakes once an interval.
      log->due = again && *again ? now.steady : next_look_;
    }
    more = more || log->due <= now.steady;
    step.wake = std::min(step.wake, log->due);
  }
  if (look_due) look_after_deserted();
  // While a backlog is worked off, the state is saved with the next extract's announcement.
  if (dirty_ && !more) {
    auto saved = save_in_what_room_there_is(now);
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
      notices_.clear("sender", "the outbox can be read again");
      send_wake = *wake;
    }
    if (sender_->failed()) step.trouble = true;
    if (send_wake) step.wake = std::min(step.wake, *send_wake);
  }
  step.messages = notices_.take();
  step.idle = !more && !(sender_ && sender_->running());
  return step;
}

Result<bool> Agent::advance(Log& log, const Moment& now, Step& step) {
  if (!log.state.pending.empty()) {
    CARAVEL_TRY(publish(log, now, step));
    return true;
  }
  if (!log.followed) return false;
  if (!log.begun) {
    const bool looked_before = log.state.first_look.has_value();
    auto begun =
        log.follower->begin(options_.from_start || log.from_start, log.rotated_since, cutter_);
    if (begun || !looked_before) dirty_ = true;
    CARAVEL_TRY(begun);
    log.begun = true;
  }
  LogFollower& follower = *log.follower;
  if (follower.fd() < 0) CARAVEL_TRY(may_open());
  auto readable = follower.look(now);
  if (follower.take_changed()) dirty_ = true;
  if (!readable) return readable;
  if (follower.fd() < 0) return false;
  if (*readable) {
    CARAVEL_ASSIGN_OR_RETURN(auto cut, cut_some(log, now));
    if (cut == Cut::no_room) return false;
    if (cut != Cut::nothing) CARAVEL_TRY(publish(log, now, step));
    if (cut == Cut::some) return true;
    // What was written since is the next interval's: else a busy writer gets a file a moment.
  }
  auto finished = follower.finish(now);
  if (finished && *finished) dirty_ = true;
  return finished;
}

/// Without a descriptor to spare, nothing at all could be cut.
Result<> Agent::may_open() const {
  const auto open = std::count_if(logs_.begin(), logs_.end(),
                                  [](const auto& log) { return log->follower->fd() >= 0; });
  if (static_cast<std::size_t>(open) < options_.max_open) return {};
  return fail(ErrorKind::retry, "waits: " + std::to_string(open) +
                                    " logs are open, as many as the limit of open files allows "
                                    "(ulimit -n)");
}

Result<std::optional<Range>> Agent::next_range(LogFollower& follower) {
  const std::uint64_t end = follower.stamp().size;
  if (follower.position().offset == 0) {
    CARAVEL_ASSIGN_OR_RETURN(auto first, cutter_.skip_nuls(follower.fd(), 0, end));
    if (first == end) return std::nullopt;
    if (first > 0) {
      notices_.say(printable(follower.path()) + ": begins with " + std::to_string(first) +
                   " NUL bytes (truncated under a writer that does not append?); skipped");
      follower.skip_to(first);
    }
  }
  return cutter_.next(follower.fd(), follower.position().offset, end, options_.max_bytes,
                      follower.scanned());
}

/// Decides where the next extracts begin and end.
Result<Agent::Cut> Agent::plan_some(Log& log, const Moment& now, Batch& batch) {
  const std::size_t most = log.one_by_one ? 1 : kExtractsAtOnce;
  while (batch.size() < most && (batch.size() < 2 || batch.bytes() < kBytesAtOnce)) {
    CARAVEL_ASSIGN_OR_RETURN(auto range, next_range(*log.follower));
    if (!range) {
      log.one_by_one = false;
      return Cut::nothing;
    }
    const std::uint64_t bytes = batch.bytes() + range->last - range->first;
    if (!batch.empty() && stored_ + bytes > options_.max_outbox) return Cut::no_room;
    CARAVEL_ASSIGN_OR_RETURN(auto room, make_room(bytes, now));
    if (!room) return Cut::no_room;
    CARAVEL_TRY(plan(log, *range, now, batch));
  }
  return Cut::some;
}

/// One extract, behind those that are planned.
Result<> Agent::plan(Log& log, const Range& range, const Moment& now, Batch& batch) {
  LogFollower& follower = *log.follower;
  watcher::Manifest manifest;
  manifest.host = options_.host;
  manifest.log = log.state.log;
  manifest.device = follower.position().id.device;
  manifest.inode = follower.position().id.inode;
  manifest.first = range.first;
  manifest.last = range.last;
  manifest.bytes = range.last - range.first;
  manifest.cut = std::chrono::floor<milliseconds>(now.wall);
  const auto name_it = [&] {
    manifest.run = log.state.run;
    manifest.sequence = (batch.empty() ? log.state.sequence : batch.last().sequence) + 1;
  };
  name_it();
  const auto taken = outbox_.knows(Outbox::name_of(manifest));
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) {
    if (!batch.empty()) return fail(ErrorKind::retry, "its name is taken");
    notices_.say(printable(outbox_.path(Outbox::name_of(manifest))) +
                 ": is there already and not from this state; a new run begins");
    start_new_run(log);
    name_it();
  }
  Position after = follower.position();
  // First, so that the look at it when all is copied also covers the first line.
  CARAVEL_TRY(move_to(follower.fd(), range.last, after));
  if (after.first_line.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(auto first_line, first_line_of(follower.fd()));
    after.first_line = first_line;
  }
  after.modified = follower.stamp().modified;
  manifest.first_line = after.first_line;
  follower.advance(after);
  batch.add(std::move(manifest), std::move(after));
  return {};
}

/// Builds the next extracts and syncs them. What could be built is not in vain: the error comes
/// again with the next look.
Result<Agent::Cut> Agent::cut_some(Log& log, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(const auto outbox, outbox_.open());
  log.state.built_in = outbox;
  LogFollower& follower = *log.follower;
  const Position before = follower.position();
  Batch batch(follower.fd(), outbox_, disk_);
  const auto planned = plan_some(log, now, batch);
  if (batch.empty()) return planned;
  const bool several = batch.size() > 1;
  const auto ready = [&]() -> Result<> {
    // Was it truncated and did it grow again before this was planned? (Batch looks after the rest.)
    CARAVEL_ASSIGN_OR_RETURN(auto same, holds(follower.fd(), before));
    if (!same) return fail(ErrorKind::retry, "changed while it was read");
    // A crash leaves temporary files behind, which only their run tells as ours.
    return log.run_saved ? Result<>{} : save_in_what_room_there_is(now);
  }();
  if (!ready) {
    follower.go_back();
    return tl::unexpected(ready.error());
  }
  const auto built = batch.build(cutter_);
  log.state.pending = batch.pending();
  log.announced = Log::Announced::no;
  // What has no room for several halves may have room for one whole.
  if (!built) log.one_by_one = several;
  if (!built && !batch.empty()) follower.advance(log.state.pending.back().after);
  const auto synced = batch.empty() ? built : batch.sync();
  if (synced) return built && planned && *planned == Cut::nothing ? Cut::all : Cut::some;
  log.one_by_one = several;
  static_cast<void>(abandon(log));
  if (!several) {
    auto room = give_up_sent(synced.error(), now);
    if (!room || !*room) return tl::unexpected(room ? synced.error() : room.error());
    log.one_by_one = true;
  }
  follower.doubt();
  return Cut::some;
}

/// The announcement, the manifests, the extracts; in memory the log then stands behind them. Any
/// failure leaves the rest pending: the next step goes on here, a new start does in load().
Result<> Agent::publish(Log& log, const Moment& now, Step& step) {
  if (log.announced != Log::Announced::yes && !log.state.pending.empty()) {
    if (auto saved = save_in_what_room_there_is(now); !saved) {
      // Their room may be what the state needs. Not if it may be on the disk: a start would rely
      // on them.
      if (log.announced == Log::Announced::no) {
        log.one_by_one = log.state.pending.size() > 1;
        static_cast<void>(abandon(log));
      }
      return saved;
    }
  }
  std::vector<Pending>& pending = log.state.pending;
  CARAVEL_ASSIGN_OR_RETURN(const auto outbox, outbox_.open());
  if (log.state.built_in && !same_file(*log.state.built_in, outbox)) {
    return cut_again(log, printable(options_.outbox) +
                              ": is another directory than before (a file system that is not "
                              "mounted?); what was not published there is cut again");
  }
  while (!pending.empty()) {
    const Pending& next = pending.front();
    CARAVEL_ASSIGN_OR_RETURN(auto published, outbox_.publish(next.manifest, log.verify_pending));
    const std::string name = Outbox::name_of(next.manifest);
    if (!published) {
      return cut_again(
          log, printable(outbox_.path(name)) + ": another file has this name, or it was damaged");
    }
    stored_ += next.manifest.bytes + watcher::format_manifest(next.manifest).size();
    step.published.push_back(outbox_.path(name));
    log.state.sequence = next.manifest.sequence;
    log.state.file = next.after;
    log.follower->advance(next.after);
    pending.erase(pending.begin());
    dirty_ = true;
  }
  log.verify_pending = false;
  return {};
}

/// For announced extracts that cannot be published: their bytes get other names, in case that
/// somebody has some of them already.
Result<> Agent::cut_again(Log& log, const std::string& why) {
  notices_.say(why + "; a new run begins");
  const std::vector<Pending> dropped = std::exchange(log.state.pending, {});
  log.verify_pending = false;
  log.follower->go_back();
  start_new_run(log);
  CARAVEL_TRY(save());
  for (const Pending& one : dropped) CARAVEL_TRY(outbox_.discard(one.manifest));
  return {};
}

/// Forgets extracts that are not announced.
Result<> Agent::abandon(Log& log) {
  log.follower->go_back();
  Result<> done;
  for (const Pending& one : std::exchange(log.state.pending, {})) {
    if (auto discarded = outbox_.discard(one.manifest); !discarded) done = discarded;
  }
  return done;
}

void Agent::start_new_run(Log& log) {
  log.state.run = random_run();
  log.state.sequence = 0;
  log.run_saved = false;
  dirty_ = true;
}

std::uint64_t Agent::bytes_left_behind() const {
  std::uint64_t bytes = 0;
  for (const auto& log : logs_) bytes += log->follower->bytes_left_behind();
  return bytes;
}

}  // namespace caravel::tail
