// Bytes of a log to bytes of an extract: where to cut, and one pass that copies, counts and hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/disk.h"

namespace caravel::tail {

struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // one past the end
};

/// Holds its buffers; their size is all the memory that cutting takes, however long lines are.
class Cutter {
 public:
  explicit Cutter(Disk& disk);

  /// The next extract of [first, end): whole lines, at most `max_bytes` of them, or one line that
  /// is longer. Nothing if no line ends there yet. `scanned`: up to where it is known that no line
  /// ends after `first`; kept by the caller, so that a growing line is looked through once.
  [[nodiscard]] Result<std::optional<Range>> next(int fd, std::uint64_t first, std::uint64_t end,
                                                  std::uint64_t max_bytes, std::uint64_t& scanned);

  struct Copied {
    std::uint64_t lines = 0;
    std::string sha256;
  };
  /// Copies the range from `fd` to `out`. A log that became shorter is an error.
  [[nodiscard]] Result<Copied> copy(int fd, Range range, int out);
  /// The same for a line of which the rest is in another file.
  [[nodiscard]] Result<Copied> copy_joined(int fd, Range half, int rest_fd, Range rest, int out);
  /// The same for the first half of a line, which has no line end.
  [[nodiscard]] Result<Copied> copy_half(int fd, Range half, int out);
  /// Two of them in turns, which halves the time for hashing (Sha256::update_both()). One may fail
  /// without the other.
  struct Pair {
    Result<Copied> first;
    Result<Copied> second;
  };
  [[nodiscard]] Pair copy_both(int fd, Range first, int first_out, Range second, int second_out);

  /// Lines and SHA-256 of the range, without a copy, wherever it ends.
  [[nodiscard]] Result<Copied> read(int fd, Range range) { return copy_half(fd, range, -1); }

  /// One past the last line end before `end`; 0 if there is none.
  [[nodiscard]] Result<std::uint64_t> last_line_end(int fd, std::uint64_t end);

  /// The first byte from `first` on that is not NUL; `end` if there is none. Holes cost nothing.
  [[nodiscard]] Result<std::uint64_t> skip_nuls(int fd, std::uint64_t first, std::uint64_t end);

 private:
  [[nodiscard]] Result<> fill(int fd, std::uint64_t offset, std::size_t size);
  /// One past the last line end in [first, end); 0 if there is none.
  [[nodiscard]] Result<std::uint64_t> find_backwards(int fd, std::uint64_t first,
                                                     std::uint64_t end);

  Disk& disk_;
  std::vector<char> buffer_;
  std::vector<char> second_buffer_;  // only where two are copied
};

}  // namespace caravel::tail
