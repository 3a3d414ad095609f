#include "watcher/tail/files/cutter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/file.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/sha256.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;
/// So often the disk is asked to begin with what was copied: at the sync, little is left to wait
/// for.
constexpr std::uint64_t kBeginSyncEvery = 2 << 20;

/// Counts in bytes, sixteen or more at a time; std::count is compiled to a fifth of the speed.
std::uint64_t count_lines(std::string_view bytes) {
  constexpr std::size_t kLanes = 64;
  std::uint64_t lines = 0;
  while (bytes.size() >= kLanes) {
    std::array<unsigned char, kLanes> lane{};
    const std::size_t rounds = std::min<std::size_t>(bytes.size() / kLanes, 255);
    for (std::size_t round = 0; round < rounds; ++round) {
      const char* const at = bytes.data() + round * kLanes;
      for (std::size_t i = 0; i < kLanes; ++i) {
        lane[i] = static_cast<unsigned char>(lane[i] + (at[i] == '\n' ? 1 : 0));
      }
    }
    for (const unsigned char count : lane) lines += count;
    bytes.remove_prefix(rounds * kLanes);
  }
  return lines + static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

Result<> read_whole(int fd, std::uint64_t offset, std::vector<char>& buffer, std::size_t size) {
  CARAVEL_ASSIGN_OR_RETURN(const auto got, read_at(fd, offset, buffer.data(), size));
  if (got < size) return fail(ErrorKind::retry, "became shorter while it was read");
  return {};
}

/// One range on its way, a buffer at a time.
class Copy {
 public:
  /// `out` may be -1: only read.
  Copy(Disk& disk, int fd, Range range, int out, std::vector<char>& buffer)
      : disk_(disk), fd_(fd), range_(range), out_(out), buffer_(buffer), at_(range.first) {}

  /// Copies the next bytes, which are then to be hashed. False: at its end, or failed.
  [[nodiscard]] bool next() {
    bytes_ = {};
    if (done_ && at_ < range_.last) done_ = copy_next();
    return done_.has_value() && !bytes_.empty();
  }
  void hash() { sha256_.update(bytes_); }
  static void hash_both(Copy& a, Copy& b) {
    Sha256::update_both(a.sha256_, a.bytes_, b.sha256_, b.bytes_);
  }
  [[nodiscard]] Result<Cutter::Copied> finish() {
    if (!done_) return tl::unexpected(done_.error());
    return Cutter::Copied{lines_, sha256_.finish()};
  }

 private:
  [[nodiscard]] Result<> copy_next() {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(range_.last - at_, buffer_.size()));
    CARAVEL_TRY(read_whole(fd_, at_, buffer_, size));
    bytes_ = {buffer_.data(), size};
    lines_ += count_lines(bytes_);
    if (out_ >= 0) CARAVEL_TRY(disk_.write(out_, bytes_));
    at_ += size;
    // A line ended here when the range was chosen: this is another text by now.
    if (at_ == range_.last && bytes_.back() != '\n') {
      return fail(ErrorKind::retry, "changed while it was read");
    }
    if (out_ >= 0 && (at_ - range_.first) % kBeginSyncEvery == 0) disk_.begin_sync(out_);
    return {};
  }

  Disk& disk_;
  int fd_;
  Range range_;
  int out_;
  std::vector<char>& buffer_;
  std::uint64_t at_;
  std::string_view bytes_;
  std::uint64_t lines_ = 0;
  Sha256 sha256_;
  Result<> done_;
};

}  // namespace

Cutter::Cutter(Disk& disk) : disk_(disk), buffer_(kBufferBytes) {}

Result<> Cutter::fill(int fd, std::uint64_t offset, std::size_t size) {
  return read_whole(fd, offset, buffer_, size);
}

/// Backwards: the last line end is near the end, however large the file.
Result<std::uint64_t> Cutter::find_backwards(int fd, std::uint64_t first, std::uint64_t end) {
  while (end > first) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - first, kBufferBytes));
    CARAVEL_TRY(fill(fd, end - size, size));
    if (const void* at = ::memrchr(buffer_.data(), '\n', size)) {
      const auto index = static_cast<const char*>(at) - buffer_.data();
      return end - size + static_cast<std::uint64_t>(index) + 1;
    }
    end -= size;
  }
  return 0;
}

Result<std::optional<Range>> Cutter::next(int fd, std::uint64_t first, std::uint64_t end,
                                          std::uint64_t max_bytes, std::uint64_t& scanned) {
  const std::uint64_t window = end - first > max_bytes ? first + max_bytes : end;
  scanned = std::clamp(scanned, first, end);
  CARAVEL_ASSIGN_OR_RETURN(auto last, find_backwards(fd, std::min(scanned, window), window));
  if (last > 0) return Range{first, last};  // as many whole lines as max_bytes holds
  // The first line is longer than max_bytes: it makes an extract by itself.
  for (std::uint64_t at = std::max(window, scanned); at < end;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - at, kBufferBytes));
    CARAVEL_TRY(fill(fd, at, size));
    if (const void* found = std::memchr(buffer_.data(), '\n', size)) {
      const auto index = static_cast<const char*>(found) - buffer_.data();
      return Range{first, at + static_cast<std::uint64_t>(index) + 1};
    }
    at += size;
  }
  // A line that grows for hours is not looked through again from its start at each look.
  scanned = end;
  return std::nullopt;
}

Result<Cutter::Copied> Cutter::copy(int fd, Range range, int out) {
  Copy copy(disk_, fd, range, out, buffer_);
  while (copy.next()) copy.hash();
  return copy.finish();
}

Cutter::Pair Cutter::copy_both(int fd, Range first, int first_out, Range second, int second_out) {
  second_buffer_.resize(kBufferBytes);  // not before it is needed: most logs never have a backlog
  Copy a(disk_, fd, first, first_out, buffer_);
  Copy b(disk_, fd, second, second_out, second_buffer_);
  // In step as long as both go on; the longer one, or the one that did not fail, ends alone.
  for (;;) {
    const bool a_goes_on = a.next();
    const bool b_goes_on = b.next();
    if (a_goes_on && b_goes_on) {
      Copy::hash_both(a, b);
    } else if (a_goes_on) {
      a.hash();
    } else if (b_goes_on) {
      b.hash();
    } else {
      return {a.finish(), b.finish()};
    }
  }
}

Result<std::uint64_t> Cutter::last_line_end(int fd, std::uint64_t end) {
  return find_backwards(fd, 0, end);
}

Result<std::uint64_t> Cutter::skip_nuls(int fd, std::uint64_t first, std::uint64_t end) {
  while (first < end) {
    // SEEK_DATA passes over holes without reading them (lseek(2)); where a file system does not
    // know them, all is data.
    const off_t data = ::lseek(fd, static_cast<off_t>(first), SEEK_DATA);
    if (data < 0 || static_cast<std::uint64_t>(data) >= end) break;  // a hole up to the end
    first = static_cast<std::uint64_t>(data);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - first, kBufferBytes));
    CARAVEL_TRY(fill(fd, first, size));
    const auto begin = buffer_.begin();
    const auto found = std::find_if(begin, begin + static_cast<std::ptrdiff_t>(size),
                                    [](char c) { return c != '\0'; });
    first += static_cast<std::uint64_t>(found - begin);
    if (static_cast<std::size_t>(found - begin) < size) return first;
  }
  return end;
}

}  // namespace caravel::tail
