// A large buffer in front of a file descriptor.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "formatter/output/space.h"

namespace caravel::formatter {

/// Bytes are appended to a buffer; flush() writes it out. The hot path never asks whether a write
/// worked: an error is kept and comes back from status() and the next flush(), and nothing is
/// written after it. Does not own its descriptor; with -1 everything is thrown away.
class Output {
 public:
  /// `space`, if there is one, must outlive it, and is asked before each write.
  explicit Output(int fd, Space* space = nullptr) : fd_(fd), space_(space) {
    buffer_.reserve(kFlushBytes + kSlack);
  }

  /// The buffer, to append to. Call settle() now and then.
  [[nodiscard]] std::string& buffer() { return buffer_; }
  [[nodiscard]] bool discards() const { return fd_ < 0; }

  /// Writes out if much has gathered.
  void settle() {
    if (buffer_.size() >= kFlushBytes) write_out();
  }
  [[nodiscard]] Result<> flush() {
    write_out();
    return error_;
  }
  /// The first error so far, without writing anything.
  [[nodiscard]] const Result<>& status() const { return error_; }
  /// Bytes given so far.
  [[nodiscard]] std::uint64_t bytes() const { return written_ + buffer_.size(); }

 private:
  static constexpr std::size_t kFlushBytes = 256 * 1024;
  static constexpr std::size_t kSlack = 64 * 1024;

  void write_out() {
    if (fd_ >= 0 && error_ && space_ != nullptr) error_ = space_->take(fd_, buffer_.size());
    if (fd_ >= 0 && error_) error_ = write_all(fd_, buffer_);
    written_ += buffer_.size();
    buffer_.clear();
  }

  int fd_;
  Space* space_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  Result<> error_;
};

}  // namespace caravel::formatter
