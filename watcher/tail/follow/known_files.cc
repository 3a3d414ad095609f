#include "watcher/tail/follow/known_files.h"

#include <algorithm>
#include <cstddef>

#include "watcher/tail/follow/copies.h"
#include "watcher/tail/follow/losses.h"

namespace caravel::tail {

void KnownFiles::remember(const Position& position, std::uint64_t size, bool read) {
  remember(known_of(position, size, read));
}

void KnownFiles::remember(Known known) {
  // A file moves to the end of the memory, also if it was known before: the memory is in the order
  // of reading, by which numbers_of() tells the order of names.
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
  if (const auto fd = open_sibling(file)) {
    static_cast<void>(move_to(fd->get(), file.stamp.size, position));
  }
  remember(position, file.stamp.size, false);
}

const Known* KnownFiles::find(const FileId& id) const {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return same_file(known.id, id); });
  return found != known_.end() ? &*found : nullptr;
}

std::optional<Position> KnownFiles::position_of(const Sibling& file) const {
  for (const Known& known : known_) {
    if (!known.read || known.digest.empty() || !same_file(known.id, file.stamp.id)) continue;
    Position position;
    position.id = file.stamp.id;
    position.modified = file.stamp.modified;
    // The inode number may have been given to another file since: only the content tells.
    const auto fd = open_sibling(file);
    if (!fd || !move_to(fd->get(), known.offset, position)) return std::nullopt;
    if (digest_of(position) == known.digest) return position;
  }
  return std::nullopt;
}

Result<std::optional<Position>> KnownFiles::read_before_as_packed(
    int text, const Stamp& stamp, const std::vector<Sibling>& files) const {
  const KnownById index(known_);
  std::vector<const Sibling*> there(known_.size());
  for (const Sibling& file : files) {
    if (const auto place = index.find(file.stamp.id)) there[*place] = &file;
  }
  return read_before_as(known_, there, text, stamp);
}

Result<Survey> KnownFiles::survey(const std::vector<Sibling>& files,
                                  const std::vector<Position>& left_out,
                                  const std::vector<std::uint64_t>* inodes) {
  CARAVEL_ASSIGN_OR_RETURN(auto found, compare(log_, files, left_out, notices_));
  // In this order: `seen` goes by the places in the memory, which remember() changes.
  // What is gone may be the original of a packed file whose turn is still to come.
  const auto& fresh = found.survey.fresh;
  const bool any_packed =
      std::any_of(fresh.begin(), fresh.end(), [](const Unread& next) { return next.file.packed; });
  if (inodes != nullptr && !any_packed) forget_missing(found.seen, *inodes);
  for (Known& known : found.recognized) remember(std::move(known));
  for (const std::string& what : found.lost) say_loss(log_, notices_, what);
  return std::move(found.survey);
}

void KnownFiles::forget_missing(const std::vector<bool>& seen,
                                const std::vector<std::uint64_t>& inodes) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    // A rotation renames files one after another, so that a look in its midst may miss one of them.
    // A file that is there under a name of another log, or of none, is still known: one that comes
    // back, or that another log takes up, must not be read again.
    const bool is_there =
        seen[i] || std::binary_search(inodes.begin(), inodes.end(), known_[i].id.inode);
    const unsigned missed = is_there ? 0 : known_[i].missed + 1;
    changed_ = changed_ || missed != known_[i].missed;
    known_[i].missed = missed;
  }
  // Twice in a row: the file is deleted, or moved to where nobody looks.
  std::erase_if(known_, [](const Known& known) { return known.missed > 1; });
}

}  // namespace caravel::tail
