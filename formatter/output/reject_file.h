// One of the files of Rejects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "formatter/output/output.h"

namespace caravel::formatter {

/// A file that is made when its first byte comes: most extracts have no reject, and an empty file
/// would say that there was one. With the path "" everything is thrown away. The first error of any
/// call comes back from status() and flush(). For one thread.
class RejectFile {
 public:
  /// `append`: behind what an earlier run has written; else that is overwritten. `space` may be
  /// null.
  RejectFile(std::string path, bool append, Space* space);

  void append(std::string_view bytes);
  /// Where the next byte goes. 0 without a path.
  [[nodiscard]] std::uint64_t size() const { return before_ + (output_ ? output_->bytes() : 0); }
  /// Whether there is a file, and this run has made or opened it.
  [[nodiscard]] bool made() const { return fd_.get() >= 0; }

  /// Takes what stands behind `size` out again. A file that is empty then is removed.
  void cut_back(std::uint64_t size);
  /// Moves what stands behind `from` to the end of `to`. Takes constant memory.
  void move_tail(std::uint64_t from, RejectFile& to);

  /// Writes out; with `durable`, fsync(2) too.
  [[nodiscard]] Result<> flush(bool durable);
  [[nodiscard]] Result<> status() const;

 private:
  void open();
  void note(Result<> done);
  [[nodiscard]] Result<> write_out();
  [[nodiscard]] Result<> copy_tail(std::uint64_t from, RejectFile& to);
  [[nodiscard]] Result<> truncate(std::uint64_t size);

  const std::string path_;
  const bool append_;
  Space* const space_;
  UniqueFd fd_;
  std::optional<Output> output_;
  std::uint64_t before_ = 0;  // bytes of the file that `output_` has not written
  Result<> error_;
};

}  // namespace caravel::formatter
