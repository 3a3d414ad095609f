#include "watcher/intake/taken_back.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

/// For so long after it is done an archived file is looked at each minute (Intake::step()): a
/// writer that no lease could show may have written on.
constexpr std::chrono::hours kRecheckFor{1};

/// So many archived extracts are held in memory at a time.
constexpr std::size_t kPage = 1000;

/// So many of the newest open failures are looked after each minute.
constexpr std::size_t kMostFailuresLookedAt = 1000;

std::string relative_to(const Spool& spool, const std::string& path) {
  return path.substr(spool.path().size() + 1);
}

}  // namespace

Result<std::optional<FileStamp>> TakenBack::stamp_in(std::string_view folder,
                                                     const std::string& done_path) const {
  // After take() the path of the older extract leads into work/: its successor is looked after
  // there.
  if (!done_path.starts_with(fmt::format("{}/{}/", spool_.path(), folder))) return std::nullopt;
  return stamp_in_spool(spool_, relative_to(spool_, done_path));
}

Result<std::optional<ClaimedFile>> TakenBack::take(const ClaimRoot& work, const Extract& extract,
                                                   const FileStamp& stamp, const Moment& now) {
  const FeedConfig* const feed = config_.find_feed(extract.feed);
  if (feed == nullptr) return std::nullopt;  // it was taken out of the configuration
  ClaimedFile file{{make_claim_id(now.wall), extract.name}, feed, &work};
  NewClaim row = row_of(file, origin_);
  row.size = stamp.size;
  row.mtime_ns = stamp.mtime_ns;
  CARAVEL_TRY(ledger_.extracts().commit_claims({row}, now.wall));
  CARAVEL_ASSIGN_OR_RETURN(const auto outcome,
                           reclaim(spool_, relative_to(spool_, extract.done_path), file.claim));
  if (outcome == ClaimOutcome::claimed) return file;
  // Somebody has taken it away since we looked: there is nothing to be loaded again.
  CARAVEL_TRY(ledger_.extracts().claim_gone(file.claim.id));
  return std::nullopt;
}

std::vector<ClaimedFile> TakenBack::changed(const ClaimRoot& work, const Moment& now) {
  std::vector<ClaimedFile> taken;
  std::vector<ArchivedExtract> page;
  do {
    // Some at a time: an hour has had any number of them.
    auto next = ledger_.extracts().done_since(now.wall - kRecheckFor, origin_,
                                              page.empty() ? nullptr : &page.back(), kPage);
    if (!messages_.check("ledger: archived extracts", next)) return taken;
    page = *std::move(next);
    for (const ArchivedExtract& archived : page) {
      auto file = take_if_changed(work, archived, now);
      if (!messages_.check_file("recheck\n" + archived.claim, file) || !*file) continue;
      messages_.say(
          fmt::format("{}: was written to after it was loaded; it is loaded again as a new extract",
                      printable((*file)->claim.name)));
      taken.push_back(std::move(**file));
    }
  } while (page.size() == kPage);
  return taken;
}

/// The old extract stays done. The new one yields its lines again with the same ids, and the store
/// answers for those that they are there already.
Result<std::optional<ClaimedFile>> TakenBack::take_if_changed(const ClaimRoot& work,
                                                              const ArchivedExtract& archived,
                                                              const Moment& now) {
  const auto stamp = stamp_in("done", archived.done_path);
  FileStamp as_read;
  as_read.size = archived.size;
  as_read.mtime_ns = archived.mtime_ns;
  // It may have been deleted by now, after `keep_done`.
  if (!stamp || !*stamp || !changed_since(as_read, **stamp)) return std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(const auto extract, ledger_.extracts().find_claim(archived.claim));
  if (!extract) return std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto file, take(work, *extract, **stamp, now));
  if (file) CARAVEL_TRY(ledger_.extracts().set_done_path(extract->claim, file->path()));
  return file;
}

/// A crash after the rename leaves the wish, which finds no file any more, and the new claim, which
/// the next start takes up.
Result<std::optional<ClaimedFile>> TakenBack::retry(const ClaimRoot& work, const Extract& extract,
                                                    const Moment& now) {
  const bool failed = extract.state == State::failed;
  const std::string_view folder = failed ? "failed" : "done";
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_in(folder, extract.done_path));
  std::optional<ClaimedFile> file;
  if (stamp) {
    CARAVEL_ASSIGN_OR_RETURN(file, take(work, extract, *stamp, now));
  }
  if (failed && file) withdraw_why(spool_, relative_to(spool_, extract.done_path));
  CARAVEL_TRY(ledger_.extracts().end_retry(extract, file ? file->path() : "", now.wall));
  messages_.say(fmt::format("{}: {}", printable(extract.name),
                            file ? "goes in again, as a new extract"
                                 : fmt::format("cannot go in again: it is not in {}/", folder)));
  return file;
}

std::vector<ClaimedFile> TakenBack::asked_for(const ClaimRoot& work, const Moment& now) {
  std::vector<ClaimedFile> taken;
  const auto wanted = ledger_.extracts().retries(origin_);
  if (!messages_.check("ledger: retries", wanted)) return taken;
  for (const Extract& extract : *wanted) {
    // Captures of other feeds have spools of their own.
    if (config_.find_feed(extract.feed) == nullptr) continue;
    auto file = retry(work, extract, now);
    if (!messages_.check_file("retry\n" + extract.claim, file) || !*file) continue;
    taken.push_back(std::move(**file));
  }
  return taken;
}

void TakenBack::note_removed(const Moment& now) {
  const auto failures = ledger_.history().open_failures(kMostFailuresLookedAt);
  if (!messages_.check("ledger: open failures", failures)) return;
  const std::string failed = spool_.path() + "/failed/";
  for (const Extract& extract : *failures) {
    if (extract.origin != origin_ || !extract.done_path.starts_with(failed)) continue;
    const auto stamp = stamp_in("failed", extract.done_path);
    if (!stamp || *stamp) continue;
    const auto settled = ledger_.extracts().settle(extract.id, Settled::removed, "", now.wall);
    if (!messages_.check_file("removed\n" + extract.claim, settled) || !*settled) continue;
    messages_.say(fmt::format("{}: is not in failed/ any more: its failure counts as settled",
                              printable(extract.name)));
  }
}

}  // namespace caravel::watcher
