#include "watcher/spool/by_hand.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/ledger/extracts.h"

namespace caravel::watcher {
namespace {

/// FNV-1a, in 62 bits: a place in a file must be a positive off_t. Two loads with one place would
/// only keep a dead one from being settled as long as the other runs.
off_t place_of_lock(const std::string& claim) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash = kBasis;
  for (const char c : claim) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return static_cast<off_t>(hash >> 2U);
}

Result<UniqueFd> open_lock_file(const std::string& state) {
  // Never removed: a lock on a file that others cannot open any more keeps nobody out.
  return open_file(state + "/by-hand.lock", O_RDWR | O_CREAT | O_NOFOLLOW);
}

/// False if somebody else has it. Nobody waits here.
Result<bool> lock(int fd, const std::string& claim, short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = place_of_lock(claim);
  range.l_len = 1;
  if (::fcntl(fd, F_OFD_SETLK, &range) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return fail_with_errno("lock by-hand.lock", errno);
}

/// Removing is tidying: what cannot be removed now goes when it is old enough.
void remove_temporaries_of(const Spool& spool, const std::string& claim) {
  const std::string prefix = std::string(kTemporaryPrefix) + claim;
  for (const int directory : {spool.csv_fd(), spool.rejects_fd()}) {
    std::vector<std::string> names;
    (void)for_each_name(directory, [&](const std::string& name) {
      if (name.starts_with(prefix)) names.push_back(name);
      return true;
    });
    for (const std::string& name : names) ::unlinkat(directory, name.c_str(), 0);
  }
}

/// A sentence, if it was settled here and now.
Result<std::optional<std::string>> settle(int fd, const Spool* spool, Ledger& ledger,
                                          const std::string& claim, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(const bool ours, lock(fd, claim, F_WRLCK));
  if (!ours) return std::nullopt;
  const auto settled = [&]() -> Result<std::optional<std::string>> {
    // Once more, under the lock: its command may have ended well a moment ago.
    CARAVEL_ASSIGN_OR_RETURN(const auto extract, ledger.extracts().find_claim(claim));
    const bool over = !extract || extract->state == State::done || extract->state == State::failed;
    if (over) return std::nullopt;
    if (spool != nullptr) remove_temporaries_of(*spool, claim);
    const std::string why = fmt::format(
        "broken off: the `caravel {}` that loaded it was killed. Run it again: what is "
        "stored is not stored twice",
        name_of(extract->origin));
    CARAVEL_TRY(ledger.extracts().finish_broken_off(claim, why, now));
    return fmt::format("{}: {}: {}", extract->feed, printable(extract->name), why);
  }();
  CARAVEL_TRY(lock(fd, claim, F_UNLCK));
  return settled;
}

}  // namespace

Result<LoadByHand> LoadByHand::begin(const std::string& state, const std::string& claim) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_lock_file(state));
  CARAVEL_ASSIGN_OR_RETURN(const bool ours, lock(fd.get(), claim, F_WRLCK));
  if (!ours) return fail(ErrorKind::retry, "another process works on " + claim);
  return LoadByHand(std::move(fd));
}

Result<std::vector<std::string>> settle_broken_off_loads(const std::string& state,
                                                         const Spool* spool, Ledger& ledger,
                                                         Time now) {
  std::vector<std::string> said;
  for (const Origin origin : {Origin::process, Origin::upload}) {
    CARAVEL_ASSIGN_OR_RETURN(const auto open, ledger.extracts().unfinished(origin));
    if (open.empty()) continue;
    CARAVEL_ASSIGN_OR_RETURN(const auto fd, open_lock_file(state));
    for (const Extract& extract : open) {
      CARAVEL_ASSIGN_OR_RETURN(auto text, settle(fd.get(), spool, ledger, extract.claim, now));
      if (text) said.push_back(*std::move(text));
    }
  }
  return said;
}

}  // namespace caravel::watcher
