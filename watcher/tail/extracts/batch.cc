#include "watcher/tail/extracts/batch.h"

#include <algorithm>
#include <utility>

#include "watcher/tail/files/thread.h"

namespace caravel::tail {
namespace {

/// Below this size, starting a second thread costs more than it saves.
constexpr std::uint64_t kWorthAThread = 4 << 20;

/// Bytes that a manifest still grows by, once the extract is built: 64 digits of SHA-256, and about
/// 8 of the number of lines.
constexpr std::uint64_t kNotInItYet = 64 + 8;

/// What an extract's result is until a thread has taken it up.
Result<> not_begun() { return fail(ErrorKind::retry, "not begun"); }

}  // namespace

void Batch::add(watcher::Manifest manifest, Position after) {
  bytes_ += manifest.bytes + watcher::format_manifest(manifest).size() + kNotInItYet;
  extracts_.push_back({Pending{std::move(manifest), std::move(after)}, {}, {}, not_begun()});
}

void Batch::add_second_half(watcher::Manifest manifest, Position after) {
  add(std::move(manifest), std::move(after));
  extracts_.back().piece = true;
}

void Batch::add_first_half(watcher::Manifest manifest, Position after, Range half, bool goes_on) {
  add(std::move(manifest), std::move(after));
  Extract& extract = extracts_.back();
  extract.piece = true;
  extract.pending.half = goes_on;
  extract.half = half;
}

void Batch::add_joined(watcher::Manifest manifest, Position after, Range half, UniqueFd rest,
                       Position next) {
  add(std::move(manifest), std::move(after));
  Extract& extract = extracts_.back();
  extract.half = half;
  extract.rest = std::move(rest);
  extract.pending.next = std::move(next);
}

Result<Cutter::Copied> Batch::copy(const Extract& extract, Cutter& cutter) const {
  const int out = extract.file.get();
  if (!extract.half) return cutter.copy(log_, range_of(extract), out);
  if (!extract.pending.next) return cutter.copy_half(log_, *extract.half, out);
  const Position& next = *extract.pending.next;
  auto copied = cutter.copy_joined(log_, *extract.half, extract.rest.get(), {0, next.offset}, out);
  if (!copied) return copied;
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(extract.rest.get(), next));
  if (!same) return fail(ErrorKind::retry, "changed while it was read");
  return copied;
}

bool Batch::is_large() const { return size() > 1 && bytes_ >= kWorthAThread; }

Range Batch::range_of(const Extract& extract) {
  return {extract.pending.manifest.first, extract.pending.manifest.last};
}

/// Creates the temporary file. A crash from here on leaves it behind, until the next start sweeps
/// it.
Result<> Batch::begin(Extract& extract) {
  CARAVEL_ASSIGN_OR_RETURN(
      extract.file,
      disk_.create(outbox_.temporary_path(Outbox::name_of(extract.pending.manifest))));
  return {};
}

/// After the copying: checks that the log is still the same text, and writes the temporary
/// manifest.
Result<> Batch::finish(Extract& extract, Result<Cutter::Copied> copied) {
  CARAVEL_TRY(copied);
  // Was the log truncated, and has it grown again, while it was copied? Then the extract may hold
  // bytes of before and of after, and the digests of the place behind it do not agree any more.
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(log_, extract.pending.after));
  if (!same) return fail(ErrorKind::retry, "changed while it was read");
  watcher::Manifest& manifest = extract.pending.manifest;
  manifest.lines = extract.piece ? 0 : copied->lines;
  manifest.sha256 = std::move(copied->sha256);
  CARAVEL_ASSIGN_OR_RETURN(extract.manifest, outbox_.prepare_manifest(manifest));
  // The kernel writes these while the next ones are copied; sync() then waits for little.
  disk_.begin_sync(extract.file.get());
  disk_.begin_sync(extract.manifest.get());
  return {};
}

/// Two extracts in turns, so that they are hashed together. One may fail without the other.
void Batch::build_both(Extract& first, Extract& second, Cutter& cutter) {
  first.built = begin(first);
  second.built = begin(second);
  if (!first.built) return;
  if (!second.built) return build_one(first, cutter);
  auto [one, other] = cutter.copy_both(log_, range_of(first), first.file.get(), range_of(second),
                                       second.file.get());
  first.built = finish(first, std::move(one));
  second.built = finish(second, std::move(other));
}

void Batch::build_one(Extract& extract, Cutter& cutter) {
  extract.built = begin(extract);
  if (!extract.built) return;
  extract.built = finish(extract, copy(extract, cutter));
}

/// What each thread does: takes the next extracts (two, if the batch is large) until none is left
/// or one failed. Only `next_` is shared; each extract is written by the thread that took it, and
/// read by the other one only after the join.
void Batch::build_in_turns(Cutter& cutter) {
  const std::size_t at_once = is_large() ? 2 : 1;
  for (std::size_t i = next_.fetch_add(at_once); i < size(); i = next_.fetch_add(at_once)) {
    const std::size_t last = std::min(i + at_once, size()) - 1;
    if (last > i) {
      build_both(extracts_[i], extracts_[last], cutter);
    } else {
      build_one(extracts_[i], cutter);
    }
    if (!extracts_[i].built || !extracts_[last].built) next_ = size();  // no thread takes more
  }
}

void Batch::build_in_second_thread() {
  Cutter cutter(disk_);  // each thread has buffers of its own
  build_in_turns(cutter);
}

Result<> Batch::build(Cutter& cutter) {
  {
    // Where no second thread can be had (a limit on processes), the first one builds everything.
    // The block's end waits for the second thread.
    Thread second;
    if (is_large()) static_cast<void>(second.start<&Batch::build_in_second_thread>(this));
    build_in_turns(cutter);
  }
  const auto first = std::find_if(extracts_.begin(), extracts_.end(),
                                  [](const Extract& extract) { return !extract.built; });
  if (first == extracts_.end()) return {};
  // Extracts are begun in order, so this is the first one that failed, not one that no thread took
  // up. Extracts behind it are discarded even if they are whole: numbers have no gaps.
  const Error error = first->built.error();
  for (auto at = first; at != extracts_.end(); ++at) {
    static_cast<void>(outbox_.discard(at->pending.manifest));
  }
  extracts_.erase(first, extracts_.end());
  return tl::unexpected(error);
}

Result<> Batch::sync() {
  // The temporary names are synced last: a power loss must not keep a name and lose its bytes.
  // Nothing is announced before all of it is on the disk.
  for (const Extract& extract : extracts_) {
    CARAVEL_TRY(disk_.sync(extract.file.get()));
    CARAVEL_TRY(disk_.sync(extract.manifest.get()));
  }
  return outbox_.sync_names(false);
}

std::vector<Pending> Batch::pending() const {
  std::vector<Pending> all;
  for (const Extract& extract : extracts_) all.push_back(extract.pending);
  return all;
}

}  // namespace caravel::tail
