#include "watcher/tail/extracts/extract_cutter.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "watcher/tail/extracts/publisher.h"

namespace caravel::tail {
namespace {

/// Extracts that are announced together while there is a backlog: waiting for the disk three times
/// costs about what the copying of 8 MiB does.
constexpr std::size_t kExtractsAtOnce = 16;
constexpr std::uint64_t kBytesAtOnce = 128ULL << 20;

}  // namespace

/// Where the next extract begins and ends; nothing if no line is whole.
Result<std::optional<Range>> ExtractCutter::next_range(OpenFile& file) {
  const std::uint64_t end = file.stamp().size;
  if (file.position().offset == 0) {
    CARAVEL_ASSIGN_OR_RETURN(auto first, bench_.cutter.skip_nuls(file.fd(), 0, end));
    if (first == end) return std::nullopt;
    if (first > 0) {
      bench_.notices.say(printable(file.path()) + ": begins with " + std::to_string(first) +
                         " NUL bytes (truncated under a writer that does not append?); skipped");
      file.skip_to(first);
    }
  }
  return bench_.cutter.next(file.fd(), file.position().offset, end, rules_.max_bytes,
                            file.scanned());
}

/// Adds the next extracts to `batch`, as many as are worth building together. The follower moves
/// behind each, as if it were built.
Result<ExtractCutter::Cut> ExtractCutter::plan(FollowedLog& log, const Moment& now, Batch& batch) {
  const std::size_t most = log.one_by_one ? 1 : kExtractsAtOnce;
  while (batch.size() < most && (batch.size() < 2 || batch.bytes() < kBytesAtOnce)) {
    CARAVEL_ASSIGN_OR_RETURN(auto range, next_range(log.follower->file()));
    if (!range) {
      log.one_by_one = false;
      return Cut::nothing;
    }
    const std::uint64_t bytes = batch.bytes() + range->last - range->first;
    // What was planned is built first: what was sent is deleted for one extract only.
    if (!batch.empty() && !bench_.room.fits(bytes)) return Cut::no_room;
    CARAVEL_ASSIGN_OR_RETURN(auto room, bench_.room.make_room(bytes, now));
    if (!room) return Cut::no_room;
    CARAVEL_TRY(plan_one(log, *range, now, batch));
  }
  return Cut::part;
}

Result<> ExtractCutter::plan_one(FollowedLog& log, const Range& range, const Moment& now,
                                 Batch& batch) {
  OpenFile& file = log.follower->file();
  watcher::Manifest manifest;
  manifest.host = rules_.host;
  manifest.log = log.state.log;
  manifest.device = file.position().id.device;
  manifest.inode = file.position().id.inode;
  manifest.first = range.first;
  manifest.last = range.last;
  manifest.bytes = range.last - range.first;
  manifest.cut = std::chrono::floor<std::chrono::milliseconds>(now.wall);
  CARAVEL_TRY(name_extract(log, batch, manifest));
  Position after = file.position();
  // First, so that the look at it when all is copied also covers the first line.
  CARAVEL_TRY(move_to(file.fd(), range.last, after));
  if (after.first_line.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(after.first_line, first_line_of(file.fd()));
  }
  after.modified = file.stamp().modified;
  manifest.first_line = after.first_line;
  file.move_to(after);
  batch.add(std::move(manifest), std::move(after));
  return {};
}

/// Sets run and sequence, behind what is planned. A name that is there already was given by
/// somebody who knew more than this state: the log goes on under a new run.
Result<> ExtractCutter::name_extract(FollowedLog& log, const Batch& batch,
                                     watcher::Manifest& manifest) {
  const auto set_name = [&] {
    manifest.run = log.state.run;
    manifest.sequence = (batch.empty() ? log.state.sequence : batch.last().sequence) + 1;
  };
  set_name();
  const std::string name = Outbox::name_of(manifest);
  CARAVEL_ASSIGN_OR_RETURN(const auto taken, bench_.outbox.knows(name));
  if (!taken) return {};
  if (!batch.empty()) return fail(ErrorKind::retry, "its name is taken");
  bench_.notices.say(printable(bench_.outbox.path(name)) +
                     ": is there already and not from this state; a new run begins");
  log.start_new_run();
  bench_.logs.mark_changed();
  set_name();
  return {};
}

Result<> ExtractCutter::prepare_to_build(FollowedLog& log, const Position& planned_from,
                                         const Moment& now) {
  // Was it truncated and did it grow again before this was planned? (Batch looks after the rest.)
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(log.follower->file().fd(), planned_from));
  if (!same) return fail(ErrorKind::retry, "changed while it was read");
  // A crash leaves temporary files behind, which only their run tells as ours.
  return log.run_saved ? Result<>{} : bench_.keeper.save_making_room(now);
}

Result<ExtractCutter::Cut> ExtractCutter::cut(FollowedLog& log, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(log.state.built_in, bench_.outbox.open());
  OpenFile& file = log.follower->file();
  const Position planned_from = file.position();
  Batch batch(file.fd(), bench_.outbox, bench_.disk);
  const auto planned = plan(log, now, batch);
  if (batch.empty()) return planned;
  const bool several = batch.size() > 1;
  if (auto ready = prepare_to_build(log, planned_from, now); !ready) {
    log.follower->go_back();
    return tl::unexpected(ready.error());
  }
  const auto built = batch.build(bench_.cutter);
  log.state.pending = batch.pending();
  log.announced = Announced::no;
  // What has no room for several halves may have room for one whole.
  if (!built) log.one_by_one = several;
  if (!built && !batch.empty()) file.move_to(log.state.pending.back().after);
  const auto synced = batch.empty() ? built : batch.sync();
  if (!synced) return give_up_batch(log, several, synced.error(), now);
  // What could be built is not in vain: an error comes again with the next look.
  return built && planned && *planned == Cut::nothing ? Cut::all : Cut::part;
}

/// Nothing could be built, or what was built could not be synced. `part`: it is worth trying again
/// at once, one by one, or because what was sent made room.
Result<ExtractCutter::Cut> ExtractCutter::give_up_batch(FollowedLog& log, bool several,
                                                        const Error& error, const Moment& now) {
  log.one_by_one = several;
  static_cast<void>(discard_unannounced(log, bench_.outbox));
  if (!several) {
    CARAVEL_ASSIGN_OR_RETURN(auto room, bench_.room.make_room_on_disk(error, now));
    if (!room) return tl::unexpected(error);
    log.one_by_one = true;
  }
  log.follower->file().compare_at_next_look();
  return Cut::part;
}

}  // namespace caravel::tail
