// The room on the disk that one run of the formatter may take.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/error.h"

namespace caravel::formatter {

/// Counts what the outputs of one run write together, and asks before each write. Outputs write in
/// pieces of some 256 KiB, so what is asked holds within a few of these. For one thread.
class Space {
 public:
  /// Whether `more` bytes may be written to `fd`, when `used` bytes lie there and in the other
  /// files of this run already. An error keeps them from being written, and ends the run.
  using Ask = std::function<Result<>(int fd, std::uint64_t used, std::uint64_t more)>;

  explicit Space(Ask ask) : ask_(std::move(ask)) {}
  Space(const Space&) = delete;  // the outputs share one
  Space& operator=(const Space&) = delete;

  [[nodiscard]] Result<> take(int fd, std::uint64_t bytes) {
    wanted_ = used_ + bytes;
    CARAVEL_TRY(ask_(fd, used_, bytes));
    used_ = wanted_;
    return {};
  }
  /// A file was cut shorter by so many bytes.
  void give_back(std::uint64_t bytes) { used_ -= bytes < used_ ? bytes : used_; }

  /// What lies in the files now, and what would lie there after the last write that was asked for.
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t wanted() const { return wanted_; }

 private:
  Ask ask_;
  std::uint64_t used_ = 0;
  std::uint64_t wanted_ = 0;
};

}  // namespace caravel::formatter
