#include "watcher/tail/files/cutter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/sha256.h"

namespace caravel::tail {
namespace {

/// With one buffer more for pairs, all the memory that cutting takes, however long a line is.
constexpr std::size_t kBufferBytes = 128 * 1024;
/// After so many bytes of an extract the kernel is asked to begin writing them
/// (sync_file_range(2)): at the fsync(2) little is left to wait for.
constexpr std::uint64_t kBeginSyncEvery = 2 << 20;

/// Line ends in `bytes`. Counts in 64 lanes of one byte each, which the compiler turns into vector
/// instructions; std::count is compiled to a fifth of the speed. A lane overflows after 255 rounds,
/// so the lanes are added up before.
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

/// Reads exactly `size` bytes. A file that is shorter by now was truncated: kind retry, because the
/// next look sees the truncation and decides anew.
Result<> read_whole(int fd, std::uint64_t offset, std::vector<char>& buffer, std::size_t size) {
  CARAVEL_ASSIGN_OR_RETURN(const auto got, read_at(fd, offset, buffer.data(), size));
  if (got < size) return fail(ErrorKind::retry, "became shorter while it was read");
  return {};
}

/// One range that is being copied, a buffer at a time. The steps are apart (copy, then hash) so
/// that two ranges can be copied in turns and their buffers hashed together. The first error ends
/// the copy; finish() returns it.
class Copy {
 public:
  /// `out` may be -1: only read. `ends`: a line ends where the range does.
  Copy(Disk& disk, int fd, Range range, int out, std::vector<char>& buffer, bool ends = true)
      : disk_(disk),
        fd_(fd),
        range_(range),
        out_(out),
        buffer_(buffer),
        ends_(ends),
        at_(range.first) {}

  /// The copy goes on with a range of another file.
  void go_on_in(int fd, Range range) {
    fd_ = fd;
    range_ = range;
    ends_ = true;
    at_ = range.first;
  }

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
    // next() chose the range so that a line ends here. If another byte stands here now, the log was
    // truncated and written anew in between, and the copy is a mixture.
    if (ends_ && at_ == range_.last && bytes_.back() != '\n') {
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
  bool ends_;
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

/// Searches backwards, because the last line end is near the end: a log of gigabytes costs one
/// buffer, unless its last line is long.
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
  // Only the first `max_bytes` are searched backwards: the last line end in there makes the largest
  // extract that is allowed. Of what was scanned before, no byte is read again.
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
  // The caller keeps `scanned`: a line that grows for hours is not searched again from its start at
  // each look.
  scanned = end;
  return std::nullopt;
}

Result<Cutter::Copied> Cutter::copy(int fd, Range range, int out) {
  Copy copy(disk_, fd, range, out, buffer_);
  while (copy.next()) copy.hash();
  return copy.finish();
}

Result<Cutter::Copied> Cutter::copy_joined(int fd, Range half, int rest_fd, Range rest, int out) {
  Copy copy(disk_, fd, half, out, buffer_, false);
  while (copy.next()) copy.hash();
  copy.go_on_in(rest_fd, rest);
  while (copy.next()) copy.hash();
  return copy.finish();
}

Result<Cutter::Copied> Cutter::copy_half(int fd, Range half, int out) {
  Copy copy(disk_, fd, half, out, buffer_, false);
  while (copy.next()) copy.hash();
  return copy.finish();
}

Cutter::Pair Cutter::copy_both(int fd, Range first, int first_out, Range second, int second_out) {
  second_buffer_.resize(kBufferBytes);  // not before it is needed: most logs never have a backlog
  Copy a(disk_, fd, first, first_out, buffer_);
  Copy b(disk_, fd, second, second_out, second_buffer_);
  // Both copies advance together as long as both can. When one is at its end or has failed, the
  // other goes on alone.
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
    // SEEK_DATA passes over holes without reading them (lseek(2)): a hole of terabytes is left
    // behind when a log is truncated under a writer without O_APPEND. File systems that do not know
    // holes report all bytes as data, or do not know the question (EINVAL): then all is read.
    const off_t data = ::lseek(fd, static_cast<off_t>(first), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole up to the end
    // Any other error says nothing about holes: what is there must not be taken for skipped.
    if (data < 0 && errno != EINVAL && errno != EOPNOTSUPP) return fail_with_errno("seek", errno);
    if (data >= 0) first = static_cast<std::uint64_t>(data);
    if (first >= end) break;
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
