#include "watcher/spool/claim.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <sstream>

#include <date/date.h>
#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"
#include "watcher/files/scan.h"
#include "watcher/spool/claim_batch.h"

namespace caravel::watcher {
namespace {

// d stands for a decimal digit, x for a lower-case hex digit, anything else for itself.
constexpr std::string_view kIdShape = "ddddddddTddddddZ-xxxxxxxxxxxx";
constexpr std::string_view kFeedCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";

/// What stands behind the part that all ids have.
struct IdParts {
  bool has_dash = false;  // of a batch
  std::string_view hash;  // of a name in it; empty: this is the batch's directory
  std::string_view feed;  // empty if it names none
  [[nodiscard]] bool is_batch() const { return has_dash && hash.empty(); }
};

/// Nothing if the text is neither a claim id nor the name of a claim's directory.
std::optional<IdParts> parts_of(std::string_view id) {
  constexpr std::size_t kHashDigits = 16;
  const bool shaped =
      std::ranges::equal(id.substr(0, kIdShape.size()), kIdShape, [](char c, char shape) {
        if (shape == 'd') return is_digit(c);
        if (shape == 'x') return is_lower_hex(c);
        return c == shape;
      });
  if (!shaped) return std::nullopt;
  IdParts parts;
  std::string_view rest = id.substr(kIdShape.size());
  if (rest.starts_with('-')) {
    parts.has_dash = true;
    rest.remove_prefix(1);
    parts.hash = rest.substr(0, rest.find('.'));
    rest.remove_prefix(parts.hash.size());
    const bool all_hex = std::all_of(parts.hash.begin(), parts.hash.end(), is_lower_hex);
    if (!parts.hash.empty() && (parts.hash.size() != kHashDigits || !all_hex)) return std::nullopt;
  }
  if (rest.empty()) return parts;
  parts.feed = rest.substr(1);
  const bool named = rest.front() == '.' && !parts.feed.empty() &&
                     parts.feed.find_first_not_of(kFeedCharacters) == std::string_view::npos;
  return named ? std::optional(parts) : std::nullopt;
}

}  // namespace

Result<bool> rename_reaches(int from_fd, int to_fd) {
  std::array<struct statx, 2> status{};
  const std::array<int, 2> fds{from_fd, to_fd};
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (::statx(fds[i], "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &status[i]) != 0) {
      return fail_with_errno("statx", errno);
    }
  }
  // Linux before 5.8 tells no mount; a rename that fails after all says so at the claim.
  const bool mounts_known = (status[0].stx_mask & status[1].stx_mask & STATX_MNT_ID) != 0;
  return status[0].stx_dev_major == status[1].stx_dev_major &&
         status[0].stx_dev_minor == status[1].stx_dev_minor &&
         (!mounts_known || status[0].stx_mnt_id == status[1].stx_mnt_id);
}

namespace {

/// The id of a file in the directory of a batch.
std::string member_of(std::string_view directory, std::string_view name) {
  std::string id(directory);
  id.erase(kIdShape.size(), 1);  // the dash
  return claim_id_in_batch(id, name);
}

/// Appends the files of one claim directory, and removes it if it has none.
Result<> list_claim(const ClaimRoot& root, const std::string& id, std::vector<Claim>& claims) {
  const UniqueFd directory(
      ::openat(root.fd.get(), id.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  // We make directories only: a file or a symlink of this name is somebody else's.
  if (!directory && (errno == ENOTDIR || errno == ELOOP)) return {};
  if (!directory) return fail_with_errno(fmt::format("{}/{}", root.path, id), errno);
  const std::size_t before = claims.size();
  CARAVEL_TRY(for_each_name(directory.get(), [&](const std::string& name) {
    // `id` is the directory's name: in a batch each file has an id of its own.
    claims.push_back({parts_of(id)->is_batch() ? member_of(id, name) : id, name});
    return true;
  }));
  return claims.size() == before ? remove_claim_directory(root, id) : Result<>();
}

}  // namespace

Result<ClaimRoot> claim_root_for(const Spool& spool, int drop_fd, const std::string& drop_path) {
  UniqueFd drop(::fcntl(drop_fd, F_DUPFD_CLOEXEC, 0));
  if (!drop) return fail_with_errno(drop_path, errno);
  auto reaches = rename_reaches(drop_fd, spool.work_fd());
  if (!reaches) return tl::unexpected(with_context(drop_path, std::move(reaches).error()));
  if (*reaches) {
    // A duplicate: each ClaimRoot owns its descriptor, and the spool keeps its own.
    UniqueFd work(::fcntl(spool.work_fd(), F_DUPFD_CLOEXEC, 0));
    if (!work) return fail_with_errno(spool.absolute("work"), errno);
    return ClaimRoot{std::move(work), spool.absolute("work"), true, std::move(drop)};
  }
  const std::string path = fmt::format("{}/{}", drop_path, kDropClaims);
  auto fd = make_directory_at(drop_fd, std::string(kDropClaims), 0700);
  if (!fd) return tl::unexpected(with_context(drop_path, std::move(fd).error()));
  // The directory stands where senders write: one of them may have made it, to see or change what
  // we claim.
  struct stat status;
  struct stat work;
  if (::fstat(fd->get(), &status) != 0 || ::fstat(spool.work_fd(), &work) != 0) {
    return fail_with_errno(path, errno);
  }
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == work.st_uid;
  if (!ours || (status.st_mode & 0777U) != 0700) {
    return fail(ErrorKind::fault,
                fmt::format("{} is not ours alone (uid {}, mode {:04o}): did a sender make it? "
                            "Move it away; Caravel makes its own",
                            path, static_cast<unsigned>(status.st_uid),
                            static_cast<unsigned>(status.st_mode & 0777U)));
  }
  return ClaimRoot{std::move(*fd), path, false, std::move(drop)};
}

std::string make_claim_id(std::chrono::system_clock::time_point now) {
  std::array<unsigned char, 4> random{};
  // getrandom(2) of up to 256 bytes is never cut short once the system is up; before, it waits.
  while (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
  }
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const auto rest = std::chrono::floor<std::chrono::microseconds>(now - second).count();
  // Microseconds first, so that ids sort by time; 999,999 needs five hex digits.
  std::string digits = fmt::format("{:05x}", rest);
  for (const unsigned char byte : random) digits += fmt::format("{:02x}", byte);
  // 12 digits: 5 of the microseconds, and 7 of the 8 random ones (28 bits).
  digits.resize(12);
  const auto midnight = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(second - midnight);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z-{}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     digits);
}

bool is_claim_id(std::string_view id) {
  const auto parts = parts_of(id);
  return parts && !parts->is_batch();
}

std::string claim_id_in_batch(std::string_view id, std::string_view name) {
  // FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv).
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{}-{:016x}{}", id.substr(0, kIdShape.size()), hash,
                     id.substr(kIdShape.size()));
}

std::string claim_directory(std::string_view id) {
  const auto parts = parts_of(id);
  if (!parts || !parts->has_dash) return std::string(id);
  return fmt::format("{}-{}{}", id.substr(0, kIdShape.size()), parts->feed.empty() ? "" : ".",
                     parts->feed);
}

std::optional<std::chrono::system_clock::time_point> time_of_claim_id(std::string_view id) {
  // Of a directory's name too.
  if (!parts_of(id)) return std::nullopt;
  std::istringstream text{std::string(id.substr(0, id.find('-')))};
  date::sys_seconds time;
  text >> date::parse("%Y%m%dT%H%M%SZ", time);
  return text.fail() ? std::nullopt : std::optional(time);
}

std::string make_claim_id(std::chrono::system_clock::time_point now, std::string_view feed) {
  return fmt::format("{}.{}", make_claim_id(now), feed);
}

std::string_view feed_of_claim_id(std::string_view id) {
  const auto parts = parts_of(id);
  return parts ? parts->feed : std::string_view();
}

std::string_view claim_id_at_end(std::string_view text) {
  // The id may have a "." itself, ahead of its feed.
  for (std::size_t dot = text.rfind('.'); dot != text.npos && dot > 0;
       dot = text.rfind('.', dot - 1)) {
    const std::string_view end = text.substr(dot + 1);
    if (is_claim_id(end)) return end;
    if (end.size() > kLongestFeedInId) break;
  }
  return {};
}

Result<> check_claim(const Claim& claim) {
  if (is_claim_id(claim.id) && is_plain_name(claim.name)) return {};
  return fail(ErrorKind::content, fmt::format("no claim can be called {}/{}", printable(claim.id),
                                              printable(claim.name)));
}

std::string place_of(const Claim& claim) { return claim_directory(claim.id) + "/" + claim.name; }

Result<ClaimOutcome> claim(const ClaimRoot& root, int drop_fd, const Claim& claim) {
  CARAVEL_TRY(check_claim(claim));
  // EEXIST: another claim of the batch, or an attempt that failed and left an empty directory.
  const std::string own = claim_directory(claim.id);
  if (::mkdirat(root.fd.get(), own.c_str(), 0700) != 0 && errno != EEXIST) {
    // Without the id, which is another one at each attempt: a lasting fault is said once.
    return fail_with_errno(fmt::format("make a directory in {}", root.path), errno);
  }
  // A crash here leaves an empty directory, which list_claims() removes; the file is still in
  // drop/.
  const int error = rename_noreplace(drop_fd, claim.name, root.fd.get(), place_of(claim));
  // A crash here leaves the file in its place, and the ledger's row says what it is. Power loss may
  // undo rename and directory together (the file is in drop/ again), since nothing is synced yet.
  if (error == 0) return ClaimOutcome::claimed;
  ::unlinkat(root.fd.get(), own.c_str(), AT_REMOVEDIR);
  if (error == ENOENT) return ClaimOutcome::vanished;
  Error described = system_error(fmt::format("claim {}", printable(claim.name)), error);
  // claim_root_for() looked for this. Another file system was mounted since.
  if (error == EXDEV) {
    described = Error{ErrorKind::fault, fmt::format("claim {}: {} cannot be reached by a rename",
                                                    printable(claim.name), root.path)};
  }
  return tl::unexpected(std::move(described));
}

Result<> sync_claim(const ClaimRoot& root, const Claim& claim) {
  CARAVEL_TRY(check_claim(claim));
  // First where the file is now, then where it is no longer: no order of these leaves a moment at
  // which neither name is on the disk.
  CARAVEL_ASSIGN_OR_RETURN(auto directory,
                           open_directory_at(root.fd.get(), claim_directory(claim.id)));
  CARAVEL_TRY(sync_fd(directory.get(), claim.id));
  CARAVEL_TRY(sync_fd(root.fd.get(), root.path));
  return root.drop ? sync_fd(root.drop.get(), "the drop directory") : Result<>();
}

Result<> sync_all_claims(const ClaimRoot& root) {
  if (::syncfs(root.fd.get()) != 0) return fail_with_errno("syncfs " + root.path, errno);
  return {};
}

Result<ClaimLook> look_at(const ClaimRoot& root, const Claim& claim) {
  CARAVEL_TRY(check_claim(claim));
  const std::string place = place_of(claim);
  ClaimLook look;
  // A device is not even opened, since opening one may do something (open(2): a tape rewinds).
  // Nobody can put another file there between this look and the open: the directory is private.
  struct stat status;
  if (::fstatat(root.fd.get(), place.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return look;
    return fail_with_errno(printable(claim.name), errno);
  }
  look.stamp = stamp_of(status);
  if (!S_ISREG(status.st_mode)) {
    look.state = ClaimState::not_regular;
    look.reason = describe(kind_of(status));
    return look;
  }
  // O_NONBLOCK: a sender may hold a write lease, and an open that breaks a lease would wait for him
  // up to fs.lease-break-time (45 s). The first attempt starts that clock.
  look.fd = UniqueFd(::openat(root.fd.get(), place.c_str(),
                              O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!look.fd) {
    switch (errno) {
      case EWOULDBLOCK:
        look.state = ClaimState::held;
        look.reason = "is leased by another process";
        return look;
      case EACCES:
      case EPERM:
        look.state = ClaimState::unreadable;
        look.reason = "cannot be read: its mode gives us no right to";
        return look;
      case ENOENT:
        return look;
      default:
        return fail_with_errno(fmt::format("open {}", printable(claim.name)), errno);
    }
  }
  if (::fstat(look.fd.get(), &status) != 0) return fail_with_errno("fstat", errno);
  look.stamp = stamp_of(status);
  // A sender that kept a second name can still open and change the file by it.
  if (status.st_nlink > 1) {
    look.state = ClaimState::more_links;
    look.reason = describe(FileKind::linked);
  } else {
    look.state = ClaimState::regular;
  }
  return look;
}

Result<> sync_content(int fd) { return sync_fd(fd, "an extract"); }

Result<std::vector<Claim>> list_claims(const ClaimRoot& root,
                                       std::vector<UnreadableClaim>* unreadable) {
  std::vector<std::string> ids;
  CARAVEL_TRY(for_each_name(root.fd.get(), [&](const std::string& name) {
    if (parts_of(name)) ids.push_back(name);
    return true;
  }));
  std::ranges::sort(ids);

  std::vector<Claim> claims;
  for (const std::string& id : ids) {
    auto listed = list_claim(root, id, claims);
    if (listed) continue;
    if (unreadable == nullptr) return tl::unexpected(std::move(listed).error());
    unreadable->push_back({id, std::move(listed).error()});
  }
  return claims;
}

Result<> remove_claim_directory(const ClaimRoot& root, const std::string& id) {
  if (!parts_of(id)) return fail(ErrorKind::content, "not a claim id: " + printable(id));
  // ENOTEMPTY: others of its batch are there; or somebody put another file there by hand.
  // list_claims() names it at the next start.
  if (::unlinkat(root.fd.get(), claim_directory(id).c_str(), AT_REMOVEDIR) != 0 &&
      errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST) {
    return fail_with_errno(fmt::format("remove {}/{}", root.path, id), errno);
  }
  return {};
}

}  // namespace caravel::watcher
