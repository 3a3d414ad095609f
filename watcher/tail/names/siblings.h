// The files beside a log: which of them may be the log's by their names, and how they are opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/rotation.h"

namespace caravel::tail {

struct Sibling {
  std::string path;
  std::string rotation;  // what stands for it in the name; empty: this is the log itself
  Stamp stamp;
  bool packed = false;        // compressed: its bytes are not the log's
  Proof proof = Proof::none;  // what its times must show
  /// A descriptor that is held elsewhere, or -1: the file can be read though its name is gone.
  int held = -1;
  /// When it was seen to appear, in the order of all files that were; 0: it was found by looking.
  std::uint64_t appeared = 0;
  bool original_held = false;  // of a packed one: what it was made of was held when it was packed
};

/// Whether an open file begins as gzip's do (RFC 1952), whatever it is named.
[[nodiscard]] bool is_gzip(int fd);

/// Opens the file for reading: the one that is held, else what has the name.
[[nodiscard]] Result<UniqueFd> open_sibling(const Sibling& file);

/// The file at `path`, if there is a regular one; an error if it does not answer, for then it must
/// not be taken for gone, and so for lost.
[[nodiscard]] Result<std::optional<Sibling>> sibling_at(const std::string& path,
                                                        std::string rotation);

/// The rotated files beside `log`, in no order, without the log itself under another name.
/// `shapes`: of further names that its rotated files have, see kin_of().
[[nodiscard]] Result<std::vector<Sibling>> rotated_siblings(const std::string& log,
                                                            const std::optional<Stamp>& live,
                                                            const std::vector<std::string>& shapes);

/// The file of this identity in a directory, under whatever name, if it is there and no packed one.
[[nodiscard]] Result<std::optional<Sibling>> find_in(const std::string& directory,
                                                     const FileId& id);

}  // namespace caravel::tail
