#include "watcher/tail/follow/known_files.h"

#include <algorithm>

#include "base/text.h"

namespace caravel::tail {
namespace {

/// After so many bytes content alone tells a copy; fewer may be a header that all files begin with.
constexpr std::uint64_t kTellingBytes = 2048;
constexpr std::int64_t kSecond = 1'000'000'000;

/// Indices of `known`, to be found by inode: there may be thousands.
class Index {
 public:
  explicit Index(const std::vector<Known>& known) : known_(known), order_(known.size()) {
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return known_[a].id.inode < known_[b].id.inode;
    });
  }
  [[nodiscard]] std::optional<std::size_t> find(const FileId& id) const {
    auto at =
        std::lower_bound(order_.begin(), order_.end(), id.inode,
                         [&](std::size_t i, auto inode) { return known_[i].id.inode < inode; });
    for (; at != order_.end() && known_[*at].id.inode == id.inode; ++at) {
      if (same_file(known_[*at].id, id)) return *at;
    }
    return std::nullopt;
  }

 private:
  const std::vector<Known>& known_;
  std::vector<std::size_t> order_;
};

/// Packers keep the mtime; some keep only its seconds.
bool same_time(std::int64_t packed, std::int64_t original) {
  return packed == original || (packed % kSecond == 0 && packed / kSecond == original / kSecond);
}

/// Whether all of `part`, which is open, is what `whole` begins with.
Result<bool> begins_with(const Sibling& whole, int part, std::uint64_t size) {
  if (size == 0 || whole.stamp.size < size) return false;
  auto one = open_log(whole.path);
  if (!one && lacks_right(one.error())) return false;  // then nothing was read of it since
  if (!one) return tl::unexpected(one.error());
  Position a;
  Position b;
  CARAVEL_TRY(move_to(one->get(), size, a));
  CARAVEL_TRY(move_to(part, size, b));
  return a.head == b.head && a.tail == b.tail;
}

Known known_of(const Position& position, std::uint64_t size, bool read) {
  const bool unseen = position.head.empty() && position.offset > 0;
  return {position.id,
          position.offset,
          size,
          position.modified,
          unseen ? "" : digest_of(position),
          read,
          0};
}

}  // namespace

void KnownFiles::remember(const Position& position, std::uint64_t size, bool read) {
  remember(known_of(position, size, read));
}

void KnownFiles::remember(Known known) {
  std::erase_if(known_, [&](const Known& old) { return same_file(old.id, known.id); });
  known_.push_back(std::move(known));
  changed_ = true;
}

void KnownFiles::remember_there(const Sibling& file) {
  Position position;
  position.id = file.stamp.id;
  position.offset = file.stamp.size;
  position.modified = file.stamp.modified;
  // One that must not be opened is known by its identity alone.
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
    const auto fd = open_log(file.path);
    if (!fd || !move_to(fd->get(), known.offset, position)) return std::nullopt;
    if (digest_of(position) == known.digest) return position;
  }
  return std::nullopt;
}

/// Whether `file`, which has the identity, is what was known; a reused inode number, or a file that
/// was written anew, is not. `start` becomes the place behind what is known.
Result<bool> KnownFiles::still(const Sibling& file, const Known& known, Position& start) const {
  if (file.packed) return true;
  if (file.stamp.size < known.offset) return false;
  start.id = known.id;
  start.offset = known.offset;
  const bool unchanged = file.stamp.size == known.size && file.stamp.modified == known.modified;
  if (unchanged && !file.rotation.empty()) return true;
  if (known.digest.empty()) return true;
  auto fd = open_log(file.path);
  if (!fd) {
    if (!known.read) return true;
    return tl::unexpected(fd.error());
  }
  CARAVEL_TRY(move_to(fd->get(), known.offset, start));
  return digest_of(start) == known.digest || known.offset == 0;
}

/// Whether an unread file is a copy of one that was read (cp, or copytruncate's of a file that was
/// read to its end): then `start` is how far it was read there.
Result<bool> KnownFiles::is_copy(int fd, const Unread& fresh,
                                 const std::vector<const Sibling*>& there, Position& start) const {
  const std::uint64_t size = fresh.file.stamp.size;
  if (size < kTellingBytes) return false;
  for (std::size_t i = 0; i < there.size(); ++i) {
    const Known& known = known_[i];
    if (!known.read || known.offset < kTellingBytes) continue;
    start.id = fresh.file.stamp.id;
    if (known.offset <= size) {
      CARAVEL_TRY(move_to(fd, known.offset, start));
      if (digest_of(start) != known.digest) continue;
      // The rest was in the original too, when that was last looked at: a line without an end.
      if (size <= known.size) CARAVEL_TRY(move_to(fd, size, start));
      return true;
    }
    // Only one that is still what was read: not the very file, written anew.
    const Sibling* const original = there[i];
    if (original == nullptr || original->stamp.size < size) continue;
    auto whole = open_log(original->path);
    if (!whole) continue;
    Position prefix;
    CARAVEL_TRY(move_to(whole->get(), size, prefix));
    CARAVEL_TRY(move_to(fd, size, start));
    if (digest_of(start) == digest_of(prefix)) return true;
  }
  return false;
}

/// A compressed file that is not known: it is of one that was read and is gone, or nobody can read
/// it now.
bool KnownFiles::packed_unread(const Sibling& file, const std::vector<const Sibling*>& there,
                               const std::vector<Position>& being_read) const {
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i] == nullptr && same_time(file.stamp.modified, known_[i].modified)) return false;
  }
  return std::none_of(being_read.begin(), being_read.end(), [&](const Position& position) {
    return same_time(file.stamp.modified, position.modified);
  });
}

bool KnownFiles::pass_over(const Sibling& file, const Error& error) {
  if (!lacks_right(error)) return false;
  notices_.set(file.path + "\nright", printable(file.path) +
                                          ": must not be read (permission denied); passed over "
                                          "until it may");
  return true;
}

Result<Survey> KnownFiles::survey(const std::vector<Sibling>& files,
                                  const std::vector<Position>& left_out, bool forget) {
  Survey survey;
  const Index index(known_);
  std::vector<const Sibling*> there(known_.size());  // what each known file is now
  std::vector<const Sibling*> packed;
  std::optional<Unread> live;
  for (const Sibling& file : files) {
    const auto is_it = [&](const Position& p) { return same_file(p.id, file.stamp.id); };
    if (std::any_of(left_out.begin(), left_out.end(), is_it)) continue;
    Unread unread{file, {}};
    unread.start.id = file.stamp.id;
    if (const auto i = index.find(file.stamp.id)) {
      auto same = still(file, known_[*i], unread.start);
      if (!same) {
        if (file.rotation.empty() || !pass_over(file, same.error())) {
          return tl::unexpected(same.error());
        }
        there[*i] = &file;
        continue;
      }
      if (*same) {
        there[*i] = &file;
        if (file.rotation.empty()) {
          live = std::move(unread);  // moved back, or read before under this name
          continue;
        }
        // Growth of what this agent never read, or of a copy, is not the log's.
        const Known& known = known_[*i];
        const bool ours = (known.read || known.size == 0) && !file.packed;
        const bool rest_changed =
            known.size > known.offset && file.stamp.modified != known.modified;
        if (ours && (file.stamp.size != known.size || rest_changed)) {
          survey.grown.push_back(std::move(unread));
        }
        continue;
      }
      unread.start = Position{};
      unread.start.id = file.stamp.id;
    }
    if (file.packed) {
      packed.push_back(&file);
    } else if (file.rotation.empty()) {
      live = std::move(unread);
    } else {
      survey.fresh.push_back(std::move(unread));
    }
  }
  // What was read last before all these: the order of names shows in it.
  const Sibling* read = nullptr;
  const Sibling* before = nullptr;
  for (std::size_t i = known_.size(); i-- > 0 && before == nullptr;) {
    if (there[i] != nullptr && known_[i].read) (read == nullptr ? read : before) = there[i];
  }
  std::vector<Known> found;
  std::vector<Sibling> order;
  for (const Unread& unread : survey.fresh) order.push_back(unread.file);
  sort_siblings(order, numbers_ascend(order, read, before));
  survey.fresh.clear();
  for (Sibling& file : order) {
    Unread unread{std::move(file), {}};
    unread.start.id = unread.file.stamp.id;
    const auto fd = open_log(unread.file.path);
    if (!fd) {
      if (pass_over(unread.file, fd.error())) continue;
      return tl::unexpected(fd.error());
    }
    notices_.clear(unread.file.path + "\nright", printable(unread.file.path) + ": may be read now");
    // The log was copied and not truncated (yet): it has all that the copy has.
    CARAVEL_ASSIGN_OR_RETURN(auto of_log,
                             files.back().rotation.empty()
                                 ? begins_with(files.back(), fd->get(), unread.file.stamp.size)
                                 : Result<bool>(false));
    if (of_log) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto copy, is_copy(fd->get(), unread, there, unread.start));
    if (!copy) {
      unread.start = Position{};
      unread.start.id = unread.file.stamp.id;
    } else if (unread.start.offset == unread.file.stamp.size) {
      unread.start.modified = unread.file.stamp.modified;
      found.push_back(known_of(unread.start, unread.file.stamp.size, false));
      continue;
    }
    survey.fresh.push_back(std::move(unread));
  }
  for (const Sibling* file : packed) {
    const std::string original = file->path.substr(0, file->path.rfind('.'));
    const bool being_made = std::any_of(
        files.begin(), files.end(), [&](const Sibling& other) { return other.path == original; });
    if (being_made) continue;
    if (packed_unread(*file, there, left_out)) {
      notices_.say(printable(file->path) +
                   ": was compressed before it was read, as far as can be "
                   "told; its lines are missing");
    }
    Known known;
    known.id = file->stamp.id;
    known.size = file->stamp.size;
    known.modified = file->stamp.modified;
    found.push_back(known);
  }
  if (live) survey.fresh.push_back(std::move(*live));
  if (forget) {
    for (std::size_t i = 0; i < there.size(); ++i) {
      const unsigned missed = there[i] == nullptr ? known_[i].missed + 1 : 0;
      changed_ = changed_ || missed != known_[i].missed;
      known_[i].missed = missed;
    }
    std::erase_if(known_, [](const Known& known) { return known.missed > 1; });
  }
  for (Known& known : found) remember(std::move(known));
  return survey;
}

}  // namespace caravel::tail
