// Whole-file helpers over the POSIX calls. Errors carry the path and the operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel {

/// open(2) with O_CLOEXEC added; EINTR is retried.
[[nodiscard]] Result<UniqueFd> open_file(const std::string& path, int flags, unsigned mode = 0600);

/// Reads up to `size` bytes; 0 at the end of the file. EINTR is retried.
[[nodiscard]] Result<std::size_t> read_some(int fd, char* buffer, std::size_t size);

/// pread(2) at `offset` until `size` bytes or the end of the file; how many there were.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::uint64_t offset, char* buffer,
                                          std::size_t size);

/// Writes all of `bytes`, however many write(2) calls that takes.
[[nodiscard]] Result<> write_all(int fd, std::string_view bytes);

/// The content of a small file (a password, a reason); more than `max_bytes` is an error.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

/// Opens /dev/null in the place of stdin, stdout and stderr if a parent closed them: what a program
/// opens next must not get their numbers, for messages go there.
void hold_standard_files();

/// fsync(2) of the directory `path`: makes a rename or a new name in it durable.
[[nodiscard]] Result<> sync_directory(const std::string& path);

/// Publishes `content` at `path`: a temporary beside it, fsync, rename, directory fsync. Readers
/// see the old content or the new, whatever happens in between.
[[nodiscard]] Result<> publish_file(const std::string& path, std::string_view content);

}  // namespace caravel
