#include "watcher/tail/extracts/extract_cutter.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "watcher/tail/extracts/publisher.h"

namespace caravel::tail {
namespace {

/// How many extracts, and bytes, are announced together while there is a backlog. Each announcement
/// waits for the disk three times, which costs about what copying 8 MiB does. Sixteen extracts also
/// stay within the 256 keys that a log's section of the state may have.
constexpr std::size_t kExtractsAtOnce = 16;
constexpr std::uint64_t kBytesAtOnce = 128ULL << 20;

}  // namespace

/// Where the next extract begins and ends; nothing if no whole line is there. Skips NUL bytes at
/// the start of a file: a writer without O_APPEND goes on at its old offset after a truncation, and
/// leaves a hole before that.
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

/// Adds to `batch` the next extracts that are worth building together. The follower moves behind
/// each one, as if it were built. Two extracts are always allowed together, however large they are.
Result<ExtractCutter::Cut> ExtractCutter::plan(FollowedLog& log, const Moment& now, Batch& batch) {
  const std::size_t most = log.one_by_one ? 1 : kExtractsAtOnce;
  while (batch.size() < most && (batch.size() < 2 || batch.bytes() < kBytesAtOnce)) {
    CARAVEL_ASSIGN_OR_RETURN(auto range, next_range(log.follower->file()));
    if (!range) {
      log.one_by_one = false;
      return Cut::nothing;
    }
    const std::uint64_t bytes = batch.bytes() + range->last - range->first;
    // Only the first extract of a batch may have sent ones deleted for its room. Before more are
    // deleted, what was planned is built.
    if (!batch.empty() && !bench_.room.fits(bytes)) return Cut::no_room;
    CARAVEL_ASSIGN_OR_RETURN(auto room, bench_.room.make_room(bytes, now));
    if (!room) return Cut::no_room;
    CARAVEL_TRY(plan_one(log, *range, now, batch));
  }
  return Cut::part;
}

/// Writes the manifest of one extract, but for what the copying finds, and the place behind it.
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
  // The digests are taken before the first line is read: Batch::finish() compares them when all is
  // copied, so that the first line, too, is known to be of the same text.
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

/// Sets run and sequence, behind those that are planned. If the outbox knows the name already, it
/// was given by an agent with a later state than this one: the log goes on under a new run.
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
  // The planned ones before it are built first, under the old run; then this is asked again.
  if (!batch.empty()) return fail(ErrorKind::retry, "its name is taken");
  bench_.notices.say(printable(bench_.outbox.path(name)) +
                     ": is there already and not from this state; a new run begins");
  log.start_new_run();
  bench_.logs.mark_changed();
  set_name();
  return {};
}

/// What must be true before the first temporary file is made.
Result<> ExtractCutter::prepare_to_build(FollowedLog& log, const Position& planned_from,
                                         const Moment& now) {
  // Was the log truncated, and has it grown again, before the extracts were planned? What happens
  // later is Batch::finish()'s to see.
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(log.follower->file().fd(), planned_from));
  if (!same) return fail(ErrorKind::retry, "changed while it was read");
  // A crash leaves temporary files behind, and the start deletes those of the runs in the state: so
  // a new run is saved before its first file is made.
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
  // The disk may have room for one whole extract where several halves had none.
  if (!built) log.one_by_one = several;
  if (!built && !batch.empty()) file.move_to(log.state.pending.back().after);
  const auto synced = batch.empty() ? built : batch.sync();
  if (!synced) return give_up_batch(log, several, synced.error(), now);
  // What could be built is published, whatever stopped the rest: an error comes again with the next
  // look.
  return built && planned && *planned == Cut::nothing ? Cut::all : Cut::part;
}

/// Gives up a batch of which nothing could be built, or which could not be synced. `part`: it is
/// worth trying again at once, one extract at a time, or because sent ones were deleted for room.
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
