#include "watcher/tail/follow/copies.h"

#include <algorithm>

namespace caravel::tail {
namespace {

/// From so many bytes on, content alone tells that a file is a copy. The two digests cover 1024
/// bytes each; less than both may be a header with which all files of a program begin.
constexpr std::uint64_t kTellingBytes = 2048;

/// A copy of the first part of a file that was read further. The original must still have that
/// content: it may have been written anew in place.
Result<bool> is_first_part(const Sibling* original, int fd, std::uint64_t size, Position& start) {
  if (original == nullptr || original->stamp.size < size) return false;
  const auto whole = open_sibling(*original);
  if (!whole) return false;
  Position prefix;
  CARAVEL_TRY(move_to(whole->get(), size, prefix));
  CARAVEL_TRY(move_to(fd, size, start));
  return digest_of(start) == digest_of(prefix);
}

}  // namespace

KnownById::KnownById(const std::vector<Known>& known) : known_(known), order_(known.size()) {
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return known_[a].id.inode < known_[b].id.inode; });
}

std::optional<std::size_t> KnownById::find(const FileId& id) const {
  auto at = std::lower_bound(order_.begin(), order_.end(), id.inode,
                             [&](std::size_t i, auto inode) { return known_[i].id.inode < inode; });
  for (; at != order_.end() && known_[*at].id.inode == id.inode; ++at) {
    if (same_file(known_[*at].id, id)) return *at;
  }
  return std::nullopt;
}

Result<std::optional<Position>> read_before_as(const std::vector<Known>& memory,
                                               const std::vector<const Sibling*>& there, int fd,
                                               const Stamp& stamp) {
  const std::uint64_t size = stamp.size;
  for (std::size_t i = 0; i < there.size(); ++i) {
    const Known& known = memory[i];
    // A small file is a copy only if all of it is the same and the original is gone (logrotate's
    // renamecopy): the digests cover all of so few bytes.
    const bool gone = there[i] == nullptr || there[i]->stamp.links == 0 || there[i]->packed;
    const bool small = size > 0 && size < kTellingBytes && size == known.offset && gone;
    if (!known.read || (!small && std::min(size, known.offset) < kTellingBytes)) continue;
    Position start;
    start.id = stamp.id;
    if (known.offset <= size) {
      CARAVEL_TRY(move_to(fd, known.offset, start));
      if (digest_of(start) != known.digest) continue;
      // The bytes behind were in the original, too, when that was last looked at: a line without an
      // end.
      if (size <= known.size) CARAVEL_TRY(move_to(fd, size, start));
      return start;
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto part, is_first_part(there[i], fd, size, start));
    if (part) return start;
  }
  return std::nullopt;
}

Result<bool> begins_with(const Sibling& whole, int part, std::uint64_t size) {
  if (size == 0 || whole.stamp.size < size) return false;
  auto one = open_sibling(whole);
  if (!one && lacks_right(one.error())) return false;  // then nothing was read of it since
  if (!one) return tl::unexpected(one.error());
  Position a;
  Position b;
  CARAVEL_TRY(move_to(one->get(), size, a));
  CARAVEL_TRY(move_to(part, size, b));
  return a.head == b.head && a.tail == b.tail;
}

Result<bool> original_is_held(const std::vector<Sibling>& files, int text, std::uint64_t size) {
  for (const Sibling& original : files) {
    if (original.packed || original.stamp.links > 0) continue;
    auto same = begins_with(original, text, size);
    if (!same || *same) return same;
  }
  return false;
}

}  // namespace caravel::tail
