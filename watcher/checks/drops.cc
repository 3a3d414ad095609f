#include "watcher/checks/drops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "watcher/checks/folders.h"
#include "watcher/files/directory.h"
#include "watcher/files/drop_place.h"
#include "watcher/files/file_system.h"
#include "watcher/intake/noticing/inotify.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

/// Whether files can be renamed out of the directory. Returns whether it is open to us at all.
bool check_place(const std::string& what, const Config& config, const FeedConfig& feed,
                 Findings& findings) {
  const RightsOf rights(service_user(config));
  const Place place = look_at_place(feed.drop);
  // `watch` and `sweep` make a directory that is missing in the spool (Intake::start()), if that
  // lets them: check_folders(). They make none above it.
  const std::string parent = std::filesystem::path(feed.drop).parent_path().string();
  const bool made = parent == config.spool || parent == config.spool + "/drop" ||
                    (parent.starts_with(config.spool + "/") && ::access(parent.c_str(), F_OK) == 0);
  if (place.state == PlaceState::missing && made) {
    findings.good(fmt::format("{} {}: will be made", what, feed.drop));
    return false;
  }
  if (place.state != PlaceState::usable) {
    findings.fault(fmt::format("{} {}: {}", what, feed.drop, place.why));
    return false;
  }
  if (::faccessat(AT_FDCWD, feed.drop.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    findings.fault(fmt::format("{} {}: files cannot be taken out of it: {}{}", what, feed.drop,
                               std::strerror(errno), remedy_for(errno)));
    return false;
  }
  struct stat status {};
  const bool sticky = ::stat(feed.drop.c_str(), &status) == 0 && (status.st_mode & S_ISVTX) != 0;
  // rename(2), EACCES: where the sticky bit is set, only the owner of a file or of the directory
  // may move it.
  if (sticky && ::geteuid() != 0 && status.st_uid != ::geteuid()) {
    findings.fault(
        fmt::format("{} {}: has the sticky bit and another owner, so files of other "
                    "users cannot be taken out of it: chmod -t {}",
                    what, feed.drop, feed.drop));
    return false;
  }
  findings.good(fmt::format("{} {}", what, feed.drop));
  return true;
}

/// `.caravel` in a drop directory: absent, or ours alone (claim_root_for() asks for the same).
void check_claims_place(const std::string& what, const Config& config, const FeedConfig& feed,
                        int drop_fd, Findings& findings) {
  const std::string path = fmt::format("{}/{}", feed.drop, kDropClaims);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    return findings.fault(fmt::format("{}: {}: {}", what, path, std::strerror(errno)));
  }
  const bool our_user =
      status.st_uid == service_user(config) || (::geteuid() != 0 && status.st_uid == ::geteuid());
  const bool ours = S_ISDIR(status.st_mode) && our_user && (status.st_mode & 0777U) == 0700;
  if (ours) return;
  const auto spool = open_directory(config.spool);
  const bool needed = !spool || !rename_reaches(drop_fd, spool->get()).value_or(false);
  findings.fault(fmt::format(
      "{}: {} is not ours alone ({}, uid {}, mode {:04o}): did a sender make it? {}move it away; "
      "Caravel makes its own where it needs one",
      what, path,
      S_ISDIR(status.st_mode)   ? "a directory"
      : S_ISLNK(status.st_mode) ? "a symbolic link"
                                : "no directory",
      static_cast<unsigned>(status.st_uid), static_cast<unsigned>(status.st_mode & 0777U),
      needed ? "Nothing is claimed here until it is gone: " : ""));
}

/// Whether inotify would tell of new files.
void check_events(const std::string& what, const FeedConfig& feed, int drop_fd, bool has_events,
                  Findings& findings) {
  Inotify inotify;
  const auto set = inotify.watch_directory(drop_fd);
  if (set) return;
  const std::string text = fmt::format("{} {}: no event would tell of new files: {}", what,
                                       feed.drop, set.error().message);
  // Whoever watches has its watches from before the limit was reached; the next start has none.
  if (has_events) return findings.note(text);
  findings.fault(text +
                 ". Until then the directory is scanned every few seconds; notice: poll "
                 "does that without asking");
}

/// How it is known here that a file is whole.
void check_leases(const Config& config, const FeedConfig& feed, const FileSystemTraits& traits,
                  Findings& findings) {
  if (!traits.leases_tell) {
    return findings.note(
        fmt::format("{}: {} cannot say whether a file is open for writing, so a file counts as "
                    "whole once it was unchanged for {} s",
                    feed.drop, traits.name, feed.settle_without_lease.count() / 1000));
  }
  // The probe makes a file, so it is done in our own work/ and never in a drop directory. Before
  // the first start there is no work/, and nothing to say.
  const auto work = open_directory(config.spool + "/work");
  if (!work) return;
  const auto probe = probe_leases(work->get());
  // That work/ cannot be written is check_folders()' to say.
  if (!probe) return;
  if (!probe->own_files || !probe->others_files) {
    findings.note(
        fmt::format("{}: no read lease on {} ({}): such a file counts as whole once it was "
                    "unchanged for {} s{}",
                    feed.drop, probe->own_files ? "files of other users" : "files here",
                    probe->reason, feed.settle_without_lease.count() / 1000,
                    probe->own_files ? ". In a unit, AmbientCapabilities=CAP_LEASE gives the right "
                                       "(the shipped ones have it)"
                                     : ""));
  }
}

}  // namespace

void check_drop(const Config& config, const FeedConfig& feed, bool has_events, Findings& findings) {
  const std::string what = fmt::format("feed {}: drop directory", feed.name);
  if (!check_place(what, config, feed, findings)) return;
  const auto drop = open_directory(feed.drop);
  if (!drop) return findings.fault(fmt::format("{}: {}", what, drop.error().message));
  check_claims_place(what, config, feed, drop->get(), findings);
  const auto traits = file_system_of(drop->get());
  if (!traits) return findings.fault(fmt::format("{}: {}", what, traits.error().message));
  if (!traits->events || traits->poll) {
    findings.note(
        fmt::format("{}: {} reports few or none of its new files, so the directory is "
                    "scanned every few seconds",
                    feed.drop, traits->name));
  }
  if (traits->events && feed.notice == Notice::automatic) {
    check_events(what, feed, drop->get(), has_events, findings);
    const auto parent = std::filesystem::path(feed.drop).parent_path().string();
    if (!open_directory(parent)) {
      findings.note(
          fmt::format("{}: {} may not be read, so that the directory was removed and "
                      "made again is noticed within seconds, not at once",
                      feed.drop, parent));
    }
  }
  check_leases(config, feed, *traits, findings);
}

}  // namespace caravel::watcher
