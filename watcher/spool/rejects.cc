#include "watcher/spool/rejects.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/originals.h"

namespace caravel::watcher {
namespace {

// Under so many of its names an extract's own files are looked for. They are under the first or the
// second, unless eight hex digits of two SHA-256 agree.
constexpr unsigned kNamesOfOurs = 4;

// A SHA-256, a line end, the name of a feed, and room to see that there is more.
constexpr std::size_t kMostOwnerBytes = 4096;

using Suffixes = std::array<std::pair<std::string_view, const std::string*>, 3>;

/// The suffix of each file, and the temporary that is to get it.
Suffixes suffixes_of(const RejectFiles& files) {
  return {{{".rejects", &files.rejects}, {".cut", &files.cut}, {".reasons.csv", &files.reasons}}};
}

std::string owner_of(std::string_view sha256, const std::string& feed) {
  return fmt::format("{}\n{}", sha256, feed);
}

/// Whether the files called `name` belong to `owner`.
bool is_owner(int directory, const std::string& name, std::string_view owner) {
  const UniqueFd fd(::openat(directory, reject_owner_name(name).c_str(),
                             O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return false;
  // One byte more than must be there: a longer text that only begins like ours is another's.
  std::string text(owner.size() + 1, '\0');
  const auto got = read_at(fd.get(), 0, text.data(), text.size());
  return got && std::string_view(text).substr(0, *got) == owner;
}

/// Durable on return.
Result<> write_hidden(int directory, const std::string& name, std::string_view content,
                      std::string_view sha256) {
  const std::string temporary = fmt::format("{}hidden-{}", kTemporaryPrefix, sha256.substr(0, 16));
  const UniqueFd fd(::openat(directory, temporary.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!fd) return fail_with_errno("make a temporary", errno);
  CARAVEL_TRY(write_all(fd.get(), content));
  CARAVEL_TRY(sync_fd(fd.get(), "a temporary"));
  if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
    return fail_with_errno(name, errno);
  }
  return sync_fd(directory, "rejects/");
}

/// A name that is not there is fine.
Result<> remove(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return fail_with_errno(fmt::format("remove {}", printable(name)), errno);
}

Result<bool> any_exists(int directory, const std::string& name) {
  for (const auto& [suffix, unused] : suffixes_of({})) {
    auto there = exists_at(directory, fmt::format("{}{}", name, suffix));
    if (!there || *there) return there;
  }
  return false;
}

/// The name under which the files of `owner` are there already.
std::optional<std::string> find_ours(int directory, const std::string& name,
                                     std::string_view sha256, std::string_view owner) {
  // By the owner, not by the name: files of an earlier run may have got the second name.
  for (unsigned n = 1; n <= kNamesOfOurs; ++n) {
    std::string candidate = nth_name(name, sha256, n);
    if (is_owner(directory, candidate, owner)) return candidate;
  }
  return std::nullopt;
}

/// Others hold the lock for the time of a few renames. Whoever may read the directory can hold it
/// for longer, and a process that was stopped (SIGSTOP) holds it for ever: nobody waits for these.
Result<> lock_for_a_moment(int directory) {
  constexpr int kTries = 100;
  constexpr int kPauseMs = 20;
  for (int i = 0; ::flock(directory, LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_with_errno("lock", errno);
    if (i == kTries) return fail(ErrorKind::retry, "another process holds the lock of rejects/");
    ::poll(nullptr, 0, kPauseMs);
  }
  return {};
}

/// The first name that no files have, made ours.
Result<std::string> take_free(int directory, const std::string& name, std::string_view sha256,
                              std::string_view owner) {
  for (unsigned n = 1; n <= kMaxNames; ++n) {
    std::string candidate = nth_name(name, sha256, n);
    CARAVEL_ASSIGN_OR_RETURN(auto taken, any_exists(directory, candidate));
    if (taken) continue;
    // Durable now: a replay that found a file of ours without its owner would take it for another
    // extract's and make a second copy.
    CARAVEL_TRY(write_hidden(directory, reject_owner_name(candidate), owner, sha256));
    return candidate;
  }
  return fail(ErrorKind::fault, fmt::format("no free name for {}", printable(name)));
}

/// Before the files that need the original get their names, it is marked; and the mark is removed
/// behind those that needed it. So a crash in between keeps an original for too long at the most.
Result<> mark_original(int directory, const std::string& base, const std::string& name,
                       std::string_view sha256, const RejectFiles& files) {
  if (!files.original) return {};
  return write_hidden(directory, original_mark(base), original_text({name, *files.original}),
                      sha256);
}

}  // namespace

std::optional<std::string> find_reject_files(const std::string& spool, const std::string& feed,
                                             const std::string& name, std::string_view sha256) {
  const std::string folder = spool + "/rejects";
  const auto directory = open_directory(folder);
  if (!directory || !is_plain_name(name) || sha256.size() < 16) return std::nullopt;
  const auto base = find_ours(directory->get(), name, sha256, owner_of(sha256, feed));
  if (!base || !any_exists(directory->get(), *base).value_or(false)) return std::nullopt;
  return folder + "/" + *base;
}

std::string spool_of(const std::string& main_spool, const Extract& extract) {
  const std::size_t done = extract.done_path.rfind("/done/");
  return extract.origin == Origin::capture && done != std::string::npos
             ? extract.done_path.substr(0, done)
             : main_spool;
}

std::string reject_owner_name(const std::string& base) { return fmt::format(".{}.owner", base); }

std::vector<std::string> reject_file_names(const std::string& base) {
  std::vector<std::string> names;
  for (const auto& [suffix, unused] : suffixes_of({})) {
    names.push_back(fmt::format("{}{}", base, suffix));
  }
  return names;
}

Result<std::vector<RejectOwner>> reject_owners(const Spool& spool) {
  constexpr std::size_t kSha256 = 64;
  std::vector<std::string> bases;
  const int directory = spool.rejects_fd();
  CARAVEL_TRY(for_each_name(directory, [&](const std::string& name) {
    const std::string_view ending = ".owner";
    if (name.starts_with('.') && name.ends_with(ending) && name.size() > 1 + ending.size()) {
      bases.push_back(name.substr(1, name.size() - 1 - ending.size()));
    }
    return true;
  }));
  std::vector<RejectOwner> owners;
  for (const std::string& base : bases) {
    const UniqueFd fd(::openat(directory, reject_owner_name(base).c_str(),
                               O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) continue;
    std::string text(kMostOwnerBytes, '\0');
    text.resize(read_at(fd.get(), 0, text.data(), text.size()).value_or(0));
    const bool good = text.size() > kSha256 + 1 && text.size() < kMostOwnerBytes &&
                      is_hex(text.substr(0, kSha256), kSha256) && text[kSha256] == '\n';
    if (good) owners.push_back({base, text.substr(0, kSha256), text.substr(kSha256 + 1)});
  }
  return owners;
}

UniqueFd lock_rejects(const Spool& spool) {
  UniqueFd lock(::openat(spool.rejects_fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.reset();
  return lock;
}

Result<bool> has_reject_files(const Spool& spool, const std::string& name) {
  return any_exists(spool.rejects_fd(), name);
}

Result<std::string> publish_reject_files(const Spool& spool, const std::string& feed,
                                         const std::string& name, std::string_view sha256,
                                         const RejectFiles& files) {
  const auto failed = [](Error error) {
    return tl::unexpected(with_context("rejects", std::move(error)));
  };
  if (!is_plain_name(name) || sha256.size() < 16) {
    return failed({ErrorKind::content, "no files can be called " + printable(name)});
  }
  const int directory = spool.rejects_fd();
  // Another feed, or the same content under another format, has rejects of its own.
  const std::string owner = owner_of(sha256, feed);
  const Suffixes suffixes = suffixes_of(files);
  const bool none = std::ranges::all_of(suffixes, [](const auto& s) { return s.second->empty(); });
  // Nearly all extracts: none now, and none before. Whoever makes some of the same content at this
  // moment could as well do so a moment later.
  if (none && !find_ours(directory, name, sha256, owner)) return std::string();
  // Looking for a free name and taking it is one step for all who do so: workers, and `process`.
  const UniqueFd lock(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return failed(system_error("lock", errno));
  if (auto locked = lock_for_a_moment(lock.get()); !locked) return failed(locked.error());
  std::optional<std::string> base = find_ours(directory, name, sha256, owner);
  if (!base && none) return std::string();
  if (!base) {
    auto taken = take_free(directory, name, sha256, owner);
    if (!taken) return failed(std::move(taken).error());
    base = std::move(*taken);
  }
  if (auto marked = mark_original(directory, *base, name, sha256, files); !marked) {
    return failed(std::move(marked).error());
  }
  // A crash between any two of these leaves some files of before and some of now, all ours; the
  // replay finds them by their owner and goes through all of them again.
  for (const auto& [suffix, temporary] : suffixes) {
    const std::string target = fmt::format("{}{}", *base, suffix);
    if (temporary->empty()) {
      if (auto removed = remove(directory, target); !removed) return failed(removed.error());
    } else if (::renameat(directory, temporary->c_str(), directory, target.c_str()) != 0) {
      return failed(system_error(printable(target), errno));
    }
  }
  if (!files.original) {
    if (auto gone = remove(directory, original_mark(*base)); !gone) return failed(gone.error());
  }
  if (auto synced = sync_fd(directory, "rejects/"); !synced) return failed(synced.error());
  if (!none) return *base;
  // The owner goes last: as long as a file of ours is there, a replay must find whose it is.
  if (auto removed = remove(directory, reject_owner_name(*base)); !removed)
    return failed(removed.error());
  return std::string();
}

}  // namespace caravel::watcher
