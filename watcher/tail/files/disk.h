// Every call by which the agent changes a disk. A seam: the tests fail or "crash" any of them.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::tail {

/// The real one. Errors name operation and path.
class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  /// A new or emptied file for writing, mode 0640; never through a symlink.
  [[nodiscard]] virtual Result<UniqueFd> create(const std::string& path);
  [[nodiscard]] virtual Result<> write(int fd, std::string_view bytes);
  [[nodiscard]] virtual Result<> sync(int fd);
  /// Has the kernel begin with what sync() waits for. A hint: it promises nothing and cannot fail.
  static void begin_sync(int fd);
  [[nodiscard]] virtual Result<> sync_directory(const std::string& path);
  /// rename(2): replaces what is at `to`.
  [[nodiscard]] virtual Result<> replace(const std::string& from, const std::string& to);
  /// Gives `from` the name `to` unless that is taken (false). Atomic where the file system can
  /// (renameat2 RENAME_NOREPLACE, else link and unlink).
  [[nodiscard]] virtual Result<bool> publish(const std::string& from, const std::string& to);
  /// Deletes a file. A file that is gone already is no error.
  [[nodiscard]] virtual Result<> remove(const std::string& path);

 private:
  [[nodiscard]] Result<bool> take_if_same(const std::string& from, const std::string& to);
};

/// Replaces a file as a whole, in two steps: a temporary beside it, written and synced; then its
/// name and the sync of the directory. If the first fails, nothing has changed; if the second does,
/// it may have.
[[nodiscard]] Result<> prepare_file(Disk& disk, const std::string& path, std::string_view content);
[[nodiscard]] Result<> put_in_place(Disk& disk, const std::string& path);

}  // namespace caravel::tail
