#include "base/file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

namespace caravel {

Result<UniqueFd> open_file(const std::string& path, int flags, unsigned mode) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_with_errno("open " + path, errno);
  return UniqueFd(fd);
}

Result<std::size_t> read_some(int fd, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd, buffer, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_with_errno("read", errno);
  }
}

Result<std::size_t> read_at(int fd, std::uint64_t offset, char* buffer, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd, buffer + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with_errno("read", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
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
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY));
  std::string content(max_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    auto got = read_some(fd.get(), content.data() + size, content.size() - size);
    if (!got) return tl::unexpected(with_context(path, got.error()));
    if (*got == 0) break;
    size += *got;
  }
  if (size > max_bytes) {
    return fail(ErrorKind::usage, path + ": larger than " + std::to_string(max_bytes) + " bytes");
  }
  content.resize(size);
  return content;
}

Result<> sync_directory(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return fail_with_errno("fsync " + path, errno);
  return {};
}

Result<> publish_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  CARAVEL_ASSIGN_OR_RETURN(auto fd,
                           open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
  auto published = [&]() -> Result<> {
    CARAVEL_TRY(write_all(fd.get(), content));
    if (::fsync(fd.get()) != 0) return fail_with_errno("fsync", errno);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return fail_with_errno("rename", errno);
    const std::size_t slash = path.rfind('/');
    return sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  }();
  if (!published) {
    ::unlink(temporary.c_str());
    return tl::unexpected(with_context(path, published.error()));
  }
  return {};
}

}  // namespace caravel
