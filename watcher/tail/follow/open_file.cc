#include "watcher/tail/follow/open_file.h"

#include <algorithm>
#include <utility>

namespace caravel::tail {

Result<bool> OpenFile::open(const Sibling& file, const Position& position, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_sibling(file));
  auto stamp = stamp_of(fd.get());
  if (!stamp) return tl::unexpected(with_context(file.path, stamp.error()));
  // From here on the descriptor is asked, not the path: a rotation may have given the name to
  // another file since it was listed. A descriptor stays with its file.
  if (!same_file(stamp->id, file.stamp.id)) return false;
  return take(file, std::move(fd), *stamp, position, now);
}

Result<bool> OpenFile::open_text(const Sibling& file, UnpackedText text, const Position& position,
                                 const Moment& now) {
  // It is known, and named in manifests, as the packed file; its size is that of the text.
  Stamp stamp = file.stamp;
  stamp.size = text.size;
  CARAVEL_ASSIGN_OR_RETURN(const auto taken,
                           take(file, std::move(text.file), stamp, position, now));
  is_text_ = copy_ = taken;
  damaged_ = taken && !text.damage.empty();
  return taken;
}

Result<bool> OpenFile::take(const Sibling& file, UniqueFd fd, const Stamp& stamp,
                            const Position& position, const Moment& now) {
  // Shorter than what was read: truncated. Equally long or longer, its content tells.
  if (stamp.size < position.offset) return false;
  auto same = holds(fd.get(), position);
  if (!same) return tl::unexpected(with_context(file.path, same.error()));
  if (!*same) return false;
  fd_ = std::move(fd);
  position_ = position;
  position_.id = stamp.id;
  opened_at_ = position_;
  stamp_ = stamp;
  path_ = file.path;
  rotated_ = !file.rotation.empty();
  is_text_ = damaged_ = false;
  copy_ = false;
  grown_ = false;
  all_read_ = false;
  scanned_ = 0;
  still_since_ = rotated_since_ = now.steady;
  // A rotated file that was found by searching: nobody saw when it was rotated, so its mtime tells
  // for how long it was still. The distance counts in both directions, so that a clock that was set
  // back does not hold the log up.
  const std::int64_t wall =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.wall.time_since_epoch()).count();
  const std::int64_t age = wall > stamp_.modified ? wall - stamp_.modified : stamp_.modified - wall;
  if (rotated_ && std::chrono::nanoseconds(age) >= grace_) still_since_ -= grace_;
  return true;
}

Result<Stamp> OpenFile::stamp_now() {
  if (is_text_) return stamp_;
  auto stamp = stamp_of(fd_.get());
  // NFS: a descriptor whose file was deleted on the server stays stale (ESTALE) for ever.
  if (!stamp) fd_.reset();
  return stamp;
}

void OpenFile::note_look(bool has_logs_name, bool written, const Moment& now) {
  if (!has_logs_name && !rotated_) {
    rotated_ = true;
    still_since_ = rotated_since_ = now.steady;
    // Its unfinished last line is searched once more: a line end that is not found now never will
    // be.
    scanned_ = 0;
  }
  // A file can get the log's name back: a rotation that was undone.
  if (has_logs_name && !copy_) rotated_ = false;
  if (written && rotated_) still_since_ = now.steady;
}

void OpenFile::move_to(const Position& after) {
  position_ = after;
  scanned_ = after.offset;
}

void OpenFile::go_back(const std::optional<Position>& published) {
  const bool is_ours = published && same_file(published->id, opened_at_.id) &&
                       published->offset >= opened_at_.offset;
  // The state names a file only once an extract of it was published, so it may still name an
  // earlier one.
  position_ = is_ours ? *published : opened_at_;
  scanned_ = 0;
}

bool OpenFile::holds_up_too_long(const Moment& now) const {
  // Ten graces, but at least 10 s (docs/tail.md, "Limits"): a writer that never lets go of a
  // renamed file would else keep the new log from being read.
  return now.steady - rotated_since_ >=
         std::max<std::chrono::milliseconds>(10 * grace_, std::chrono::seconds(10));
}

bool OpenFile::is_still(const Moment& now) const {
  return copy_ || now.steady - still_since_ >= grace_;
}

bool OpenFile::is_over(const Moment& now) const {
  // Nobody writes to a copy, and a file that has grown is read only to where it ends now: if it
  // grows again, it is found again.
  return grown_ || holds_up_too_long(now) || is_still(now);
}

}  // namespace caravel::tail
