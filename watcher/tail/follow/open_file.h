// The one file of a log that is being read: how far, and since when it is still or rotated away.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/packed/unpacker.h"

namespace caravel::tail {

/// Holds the descriptor, so that the file stays readable when it is renamed or deleted. Reads the
/// file system only; what to do about what it sees is its owner's matter.
class OpenFile {
 public:
  /// `grace`: how long a rotated file must have been still before it counts as finished.
  explicit OpenFile(std::chrono::milliseconds grace) : grace_(grace) {}

  /// Opens `file`, to be read on from `position`. False, and nothing is opened, if another file
  /// has the name by now or the file does not hold what was read before `position`.
  [[nodiscard]] Result<bool> open(const Sibling& file, const Position& position, const Moment& now);
  /// The same for the text of a packed file. Nobody writes to it: it is never rotated or grown.
  [[nodiscard]] Result<bool> open_text(const Sibling& file, UnpackedText text,
                                       const Position& position, const Moment& now);
  void close() { fd_.reset(); }

  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool is(const FileId& id) const { return fd_ && same_file(position_.id, id); }
  [[nodiscard]] const Position& position() const { return position_; }
  /// As it was at the last look.
  [[nodiscard]] const Stamp& stamp() const { return stamp_; }
  /// The name under which it was opened.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Up to where it is known that no line ends behind the position; see Cutter::next().
  [[nodiscard]] std::uint64_t& scanned() { return scanned_; }

  /// Its stamp of this moment. An error closes the file: a descriptor that went stale on a network
  /// file system never recovers, the file is to be found again by its name.
  [[nodiscard]] Result<Stamp> stamp_now();
  [[nodiscard]] bool was_written(const Stamp& now) const {
    return now.size != stamp_.size || now.modified != stamp_.modified;
  }
  /// A look found that it has the log's own name, or that it has not; and whether it was written.
  void note_look(bool has_logs_name, bool written, const Moment& now);
  void set_stamp(const Stamp& stamp) { stamp_ = stamp; }
  /// Makes the next look compare the file with what was read from it.
  void compare_at_next_look() { stamp_.modified = -1; }

  void move_to(const Position& after);
  /// Bytes up to `offset` are not to be read.
  void skip_to(std::uint64_t offset) { position_.offset = offset; }
  /// Back to `published`, what the log's state says, if that is of this file and since it was
  /// opened; else to where it was opened. The file stays open: it may be deleted by now, and then
  /// it can be read only here.
  void go_back(const std::optional<Position>& published);

  [[nodiscard]] bool all_read() const { return all_read_; }
  void set_all_read(bool all_read) { all_read_ = all_read; }
  [[nodiscard]] bool is_rotated() const { return rotated_; }
  /// A copy that copytruncate made: nobody writes to it.
  void mark_as_copy() { copy_ = true; }
  [[nodiscard]] bool is_copy() const { return copy_; }
  /// The file was read to its end before, and has grown since.
  [[nodiscard]] bool has_grown() const { return grown_; }
  void mark_as_grown() { grown_ = true; }
  /// The text of a damaged packed file: where it ends now is no end of what was written.
  [[nodiscard]] bool is_damaged() const { return damaged_; }

  /// Whether nothing more is expected to be written into the file.
  [[nodiscard]] bool is_over(const Moment& now) const;
  /// Whether nothing was written into it for the grace.
  [[nodiscard]] bool is_still(const Moment& now) const;
  /// Whether the file was rotated away long ago and is still written into: the new log must not
  /// wait for ever.
  [[nodiscard]] bool holds_up_too_long(const Moment& now) const;

 private:
  [[nodiscard]] Result<bool> take(const Sibling& file, UniqueFd fd, const Stamp& stamp,
                                  const Position& position, const Moment& now);

  std::chrono::milliseconds grace_;
  UniqueFd fd_;
  Position position_;
  Position opened_at_;
  Stamp stamp_;
  std::uint64_t scanned_ = 0;
  std::string path_;
  bool is_text_ = false;  // of a packed file: its stamp is that file's
  bool damaged_ = false;  // its end is not what was written
  bool rotated_ = false;
  bool copy_ = false;
  bool grown_ = false;
  bool all_read_ = false;
  std::chrono::steady_clock::time_point still_since_;  // both: of a rotated file
  std::chrono::steady_clock::time_point rotated_since_;
};

}  // namespace caravel::tail
