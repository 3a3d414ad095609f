// Files whose content was read before from another file: by cp, by copytruncate, out of a packed
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Finds a known file by its inode number: there may be thousands, and each file of the directory
/// is looked up at each survey.
class KnownById {
 public:
  /// `known` outlives this, unchanged.
  explicit KnownById(const std::vector<Known>& known);
  /// Its place among the known files.
  [[nodiscard]] std::optional<std::size_t> find(const FileId& id) const;

 private:
  const std::vector<Known>& known_;
  std::vector<std::size_t> order_;
};

/// How far the open file `fd`, which was never read itself, was read as the file that it is a copy
/// of; nothing if it is a copy of none. `there`: for each file of `memory` what it is now, or null
/// if it is gone. `stamp`: of the copy, its size that of `fd`.
[[nodiscard]] Result<std::optional<Position>> read_before_as(
    const std::vector<Known>& memory, const std::vector<const Sibling*>& there, int fd,
    const Stamp& stamp);

/// Whether the file `whole` begins with all `size` bytes of `part`, an open file, as far as the
/// digests of head and tail tell.
[[nodiscard]] Result<bool> begins_with(const Sibling& whole, int part, std::uint64_t size);

/// Whether one of `files` is what a packed file was made of, by its `text`: a file whose name is
/// gone and which is held, perhaps with a line more that came after the packing. It is read itself.
[[nodiscard]] Result<bool> original_is_held(const std::vector<Sibling>& files, int text,
                                            std::uint64_t size);

}  // namespace caravel::tail
