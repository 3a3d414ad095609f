#include "base/file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace caravel {

Result<UniqueFd> open_file(const std::string& path, int flags, unsigned mode) {
  int fd;
  do {
    // O_CLOEXEC now and not by a later fcntl(2): another thread could start a program in between
    // (open(2), O_CLOEXEC).
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_with_errno("open " + path, errno);
  return UniqueFd(fd);
}

Result<std::size_t> read_some(int fd, char* buffer, std::size_t size) {
  for (;;) {
    // One call, not until the buffer is full: what a pipe has now is passed on without waiting for
    // more.
    const ssize_t got = ::read(fd, buffer, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_with_errno("read", errno);
  }
}

Result<std::size_t> read_at(int fd, std::uint64_t offset, char* buffer, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    // pread(2) leaves the offset of the descriptor alone: duplicates share it (dup(2)).
    const ssize_t got = ::pread(fd, buffer + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with_errno("read", errno);
    // The file ends here, perhaps because it was truncated after its size was asked for.
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    // write(2) may take a part only, on a nearly full disk for one. The next call then says why
    // (ENOSPC).
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return fail_with_errno("write", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

void hold_standard_files() {
  // open(2) gives the lowest free number, so the loop fills 0, 1 and 2; the first number above them
  // is closed again. Without O_CLOEXEC: programs that are started need the three as well.
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY));
  // The size is not asked for, since the file may grow until it is read. One byte more than is
  // allowed says that it is too large.
  constexpr std::size_t kFirstRead = 16 << 10;
  std::string content;
  for (std::size_t size = 0; size <= max_bytes;) {
    content.resize(std::min(max_bytes + 1, std::max(2 * size, kFirstRead)));
    auto got = read_some(fd.get(), content.data() + size, content.size() - size);
    if (!got) return tl::unexpected(with_context(path, got.error()));
    size += *got;
    if (*got > 0) continue;
    content.resize(size);
    return content;
  }
  return fail(ErrorKind::usage, path + ": larger than " + std::to_string(max_bytes) + " bytes");
}

Result<> sync_directory(const std::string& path) {
  // fsync(2) of a file does not sync the directory entry that names it (fsync(2), DESCRIPTION).
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return fail_with_errno("fsync " + path, errno);
  return {};
}

Result<> publish_file(const std::string& path, std::string_view content) {
  // A crash before the rename leaves the temporary behind. It always has this name, so the next
  // call truncates it and nothing piles up; two processes must not publish one path.
  const std::string temporary = path + ".tmp";
  CARAVEL_ASSIGN_OR_RETURN(auto fd,
                           open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
  auto published = [&]() -> Result<> {
    CARAVEL_TRY(write_all(fd.get(), content));
    // Before the rename: else a loss of power could leave the new name with an empty file, since
    // file systems may write the rename before the data.
    if (::fsync(fd.get()) != 0) return fail_with_errno("fsync", errno);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return fail_with_errno("rename", errno);
    // Readers see the new content now. The fsync of the directory makes it last through a loss of
    // power.
    const std::size_t slash = path.rfind('/');
    return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  }();
  if (!published) {
    // If only the fsync of the directory failed, the temporary has been renamed already and this
    // call finds nothing.
    ::unlink(temporary.c_str());
    return tl::unexpected(with_context(path, published.error()));
  }
  return {};
}

}  // namespace caravel
