#include "watcher/spool/expire.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

/// A directory that we may not write fails for each of its files: a few errors say enough.
constexpr std::size_t kMaxErrors = 10;

void note(Expired& expired, Error error) {
  if (expired.errors.size() < kMaxErrors) expired.errors.push_back(std::move(error));
}

/// The number that a name of exactly so many digits spells; nothing for any other name, which is
/// not one of ours.
std::optional<unsigned> number(const std::string& name, std::size_t digits) {
  if (name.size() != digits || !std::ranges::all_of(name, is_digit)) return std::nullopt;
  return static_cast<unsigned>(std::stoul(name));
}

/// Deletes one regular file (or symlink, not what it leads to).
void remove_file(int directory_fd, const std::string& name, const struct stat& status,
                 Expired& expired) {
  if (::unlinkat(directory_fd, name.c_str(), 0) != 0) {
    // ENOENT: another process was faster.
    if (errno != ENOENT) note(expired, system_error("delete " + printable(name), errno));
    return;
  }
  ++expired.files;
  expired.bytes += static_cast<std::uint64_t>(status.st_size);
}

/// Opens each subdirectory whose name is a number of so many digits and calls `visit` with that
/// number and the descriptor. If `visit` returns true and the directory is empty, it is removed.
void for_each_number(int directory_fd, std::size_t digits, Expired& expired,
                     const std::function<bool(unsigned, int)>& visit) {
  // The names are read before anything is removed: readdir(3) does not promise what it shows of a
  // directory that changes meanwhile.
  std::vector<std::string> names;
  const auto listed = for_each_name(directory_fd, [&](const std::string& name) {
    if (number(name, digits)) names.push_back(name);
    return true;
  });
  if (!listed) note(expired, listed.error());
  for (const std::string& name : names) {
    // A symlink of such a name is an error here: it is never followed out of the spool.
    auto opened = open_directory_at(directory_fd, name);
    if (!opened) {
      note(expired, std::move(opened).error());
      continue;
    }
    // The removal mostly fails with ENOTEMPTY, because something is kept. A crash here leaves an
    // empty directory, and the next pass removes it.
    if (visit(*number(name, digits), opened->get())) {
      ::unlinkat(directory_fd, name.c_str(), AT_REMOVEDIR);
    }
  }
}

}  // namespace

Result<Expired> expire_done(const Spool& spool, const KeepFor& keep,
                            std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  Expired expired;
  const auto expire_day = [&](year_month_day date, int day_fd) {
    if (!date.ok()) return false;  // 2026/02/30 is not of our making
    // From the end of the day on, so that no file is kept for less than its time.
    const auto age = now - (sys_days(date) + days(1));
    // Today's directory stays even if it is empty: the next extract would only make it again.
    if (age < seconds(0)) return false;
    const std::string path = done_directory(date) + "/";
    const auto listed = for_each_name(day_fd, [&](const std::string& name) {
      struct stat status;
      if (::fstatat(day_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          !S_ISDIR(status.st_mode) && duration_cast<seconds>(age) >= keep(path + name)) {
        remove_file(day_fd, name, status, expired);
      }
      return true;
    });
    if (!listed) note(expired, listed.error());
    return true;
  };
  for_each_number(spool.done_fd(), 4, expired, [&](unsigned y, int year_fd) {
    for_each_number(year_fd, 2, expired, [&](unsigned m, int month_fd) {
      for_each_number(month_fd, 2, expired, [&](unsigned d, int day_fd) {
        return expire_day({year(static_cast<int>(y)), month(m), day(d)}, day_fd);
      });
      return true;
    });
    return true;
  });
  return expired;
}

Result<Expired> expire_csv(const Spool& spool, const KeepFor& keep,
                           std::chrono::system_clock::time_point now) {
  Expired expired;
  CARAVEL_TRY(for_each_name(spool.csv_fd(), [&](const std::string& name) {
    struct stat status;
    if (name.starts_with(kTemporaryPrefix) ||
        ::fstatat(spool.csv_fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      return true;
    }
    // A CSV is made by us, so its mtime is the time at which it was written.
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(
        now - std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec));
    if (age >= keep("csv/" + name)) remove_file(spool.csv_fd(), name, status, expired);
    return true;
  }));
  return expired;
}

}  // namespace caravel::watcher
