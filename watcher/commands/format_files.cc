#include "watcher/commands/format_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"

namespace caravel::watcher {
namespace {

/// Writing over what is being read would destroy it.
Result<> expect_other_file(const std::string& path, const FormatSource& source) {
  struct stat status {};
  // Nothing is there, so nothing can be written over.
  if (::stat(path.c_str(), &status) != 0) return {};
  if (status.st_dev == source.status.st_dev && status.st_ino == source.status.st_ino) {
    return fail(ErrorKind::usage, fmt::format("{}: is the extract itself", path));
  }
  // An open of a FIFO would wait for a reader, and a device would take the bytes for good.
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{}: is there and is no regular file", path));
  }
  return {};
}

/// What `--rejects PATH` writes.
formatter::Rejects::Paths reject_paths(const std::string& path) {
  return {path, path + ".reasons.csv", path + ".cut"};
}

/// Deletes the reject files of an earlier run: a file is only made when its first line comes, so an
/// old one would pass for a result of this run.
void remove_leftovers(const formatter::Rejects::Paths& paths) {
  for (const std::string& file : {paths.lines, paths.reasons, paths.cut}) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) ::unlink(file.c_str());
  }
}

/// Whether two paths lead to one place, also if nothing is there yet.
bool is_same_place(const std::string& a, const std::string& b) {
  const auto place_of = [](const std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    auto place = std::filesystem::weakly_canonical(absolute, error);
    return error ? absolute.lexically_normal() : place;
  };
  return place_of(a) == place_of(b);
}

/// Before anything is opened for writing: no two of the files that we read and write are the same.
Result<> expect_other_files(const std::optional<formatter::Rejects::Paths>& rejects,
                            const std::optional<std::string>& sidecar, const FormatSource& source) {
  if (sidecar) CARAVEL_TRY(expect_other_file(*sidecar, source));
  if (!rejects) return {};
  for (const std::string& file : {rejects->lines, rejects->reasons, rejects->cut}) {
    CARAVEL_TRY(expect_other_file(file, source));
    if (sidecar && is_same_place(file, *sidecar)) {
      return fail(ErrorKind::usage,
                  fmt::format("{}: is named both for the sidecar and for rejects", file));
    }
  }
  return {};
}

/// A file without a name (open(2), O_TMPFILE) for CSV whose years are not confirmed yet: it is gone
/// with the process, however that ends.
Result<UniqueFd> unnamed_file() { return open_file(temporary_folder(), O_RDWR | O_TMPFILE); }

}  // namespace

std::string temporary_folder() {
  const char* const folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Result<FormatSource> open_format_source(const std::vector<std::string>& operands) {
  FormatSource source;
  if (operands.empty() || operands[0] == "-") {
    // A duplicate, because the source closes its descriptor when it ends, and stdin is not ours.
    source.fd = UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!source.fd) return fail_with_errno("stdin", errno);
  } else {
    auto fd = open_file(operands[0], O_RDONLY);
    if (!fd) return fail(ErrorKind::usage, fd.error().message);
    source.fd = std::move(*fd);
    source.name = std::filesystem::path(operands[0]).filename().string();
  }
  if (::fstat(source.fd.get(), &source.status) != 0) return fail_with_errno("stat", errno);
  if (S_ISDIR(source.status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{}: is a directory", operands[0]));
  }
  return source;
}

Result<FormatFiles> open_format_files(const std::optional<std::string>& rejects,
                                      const std::optional<std::string>& sidecar,
                                      const FormatSource& source, bool hold) {
  FormatFiles files;
  if (hold) {
    CARAVEL_ASSIGN_OR_RETURN(files.held, unnamed_file());
  }
  if (rejects) files.rejects = reject_paths(*rejects);
  // All checks before the first change: a wrong command line leaves every file as it was.
  CARAVEL_TRY(expect_other_files(files.rejects, sidecar, source));
  if (files.rejects) remove_leftovers(*files.rejects);
  if (sidecar) {
    auto fd = open_file(*sidecar, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!fd) return fail(ErrorKind::usage, fd.error().message);
    files.sidecar = std::move(*fd);
  }
  return files;
}

Result<> copy_to_stdout(int fd) {
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, read_some(fd, chunk.data(), chunk.size()));
    if (got == 0) return {};
    CARAVEL_TRY(write_all(STDOUT_FILENO, std::string_view(chunk).substr(0, got)));
  }
}

}  // namespace caravel::watcher
