// Moves one claimed file to a free name elsewhere, over to another file system if need be.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {

enum class Moved {
  moved,        // it is there, durable, and the claim's directory is gone
  taken,        // the name belongs to another file: try the next
  gone,         // the claim holds no such file
  not_movable,  // on another file system, and no regular file: it has no bytes to copy
};

/// One claim on its way out. All arguments must outlive it. Call to() with one name after the
/// other, as long as it answers `taken`.
class Mover {
 public:
  /// `later`: who moves several files syncs their directory once, behind all of them. What must be
  /// copied is synced at once all the same.
  enum class Sync { now, later };

  /// `temporary_fd`: a directory on the target's file system, for the copy while it is made. The
  /// copy leaves the `room` there that is to be left, or is given up.
  Mover(const ClaimRoot& root, const Claim& claim, int temporary_fd, const Room& room,
        Sync sync = Sync::now);

  /// Moves the file to `name` in that directory. A crash leaves the file in its old place or in the
  /// new one. Where bytes are copied, a crash can also leave it in both: repeated, to() finds that
  /// the taken name has these very bytes and mtime, and only removes the claimed file. Errors: kind
  /// retry if the file is being written while it is copied.
  [[nodiscard]] Result<Moved> to(int directory_fd, const std::string& name);

 private:
  Result<Moved> copy_to(int directory_fd, const std::string& name);
  [[nodiscard]] bool source_is_there() const;
  /// Copies the file to the temporary, with its mtime, and syncs it. No temporary is left if that
  /// fails.
  Result<> copy();
  Result<> copy_bytes(int out);
  /// Holes stay holes: a file of a terabyte may hold a few bytes only.
  Result<> copy_data(int out, std::uint64_t size);

  const ClaimRoot& root_;
  const Claim& claim_;
  int temporary_fd_;
  const Room& room_;
  const Sync sync_;
  std::string place_;
  std::string temporary_;
  bool across_ = false;  // to another file system
  ClaimLook source_;     // of the file that is copied
  bool copied_ = false;  // the temporary holds the whole copy
};

}  // namespace caravel::watcher
