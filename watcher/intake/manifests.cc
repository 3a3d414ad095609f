#include "watcher/intake/manifests.h"

#include <algorithm>

#include "base/file.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

/// The manifest, or an error of kind content that says what is wrong with it.
Result<Result<Manifest>> read_manifest(int fd) {
  std::string text(kMaxManifestBytes + 1, '\0');
  CARAVEL_ASSIGN_OR_RETURN(const auto size, read_at(fd, 0, text.data(), text.size()));
  // Senders write manifests too: one that is larger than the agent ever writes is not read on.
  if (size > kMaxManifestBytes) {
    return Result<Manifest>(fail(ErrorKind::content, "is larger than any manifest"));
  }
  text.resize(size);
  return parse_manifest(text);
}

}  // namespace

Result<std::optional<std::string>> take_manifest(const Spool& spool, Ledger& ledger,
                                                 const ReadyExtract& file, int fd, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(const auto manifest, read_manifest(fd));
  if (!manifest) return "is no whole manifest: " + manifest.error().message;
  const std::string extract(manifest_target(file.claim.name).value_or(""));
  CARAVEL_TRY(ledger.manifests().add(file.feed->name, extract, *manifest, now));
  // Else a loss of power could leave it in done/ and in the drop directory: a file with two links,
  // which nobody takes.
  CARAVEL_TRY(sync_claim(*file.root, file.claim));
  // A crash here leaves the manifest in work/: it is adopted and taken again, which changes nothing
  // in the ledger.
  CARAVEL_TRY(archive(spool, *file.root, file.claim, manifest->sha256,
                      std::chrono::floor<std::chrono::days>(now)));
  return std::nullopt;
}

Result<std::optional<ManifestWait>> wait_for_manifest(const Spool& spool, Ledger& ledger,
                                                      ReadyExtract& extract,
                                                      const std::optional<std::string>& mismatch,
                                                      const FileStamp& stamp, const Moment& now) {
  const FeedConfig& feed = *extract.feed;
  const std::string& name = extract.claim.name;
  if (feed.manifest == ManifestRule::ignore) return std::nullopt;
  // The manifest gets this time, and after a mismatch a good transfer gets as much again.
  const auto until = extract.claimed + (mismatch ? 2 : 1) * feed.manifest_wait;
  // The loading side then gives up what is not as the manifest says, in the place of waiting again.
  if (now.steady >= until) {
    extract.last_chance = true;
    return std::nullopt;
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto known, ledger.manifests().for_name(feed.name, name));
  // After a mismatch the same file with the same manifests would only mismatch again. So it is read
  // again only when one of the two has become another.
  const bool something_new = known.size() != extract.manifests || extract.stamp != stamp;
  extract.manifests = known.size();
  extract.stamp = stamp;
  const auto most = std::max(std::chrono::ceil<std::chrono::milliseconds>(until - now.steady),
                             std::chrono::milliseconds(1));
  if (mismatch) {
    if (something_new) return std::nullopt;
    return ManifestWait{*mismatch, most};
  }
  // The tail agent sends a manifest with every extract, and it packs nothing: a packed file was
  // made by somebody else, whatever its name.
  const bool of_the_agent = parse_tail_name(name) && base_name(name) == name;
  const bool required = feed.manifest == ManifestRule::required || of_the_agent;
  if (!known.empty() || !required) return std::nullopt;
  return ManifestWait{why_without_manifest(spool.path(), name), most};
}

}  // namespace caravel::watcher
