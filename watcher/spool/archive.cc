#include "watcher/spool/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/directory.h"
#include "watcher/ledger/extracts.h"
#include "watcher/spool/why_file.h"

namespace caravel::watcher {
namespace {

/// Under so many names find_archived() looks for a file. It has the first or the second, unless
/// extracts with one digest came under one name on one day.
constexpr unsigned kNamesToFind = 16;

constexpr mode_t kDirectoryMode = 0750;

/// Nothing if no file is there. A symlink is looked at itself, never followed.
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

/// What has no bytes to copy (a socket, a device) cannot leave its file system: it is kept beside
/// the claims, and its .why says where. Returns its absolute path.
Result<std::string> keep_beside_claims(const ClaimRoot& root, const Claim& claim, WhyFile& why,
                                       const std::string& why_name) {
  CARAVEL_ASSIGN_OR_RETURN(auto directory, make_directory_at(root.fd.get(), "failed", 0700));
  // The claim id keeps two files of one name apart.
  const std::string kept = fmt::format("{}.{}", claim.id, claim.name);
  std::string path = fmt::format("{}/failed/{}", root.path, kept);
  why.append_line(
      fmt::format("It is no regular file, so it was not copied: it is kept as {}.", path));
  // Before the rename: a crash between the two leaves a .why that names a path too early, and the
  // repetition writes the same again.
  CARAVEL_TRY(why.publish(why_name));
  const int error = rename_noreplace(root.fd.get(), place_of(claim), directory.get(), kept);
  if (error != 0) return fail_with_errno(path, error);
  CARAVEL_TRY(remove_claim_directory(root, claim.id));
  return path;
}

/// The explanation first, then the file: see set_aside() for what a crash leaves behind.
Result<std::optional<std::string>> move_to_failed(const Spool& spool, const ClaimRoot& root,
                                                  const Claim& claim, std::string_view hex,
                                                  WhyFile& why) {
  Mover mover(root, claim, spool.failed_fd(), spool.room());
  for (unsigned n = 1; n <= kMaxNames; ++n) {
    const std::string name = nth_name(claim.name, hex, n);
    const std::string why_name = name + ".why";
    // A name is ours to use if no file has it, or if a crash came between copy and unlink: then
    // its .why is of this claim, and the mover compares the bytes.
    CARAVEL_ASSIGN_OR_RETURN(const bool taken, exists_at(spool.failed_fd(), name));
    if (taken && !why.is_ours(why_name)) continue;
    CARAVEL_ASSIGN_OR_RETURN(const bool explained, why.publish(why_name));
    if (!explained) continue;
    // A crash here leaves a .why without its file; the repetition finds it by its mark.
    CARAVEL_ASSIGN_OR_RETURN(const Moved moved, mover.to(spool.failed_fd(), name));
    if (moved == Moved::moved) return "failed/" + name;
    if (moved == Moved::not_movable) return keep_beside_claims(root, claim, why, why_name);
    // The name was taken in the meantime, or the file is gone: this .why explains nothing.
    if (moved == Moved::gone || !taken) why.withdraw(why_name);
    if (moved == Moved::gone) return std::nullopt;
  }
  why.remove_temporary();
  return tl::unexpected(no_free_name(claim.name));
}

}  // namespace

Result<> put_away(const Spool& spool, Ledger& ledger, const ClaimRoot& root,
                  const Extract& extract) {
  const Claim claim{extract.claim, extract.name};
  std::optional<std::string> path;
  if (extract.state == State::done) {
    // By the ledger's time, not by the clock: a repetition after midnight must look in the
    // directory in which the first attempt put the file.
    const std::chrono::year_month_day day(
        std::chrono::floor<std::chrono::days>(extract.done_at.value_or(extract.since)));
    CARAVEL_ASSIGN_OR_RETURN(path, archive(spool, root, claim, extract.sha256, day));
    if (!path) {
      // A crash came after the move and before the ledger heard of it.
      FileStamp stamp;
      stamp.size = extract.size;
      stamp.mtime_ns = extract.mtime_ns;
      CARAVEL_ASSIGN_OR_RETURN(path,
                               find_archived(spool, extract.name, extract.sha256, day, stamp));
    }
  } else {
    CARAVEL_ASSIGN_OR_RETURN(path, set_aside(spool, root, claim, extract.sha256, extract.why));
  }
  // The file is in neither place. A person may have taken it; the ledger keeps the path it has.
  if (!path) return {};
  return ledger.extracts().set_done_path(extract.claim, spool.absolute(*path));
}

std::string nth_name(std::string_view name, std::string_view hex, unsigned n) {
  if (n <= 1) return std::string(name);
  if (n == 2) return fmt::format("{}~{}", name, hex.substr(0, 8));
  return fmt::format("{}~{}~{}", name, hex.substr(0, 8), n - 1);
}

std::string_view original_name(std::string_view archived) {
  const std::string_view whole = archived;
  std::size_t tilde = archived.rfind('~');
  if (tilde != archived.npos && tilde + 1 < archived.size() &&
      std::all_of(archived.begin() + static_cast<std::ptrdiff_t>(tilde) + 1, archived.end(),
                  is_digit) &&
      archived.size() - tilde - 1 < 8) {
    // The number behind the second and further files of one name and content.
    archived = archived.substr(0, tilde);
    tilde = archived.rfind('~');
  }
  if (tilde == archived.npos || tilde == 0 || !is_hex(archived.substr(tilde + 1), 8)) return whole;
  return archived.substr(0, tilde);
}

std::string done_directory(std::chrono::year_month_day day) {
  return fmt::format("done/{:04}/{:02}/{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

Result<UniqueFd> make_day(int done_fd, std::chrono::year_month_day day) {
  const std::string path = done_directory(day);
  CARAVEL_ASSIGN_OR_RETURN(auto year,
                           make_directory_at(done_fd, path.substr(5, 4), kDirectoryMode));
  CARAVEL_ASSIGN_OR_RETURN(auto month,
                           make_directory_at(year.get(), path.substr(10, 2), kDirectoryMode));
  return make_directory_at(month.get(), path.substr(13, 2), kDirectoryMode);
}

Result<std::optional<std::string>> move_to_day(Mover& mover, const Claim& claim,
                                               std::string_view sha256, int day_fd) {
  for (unsigned n = 1; n <= kMaxNames; ++n) {
    std::string name = nth_name(claim.name, sha256, n);
    auto moved = mover.to(day_fd, name);
    if (!moved) return tl::unexpected(with_context("archive", std::move(moved).error()));
    if (*moved == Moved::moved) return name;
    if (*moved == Moved::gone) return std::nullopt;
    if (*moved == Moved::not_movable) {
      return fail(ErrorKind::content, printable(claim.name) + " is no regular file");
    }
  }
  return tl::unexpected(no_free_name(claim.name));
}

Result<std::optional<std::string>> archive(const Spool& spool, const ClaimRoot& root,
                                           const Claim& claim, std::string_view sha256,
                                           std::chrono::year_month_day day) {
  Mover mover(root, claim, spool.done_fd(), spool.room());
  for (bool again = false;; again = true) {
    auto directory = make_day(spool.done_fd(), day);
    if (!directory) return tl::unexpected(with_context("done", std::move(directory).error()));
    auto name = move_to_day(mover, claim, sha256, directory->get());
    // Whoever tidies (prune_done()) found the day empty, and removed it, just now.
    if (!name && name.error().system == ENOENT && !again) continue;
    if (!name || !*name) return name;
    return fmt::format("{}/{}", done_directory(day), **name);
  }
}

Result<std::optional<std::string>> find_archived(const Spool& spool, const std::string& name,
                                                 std::string_view sha256,
                                                 std::chrono::year_month_day day,
                                                 const FileStamp& stamp) {
  for (unsigned n = 1; n <= kNamesToFind; ++n) {
    const std::string path = fmt::format("{}/{}", done_directory(day), nth_name(name, sha256, n));
    CARAVEL_ASSIGN_OR_RETURN(auto there, stamp_at(spool.fd(), path));
    if (there && !changed_since(stamp, *there)) return path;
  }
  return std::nullopt;
}

std::vector<std::string> archived_manifests(const Spool& spool, const std::string& name) {
  std::vector<std::string> texts;
  const std::string file = manifest_name(name);
  const auto look_at_day = [&](int day_fd) {
    const UniqueFd fd(
        ::openat(day_fd, file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return;
    std::string text(kMaxManifestBytes, '\0');
    text.resize(read_at(fd.get(), 0, text.data(), text.size()).value_or(0));
    texts.push_back(std::move(text));
  };
  // YYYY, MM, DD: what cannot be listed has nothing to say, and neither has what is no directory.
  const std::function<void(int, int)> look_below = [&](int parent, int levels) {
    if (levels == 0) return look_at_day(parent);
    (void)for_each_name(parent, [&](const std::string& below) {
      if (const auto fd = open_directory_at(parent, below)) look_below(fd->get(), levels - 1);
      return true;
    });
  };
  look_below(spool.done_fd(), 3);
  return texts;
}

Result<std::optional<FileStamp>> stamp_in_spool(const Spool& spool, const std::string& relative) {
  return stamp_at(spool.fd(), relative);
}

Result<ClaimOutcome> reclaim(const Spool& spool, const std::string& relative, const Claim& claim) {
  CARAVEL_TRY(check_claim(claim));
  CARAVEL_ASSIGN_OR_RETURN(auto directory, make_directory_at(spool.work_fd(), claim.id, 0700));
  // A crash here leaves an empty claim directory and the file in done/: the next check of what
  // was archived sees the change again.
  const int error = rename_noreplace(spool.fd(), relative, directory.get(), claim.name);
  if (error != 0) {
    ::unlinkat(spool.work_fd(), claim.id.c_str(), AT_REMOVEDIR);
    if (error == ENOENT) return ClaimOutcome::vanished;
    return fail_with_errno(fmt::format("take {} back", printable(relative)), error);
  }
  // The new place before the old one, so that power loss never finds the file in neither.
  CARAVEL_TRY(sync_fd(directory.get(), claim.id));
  CARAVEL_ASSIGN_OR_RETURN(auto from,
                           open_directory_at(spool.fd(), relative.substr(0, relative.rfind('/'))));
  CARAVEL_TRY(sync_fd(from.get(), relative));
  return ClaimOutcome::claimed;
}

void withdraw_why(const Spool& spool, const std::string& relative) {
  // One that stays explains nothing any more, and harms nobody.
  (void)::unlinkat(spool.fd(), (relative + ".why").c_str(), 0);
}

Result<std::optional<std::string>> set_aside(const Spool& spool, const ClaimRoot& root,
                                             const Claim& claim, std::string_view sha256,
                                             std::string_view why) {
  auto put_aside = [&]() -> Result<std::optional<std::string>> {
    CARAVEL_TRY(check_claim(claim));
    CARAVEL_ASSIGN_OR_RETURN(const bool there, exists_at(root.fd.get(), place_of(claim)));
    if (!there) return std::nullopt;
    // What was never read has no digest; the random end of its claim id tells it apart as well.
    const std::string_view hex =
        sha256.empty() ? std::string_view(claim.id).substr(claim.id.size() - 8) : sha256;
    WhyFile why_file(spool, claim, why);
    return move_to_failed(spool, root, claim, hex, why_file);
  }();
  if (!put_aside) return tl::unexpected(with_context("set aside", std::move(put_aside).error()));
  return put_aside;
}

}  // namespace caravel::watcher
