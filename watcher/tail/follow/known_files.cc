#include "watcher/tail/follow/known_files.h"

#include <algorithm>
#include <cstddef>

namespace caravel::tail {

void KnownFiles::remember(const Position& position, std::uint64_t size, bool read) {
  remember(known_of(position, size, read));
}

void KnownFiles::remember(Known known) {
  // A file moves to the end of the memory, also if it was known before: the memory is in the order
  // of reading, by which numbers_ascend() tells the order of names.
  std::erase_if(known_, [&](const Known& old) { return same_file(old.id, known.id); });
  known_.push_back(std::move(known));
  changed_ = true;
}

void KnownFiles::remember_there(const Sibling& file) {
  Position position;
  position.id = file.stamp.id;
  position.offset = file.stamp.size;
  position.modified = file.stamp.modified;
  // A file that must not be opened is known by its identity alone, without digests.
  if (const auto fd = open_log(file.path)) {
    static_cast<void>(move_to(fd->get(), file.stamp.size, position));
  }
  remember(position, file.stamp.size, false);
}

bool KnownFiles::holds_id(const FileId& id) const {
  return std::any_of(known_.begin(), known_.end(),
                     [&](const Known& known) { return same_file(known.id, id); });
}

std::optional<Position> KnownFiles::position_of(const Sibling& file) const {
  for (const Known& known : known_) {
    if (!known.read || known.digest.empty() || !same_file(known.id, file.stamp.id)) continue;
    Position position;
    position.id = file.stamp.id;
    position.modified = file.stamp.modified;
    // The inode number may have been given to another file since: only the content tells.
    const auto fd = open_log(file.path);
    if (!fd || !move_to(fd->get(), known.offset, position)) return std::nullopt;
    if (digest_of(position) == known.digest) return position;
  }
  return std::nullopt;
}

Result<Survey> KnownFiles::survey(const std::vector<Sibling>& files,
                                  const std::vector<Position>& left_out, bool forget) {
  CARAVEL_ASSIGN_OR_RETURN(auto found, compare(known_, files, left_out, notices_));
  // In this order: `seen` goes by the places in the memory, which remember() changes.
  if (forget) forget_missing(found.seen);
  for (Known& known : found.recognized) remember(std::move(known));
  return std::move(found.survey);
}

void KnownFiles::forget_missing(const std::vector<bool>& seen) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    // A rotation renames files one after another, so that a look in its midst may miss one of them.
    const unsigned missed = seen[i] ? 0 : known_[i].missed + 1;
    changed_ = changed_ || missed != known_[i].missed;
    known_[i].missed = missed;
  }
  // Twice in a row: the file is deleted, or moved to where nobody looks.
  std::erase_if(known_, [](const Known& known) { return known.missed > 1; });
}

}  // namespace caravel::tail
