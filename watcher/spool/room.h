// The room that `min_free` keeps on the disk, whoever writes into the spool.
//
//   free on the disk of the file  >=  min_free + what is to be written      or it is not written
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "formatter/output/space.h"

namespace caravel::watcher {

/// Bytes that we may still write to the file system of `fd` (statvfs(2) f_bavail).
[[nodiscard]] Result<std::uint64_t> free_bytes(int fd);

/// Any thread may ask. Writers that ask at the same moment can take less than a MiB each too much.
class Room {
 public:
  /// How many bytes may be written yet to the file system of a descriptor.
  using Free = std::function<Result<std::uint64_t>(int fd)>;

  /// With a `min_free` of 0 everything may be written, until the disk itself says no.
  explicit Room(std::uint64_t min_free = 0, Free bytes_free = free_bytes)
      : min_free_(min_free), free_(std::move(bytes_free)) {}

  /// Whether `more` bytes may be written to `fd`, a file or a directory. Errors: kind retry.
  [[nodiscard]] Result<> expect(int fd, std::uint64_t more) const;

 private:
  std::uint64_t min_free_;
  Free free_;
};

/// What the outputs of one extract ask before they write (formatter::Space): together they may take
/// `most` bytes (kind content, for the extract is at fault), and leave min_free (kind refused: the
/// extract waits alone, and others may pass). `room` must outlive the result.
[[nodiscard]] formatter::Space::Ask ask_room(const Room& room, std::uint64_t most);

/// Whether errno says that there is no room for more bytes: the disk is full (ENOSPC), or what this
/// user (EDQUOT) or this process (EFBIG) may write. To make room helps, and nothing else.
[[nodiscard]] bool is_no_space(int errno_value);

/// The same error, but with kind refused if it says that the disk, or the user's part of it, is
/// full.
[[nodiscard]] Error refused_if_no_space(Error error);

/// How much room the extracts wanted that found too little. An extract is formatted again when
/// there is clearly more than it had, and not to find the same disk again. One thread.
class SpaceNeeds {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  /// The extract of this claim had so many bytes on the disk, or wanted them, when it was given up.
  void note(const std::string& claim, std::uint64_t bytes, Moment now) {
    needs_[claim] = {bytes, now};
  }
  void forget(const std::string& claim) { needs_.erase(claim); }
  /// Bytes that should be free for it, besides min_free. 0 if nothing is known, and once an hour:
  /// what is known may be too much.
  [[nodiscard]] std::uint64_t of(const std::string& claim, Moment now) const;

 private:
  struct Need {
    std::uint64_t bytes = 0;
    Moment since;
  };
  std::map<std::string, Need> needs_;
};

}  // namespace caravel::watcher
