#include "watcher/intake/recovery.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/claim_batch.h"

namespace caravel::watcher {
namespace {

/// Of the claims of drop directories that no feed has any more, so many are looked after.
constexpr std::size_t kMostOldRoots = 100;
/// When putting away is given up until the next time.
constexpr int kMostFailures = 10;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_over(const Extract& extract) {
  return extract.state == State::done || extract.state == State::failed;
}

}  // namespace

std::vector<ClaimedFile> Recovery::adopt(const ClaimRoot& work, const Moment& now) {
  std::vector<ClaimedFile> adopted;
  // Without the ledger nothing is adopted: an extract that is done must not be loaded again.
  std::optional<Known> known = known_extracts();
  if (!known) return adopted;

  // Each root takes the rows of its files out of `known`. The rows that are left in it have no
  // file.
  bool all_roots_seen = adopt_root(work, nullptr, *known, now, adopted);
  for (const auto& directory : directories_) {
    if (!directory->is_open()) {
      all_roots_seen = false;
    } else if (!directory->root().in_spool) {
      const bool seen = adopt_root(directory->root(), directory.get(), *known, now, adopted);
      all_roots_seen = all_roots_seen && seen;
    }
  }
  // The file of a row may lie where nobody could look: in a drop directory that is not there at the
  // moment, or in a root that could not be listed. Its row must not say that the file is gone.
  if (!all_roots_seen) return adopted;
  for (const auto& [id, extract] : *known) {
    if (open_.contains(id)) continue;
    if (is_in_root(work, extract)) {
      settle_without_file(work, extract, now);
    } else {
      look_elsewhere(work, extract, now, adopted);
    }
  }
  return adopted;
}

/// Whether its file must be in a root that was listed just now.
bool Recovery::is_in_root(const ClaimRoot& work, const Extract& extract) const {
  if (extract.path.starts_with(work.path + "/")) return true;
  return std::ranges::any_of(directories_, [&](const auto& directory) {
    return directory->is_open() && extract.path.starts_with(directory->root().path + "/");
  });
}

/// The claims of a drop directory that no feed has any more: nobody else looks there.
void Recovery::look_elsewhere(const ClaimRoot& work, const Extract& extract, const Moment& now,
                              std::vector<ClaimedFile>& adopted) {
  const std::string subject = "elsewhere\n" + extract.claim;
  const ClaimRoot* const root = old_root_of(work, extract);
  if (root == nullptr) {
    messages_.file_fault(
        subject, {ErrorKind::fault,
                  fmt::format("{}: its file was claimed to {}, which cannot be reached (is it not "
                              "mounted?); it stays open",
                              printable(extract.name), printable(extract.path))});
    return;
  }
  const Claim claim{extract.claim, extract.name};
  const auto there = exists_at(root->fd.get(), place_of(claim));
  if (!messages_.check_file(subject, there)) return;
  if (!*there) {
    settle_without_file(work, extract, now);
  } else if (auto file = adopt_claim(claim, extract, *root, nullptr, now)) {
    adopted.push_back(std::move(*file));
  }
}

/// Opened once and kept, as the roots of drop directories are: claims refer to them. Null if it is
/// not there, or not ours alone.
const ClaimRoot* Recovery::old_root_of(const ClaimRoot& work, const Extract& extract) {
  const std::string path = parent_of(parent_of(extract.path));
  const auto known =
      std::ranges::find(old_roots_, path, [](const auto& root) { return root->path; });
  if (known != old_roots_.end()) return known->get();
  if (!path.ends_with("/.caravel") || old_roots_.size() >= kMostOldRoots) return nullptr;
  const auto drop = open_directory(parent_of(path));
  if (!drop) return nullptr;
  auto fd = open_directory_at(drop->get(), ".caravel");
  struct stat status;
  struct stat ours;
  if (!fd || ::fstat(fd->get(), &status) != 0 || ::fstat(work.fd.get(), &ours) != 0) return nullptr;
  const bool is_ours = status.st_uid == ::geteuid() || status.st_uid == ours.st_uid;
  if (!is_ours || (status.st_mode & 0777U) != 0700) return nullptr;
  old_roots_.push_back(std::make_unique<ClaimRoot>(ClaimRoot{std::move(*fd), path, false}));
  return old_roots_.back().get();
}

void Recovery::put_away_again(const ClaimRoot& work) {
  const auto left = ledger_.extracts().not_archived(origin_);
  if (!messages_.check("ledger: extracts to be put away", left)) return;
  int failures = 0;
  for (const Extract& extract : *left) {
    const bool other = origin_ == Origin::capture && config_.find_feed(extract.feed) == nullptr;
    // A worker may be putting it away this very moment.
    if (other || open_.contains(extract.claim)) continue;
    const ClaimRoot* root = extract.path.starts_with(work.path + "/") ? &work : nullptr;
    for (const auto& directory : directories_) {
      if (!directory->is_open()) continue;
      if (extract.path.starts_with(directory->root().path + "/")) root = &directory->root();
    }
    if (root == nullptr) continue;
    const Claim claim{extract.claim, extract.name};
    // The files are moved to one of two directories: what fails for some, fails for all.
    if (messages_.check_file(place_of(claim), put_away(spool_, ledger_, *root, extract))) continue;
    if (++failures == kMostFailures) break;
  }
}

std::optional<Recovery::Known> Recovery::known_extracts() {
  Known known;
  const auto read = [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto extracts, ledger_.extracts().unfinished(origin_));
    CARAVEL_ASSIGN_OR_RETURN(auto put_off, ledger_.extracts().not_archived(origin_));
    std::ranges::move(put_off, std::back_inserter(extracts));
    for (Extract& extract : extracts) {
      // Captures of other feeds have spools of their own.
      const bool other = origin_ == Origin::capture && config_.find_feed(extract.feed) == nullptr;
      if (!other) known.emplace(extract.claim, std::move(extract));
    }
    return {};
  }();
  if (!messages_.check("ledger: open claims", read)) return std::nullopt;
  return known;
}

bool Recovery::adopt_root(const ClaimRoot& root, const DropDirectory* directory, Known& known,
                          const Moment& now, std::vector<ClaimedFile>& adopted) {
  std::vector<UnreadableClaim> unreadable;
  const auto claims = list_claims(root, &unreadable);
  if (!messages_.check("claims in " + root.path, claims)) return false;
  // A claim that cannot be read hides no other. Its file is there: its row stays as it is.
  for (const UnreadableClaim& claim : unreadable) {
    messages_.file_fault("claim\n" + claim.id, claim.error);
    std::erase_if(known, [&](const auto& one) { return claim_directory(one.first) == claim.id; });
  }
  // Two drop directories may be one, by two paths.
  std::set<std::string> taken;
  for (const ClaimedFile& file : adopted) taken.insert(file.claim.id);
  for (const Claim& claim : *claims) {
    const bool in_work = open_.contains(claim.id) || taken.contains(claim.id);
    const auto place = known.find(claim.id);
    std::optional<Extract> extract;
    if (place != known.end()) {
      extract = std::move(place->second);
      known.erase(place);
    }
    if (in_work) continue;
    if (auto file = adopt_claim(claim, extract, root, directory, now)) {
      adopted.push_back(std::move(*file));
    }
  }
  return true;
}

std::optional<ClaimedFile> Recovery::adopt_claim(const Claim& claim,
                                                 const std::optional<Extract>& extract,
                                                 const ClaimRoot& root,
                                                 const DropDirectory* directory,
                                                 const Moment& now) {
  ClaimedFile file{claim, nullptr, &root};
  file.manifest = !extract && manifest_target(claim.name);
  if (file.manifest) {
    // The feed may be gone from the configuration: then the first that takes the name has it.
    file.feed = config_.find_feed(std::string(feed_of_claim_id(claim.id)));
    if (file.feed == nullptr) file.feed = feed_for(claim.name, NameKind::manifest, directory);
  } else if (extract && is_over(*extract)) {
    // The crash came after the commit of `done` and before the archive.
    messages_.check_file(place_of(claim), put_away(spool_, ledger_, root, *extract));
    return std::nullopt;
  } else if (extract) {
    file.feed = config_.find_feed(extract->feed);
    // The wait for a manifest counts from the first claim, not from this start.
    file.claimed_at = extract->claimed_at;
  } else {
    // No row: the ledger was lost, or a person put the file there (`list_claims()`).
    // Or a loss of power took the row back, and not the rename.
    file.feed = config_.find_feed(std::string(feed_of_claim_id(claim.id)));
    if (file.feed == nullptr) file.feed = feed_for(claim.name, NameKind::candidate, directory);
    if (const auto claimed = time_of_claim_id(claim.id)) file.claimed_at = *claimed;
    if (file.feed != nullptr &&
        !messages_.check("ledger: adopted claims",
                         ledger_.extracts().commit_claims({row_of(file, origin_)}, now.wall))) {
      return std::nullopt;
    }
    if (file.feed != nullptr) remember_manifest(*file.feed, claim.name, now);
  }
  if (file.feed != nullptr) return file;
  messages_.say(fmt::format("{}/{}/{}: no feed takes it; it is left where it is", root.path,
                            claim.id, printable(claim.name)));
  return std::nullopt;
}

/// If the ledger was lost, so was the manifest that was taken for this extract; its file is in
/// done/. Without it the rows of a format with `identity: position` would get other ids than those
/// that are stored already.
void Recovery::remember_manifest(const FeedConfig& feed, const std::string& name,
                                 const Moment& now) {
  if (feed.manifest == ManifestRule::ignore) return;
  for (const std::string& text : archived_manifests(spool_, name)) {
    const auto manifest = parse_manifest(text);
    if (!manifest) continue;
    messages_.check("ledger: manifests of adopted claims",
                    ledger_.manifests().add(feed.name, name, *manifest, now.wall));
  }
}

/// The crash came between the commit of the row and the rename, and the next scan finds the file
/// where it was. Or it came after the move into done/ and before the ledger heard of that.
void Recovery::settle_without_file(const ClaimRoot& work, const Extract& extract,
                                   const Moment& now) {
  const auto settled = [&]() -> Result<> {
    if (is_over(extract)) return put_away(spool_, ledger_, work, extract);
    // Without a digest nothing of it was read, so nothing of it is stored.
    if (extract.sha256.empty()) return ledger_.extracts().claim_gone(extract.claim);
    return ledger_.extracts().finish_failed(extract.claim, "its file is gone from work/",
                                            extract.counts.lines, now.wall);
  }();
  messages_.check_file(place_of({extract.claim, extract.name}), settled);
}

const FeedConfig* Recovery::feed_for(const std::string& name, NameKind kind,
                                     const DropDirectory* directory) const {
  // Claims of all drop directories on the spool's file system lie together in work/.
  for (const auto& each : directories_) {
    if (directory != nullptr && each.get() != directory) continue;
    for (const FeedConfig* feed : each->feeds()) {
      if (judge_name(name, feed->match).kind == kind) return feed;
    }
  }
  return nullptr;
}

}  // namespace caravel::watcher
