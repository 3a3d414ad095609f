#include "watcher/tail/cutter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/file.h"
#include "watcher/tail/hash_thread.h"
#include "watcher/tail/log_file.h"
#include "watcher/tail/sha256.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;
/// From this size on, an extract is hashed by a second thread.
constexpr std::uint64_t kWorthAThread = 4 << 20;
constexpr std::size_t kSlotBytes = 256 * 1024;
constexpr std::size_t kSlots = 4;

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

Result<> read_whole(int fd, std::uint64_t offset, char* buffer, std::size_t size) {
  const auto got = read_at(fd, offset, buffer, size);
  if (!got) return tl::unexpected(got.error());
  if (*got < size) return fail(ErrorKind::retry, "became shorter while it was read");
  return {};
}

}  // namespace

Cutter::Cutter(Disk& disk) : disk_(disk), buffer_(kBufferBytes) {}

Result<> Cutter::fill(int fd, std::uint64_t offset, std::size_t size) {
  return read_whole(fd, offset, buffer_.data(), size);
}

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
  auto last = find_backwards(fd, std::min(scanned, window), window);
  if (!last) return tl::unexpected(last.error());
  if (*last > 0) return Range{first, *last};
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
  scanned = end;
  return std::nullopt;
}

Result<Cutter::Copied> Cutter::copy(int fd, Range range, int out) {
  if (out >= 0 && range.last - range.first >= kWorthAThread) {
    return copy_on_two_threads(fd, range, out);
  }
  return copy_at_once(fd, range, out);
}

Result<Cutter::Copied> Cutter::copy_at_once(int fd, Range range, int out) {
  Copied copied;
  Sha256 sha256;
  for (std::uint64_t at = range.first; at < range.last;) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(range.last - at, kBufferBytes));
    CARAVEL_TRY(fill(fd, at, size));
    const std::string_view bytes(buffer_.data(), size);
    copied.lines += count_lines(bytes);
    sha256.update(bytes);
    if (out >= 0) CARAVEL_TRY(disk_.write(out, bytes));
    at += size;
    if (at == range.last && bytes.back() != '\n') {
      return fail(ErrorKind::retry, "changed while it was read");
    }
  }
  copied.sha256 = sha256.finish();
  return copied;
}

/// The same; the hashing, which takes as long as the copying, beside it. What is hashed is exactly
/// what was written, whatever happens to the log meanwhile.
Result<Cutter::Copied> Cutter::copy_on_two_threads(int fd, Range range, int out) {
  Copied copied;
  HashThread hash(kSlotBytes, kSlots);
  char last = '\0';
  for (std::uint64_t at = range.first; at < range.last;) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(range.last - at, kSlotBytes));
    char* const slot = hash.slot();
    CARAVEL_TRY(read_whole(fd, at, slot, size));
    const std::string_view bytes(slot, size);
    last = bytes.back();
    copied.lines += count_lines(bytes);
    hash.put(size);  // only read from here on
    CARAVEL_TRY(disk_.write(out, bytes));
    at += size;
  }
  if (last != '\n') return fail(ErrorKind::retry, "changed while it was read");
  copied.sha256 = hash.finish();
  return copied;
}

Result<std::uint64_t> Cutter::last_line_end(int fd, std::uint64_t end) {
  return find_backwards(fd, 0, end);
}

Result<std::uint64_t> Cutter::skip_nuls(int fd, std::uint64_t first, std::uint64_t end) {
  while (first < end) {
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
