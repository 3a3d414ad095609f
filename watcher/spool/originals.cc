#include "watcher/spool/originals.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/files/directory.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

constexpr std::string_view kMarkEnding = ".original";

/// A name (NAME_MAX), a number, two line ends, and room to see that there is more.
constexpr std::size_t kMostMarkBytes = 512;

/// The base of the rejects that a mark belongs to; nothing for any other file.
std::optional<std::string> base_of_mark(const std::string& name) {
  const bool mark = name.starts_with('.') && name.ends_with(kMarkEnding) &&
                    name.size() > 1 + kMarkEnding.size() && !name.starts_with(kTemporaryPrefix);
  if (!mark) return std::nullopt;
  return name.substr(1, name.size() - 1 - kMarkEnding.size());
}

std::optional<Original> read_mark(int directory, const std::string& mark) {
  const UniqueFd fd(
      ::openat(directory, mark.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text(kMostMarkBytes, '\0');
  const auto got = read_at(fd.get(), 0, text.data(), text.size());
  return parse_original(std::string_view(text).substr(0, got.value_or(0)));
}

}  // namespace

std::string original_mark(std::string_view base) { return fmt::format(".{}{}", base, kMarkEnding); }

std::string original_text(const Original& original) {
  return fmt::format("{}\n{}\n", original.name, original.size);
}

std::optional<Original> parse_original(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || end == 0) return std::nullopt;
  Original original;
  original.name = text.substr(0, end);
  text.remove_prefix(end + 1);
  const auto [rest, status] =
      std::from_chars(text.data(), text.data() + text.size(), original.size);
  const std::string_view behind(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (status != std::errc{} || behind != "\n") return std::nullopt;
  return original;
}

Result<std::set<Original>> originals_in_use(const Spool& spool) {
  const int directory = spool.rejects_fd();
  std::vector<std::string> bases;
  CARAVEL_TRY(for_each_name(directory, [&](const std::string& name) {
    if (auto base = base_of_mark(name)) bases.push_back(std::move(*base));
    return true;
  }));
  // Whoever publishes reject files holds this lock, and writes the mark before the files are there.
  // It is not waited for: the next hour removes what is left now.
  const UniqueFd lock(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool locked = lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
  std::set<Original> originals;
  for (const std::string& base : bases) {
    const std::string mark = original_mark(base);
    CARAVEL_ASSIGN_OR_RETURN(const bool needed, has_reject_files(spool, base));
    if (!needed && locked) {
      ::unlinkat(directory, mark.c_str(), 0);
    } else if (auto original = read_mark(directory, mark)) {
      originals.insert(std::move(*original));
    }
  }
  return originals;
}

bool is_in_use(const std::set<Original>& originals, const Spool& spool,
               const std::string& relative) {
  if (originals.empty()) return false;
  struct stat status;
  if (::fstatat(spool.fd(), relative.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string name = relative.substr(relative.rfind('/') + 1);
  // The second file of one name has got another name in done/.
  return originals.contains({name, size}) ||
         originals.contains({std::string(original_name(name)), size});
}

}  // namespace caravel::watcher
