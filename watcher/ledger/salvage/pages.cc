#include "watcher/ledger/salvage/pages.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>

#include "base/file.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kLogHeader = 32;
constexpr std::size_t kFrameHeader = 24;
/// The magic number of a log; its last bit says in which byte order the checksums are made.
constexpr std::uint64_t kLogMagic = 0x377f0682;

bool is_page_size(std::uint64_t size) {
  return size >= 512 && size <= 65536 && std::has_single_bit(size);
}

/// The checksum of the log (fileformat2.html, 4.2): it goes on from frame to frame, so one that is
/// right says that all frames before it are whole.
class LogSum {
 public:
  explicit LogSum(bool big) : big_(big) {}

  void add(const std::string& bytes, std::size_t from, std::size_t size) {
    for (std::size_t at = from; at + 8 <= from + size; at += 8) {
      first_ += word(bytes, at) + second_;
      second_ += word(bytes, at + 4) + first_;
    }
  }
  [[nodiscard]] bool is(const std::string& bytes, std::size_t at) const {
    return big_endian(bytes, at, 4) == first_ && big_endian(bytes, at + 4, 4) == second_;
  }

 private:
  [[nodiscard]] std::uint32_t word(const std::string& bytes, std::size_t at) const {
    const auto value = static_cast<std::uint32_t>(big_endian(bytes, at, 4));
    return big_ ? value : __builtin_bswap32(value);
  }

  bool big_;
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

/// `size` bytes at `offset`; fewer at the end of the file or after an error.
std::string bytes_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(read_at(fd, offset, bytes.data(), size).value_or(0));
  return bytes;
}

}  // namespace

std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + size; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

Result<DatabasePages> DatabasePages::open(const std::string& path) {
  DatabasePages pages;
  CARAVEL_ASSIGN_OR_RETURN(pages.file_, open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (::fstat(pages.file_.get(), &status) != 0) return fail_with_errno(path, errno);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::fault, path + ": is no regular file");
  pages.read_header();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  // A page that was cut off in its middle may still have whole rows in its other half. SQLite
  // counts pages in 32 bits.
  pages.count_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>((size + pages.page_size_ - 1) / pages.page_size_, UINT32_MAX - 1));
  pages.read_log(path + "-wal");
  return pages;
}

void DatabasePages::read_header() {
  const std::string header = bytes_at(file_.get(), 0, 100);
  if (header.size() < 100 || !header.starts_with("SQLite format 3")) return;
  const std::uint64_t size = big_endian(header, 16, 2);
  const std::uint64_t real = size == 1 ? 65536 : size;
  if (is_page_size(real)) page_size_ = static_cast<std::size_t>(real);
  // At least 480 bytes of a page are SQLite's own (fileformat2.html, 1.3.4).
  const auto reserved = static_cast<std::size_t>(big_endian(header, 20, 1));
  if (reserved + 480 <= page_size_) reserved_ = reserved;
}

void DatabasePages::read_log(const std::string& path) {
  auto log = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!log) return;  // the ledger was closed in good order
  const std::string header = bytes_at(log->get(), 0, kLogHeader);
  if (header.size() < kLogHeader || (big_endian(header, 0, 4) | 1U) != (kLogMagic | 1U)) return;
  LogSum sum((big_endian(header, 0, 4) & 1U) != 0);
  sum.add(header, 0, 24);
  const std::uint64_t size = big_endian(header, 8, 4);
  if (!sum.is(header, 24) || !is_page_size(size)) return;
  page_size_ = static_cast<std::size_t>(size);
  std::map<std::uint32_t, std::uint64_t> open;  // frames whose transaction is not committed yet
  for (std::uint64_t at = kLogHeader;; at += kFrameHeader + page_size_) {
    const std::string frame = bytes_at(log->get(), at, kFrameHeader + page_size_);
    // Frames of before the last checkpoint follow the valid ones: they have other salts.
    if (frame.size() < kFrameHeader + page_size_ || frame.compare(8, 8, header, 16, 8) != 0) break;
    sum.add(frame, 0, 8);
    sum.add(frame, kFrameHeader, page_size_);
    if (!sum.is(frame, 16)) break;
    open[static_cast<std::uint32_t>(big_endian(frame, 0, 4))] = at + kFrameHeader;
    // The size of the database after a commit; 0 for any other frame.
    if (big_endian(frame, 4, 4) == 0) continue;
    for (const auto& [page, place] : open) {
      in_log_[page] = place;
      count_ = std::max(count_, page);
    }
    open.clear();
  }
  log_ = std::move(*log);
}

std::string DatabasePages::read(std::uint32_t number) const {
  if (number == 0 || number > count_) return {};
  const auto newer = in_log_.find(number);
  std::string page =
      newer != in_log_.end()
          ? bytes_at(log_.get(), newer->second, page_size_)
          : bytes_at(file_.get(), std::uint64_t{number - 1} * page_size_, page_size_);
  if (!page.empty()) page.resize(page_size_, '\0');
  return page;
}

}  // namespace caravel::watcher
