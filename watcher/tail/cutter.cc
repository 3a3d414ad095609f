#include "watcher/tail/cutter.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "watcher/tail/log_file.h"
#include "watcher/tail/sha256.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;

}  // namespace

Cutter::Cutter(Disk& disk) : disk_(disk), buffer_(kBufferBytes) {}

Result<> Cutter::fill(int fd, std::uint64_t offset, std::size_t size) {
  auto whole = read_at(fd, offset, buffer_.data(), size);
  if (!whole) return tl::unexpected(whole.error());
  if (!*whole) return fail(ErrorKind::retry, "became shorter while it was read");
  return {};
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
  Copied copied;
  Sha256 sha256;
  for (std::uint64_t at = range.first; at < range.last;) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(range.last - at, kBufferBytes));
    CARAVEL_TRY(fill(fd, at, size));
    const std::string_view bytes(buffer_.data(), size);
    copied.lines += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
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
