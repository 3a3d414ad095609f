// The pages of an SQLite file that SQLite itself may refuse, with those of its write-ahead log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::watcher {

/// Reads pages as the last commit left them (sqlite.org/fileformat2.html). Nothing in the file is
/// believed: not its header, not its size. Changes nothing.
class DatabasePages {
 public:
  /// The file and, if it is there, PATH-wal, of which the committed frames count. Errors: the file
  /// cannot be opened.
  [[nodiscard]] static Result<DatabasePages> open(const std::string& path);

  /// Pages are numbered from 1 to count().
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::size_t page_size() const { return page_size_; }
  /// Without the bytes at the end of each page that SQLite leaves to extensions.
  [[nodiscard]] std::size_t usable() const { return page_size_ - reserved_; }
  /// The whole page, zeroes where the file is cut off; "" if it cannot be read (EIO) or is none.
  [[nodiscard]] std::string read(std::uint32_t number) const;

 private:
  DatabasePages() = default;
  void read_header();
  void read_log(const std::string& path);

  UniqueFd file_;
  UniqueFd log_;
  std::size_t page_size_ = 4096;  // what SQLite gives every ledger
  std::size_t reserved_ = 0;
  std::uint32_t count_ = 0;
  std::map<std::uint32_t, std::uint64_t> in_log_;  // page -> where the newest one is in the log
};

/// A whole number in big-endian bytes, as SQLite writes all of them. `at + size` is inside.
[[nodiscard]] std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t size);

}  // namespace caravel::watcher
