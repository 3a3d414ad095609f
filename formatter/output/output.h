// A large buffer in front of a file descriptor.
#pragma once

#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "formatter/output/space.h"

namespace caravel::formatter {

/// Bytes are appended to a buffer; flush() writes it out. The hot path never asks whether a write
/// worked: an error is kept and comes back from status() and the next flush(), and nothing is
/// written after it. Does not own its descriptor; with -1 everything is thrown away.
///
/// One that opens its own file does so at the first write only: what fits into the buffer stays
/// there, whatever flush() says, until write_all_out() or held().
class Output {
 public:
  /// Makes the file that is written to.
  using Open = std::function<Result<UniqueFd>()>;

  /// `space`, if there is one, must outlive it, and is asked before each write.
  explicit Output(int fd, Space* space = nullptr) : fd_(fd), space_(space) {
    buffer_.reserve(kFlushBytes + kSlack);
  }

  /// `open` is called once, if so much comes that it has to be written.
  explicit Output(Open open, Space* space = nullptr) : Output(-1, space) {
    open_ = std::move(open);
  }

  /// The buffer, to append to. Call settle() now and then.
  [[nodiscard]] std::string& buffer() { return buffer_; }
  [[nodiscard]] bool discards() const { return fd_ < 0 && !open_; }

  /// Writes out if much has gathered.
  void settle() {
    if (buffer_.size() >= kFlushBytes) write_out();
  }
  [[nodiscard]] Result<> flush() { return open_ ? error_ : write_all_out(); }
  /// Writes out what is held as well.
  [[nodiscard]] Result<> write_all_out() {
    write_out();
    return error_;
  }
  /// All bytes, if none was written; nothing if a file has them, or if they were thrown away.
  [[nodiscard]] std::optional<std::string_view> held() const {
    return open_ && error_ ? std::optional<std::string_view>(buffer_) : std::nullopt;
  }
  /// The first error so far, without writing anything.
  [[nodiscard]] const Result<>& status() const { return error_; }
  /// Bytes given so far.
  [[nodiscard]] std::uint64_t bytes() const { return written_ + buffer_.size(); }

 private:
  static constexpr std::size_t kFlushBytes = 256 * 1024;
  static constexpr std::size_t kSlack = 64 * 1024;

  void write_out() {
    if (open_) open_file_of_own();
    if (fd_ >= 0 && error_ && space_ != nullptr) error_ = space_->take(fd_, buffer_.size());
    if (fd_ >= 0 && error_) error_ = write_all(fd_, buffer_);
    written_ += buffer_.size();
    buffer_.clear();
  }

  void open_file_of_own() {
    auto opened = std::exchange(open_, nullptr)();
    if (!opened) {
      if (error_) error_ = tl::unexpected(std::move(opened).error());
      return;
    }
    own_ = std::move(*opened);
    fd_ = own_.get();
  }

  int fd_;
  Space* space_;
  Open open_;  // empty once it was called
  UniqueFd own_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  Result<> error_;
};

}  // namespace caravel::formatter
