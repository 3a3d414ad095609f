#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/retention/folders.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

/// The number that a name of exactly so many digits spells; nothing for any other name, which is
/// not one of ours.
std::optional<unsigned> number(const std::string& name, std::size_t digits) {
  if (name.size() != digits || !std::ranges::all_of(name, is_digit)) return std::nullopt;
  return static_cast<unsigned>(std::stoul(name));
}

/// Opens each subdirectory whose name is a number of so many digits, in their order, and calls
/// `visit` with that number and the descriptor. If `visit` returns true and the directory is empty,
/// it is removed.
void for_each_number(int directory_fd, std::size_t digits, Remover& remover,
                     const std::function<bool(unsigned, int)>& visit) {
  // The names are read before anything is removed: readdir(3) does not promise what it shows of a
  // directory that changes meanwhile.
  std::vector<std::string> names;
  const auto listed = for_each_name(directory_fd, [&](const std::string& name) {
    if (number(name, digits)) names.push_back(name);
    return true;
  });
  if (!listed) remover.note(listed.error());
  std::ranges::sort(names);
  for (const std::string& name : names) {
    // A symlink of such a name is an error here: it is never followed out of the spool.
    auto opened = open_directory_at(directory_fd, name);
    if (!opened) {
      remover.note(std::move(opened).error());
      continue;
    }
    // A crash here leaves an empty directory, and the next pass removes it.
    if (visit(*number(name, digits), opened->get())) remover.remove_directory(directory_fd, name);
  }
}

/// Calls `visit` with each day, the oldest first; it returns as for for_each_number().
using VisitDay = std::function<bool(std::chrono::year_month_day, int day_fd)>;
void for_each_day(const Spool& spool, Remover& remover, const VisitDay& visit) {
  using namespace std::chrono;
  for_each_number(spool.done_fd(), 4, remover, [&](unsigned y, int year_fd) {
    for_each_number(year_fd, 2, remover, [&](unsigned m, int month_fd) {
      for_each_number(month_fd, 2, remover, [&](unsigned d, int day_fd) {
        const year_month_day date{year(static_cast<int>(y)), month(m), day(d)};
        return date.ok() && visit(date, day_fd);  // 2026/02/30 is not of our making
      });
      return true;
    });
    return true;
  });
}

struct DayFile {
  std::string name;
  std::uint64_t bytes = 0;
  timespec moved{};  // the rename into done/ was the last change of its inode
};

bool is_earlier(const DayFile& a, const DayFile& b) {
  return std::tie(a.moved.tv_sec, a.moved.tv_nsec, a.name) <
         std::tie(b.moved.tv_sec, b.moved.tv_nsec, b.name);
}

std::vector<DayFile> files_of(int day_fd, Remover& remover) {
  std::vector<DayFile> files;
  const auto listed = for_each_name(day_fd, [&](const std::string& name) {
    struct stat status;
    if (!name.starts_with(kTemporaryPrefix) &&
        ::fstatat(day_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISDIR(status.st_mode)) {
      files.push_back({name, static_cast<std::uint64_t>(status.st_size), status.st_ctim});
    }
    return true;
  });
  if (!listed) remover.note(listed.error());
  std::ranges::sort(files, is_earlier);
  return files;
}

}  // namespace

void prune_done(const Spool& spool, const KeepFor& keep, std::uint64_t most, Time now,
                Remover& remover) {
  using namespace std::chrono;
  Fill fill(most);
  if (fill.is_bounded()) {
    for_each_day(spool, remover, [&](year_month_day, int day_fd) {
      for (const DayFile& file : files_of(day_fd, remover)) fill.add(file.bytes);
      return false;
    });
  }
  for_each_day(spool, remover, [&](year_month_day date, int day_fd) {
    // From the end of the day on, so that no file is kept for less than its time.
    const auto age = now - (sys_days(date) + days(1));
    const bool is_over = age >= seconds(0);
    // Without a bound nothing of today can go.
    if (!is_over && !fill.is_over()) return false;
    const std::string path = done_directory(date) + "/";
    for (const DayFile& file : files_of(day_fd, remover)) {
      const milliseconds time = keep(path + file.name);
      const bool old = is_over && floor<milliseconds>(age) >= time;
      if (time == milliseconds::max() || (!old && !fill.is_over())) continue;
      const auto reason = old ? RemovalReason::age : RemovalReason::size;
      if (remover.remove(day_fd, file.name, {path + file.name, file.bytes, reason})) {
        fill.take(file.bytes);
      }
    }
    // Today's directory stays even if it is empty: the next extract would only make it again.
    return is_over;
  });
  remover.note_fill("done", fill);
}

}  // namespace caravel::watcher
