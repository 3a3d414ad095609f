#include "watcher/spool/why_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {

namespace {

/// The most bytes of a reason: the words of a store may be in it.
constexpr std::size_t kMostOfWhy = 4000;

}  // namespace

// The temporary is named after the claim: no two files that are set aside share one, and the
// repetition after a crash writes over its own.
WhyFile::WhyFile(const Spool& spool, const Claim& claim, std::string_view text)
    : directory_(spool.failed_fd()),
      temporary_(fmt::format("{}{}.why", kTemporaryPrefix, claim.id)),
      mark_(fmt::format("claim: {}\n", claim.id)),
      text_(shown(text, kMostOfWhy)) {}

Result<bool> WhyFile::publish(const std::string& name) {
  CARAVEL_TRY(write_temporary());
  // rename(2) alone would replace the .why of another file that has the same name.
  const int error = rename_noreplace(directory_, temporary_, directory_, name);
  if (error == EEXIST) {
    if (!is_ours(name)) return false;
    if (::renameat(directory_, temporary_.c_str(), directory_, name.c_str()) != 0) {
      return fail_with_errno(printable(name), errno);
    }
  } else if (error != 0) {
    return fail_with_errno(printable(name), error);
  }
  // Durable before the file is moved: a power loss must not leave a file in failed/ that nothing
  // explains.
  CARAVEL_TRY(sync_fd(directory_, "failed/"));
  return true;
}

void WhyFile::append_line(std::string_view text) { text_ += "\n" + shown(text, kMostOfWhy); }

void WhyFile::withdraw(const std::string& name) const { ::unlinkat(directory_, name.c_str(), 0); }

bool WhyFile::is_ours(const std::string& name) const {
  // A sender may have dropped a FIFO called NAME.why, which was set aside under that name: without
  // O_NONBLOCK the open would wait for a writer for ever.
  const UniqueFd fd(
      ::openat(directory_, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < mark_.size()) return false;
  // Only the last line is compared: the text above may differ between two attempts.
  std::string end(mark_.size(), '\0');
  const auto got = read_at(fd.get(), size - end.size(), end.data(), end.size());
  return got && *got == end.size() && end == mark_;
}

Result<> WhyFile::write_temporary() const {
  const UniqueFd fd(::openat(directory_, temporary_.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!fd) return fail_with_errno("write a .why", errno);
  CARAVEL_TRY(write_all(fd.get(), fmt::format("{}\n\n{}", text_, mark_)));
  return sync_fd(fd.get(), "a .why");
}

}  // namespace caravel::watcher
