#include "watcher/checks/folders.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/unique_fd.h"

namespace caravel::watcher {
namespace {

/// The directories of the spool that Spool::open() wants to be ours. drop/ is the senders'.
constexpr std::array kOwnFolders{"work", "csv", "done", "rejects", "failed"};

/// The directory that is there, or the nearest one above it in which it would be made.
std::filesystem::path nearest_existing(std::filesystem::path path) {
  struct stat status {};
  while (::lstat(path.c_str(), &status) != 0 && errno == ENOENT && path.has_parent_path() &&
         path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

/// The errno of a try to make a file in this directory and to write into it; 0 if that works, or
/// cannot be tried without leaving a trace.
int try_to_write(const std::string& path) {
  // faccessat(2) answers for rights, read-only mounts and chattr(1) +i; AT_EACCESS: for the user
  // whose rights we have now.
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) return errno;
  const UniqueFd fd(::open(path.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd) {
    // Where files without names do not exist (open(2), O_TMPFILE), the rights alone have to tell.
    return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ? 0 : errno;
  }
  // A disk or a quota that is full lets a file be made, and refuses its bytes.
  const std::array<char, 4096> bytes{};
  return ::write(fd.get(), bytes.data(), bytes.size()) < 0 ? errno : 0;
}

/// A directory that exists, as `what` of the findings. Returns whether it is good.
bool check_writable(const std::string& what, const std::string& path, Findings& findings) {
  const int error = try_to_write(path);
  if (error == 0) return true;
  findings.fault(fmt::format("{} {}: cannot be written: {}{}", what, path, std::strerror(error),
                             remedy_for(error)));
  return false;
}

/// A directory that Caravel makes if it is missing. Returns whether it is there and good.
bool check_made(const std::string& what, const std::string& path, Findings& findings) {
  const std::string existing = nearest_existing(path).string();
  struct stat status {};
  // stat(2), not lstat(2): the administrator may keep a spool behind a symbolic link.
  if (::stat(existing.c_str(), &status) != 0) {
    findings.fault(fmt::format("{} {}: {}: {}{}", what, path, existing, std::strerror(errno),
                               remedy_for(errno)));
    return false;
  }
  if (!S_ISDIR(status.st_mode)) {
    findings.fault(fmt::format("{} {}: {} is no directory: move it away", what, path, existing));
    return false;
  }
  if (existing == path) return check_writable(what, path, findings);
  if (check_writable(fmt::format("{} {}: is to be made in", what, path), existing, findings)) {
    findings.good(fmt::format("{} {}: will be made", what, path));
  }
  return false;
}

std::string kind_in_words(mode_t mode) {
  return S_ISLNK(mode) ? "a symbolic link" : S_ISREG(mode) ? "a file" : "no directory";
}

/// work/, done/ and the others: false if something is wrong with it.
bool check_own_folder(const std::string& path, uid_t owner, Findings& findings) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return true;  // Spool::open() makes it; the spool itself is writable
    findings.fault(fmt::format("spool: {}: {}{}", path, std::strerror(errno), remedy_for(errno)));
    return false;
  }
  if (!S_ISDIR(status.st_mode)) {
    findings.fault(fmt::format("spool: {} is {}: move it away; Caravel makes a directory there",
                               path, kind_in_words(status.st_mode)));
    return false;
  }
  if (status.st_uid != owner) {
    findings.fault(fmt::format("spool: {} belongs to another user (uid {}): chown -R {} {}", path,
                               static_cast<unsigned>(status.st_uid), static_cast<unsigned>(owner),
                               path));
    return false;
  }
  return check_writable("spool:", path, findings);
}

/// A file that the service opens for reading and writing, if it is there.
bool check_own_file(const std::string& what, const std::string& path, Findings& findings) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return true;
  if (!S_ISREG(status.st_mode)) {
    findings.fault(fmt::format("{}: {} is no plain file: move it away", what, path));
    return false;
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0) return true;
  findings.fault(fmt::format("{}: {}: cannot be written: {}{}", what, path, std::strerror(errno),
                             remedy_for(errno)));
  return false;
}

}  // namespace

RightsOf::RightsOf(uid_t user) {
  if (::geteuid() != 0 || user == 0) return;
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return;
  groups_.resize(static_cast<std::size_t>(count));
  if (::getgroups(count, groups_.data()) != count) return;
  // The groups decide as well. A user without an entry has none but its own number.
  const passwd* const entry = ::getpwuid(user);
  const gid_t group = entry != nullptr ? entry->pw_gid : static_cast<gid_t>(user);
  if (entry != nullptr) {
    if (::initgroups(entry->pw_name, group) != 0) return;
  } else if (::setgroups(0, nullptr) != 0) {
    return;
  }
  if (::setegid(group) != 0) return;
  changed_ = ::seteuid(user) == 0;
}

RightsOf::~RightsOf() {
  if (!changed_) return;
  // They cannot fail, as the real user is root still; the compiler wants the answers looked at.
  if (::seteuid(0) != 0 || ::setegid(0) != 0) return;
  static_cast<void>(::setgroups(groups_.size(), groups_.data()));
}

uid_t service_user(const Config& config) {
  struct stat spool {};
  struct stat work {};
  struct stat state {};
  // The spool itself may be the administrator's, with directories of the service in it.
  if (::stat((config.spool + "/work").c_str(), &work) == 0 &&
      ::stat(config.state.c_str(), &state) == 0 && work.st_uid == state.st_uid) {
    return work.st_uid;
  }
  return ::stat(config.spool.c_str(), &spool) == 0 ? spool.st_uid : ::geteuid();
}

std::string remedy_for(int error) {
  switch (error) {
    case EACCES:
      return fmt::format(
          ": give the service's user (uid {}) the right to read, write and search it (chown, "
          "chmod)",
          static_cast<unsigned>(::geteuid()));
    case EPERM:
      return ": it may be set immutable: see lsattr, and take that away with chattr -i";
    case EROFS:
      return ": mount it writable (in a systemd unit: ReadWritePaths=)";
    case ENOSPC:
    case EDQUOT:
      return ": make room on that disk, in blocks and in inodes, or raise the quota";
    case ELOOP:
      return ": a symbolic link stands where a directory should be; move it away";
    default:
      return "";
  }
}

void check_folders(const Config& config, Findings& findings) {
  const uid_t owner = ::geteuid() == 0 ? service_user(config) : ::geteuid();
  const RightsOf rights(owner);
  bool good = check_made("spool", config.spool, findings);
  if (good) {
    for (const char* const folder : kOwnFolders) {
      good = check_own_folder(fmt::format("{}/{}", config.spool, folder), owner, findings) && good;
    }
    good = check_own_file("spool", config.spool + "/.lock", findings) && good;
    if (good) findings.good(fmt::format("spool {}", config.spool));
  }
  if (!check_made("state", config.state, findings)) return;
  const std::string ledger = config.ledger_path();
  good = true;
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    good = check_own_file("ledger", ledger + suffix, findings) && good;
  }
  if (good) findings.good(fmt::format("state {}", config.state));
}

}  // namespace caravel::watcher
