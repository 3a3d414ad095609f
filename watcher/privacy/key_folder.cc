#include "watcher/privacy/key_folder.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLeastKeyFile = 16;
constexpr std::size_t kMostKeyFile = 4096;
constexpr std::string_view kMarkName = "mark";
/// A salt of a day that lies further ahead counts from its making: a log that says 9999 keeps none
/// for ever.
constexpr std::chrono::hours kMostAhead{48};
/// How long the salts of a format are kept that is not configured any more: nobody else can say.
constexpr std::chrono::milliseconds kOfUnknown = std::chrono::hours(7 * 24);

bool is_day(std::string_view name) {
  return name.size() == 8 && std::all_of(name.begin(), name.end(), is_digit);
}

/// getrandom(2): without flags it neither fails nor is it interrupted for so few bytes.
Result<std::string> random_key() {
  std::string key(kKeyBytes, '\0');
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return fail_with_errno("getrandom", errno);
  }
  return key;
}

/// The 32 bytes of `name`, made if it is missing; "" of a salt that was forgotten. Two processes
/// that make one at the same moment get the same: link(2) replaces nothing.
Result<std::string> read_or_make(const std::string& folder, std::string_view name, bool& made) {
  const std::string path = fmt::format("{}/{}", folder, name);
  for (;;) {
    auto there = read_file(path, kKeyBytes);
    if (there && there->size() != kKeyBytes && !there->empty()) {
      return fail(ErrorKind::fault, path + ": is damaged; restore the state from a backup");
    }
    if (there || there.error().system != ENOENT) return there;
    CARAVEL_ASSIGN_OR_RETURN(const auto key, random_key());
    const std::string temporary = fmt::format("{}/.{}.{}", folder, name, ::getpid());
    ::unlink(temporary.c_str());
    CARAVEL_ASSIGN_OR_RETURN(const auto fd,
                             open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    CARAVEL_TRY(write_all(fd.get(), key));
    CARAVEL_TRY(sync_fd(fd.get(), temporary));
    const int linked = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
    ::unlink(temporary.c_str());
    // A row that was hashed must not outlive a salt that a loss of power took.
    CARAVEL_TRY(sync_directory(folder));
    if (linked != 0 && linked != EEXIST) return fail_with_errno(path, linked);
    made = made || linked == 0;
  }
}

Result<std::string> read_key_file(const std::string& path) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::fault, fmt::format("hash_key: {}: {}", path, what));
  };
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return wrong(fd.error().message);
  struct stat status;
  if (::fstat(fd->get(), &status) != 0) return fail_with_errno(path, errno);
  if (!S_ISREG(status.st_mode)) return wrong("is no regular file");
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return wrong("others may read it: chmod 600 (who has it can try out who is behind a hash)");
  }
  auto key = read_file(path, kMostKeyFile);
  if (!key) return wrong(key.error().message);
  while (!key->empty() && (key->back() == '\n' || key->back() == '\r')) key->pop_back();
  if (key->size() < kLeastKeyFile) return wrong("holds fewer than 16 bytes");
  return key;
}

/// A path of a format file is relative to that file.
std::string key_path(const formatter::Format& format) {
  const std::filesystem::path path(format.privacy->key_file);
  return path.is_absolute() ? path.string()
                            : (std::filesystem::path(format.file).parent_path() / path).string();
}

/// The end of a day YYYYMMDD. In seconds: the year 9999 is no number of nanoseconds.
std::chrono::sys_seconds end_of(std::string_view day) {
  const auto number = [&](std::size_t at, std::size_t size) {
    return std::stoi(std::string(day.substr(at, size)));
  };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(6, 2))));
  return std::chrono::sys_days(date) + std::chrono::days(1);
}

/// When a salt has served its time.
system_clock::time_point over_at(std::string_view day, const struct stat& status,
                                 std::chrono::milliseconds keep) {
  const auto made =
      std::chrono::floor<std::chrono::seconds>(system_clock::from_time_t(status.st_mtim.tv_sec));
  return std::clamp(end_of(day), made, made + kMostAhead) + keep;
}

}  // namespace

Result<KeyFolder> KeyFolder::open(const std::string& state, const formatter::Format& format) {
  KeyFolder folder;
  if (!format.privacy || !format.privacy->hashes) return folder;
  if (!format.privacy->key_file.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(folder.key_, read_key_file(key_path(format)));
    // Another key than that of the values, made of it, so that it need not be kept anywhere.
    folder.mark_ = "mark of " + folder.key_;
    return folder;
  }
  const std::string salts = state + "/salts";
  CARAVEL_TRY(make_durable_directory(salts, 0700));
  folder.folder_ = salts + "/" + format.name;
  CARAVEL_TRY(make_durable_directory(folder.folder_, 0700));
  bool made = false;
  CARAVEL_ASSIGN_OR_RETURN(folder.mark_, read_or_make(folder.folder_, kMarkName, made));
  return folder;
}

formatter::HashKeys KeyFolder::keys() {
  return {[this](std::string_view day) { return key_of_day(day); }, mark_};
}

Result<std::optional<std::string_view>> KeyFolder::key_of_day(std::string_view day) {
  if (folder_.empty()) return std::optional<std::string_view>(key_);
  auto known = salts_.find(day);
  if (known == salts_.end()) {
    // Years beyond four digits are no days of a log.
    if (!is_day(day)) return std::nullopt;
    if (made_ >= kMostNewSalts) return std::nullopt;
    bool made = false;
    CARAVEL_ASSIGN_OR_RETURN(auto salt, read_or_make(folder_, day, made));
    if (made) ++made_;
    known = salts_.emplace(std::string(day), std::move(salt)).first;
  }
  if (known->second.empty()) return std::nullopt;
  return std::optional<std::string_view>(known->second);
}

Result<std::size_t> forget_salts(const std::string& state, const formatter::FormatSet& formats,
                                 std::optional<Time> waiting_since, Time now) {
  std::size_t forgotten = 0;
  auto salts = open_directory(state + "/salts");
  // Nothing has hashed yet.
  if (!salts) return forgotten;
  const Time until = std::min(now, waiting_since.value_or(now));
  CARAVEL_TRY(for_each_name(salts->get(), [&](const std::string& name) {
    auto folder = open_directory_at(salts->get(), name);
    if (!folder) return true;
    const formatter::Format* const format = formats.find(name);
    const bool known = format != nullptr && format->privacy && format->privacy->key_file.empty();
    const auto keep = known ? format->privacy->keep_salt : kOfUnknown;
    (void)for_each_name(folder->get(), [&](const std::string& day) {
      struct stat status;
      if (!is_day(day) ||
          ::fstatat(folder->get(), day.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          status.st_size == 0 || over_at(day, status, keep) > until) {
        return true;
      }
      const UniqueFd fd(
          ::openat(folder->get(), day.c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC));
      if (fd && sync_fd(fd.get(), day)) ++forgotten;
      return true;
    });
    return true;
  }));
  return forgotten;
}

}  // namespace caravel::watcher
