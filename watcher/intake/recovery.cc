#include "watcher/intake/recovery.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

/// For so long after it is done an archived file is looked at each minute (Intake::step()): a
/// writer that no lease could show may have written on.
constexpr std::chrono::hours kRecheckFor{1};

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
    if (!open_.contains(id)) settle_without_file(work, extract, now);
  }
  return adopted;
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
  const auto claims = list_claims(root);
  if (!messages_.check("claims in " + root.path, claims)) return false;
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
    file.feed = feed_for(claim.name, NameKind::candidate, directory);
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

std::vector<ClaimedFile> Recovery::recheck_archived(const ClaimRoot& work, const Moment& now) {
  std::vector<ClaimedFile> taken_again;
  const auto archived = ledger_.extracts().done_since(now.wall - kRecheckFor, origin_);
  if (!messages_.check("ledger: archived extracts", archived)) return taken_again;
  for (const Extract& extract : *archived) {
    FileStamp stamp;
    // The old extract stays done. The new one yields its lines again with the same ids, and the
    // store answers for those that they are there already.
    if (!has_changed(extract, stamp)) continue;
    const FeedConfig* feed = config_.find_feed(extract.feed);
    if (feed == nullptr) continue;  // the feed was taken out of the configuration
    ClaimedFile file{{make_claim_id(now.wall), extract.name}, feed, &work};
    NewClaim row = row_of(file, origin_);
    row.size = stamp.size;
    row.mtime_ns = stamp.mtime_ns;
    const auto taken = [&]() -> Result<> {
      CARAVEL_TRY(ledger_.extracts().commit_claims({row}, now.wall));
      // A crash here leaves a row without a file, which the next start forgets, and the file in
      // done/, where this check finds it again.
      CARAVEL_TRY(reclaim(spool_, extract.done_path.substr(spool_.path().size() + 1), file.claim));
      return ledger_.extracts().set_done_path(extract.claim, row.path);
    }();
    if (!messages_.check_file("recheck\n" + extract.claim, taken)) continue;
    messages_.say(
        fmt::format("{}: was written to after it was loaded; it is loaded again as a new extract",
                    printable(extract.name)));
    taken_again.push_back(std::move(file));
  }
  return taken_again;
}

bool Recovery::has_changed(const Extract& extract, FileStamp& stamp) const {
  // After reclaim() the path of the older extract leads into work/: its successor is looked after
  // there.
  if (!extract.done_path.starts_with(spool_.path() + "/done/")) return false;
  const auto there = stamp_in_spool(spool_, extract.done_path.substr(spool_.path().size() + 1));
  // It may have been deleted by now, after `keep_done`.
  if (!there || !*there) return false;
  stamp = **there;
  FileStamp as_read;
  as_read.size = extract.size;
  as_read.mtime_ns = extract.mtime_ns;
  return changed_since(as_read, stamp);
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
