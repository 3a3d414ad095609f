// One file that a log was or is: how it is known again, under whatever name, and how far it was
// read. Only reads; a log is never locked, written to or waited for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::tail {

/// The identity of a file. `born` (statx(2) btime, nanoseconds since 1970; 0 where the file system
/// has none) tells a new file from an old one whose inode number it got.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born = 0;
  bool operator==(const FileId&) const = default;
};

/// The birth time decides where it is known: device numbers may change with a reboot.
[[nodiscard]] bool same_file(const FileId& a, const FileId& b);

struct Stamp {
  FileId id;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // mtime, nanoseconds since 1970
  std::int64_t changed = 0;   // ctime
  std::uint64_t links = 0;
  bool regular = false;
  bool operator==(const Stamp&) const = default;
};

/// How far a file was read. Everything before `offset` is in published extracts, or was there
/// before the agent (--from end).
struct Position {
  FileId id;
  std::uint64_t offset = 0;
  // XXH3-128 of the first and the last min(1024, offset) bytes before `offset`: an appended-to
  // file keeps them for ever, one that was truncated and grew again does not.
  std::string head;
  std::string tail;
  std::string first_line;     // as in the manifest; empty until the first extract
  std::int64_t modified = 0;  // its mtime when it was last looked at
  bool operator==(const Position&) const = default;
};

/// The stamp of the file at `path` (symlinks are followed); nothing if no file is there.
[[nodiscard]] Result<std::optional<Stamp>> stamp_of(const std::string& path);
[[nodiscard]] Result<Stamp> stamp_of(int fd);

/// Now, by the clock with which local file systems stamp their files.
[[nodiscard]] std::int64_t file_time();

/// Whether `error` says that a right is missing (EACCES, EPERM).
[[nodiscard]] bool lacks_right(const Error& error);

/// Opens a regular file for reading; anything else is an error, and never a hang.
[[nodiscard]] Result<UniqueFd> open_log(const std::string& path);

/// Bytes at each end of what was read, by which a file is known again. Frozen: digests in the state
/// files of older agents were made with it.
inline constexpr std::uint64_t kDigestBytes = 1024;

/// XXH3-128 in its canonical form, the high half first: 32 hex digits. Not a cryptographic digest:
/// it tells files of one log apart, and who can write the log needs no collision.
[[nodiscard]] std::string hex_digest(std::string_view bytes);

/// 32 hex digits: XXH3-128 of `size` bytes at `offset`; empty if the file ends before.
[[nodiscard]] Result<std::string> digest_at(int fd, std::uint64_t offset, std::uint64_t size);

/// Sets `offset`, `head` and `tail` from the file itself.
[[nodiscard]] Result<> move_to(int fd, std::uint64_t offset, Position& position);

/// Whether the file still begins with what was read from it.
[[nodiscard]] Result<bool> holds(int fd, const Position& position);

/// Head and tail in one: 32 hex digits.
[[nodiscard]] std::string digest_of(const Position& position);

/// The manifest's first_line; the first line must have its line end already.
[[nodiscard]] Result<std::string> first_line_of(int fd);

}  // namespace caravel::tail
