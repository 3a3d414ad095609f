#include "watcher/tail/extracts/extract_cutter.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "watcher/tail/extracts/publisher.h"
#include "watcher/tail/extracts/record_start.h"

namespace caravel::tail {
namespace {

/// How many extracts, and bytes, are announced together while there is a backlog. Each announcement
/// waits for the disk three times, which costs about what copying 8 MiB does. Sixteen extracts also
/// stay within the 256 keys that a log's section of the state may have.
constexpr std::size_t kExtractsAtOnce = 16;
constexpr std::uint64_t kBytesAtOnce = 128ULL << 20;

/// Whether what is before `offset` is the first part of a line: it was published as half a line,
/// and the writer came back. NUL bytes are a hole that was skipped.
Result<bool> is_within_line(int fd, std::uint64_t offset) {
  char before = '\n';
  CARAVEL_TRY(read_at(fd, offset - 1, &before, 1));
  return before != '\n' && before != '\0';
}

/// Whether lines may still come that belong to the file's last record. Of a time that lies ahead,
/// nothing can be told.
bool may_go_on(const OpenFile& file, std::chrono::milliseconds wait, const Moment& now) {
  if (file.is_rotated() || file.is_copy()) return false;
  // Not by their difference: whoever owns the log can give it a time that overflows it.
  const std::chrono::nanoseconds written(file.stamp().modified);
  const std::chrono::nanoseconds present = now.wall.time_since_epoch();
  return written <= present && written > present - wait;
}

}  // namespace

/// Where the next extract begins and ends; nothing if no whole line is there. Skips NUL bytes at
/// the start of a file: a writer without O_APPEND goes on at its old offset after a truncation, and
/// leaves a hole before that.
Result<std::optional<ExtractCutter::Next>> ExtractCutter::next_range(FollowedLog& log,
                                                                     const Moment& now) {
  OpenFile& file = log.follower->file();
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
  const std::uint64_t first = file.position().offset;
  bool second_half = log.state.half_open;
  if (first > 0) {
    CARAVEL_ASSIGN_OR_RETURN(second_half, is_within_line(file.fd(), first));
  } else if (!second_half) {
    const auto line = bench_.logs.first_line_of(log);
    if (line == Handovers::FirstLine::not_known) return Next{Range{0, 0}};
    second_half = line == Handovers::FirstLine::second_half;
  }
  // The piece is an extract of its own: one line is the least that a cutter takes.
  const std::uint64_t most = second_half ? 1 : rules_.max_bytes;
  CARAVEL_ASSIGN_OR_RETURN(auto range,
                           bench_.cutter.next(file.fd(), first, end, most, file.scanned()));
  if (range && !second_half && !rules_.record_start.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(*range, whole_records(file, *range, now));
  }
  if (!range) return std::nullopt;
  return Next{*range, second_half};
}

/// `range` without the last record, if that may go on behind it; empty if that is all. A file that
/// was rotated away, or has been still for a while, holds whole records.
Result<Range> ExtractCutter::whole_records(const OpenFile& file, Range range,
                                           const Moment& now) const {
  const bool more_follows = file.stamp().size - range.first > rules_.max_bytes;
  if (!more_follows && !may_go_on(file, rules_.record_wait, now)) return range;
  CARAVEL_ASSIGN_OR_RETURN(const auto start,
                           last_record_start(file.fd(), range, rules_.record_start));
  if (start > 0) return Range{range.first, start};
  // A record over max_bytes is cut all the same.
  return more_follows ? range : Range{range.first, range.first};
}

/// Adds to `batch` the next extracts that are worth building together. The follower moves behind
/// each one, as if it were built. Two extracts are always allowed together, however large they are.
Result<ExtractCutter::Cut> ExtractCutter::plan(FollowedLog& log, const Moment& now, Batch& batch) {
  const std::size_t most = log.one_by_one ? 1 : kExtractsAtOnce;
  while (batch.size() < most && (batch.size() < 2 || batch.bytes() < kBytesAtOnce)) {
    CARAVEL_ASSIGN_OR_RETURN(auto next, next_range(log, now));
    if (!next) {
      log.one_by_one = false;
      return Cut::nothing;
    }
    if (next->range.first == next->range.last) return Cut::held;
    const std::uint64_t bytes = batch.bytes() + next->range.last - next->range.first;
    // Only the first extract of a batch may have sent ones deleted for its room. Before more are
    // deleted, what was planned is built.
    if (!batch.empty() && !bench_.room.fits(bytes)) return Cut::no_room;
    CARAVEL_ASSIGN_OR_RETURN(auto room, bench_.room.make_room(bytes, now));
    if (!room) return Cut::no_room;
    CARAVEL_ASSIGN_OR_RETURN(auto one, plan_one(log, next->range, now, batch));
    log.follower->file().move_to(one.after);
    if (next->second_half) {
      batch.add_second_half(std::move(one.manifest), std::move(one.after));
    } else {
      batch.add(std::move(one.manifest), std::move(one.after));
    }
  }
  return Cut::part;
}

Result<ExtractCutter::Planned> ExtractCutter::plan_one(FollowedLog& log, const Range& range,
                                                       const Moment& now, const Batch& batch) {
  const OpenFile& file = log.follower->file();
  Planned planned{{}, file.position()};
  watcher::Manifest& manifest = planned.manifest;
  manifest.host = rules_.host;
  manifest.log = log.state.log;
  manifest.device = file.position().id.device;
  manifest.inode = file.position().id.inode;
  manifest.first = range.first;
  manifest.last = range.last;
  manifest.bytes = range.last - range.first;
  manifest.cut = std::chrono::floor<std::chrono::milliseconds>(now.wall);
  CARAVEL_TRY(name_extract(log, batch, manifest));
  Position& after = planned.after;
  // The digests are taken before the first line is read: Batch::finish() compares them when all is
  // copied, so that the first line, too, is known to be of the same text.
  CARAVEL_TRY(move_to(file.fd(), range.last, after));
  if (after.first_line.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(after.first_line, first_line_of(file.fd()));
  }
  after.modified = file.stamp().modified;
  manifest.first_line = after.first_line;
  return planned;
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
  return build(log, batch, planned_from, planned, now);
}

/// Builds and syncs what was planned.
Result<ExtractCutter::Cut> ExtractCutter::build(FollowedLog& log, Batch& batch,
                                                const Position& planned_from,
                                                const Result<Cut>& planned, const Moment& now) {
  OpenFile& file = log.follower->file();
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
  if (!built || !planned) return Cut::part;
  return *planned == Cut::nothing ? Cut::all : *planned == Cut::held ? Cut::held : Cut::part;
}

/// Up to the first line end of `next`; nothing if there is none yet.
Result<std::optional<ExtractCutter::SecondHalf>> ExtractCutter::find_second_half(
    const Sibling& next) {
  CARAVEL_ASSIGN_OR_RETURN(auto file, open_sibling(next));
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(file.get()));
  if (!same_file(stamp.id, next.stamp.id)) return fail(ErrorKind::retry, "was renamed just now");
  std::uint64_t scanned = 0;
  CARAVEL_ASSIGN_OR_RETURN(const auto line,
                           bench_.cutter.next(file.get(), 0, stamp.size, 1, scanned));
  if (!line) return std::nullopt;
  SecondHalf half{std::move(file), {}};
  half.behind.id = stamp.id;
  half.behind.modified = stamp.modified;
  CARAVEL_TRY(move_to(half.file.get(), line->last, half.behind));
  return half;
}

Result<ExtractCutter::Cut> ExtractCutter::cut_half_line(FollowedLog& log, const Moment& now) {
  const HalfLine line = *log.follower->half_line();
  const OpenFile& file = log.follower->file();
  std::optional<SecondHalf> other;
  if (line.next) {
    CARAVEL_ASSIGN_OR_RETURN(other, find_second_half(*line.next));
    if (!other) return Cut::nothing;
  }
  CARAVEL_ASSIGN_OR_RETURN(log.state.built_in, bench_.outbox.open());
  const Position planned_from = file.position();
  // Joined, the line stands as if the file had gone on.
  const Range range{line.half.first, line.half.last + (other ? other->behind.offset : 0)};
  CARAVEL_ASSIGN_OR_RETURN(const auto room, bench_.room.make_room(range.last - range.first, now));
  if (!room) return Cut::no_room;
  Batch batch(file.fd(), bench_.outbox, bench_.disk);
  CARAVEL_ASSIGN_OR_RETURN(auto one, plan_one(log, line.half, now, batch));
  one.manifest.last = range.last;
  one.manifest.bytes = range.last - range.first;
  log.follower->file().move_to(one.after);
  const std::string place = printable(line.path) + ": bytes " + std::to_string(line.half.first) +
                            " to " + std::to_string(line.half.last);
  if (other) {
    batch.add_joined(std::move(one.manifest), std::move(one.after), line.half,
                     std::move(other->file), std::move(other->behind));
  } else {
    batch.add_first_half(std::move(one.manifest), std::move(one.after), line.half, !line.elsewhere);
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto cut, build(log, batch, planned_from, Cut::part, now));
  if (log.state.pending.empty()) return cut;
  bench_.notices.say(other ? place +
                                 " are a line that was cut in two when the log was rotated; "
                                 "joined with the start of " +
                                 printable(line.next->path)
                           : place +
                                 " are a line without an end (cut in two when the log was "
                                 "rotated?); sent as a piece, and so is the first line of the "
                                 "next file");
  return Cut::part;
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
