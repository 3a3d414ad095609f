#include "watcher/tail/extracts/batch.h"

#include <algorithm>
#include <utility>

#include "watcher/tail/files/thread.h"

namespace caravel::tail {
namespace {

/// From this size on, a second thread is worth its start.
constexpr std::uint64_t kWorthAThread = 4 << 20;

/// Of a manifest: digest and number of lines.
constexpr std::uint64_t kNotInItYet = 64 + 8;

Result<> not_begun() { return fail(ErrorKind::retry, "not begun"); }

}  // namespace

void Batch::add(watcher::Manifest manifest, Position after) {
  bytes_ += manifest.bytes + watcher::format_manifest(manifest).size() + kNotInItYet;
  extracts_.push_back({Pending{std::move(manifest), std::move(after)}, {}, {}, not_begun()});
}

bool Batch::is_large() const { return size() > 1 && bytes_ >= kWorthAThread; }

Range Batch::range_of(const Extract& extract) {
  return {extract.pending.manifest.first, extract.pending.manifest.last};
}

Result<> Batch::begin(Extract& extract) {
  CARAVEL_ASSIGN_OR_RETURN(
      extract.file,
      disk_.create(outbox_.temporary_path(Outbox::name_of(extract.pending.manifest))));
  return {};
}

Result<> Batch::finish(Extract& extract, Result<Cutter::Copied> copied) {
  CARAVEL_TRY(copied);
  // Was the log truncated, and did it grow again, while it was copied? Then the extract may hold
  // bytes of before and of after.
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(log_, extract.pending.after));
  if (!same) return fail(ErrorKind::retry, "changed while it was read");
  watcher::Manifest& manifest = extract.pending.manifest;
  manifest.lines = copied->lines;
  manifest.sha256 = std::move(copied->sha256);
  CARAVEL_ASSIGN_OR_RETURN(extract.manifest, outbox_.prepare_manifest(manifest));
  // The disk begins while the next ones are copied; sync() then waits for little.
  disk_.begin_sync(extract.file.get());
  disk_.begin_sync(extract.manifest.get());
  return {};
}

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
  extract.built = finish(extract, cutter.copy(log_, range_of(extract), extract.file.get()));
}

/// One thread's share: it takes the next extracts until none is left or one failed.
void Batch::build_in_turns(Cutter& cutter) {
  const std::size_t at_once = is_large() ? 2 : 1;
  for (std::size_t i = next_.fetch_add(at_once); i < size(); i = next_.fetch_add(at_once)) {
    const std::size_t last = std::min(i + at_once, size()) - 1;
    if (last > i) {
      build_both(extracts_[i], extracts_[last], cutter);
    } else {
      build_one(extracts_[i], cutter);
    }
    if (!extracts_[i].built || !extracts_[last].built) next_ = size();  // the rest is in vain
  }
}

void Batch::build_in_second_thread() {
  Cutter cutter(disk_);  // each thread has buffers of its own
  build_in_turns(cutter);
}

Result<> Batch::build(Cutter& cutter) {
  {
    // Where no second thread can be had (a limit on processes), the first one does it all.
    Thread second;
    if (is_large()) static_cast<void>(second.start<&Batch::build_in_second_thread>(this));
    build_in_turns(cutter);
  }
  const auto first = std::find_if(extracts_.begin(), extracts_.end(),
                                  [](const Extract& extract) { return !extract.built; });
  if (first == extracts_.end()) return {};
  // They are begun in order: this is the first that failed, not one that nobody came to. What is
  // behind it must go even if it is whole, for extracts are numbered without gaps.
  const Error error = first->built.error();
  for (auto at = first; at != extracts_.end(); ++at) {
    static_cast<void>(outbox_.discard(at->pending.manifest));
  }
  extracts_.erase(first, extracts_.end());
  return tl::unexpected(error);
}

Result<> Batch::sync() {
  // The names last: a power loss must not keep a name and lose what it stands for.
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
