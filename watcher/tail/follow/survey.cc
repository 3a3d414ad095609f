#include "watcher/tail/follow/survey.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace caravel::tail {
namespace {

/// From so many bytes on, content alone tells that a file is a copy. The two digests cover 1024
/// bytes each; less than both may be a header with which all files of a program begin.
constexpr std::uint64_t kTellingBytes = 2048;
constexpr std::int64_t kSecond = 1'000'000'000;

/// Finds a known file by its inode number: there may be thousands, and each file of the directory
/// is looked up at each survey.
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

/// Whether a compressed file has the mtime of its original: gzip(1) and others keep it, some of
/// them only its seconds.
bool same_time(std::int64_t packed, std::int64_t original) {
  return packed == original || (packed % kSecond == 0 && packed / kSecond == original / kSecond);
}

/// Whether the file `whole` begins with all `size` bytes of `part`, an open file, as far as the
/// digests of head and tail tell.
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

/// Whether `file`, which has the identity of a known one, still has its content. An inode number
/// that was given to a new file, or a file that was written anew, is not the known one. `start`
/// becomes the place behind what is known.
Result<bool> is_still(const Sibling& file, const Known& known, Position& start) {
  if (file.packed) return true;
  if (file.stamp.size < known.offset) return false;
  start.id = known.id;
  start.offset = known.offset;
  const bool unchanged = file.stamp.size == known.size && file.stamp.modified == known.modified;
  // Rotated files that did not change are not opened: there may be thousands at each survey. The
  // log itself always is.
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

/// `file`, of which nothing was read.
Unread from_its_start(Sibling file) {
  Unread unread{std::move(file), {}};
  unread.start.id = unread.file.stamp.id;
  return unread;
}

/// One comparison. Each file ends up as one of: left out, known, grown, compressed, fresh, a copy,
/// or the log itself.
class Comparing {
 public:
  Comparing(const std::vector<Known>& memory, const std::vector<Sibling>& files,
            const std::vector<Position>& left_out, Notices& notices)
      : memory_(memory),
        files_(files),
        left_out_(left_out),
        notices_(notices),
        there_(memory.size()) {}

  [[nodiscard]] Result<Comparison> run() {
    const Index index(memory_);
    for (const Sibling& file : files_) {
      const auto is_it = [&](const Position& p) { return same_file(p.id, file.stamp.id); };
      if (std::any_of(left_out_.begin(), left_out_.end(), is_it)) continue;
      const auto known = index.find(file.stamp.id);
      CARAVEL_ASSIGN_OR_RETURN(auto recognized, known ? recall(file, *known) : Result<bool>(false));
      if (!recognized) sort_in(file);
    }
    // Copies are recognized only after that: their originals may be any of the files.
    for (Sibling& file : in_order_of_writing()) CARAVEL_TRY(add_unless_copy(std::move(file)));
    for (const Sibling* file : packed_) add_packed(*file);
    if (live_) out_.survey.fresh.push_back(std::move(*live_));
    for (const Sibling* file : there_) out_.seen.push_back(file != nullptr);
    return std::move(out_);
  }

 private:
  /// Takes up a file that has the identity of a known one. False: its content says that it is
  /// another.
  [[nodiscard]] Result<bool> recall(const Sibling& file, std::size_t i) {
    Unread unread = from_its_start(file);
    auto same = is_still(file, memory_[i], unread.start);
    const bool passed =
        !same && !file.rotation.empty() && passed_over(file, same.error(), notices_);
    if (!same && !passed) return same;
    if (same && !*same) return false;
    there_[i] = &file;
    if (passed) return true;
    if (file.rotation.empty()) {
      live_ = std::move(unread);  // moved back, or read before under this name
      return true;
    }
    // A file that this agent never read, or a copy, may grow: its new lines are not the log's.
    const Known& known = memory_[i];
    const bool ours = (known.read || known.size == 0) && !file.packed;
    // The size may be as it was and the text another: a last line, not read yet, that was written
    // anew.
    const bool rest_changed = known.size > known.offset && file.stamp.modified != known.modified;
    if (ours && (file.stamp.size != known.size || rest_changed)) {
      out_.survey.grown.push_back(std::move(unread));
    }
    return true;
  }

  void sort_in(const Sibling& file) {
    if (file.packed) {
      packed_.push_back(&file);
    } else if (file.rotation.empty()) {
      live_ = from_its_start(file);
    } else {
      fresh_.push_back(file);
    }
  }

  /// The unread rotated files, oldest first. The two files that were read last show whether the
  /// program numbers its files upwards.
  [[nodiscard]] std::vector<Sibling>& in_order_of_writing() {
    const Sibling* read = nullptr;
    const Sibling* before = nullptr;
    for (std::size_t i = memory_.size(); i-- > 0 && before == nullptr;) {
      if (there_[i] != nullptr && memory_[i].read) (read == nullptr ? read : before) = there_[i];
    }
    sort_siblings(fresh_, numbers_ascend(fresh_, read, before));
    return fresh_;
  }

  [[nodiscard]] Result<> add_unless_copy(Sibling file) {
    Unread unread = from_its_start(std::move(file));
    const Stamp& stamp = unread.file.stamp;
    const auto fd = open_log(unread.file.path);
    if (!fd) {
      if (passed_over(unread.file, fd.error(), notices_)) return {};
      return tl::unexpected(fd.error());
    }
    notices_.clear(unread.file.path + "\nright", printable(unread.file.path) + ": may be read now");
    // copytruncate is between copy and truncation: the log still has all that the copy has, and is
    // read itself. The copy is not remembered, for after the truncation it is what must be read.
    CARAVEL_ASSIGN_OR_RETURN(auto of_log, files_.back().rotation.empty()
                                              ? begins_with(files_.back(), fd->get(), stamp.size)
                                              : Result<bool>(false));
    if (of_log) return {};
    CARAVEL_ASSIGN_OR_RETURN(auto copy, is_copy(fd->get(), stamp, unread.start));
    if (!copy) {
      unread.start = Position{};
      unread.start.id = stamp.id;
    } else if (unread.start.offset == stamp.size) {
      unread.start.modified = stamp.modified;
      out_.recognized.push_back(known_of(unread.start, stamp.size, false));
      return {};
    }
    out_.survey.fresh.push_back(std::move(unread));
    return {};
  }

  /// Whether the open file, which was never read, is a copy of one that was (by cp, or by
  /// copytruncate of a file that was read to its end). Then `start` is how far the original was
  /// read.
  [[nodiscard]] Result<bool> is_copy(int fd, const Stamp& stamp, Position& start) const {
    const std::uint64_t size = stamp.size;
    if (size < kTellingBytes) return false;
    for (std::size_t i = 0; i < there_.size(); ++i) {
      const Known& known = memory_[i];
      if (!known.read || known.offset < kTellingBytes) continue;
      start.id = stamp.id;
      if (known.offset <= size) {
        CARAVEL_TRY(move_to(fd, known.offset, start));
        if (digest_of(start) != known.digest) continue;
        // The bytes behind were in the original, too, when that was last looked at: a line without
        // an end.
        if (size <= known.size) CARAVEL_TRY(move_to(fd, size, start));
        return true;
      }
      // A copy of the first part. The original must still have that content: it may have been
      // written anew in place.
      const Sibling* const original = there_[i];
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

  /// Remembers a compressed file that is not known. It was made of a file that was read and is
  /// gone; if none fits, its lines can never be read, and a message says so.
  void add_packed(const Sibling& file) {
    // While the packer works, the file that it packs is there too: the next survey decides.
    const std::string original = file.path.substr(0, file.path.rfind('.'));
    const bool being_made = std::any_of(
        files_.begin(), files_.end(), [&](const Sibling& other) { return other.path == original; });
    if (being_made) return;
    if (!is_packed_form_of_read(file)) {
      notices_.say(printable(file.path) +
                   ": was compressed before it was read, as far as can be "
                   "told; its lines are missing (" +
                   std::to_string(file.stamp.size) + " bytes, compressed)");
    }
    Known known;
    known.id = file.stamp.id;
    known.size = file.stamp.size;
    known.modified = file.stamp.modified;
    out_.recognized.push_back(known);
  }

  [[nodiscard]] bool is_packed_form_of_read(const Sibling& file) const {
    for (std::size_t i = 0; i < there_.size(); ++i) {
      if (there_[i] == nullptr && same_time(file.stamp.modified, memory_[i].modified)) return true;
    }
    return std::any_of(left_out_.begin(), left_out_.end(), [&](const Position& position) {
      return same_time(file.stamp.modified, position.modified);
    });
  }

  const std::vector<Known>& memory_;
  const std::vector<Sibling>& files_;
  const std::vector<Position>& left_out_;
  Notices& notices_;

  std::vector<const Sibling*> there_;  // what each known file is now
  std::vector<const Sibling*> packed_;
  std::vector<Sibling> fresh_;
  std::optional<Unread> live_;
  Comparison out_;
};

}  // namespace

Result<Comparison> compare(const std::vector<Known>& memory, const std::vector<Sibling>& files,
                           const std::vector<Position>& left_out, Notices& notices) {
  return Comparing(memory, files, left_out, notices).run();
}

bool passed_over(const Sibling& file, const Error& error, Notices& notices) {
  if (!lacks_right(error)) return false;
  notices.set(file.path + "\nright", printable(file.path) +
                                         ": must not be read (permission denied); passed over "
                                         "until it may (it has " +
                                         std::to_string(file.stamp.size) + " bytes)");
  return true;
}

}  // namespace caravel::tail
