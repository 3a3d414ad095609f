// A claim: an extract that was renamed out of the drop directory into a private one. From then on
// no name that a sender uses leads to it.
//
//   work/<claim id>/NAME              or, if the drop directory is on another file system,
//   DROP/.caravel/<claim id>/NAME
//
// The claim id is made, and its row committed to the ledger, before claim(). So after a crash a row
// without a file was not claimed: the row is forgotten, and the next scan finds the file. A file
// without a row was put there by hand, or the ledger was lost: a start adopts it (list_claims()).
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/files/file_stamp.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The directory that holds the claims of a drop directory.
struct ClaimRoot {
  UniqueFd fd;
  std::string path;
  bool in_spool = true;  // work/; false: DROP/.caravel, and archiving means copying
  UniqueFd drop{};       // the drop directory that files are renamed from
};

/// Whether a rename from one directory to the other can work: rename(2) wants the same mount, not
/// only the same device (bind mounts, as systemd makes them for a service's ReadWritePaths).
[[nodiscard]] Result<bool> rename_reaches(int from_fd, int to_fd);

/// Where claims lie in a drop directory that no rename into work/ can reach.
inline constexpr std::string_view kDropClaims = ".caravel";

/// work/ if a rename from the drop directory can reach it (the same device and the same mount:
/// rename(2) EXDEV), else DROP/.caravel, made if it is missing. Errors: kind fault if .caravel is
/// there but is not a directory of ours with mode 0700: a sender made it.
[[nodiscard]] Result<ClaimRoot> claim_root_for(const Spool& spool, int drop_fd,
                                               const std::string& drop_path);

/// "20261122T101500Z-0123456789ab": ascending by time, to the microsecond (five of the hex digits);
/// never the same twice (28 random bits).
[[nodiscard]] std::string make_claim_id(std::chrono::system_clock::time_point now);
[[nodiscard]] bool is_claim_id(std::string_view id);
/// When a claim id was made, to the second; nothing if the text is none.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> time_of_claim_id(
    std::string_view id);

/// The id of a claim from a drop directory says whose it is too,
/// "20261122T101500Z-0123456789ab.feed": a manifest has no row in the ledger that could, a loss of
/// power may take that of an extract back, and names alone do not tell where several feeds match
/// alike. A feed with a very long name is left out of the ids of its extracts: they are a part of
/// other names.
[[nodiscard]] std::string make_claim_id(std::chrono::system_clock::time_point now,
                                        std::string_view feed);
inline constexpr std::size_t kLongestFeedInId = 32;
/// Empty for an id that names no feed.
[[nodiscard]] std::string_view feed_of_claim_id(std::string_view id);
/// The claim id that `text` ends with, behind a "."; empty if it ends with none.
[[nodiscard]] std::string_view claim_id_at_end(std::string_view text);

struct Claim {
  std::string id;
  std::string name;

  bool operator==(const Claim&) const = default;
};

/// Errors: kind content, unless the id is a claim id and the name a plain one. Ids and names come
/// from the ledger and from senders: neither may lead out of the root.
[[nodiscard]] Result<> check_claim(const Claim& claim);

/// "<claim id>/NAME": where the file of a claim is, relative to its root.
[[nodiscard]] std::string place_of(const Claim& claim);

enum class ClaimOutcome { claimed, vanished };

/// Renames NAME from the drop directory into the claim's own directory. Not durable before
/// sync_claim(). Whatever stands behind the name by now is taken, unopened: look_at() judges it.
[[nodiscard]] Result<ClaimOutcome> claim(const ClaimRoot& root, int drop_fd, const Claim& claim);

/// Makes the rename of a claim durable: first where the file is now, then where it is no longer.
[[nodiscard]] Result<> sync_claim(const ClaimRoot& root, const Claim& claim);
/// Makes everything durable that was written to the file system of the root, syncfs(2): claims and
/// the content of their files, for many at the price of one.
[[nodiscard]] Result<> sync_all_claims(const ClaimRoot& root);

enum class ClaimState {
  regular,      // a regular file with one link, open in `fd`
  more_links,   // open in `fd`, but someone has another name for it: wait (watch_file())
  held,         // someone holds a lease on it (fcntl(2)): look again later
  not_regular,  // never to be read: set_aside()
  unreadable,   // we have no right to read it: wait until its mode is changed
  gone,         // not there
};

struct ClaimLook {
  ClaimState state = ClaimState::gone;
  std::string reason;  // in words; empty for `regular`
  UniqueFd fd;         // read-only, O_NONBLOCK
  FileStamp stamp;
};

/// Looks at a claimed file, and opens it if it is a regular one. Never blocks and never follows a
/// symlink, whatever was claimed.
[[nodiscard]] Result<ClaimLook> look_at(const ClaimRoot& root, const Claim& claim);

/// fsync(2) of the content: once there is no writer, before the first row is stored. From here on
/// the sender's copy is not needed.
[[nodiscard]] Result<> sync_content(int fd);

/// What is in the root: one entry a file, in the order of the ids. Claim directories without a
/// file, which a crash leaves before the rename of claim() or after the one of archive(), are
/// removed. What has no claim id for a name is not ours and left alone.
/// A claim directory that cannot be read is told in `unreadable` and hides no other; without
/// `unreadable` it is an error.
struct UnreadableClaim {
  std::string id;
  Error error;
};
[[nodiscard]] Result<std::vector<Claim>> list_claims(
    const ClaimRoot& root, std::vector<UnreadableClaim>* unreadable = nullptr);

/// Removes the empty directory of a claim; one that is gone is fine.
[[nodiscard]] Result<> remove_claim_directory(const ClaimRoot& root, const std::string& id);

}  // namespace caravel::watcher
