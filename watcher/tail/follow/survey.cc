#include "watcher/tail/follow/survey.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "watcher/tail/follow/copies.h"
#include "watcher/tail/names/order.h"
#include "watcher/tail/packed/unpacker.h"

namespace caravel::tail {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// Whether a compressed file has the mtime of its original: gzip(1) and others keep it, some of
/// them only its seconds.
bool same_time(std::int64_t packed, std::int64_t original) {
  return packed == original || (packed % kSecond == 0 && packed / kSecond == original / kSecond);
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
  auto fd = open_sibling(file);
  if (!fd) {
    if (!known.read) return true;
    return tl::unexpected(fd.error());
  }
  CARAVEL_TRY(move_to(fd->get(), known.offset, start));
  return digest_of(start) == known.digest || known.offset == 0;
}

/// One comparison. Each file ends up as one of: left out, known, grown, compressed, fresh, a copy,
/// or the log itself.
class Comparing {
 public:
  Comparing(const LogState& log, const std::vector<Sibling>& files,
            const std::vector<Position>& left_out, Notices& notices)
      : begun_(log.begun),
        memory_(log.known),
        files_(files),
        left_out_(left_out),
        notices_(notices),
        there_(memory_.size()) {}

  [[nodiscard]] Result<Comparison> run() {
    const KnownById index(memory_);
    for (const Sibling& file : files_) {
      const auto is_it = [&](const Position& p) { return same_file(p.id, file.stamp.id); };
      if (std::any_of(left_out_.begin(), left_out_.end(), is_it)) continue;
      const auto known = index.find(file.stamp.id);
      CARAVEL_ASSIGN_OR_RETURN(auto recognized, known ? recall(file, *known) : Result<bool>(false));
      if (recognized) continue;
      if (known) rewritten_.push_back(file.stamp.id);
      sort_in(file);
    }
    // Copies are recognized only after that: their originals may be any of the files.
    for (const Sibling* file : packed_) CARAVEL_TRY(sort_in_packed(*file));
    for (Sibling& file : in_order_of_writing()) CARAVEL_TRY(add_unless_copy(std::move(file)));
    if (live_) out_.survey.fresh.push_back(std::move(*live_));
    for (const Sibling* file : there_) out_.seen.push_back(file != nullptr);
    return std::move(out_);
  }

 private:
  /// `file`, of which nothing was read, or its first line only.
  [[nodiscard]] Unread from_its_start(Sibling file) const {
    Unread unread{std::move(file), {}};
    unread.start.id = unread.file.stamp.id;
    unread.rewritten = std::any_of(rewritten_.begin(), rewritten_.end(), [&](const FileId& id) {
      return same_file(id, unread.start.id);
    });
    if (!begun_ || unread.file.packed || !same_file(begun_->id, unread.start.id)) return unread;
    // The inode number may be another file's by now: the content tells.
    const auto fd = open_sibling(unread.file);
    if (fd && holds(fd->get(), *begun_).value_or(false)) unread.start = *begun_;
    return unread;
  }

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
    sort_by_writing(fresh_, read, before);
    return fresh_;
  }

  [[nodiscard]] Result<> add_unless_copy(Sibling file) {
    Unread unread = from_its_start(std::move(file));
    if (unread.file.packed) {
      out_.survey.fresh.push_back(std::move(unread));
      return {};
    }
    const Stamp& stamp = unread.file.stamp;
    const auto fd = open_sibling(unread.file);
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
    CARAVEL_ASSIGN_OR_RETURN(auto copied, read_before_as(memory_, there_, fd->get(), stamp));
    if (copied && copied->offset == stamp.size) {
      copied->modified = stamp.modified;
      out_.recognized.push_back(known_of(*copied, stamp.size, false));
      return {};
    }
    if (copied) unread.start = std::move(*copied);
    out_.survey.fresh.push_back(std::move(unread));
    return {};
  }

  /// Takes up a compressed file that is not known. One that was made of a file that was read and is
  /// gone is remembered, and so is one that nobody can read, which a message says. Of any other,
  /// only its text tells whether it was read: it is unpacked when its turn comes.
  [[nodiscard]] Result<> sort_in_packed(const Sibling& file) {
    // While the packer works, the file that it packs is there too: the next survey decides.
    const std::string original = file.path.substr(0, file.path.rfind('.'));
    const bool being_made = std::any_of(
        files_.begin(), files_.end(), [&](const Sibling& other) { return other.path == original; });
    if (being_made || file.stamp.size == 0) return {};
    if (can_be_unpacked(file)) {
      CARAVEL_ASSIGN_OR_RETURN(const auto read, has_text_of_read(file));
      if (!read) {
        fresh_.push_back(file);
        return {};
      }
    } else if (!is_packed_form_of_read(file)) {
      out_.lost.push_back(printable(file.path) +
                          ": was compressed before it was read, as far as can be told; its lines "
                          "are missing (" +
                          std::to_string(file.stamp.size) + " bytes, compressed)");
    }
    Known known;
    known.id = file.stamp.id;
    known.size = file.stamp.size;
    known.modified = file.stamp.modified;
    out_.recognized.push_back(known);
    return {};
  }

  /// Of one that nobody can read, the time has to tell.
  [[nodiscard]] bool is_packed_form_of_read(const Sibling& file) const {
    if (file.original_held) return true;  // and is read, or was
    const auto fits = [&](std::int64_t time) { return same_time(file.stamp.modified, time); };
    for (std::size_t i = 0; i < there_.size(); ++i) {
      if (there_[i] == nullptr && fits(memory_[i].modified)) return true;
    }
    return std::any_of(left_out_.begin(), left_out_.end(),
                       [&](const Position& position) { return fits(position.modified); });
  }

  /// Of any other, its text, where its time gives a hint: a program that packs at once may write
  /// the next file in the same tick of the clock.
  [[nodiscard]] Result<bool> has_text_of_read(const Sibling& file) const {
    CARAVEL_ASSIGN_OR_RETURN(const auto size, size_of_text(file));
    for (std::size_t i = 0; i < there_.size(); ++i) {
      const Known& known = memory_[i];
      if (there_[i] != nullptr || known.modified != file.stamp.modified || known.digest.empty() ||
          static_cast<std::uint32_t>(known.size) != size) {
        continue;
      }
      CARAVEL_ASSIGN_OR_RETURN(const auto place, place_in_text(file, known.offset));
      if (place && digest_of(*place) == known.digest) return true;
    }
    for (const Position& position : left_out_) {
      if (position.modified != file.stamp.modified || position.offset == 0) continue;
      CARAVEL_ASSIGN_OR_RETURN(const auto place, place_in_text(file, position.offset));
      if (place && place->head == position.head && place->tail == position.tail) return true;
    }
    return false;
  }

  const std::optional<Position>& begun_;
  const std::vector<Known>& memory_;
  const std::vector<Sibling>& files_;
  const std::vector<Position>& left_out_;
  Notices& notices_;

  std::vector<FileId> rewritten_;
  std::vector<const Sibling*> there_;  // what each known file is now
  std::vector<const Sibling*> packed_;
  std::vector<Sibling> fresh_;
  std::optional<Unread> live_;
  Comparison out_;
};

}  // namespace

Result<Comparison> compare(const LogState& log, const std::vector<Sibling>& files,
                           const std::vector<Position>& left_out, Notices& notices) {
  return Comparing(log, files, left_out, notices).run();
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
