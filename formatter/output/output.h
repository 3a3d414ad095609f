// A large buffer in front of a file descriptor.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes/sixteen_bytes.h"
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
  explicit Output(int fd, Space* space = nullptr)
      : fd_(fd), space_(space), bytes_(new char[kCapacity]) {}

  /// `open` is called once, if so much comes that it has to be written.
  explicit Output(Open open, Space* space = nullptr) : Output(-1, space) {
    open_ = std::move(open);
  }

  /// What was given and is not written out yet. Valid until more is given.
  [[nodiscard]] std::string_view pending() const { return {bytes_.get(), size_}; }
  [[nodiscard]] bool discards() const { return fd_ < 0 && !open_; }

  /// Call settle() now and then.
  void append(std::string_view text) {
    text.copy(room(text.size()), text.size());
    size_ += text.size();
  }
  /// A line without its LF, sixteen bytes at a time: so many bytes behind it must be readable.
  void append_line(std::string_view text) {
    char* at = room(text.size() + 16);
    const char* const end = at + text.size();
    for (const char* from = text.data(); at < end; at += 16, from += 16) {
      SixteenBytes(from).store(at);
    }
    bytes_[static_cast<std::size_t>(end - bytes_.get())] = '\n';
    add_up_to(end + 1);
    settle();
  }
  /// Memory for `most` bytes behind what was given; add_up_to() says how many of them count.
  [[nodiscard]] char* room(std::size_t most) {
    if (capacity_ - size_ < most) grow(most);
    return bytes_.get() + size_;
  }
  void add_up_to(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }
  /// Forgets what is pending but for its first `size` bytes.
  void keep(std::size_t size) { size_ = size; }

  /// Writes out if much has gathered. Behind it there is room for kSlack bytes.
  void settle() {
    if (size_ >= kFlushBytes) write_out();
  }
  [[nodiscard]] Result<> flush() { return open_ ? error_ : write_all_out(); }
  /// Writes out what is held as well.
  [[nodiscard]] Result<> write_all_out() {
    write_out();
    return error_;
  }
  /// All bytes, if none was written; nothing if a file has them, or if they were thrown away.
  [[nodiscard]] std::optional<std::string_view> held() const {
    return open_ && error_ ? std::optional<std::string_view>(pending()) : std::nullopt;
  }
  /// The first error so far, without writing anything.
  [[nodiscard]] const Result<>& status() const { return error_; }
  /// Bytes given so far.
  [[nodiscard]] std::uint64_t bytes() const { return written_ + size_; }

  static constexpr std::size_t kSlack = std::size_t{64} * 1024;

 private:
  static constexpr std::size_t kFlushBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kCapacity = kFlushBytes + kSlack;

  void grow(std::size_t most) {
    const std::size_t capacity = 2 * size_ + most;
    std::unique_ptr<char[]> bytes(new char[capacity]);
    std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  void write_out() {
    if (open_) open_file_of_own();
    if (fd_ >= 0 && error_ && space_ != nullptr) error_ = space_->take(fd_, size_);
    if (fd_ >= 0 && error_) error_ = write_all(fd_, pending());
    written_ += size_;
    size_ = 0;
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
  std::unique_ptr<char[]> bytes_;  // not filled with zeros, as a string would be
  std::size_t capacity_ = kCapacity;
  std::size_t size_ = 0;
  std::uint64_t written_ = 0;
  Result<> error_;
};

}  // namespace caravel::formatter
