#include "watcher/spool/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"
#include "watcher/spool/mover.h"

namespace caravel::watcher {
namespace {

// As many names as one file is tried under. More than a few means that something else is wrong.
constexpr unsigned kMaxNames = 10'000;
constexpr unsigned kNamesToFind = 16;

constexpr mode_t kDirectoryMode = 0750;

std::string day_path(std::chrono::year_month_day day) {
  return fmt::format("{:04}/{:02}/{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

Result<UniqueFd> make_day(int done_fd, std::chrono::year_month_day day) {
  const std::string path = day_path(day);
  CARAVEL_ASSIGN_OR_RETURN(auto year,
                           make_directory_at(done_fd, path.substr(0, 4), kDirectoryMode));
  CARAVEL_ASSIGN_OR_RETURN(auto month,
                           make_directory_at(year.get(), path.substr(5, 2), kDirectoryMode));
  return make_directory_at(month.get(), path.substr(8, 2), kDirectoryMode);
}

Result<std::optional<FileStamp>> stamp_at(int directory_fd, const std::string& path) {
  struct stat status;
  if (::fstatat(directory_fd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return stamp_of(status);
  }
  if (errno == ENOENT) return std::nullopt;
  return fail_with_errno(printable(path), errno);
}

Error no_free_name(const std::string& name) {
  return Error{ErrorKind::fault,
               fmt::format("no free name for {} after {} attempts", printable(name), kMaxNames)};
}

/// NAME.why of one claim in failed/.
class Why {
 public:
  Why(const Spool& spool, const Claim& claim, std::string_view text)
      : directory_(spool.failed_fd()),
        temporary_(fmt::format("{}{}.why", kTemporaryPrefix, claim.id)),
        mark_(fmt::format("claim: {}\n", claim.id)),
        text_(text) {}

  /// Publishes it as `name`; false if another claim's is there. Our own, from before a crash, is
  /// replaced.
  Result<bool> publish(const std::string& name) {
    CARAVEL_TRY(write_temporary());
    const int error = rename_noreplace(directory_, temporary_, directory_, name);
    if (error == EEXIST) {
      if (!is_ours(name)) return false;
      if (::renameat(directory_, temporary_.c_str(), directory_, name.c_str()) != 0) {
        return fail_with_errno(printable(name), errno);
      }
    } else if (error != 0) {
      return fail_with_errno(printable(name), error);
    }
    CARAVEL_TRY(sync_fd(directory_, "failed/"));
    return true;
  }
  void append(std::string_view text) { text_ += text; }
  void withdraw(const std::string& name) const { ::unlinkat(directory_, name.c_str(), 0); }
  void remove_temporary() const { withdraw(temporary_); }

  [[nodiscard]] bool is_ours(const std::string& name) const {
    const UniqueFd fd(
        ::openat(directory_, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return false;
    std::string end(mark_.size(), '\0');
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    const auto length = static_cast<off_t>(end.size());
    return size >= length && ::pread(fd.get(), end.data(), end.size(), size - length) == length &&
           end == mark_;
  }

 private:
  Result<> write_temporary() const {
    const UniqueFd fd(::openat(directory_, temporary_.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!fd) return fail_with_errno("write a .why", errno);
    CARAVEL_TRY(write_all(fd.get(), fmt::format("{}\n\n{}", text_, mark_)));
    return sync_fd(fd.get(), "a .why");
  }

  int directory_;
  std::string temporary_;
  std::string mark_;
  std::string text_;
};

}  // namespace

std::string nth_name(std::string_view name, std::string_view hex, unsigned n) {
  if (n <= 1) return std::string(name);
  if (n == 2) return fmt::format("{}~{}", name, hex.substr(0, 8));
  return fmt::format("{}~{}~{}", name, hex.substr(0, 8), n - 1);
}

Result<std::optional<std::string>> archive(const Spool& spool, const ClaimRoot& root,
                                           const Claim& claim, std::string_view sha256,
                                           std::chrono::year_month_day day) {
  auto directory = make_day(spool.done_fd(), day);
  if (!directory) return tl::unexpected(with_context("done", std::move(directory).error()));
  Mover mover(root, claim, spool.done_fd());
  for (unsigned n = 1; n <= kMaxNames; ++n) {
    const std::string name = nth_name(claim.name, sha256, n);
    auto moved = mover.to(directory->get(), name);
    if (!moved) return tl::unexpected(with_context("archive", std::move(moved).error()));
    if (*moved == Moved::moved) return fmt::format("done/{}/{}", day_path(day), name);
    if (*moved == Moved::gone) return std::nullopt;
    if (*moved == Moved::not_movable) {
      return fail(ErrorKind::content, printable(claim.name) + " is no regular file");
    }
  }
  return tl::unexpected(no_free_name(claim.name));
}

Result<std::optional<std::string>> find_archived(const Spool& spool, const std::string& name,
                                                 std::string_view sha256,
                                                 std::chrono::year_month_day day,
                                                 const FileStamp& stamp) {
  for (unsigned n = 1; n <= kNamesToFind; ++n) {
    const std::string path = fmt::format("done/{}/{}", day_path(day), nth_name(name, sha256, n));
    CARAVEL_ASSIGN_OR_RETURN(auto there, stamp_at(spool.fd(), path));
    if (there && !changed_since(stamp, *there)) return path;
  }
  return std::nullopt;
}

Result<std::optional<FileStamp>> stamp_in_spool(const Spool& spool, const std::string& relative) {
  return stamp_at(spool.fd(), relative);
}

Result<ClaimOutcome> reclaim(const Spool& spool, const std::string& relative, const Claim& claim) {
  if (!is_claim_id(claim.id) || !is_plain_name(claim.name)) {
    return fail(ErrorKind::content, "no claim can be called " + printable(claim.name));
  }
  CARAVEL_ASSIGN_OR_RETURN(auto directory, make_directory_at(spool.work_fd(), claim.id, 0700));
  // A crash here leaves an empty claim directory and the file in done/: the next check of what
  // was archived sees the change again.
  const int error = rename_noreplace(spool.fd(), relative, directory.get(), claim.name);
  if (error != 0) {
    ::unlinkat(spool.work_fd(), claim.id.c_str(), AT_REMOVEDIR);
    if (error == ENOENT) return ClaimOutcome::vanished;
    return fail_with_errno(fmt::format("take {} back", printable(relative)), error);
  }
  CARAVEL_TRY(sync_fd(directory.get(), claim.id));
  CARAVEL_ASSIGN_OR_RETURN(auto from,
                           open_directory_at(spool.fd(), relative.substr(0, relative.rfind('/'))));
  CARAVEL_TRY(sync_fd(from.get(), "done/"));
  return ClaimOutcome::claimed;
}

Result<std::optional<std::string>> set_aside(const Spool& spool, const ClaimRoot& root,
                                             const Claim& claim, std::string_view sha256,
                                             std::string_view why) {
  const auto failed = [](Error error) {
    return tl::unexpected(with_context("set aside", std::move(error)));
  };
  if (!is_claim_id(claim.id) || !is_plain_name(claim.name)) {
    return failed({ErrorKind::content, "no claim can be called " + printable(claim.name)});
  }
  auto there = exists_at(root.fd.get(), claim.id + "/" + claim.name);
  if (!there) return failed(std::move(there).error());
  if (!*there) return std::nullopt;

  const std::string_view hex =
      sha256.empty() ? std::string_view(claim.id).substr(claim.id.size() - 8) : sha256;
  Why reason(spool, claim, why);
  Mover mover(root, claim, spool.failed_fd());
  for (unsigned n = 1; n <= kMaxNames; ++n) {
    const std::string name = nth_name(claim.name, hex, n);
    const std::string why_name = name + ".why";
    // A name is ours to use if no file has it, or if a crash came between copy and unlink: then
    // its .why is of this claim, and the mover compares the bytes.
    auto taken = exists_at(spool.failed_fd(), name);
    if (!taken) return failed(std::move(taken).error());
    if (*taken && !reason.is_ours(why_name)) continue;
    auto explained = reason.publish(why_name);
    if (!explained) return failed(std::move(explained).error());
    if (!*explained) continue;
    // A crash here leaves a .why without its file; the repetition finds it by its mark.
    auto moved = mover.to(spool.failed_fd(), name);
    if (!moved) return failed(std::move(moved).error());
    if (*moved == Moved::moved) return "failed/" + name;
    if (*moved == Moved::not_movable) {
      auto directory = make_directory_at(root.fd.get(), "failed", 0700);
      if (!directory) return failed(std::move(directory).error());
      const std::string kept = fmt::format("{}.{}", claim.id, claim.name);
      const std::string path = fmt::format("{}/failed/{}", root.path, kept);
      reason.append(
          fmt::format("\nIt is no regular file, so it was not copied: it is kept as {}.", path));
      auto told = reason.publish(why_name);
      if (!told) return failed(std::move(told).error());
      const int error =
          rename_noreplace(root.fd.get(), claim.id + "/" + claim.name, directory->get(), kept);
      if (error != 0) return failed(system_error(path, error));
      CARAVEL_TRY(remove_claim_directory(root, claim.id));
      return path;
    }
    // Taken after all, or gone: what we said of it is not so.
    if (*moved == Moved::gone || !*taken) reason.withdraw(why_name);
    if (*moved == Moved::gone) return std::nullopt;
  }
  reason.remove_temporary();
  return failed(no_free_name(claim.name));
}

}  // namespace caravel::watcher
