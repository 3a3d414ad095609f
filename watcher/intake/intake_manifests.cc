// Intake: manifests, and extracts that wait for theirs.

#include <algorithm>

#include "base/file.h"
#include "base/moment.h"
#include "base/text.h"
#include "watcher/intake/intake.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

constexpr std::chrono::seconds kTryAgain{5};

/// The whole of a small file; nothing if it is larger than a manifest may be.
Result<std::optional<std::string>> read_manifest(int fd) {
  std::string text(kMaxManifestBytes + 1, '\0');
  CARAVEL_ASSIGN_OR_RETURN(const auto size, read_at(fd, 0, text.data(), text.size()));
  if (size > kMaxManifestBytes) return std::nullopt;
  text.resize(size);
  return text;
}

}  // namespace

/// The ledger first: a crash before the move finds the file in work/ and takes it again.
bool Intake::take_manifest(Pending& pending, const ClaimLook& look, const Moment& now) {
  const ReadyExtract& claimed = pending.extract;
  const std::string name(manifest_target(claimed.claim.name).value_or(""));
  auto text = read_manifest(look.fd.get());
  const auto again = [&](const Error& error) {
    say_error(claimed.claim.name, with_context(printable(claimed.claim.name), error));
    pending.next_look = now.steady + kTryAgain;
    return false;
  };
  if (!text) return again(text.error());
  Result<Manifest> manifest = fail(ErrorKind::content, "is larger than any manifest");
  if (*text) manifest = parse_manifest(**text);
  const auto of_this = [&](const Pending& other) {
    return !other.manifest && other.extract.feed == claimed.feed &&
           other.extract.claim.name == name;
  };
  if (!manifest) {
    set_aside_unread(pending, "is no whole manifest: " + manifest.error().message, now);
    for (auto& [id, other] : pending_) {
      if (of_this(other)) other.next_look = now.steady;  // to say so
    }
    return true;
  }
  auto taken = [&]() -> Result<> {
    CARAVEL_TRY(ledger_.manifests().add(claimed.feed->name, name, *manifest, now.wall));
    auto path = archive(spool_, *claimed.root, claimed.claim, manifest->sha256,
                        std::chrono::floor<std::chrono::days>(now.wall));
    return path ? Result<>() : tl::unexpected(path.error());
  }();
  if (!taken) return again(taken.error());
  close_claim(claimed.claim.id);
  for (auto& [id, other] : pending_) {
    if (of_this(other)) {
      other.next_look = now.steady;
      other.looks = 0;  // what it waited for is here: one pass ends no earlier than this is seen
    }
  }
  return true;
}

bool Intake::awaits_manifest(Pending& pending, const ClaimLook& look, const Moment& now) {
  const FeedConfig& feed = *pending.extract.feed;
  const std::string& name = pending.extract.claim.name;
  if (feed.manifest == ManifestRule::ignore) return false;
  // For the manifest, and once more as long for a good transfer.
  const auto until = pending.extract.claimed + (pending.mismatched ? 2 : 1) * feed.manifest_wait;
  if (now.steady >= until) {
    pending.extract.last_chance = true;
    return false;
  }
  auto known = ledger_.manifests().for_name(feed.name, name);
  if (!known) {
    say_error("ledger", known.error());
    return false;  // the pipeline asks again, and waits for the ledger
  }
  std::string why = pending.why;
  const bool something_new =
      known->size() != pending.extract.manifests || pending.extract.stamp != look.stamp;
  pending.extract.manifests = known->size();
  pending.extract.stamp = look.stamp;
  if (pending.mismatched) {
    if (something_new) return false;
  } else {
    // caravel-tail packs nothing: what is packed was made by someone else.
    const bool of_the_agent = parse_tail_name(name) && base_name(name) == name;
    if (!known->empty() || (feed.manifest == ManifestRule::optional && !of_the_agent)) return false;
    why = why_without_manifest(spool_.path(), name);
  }
  wait_for(pending, why,
           std::max(std::chrono::ceil<std::chrono::milliseconds>(until - now.steady),
                    std::chrono::milliseconds(1)),
           now);
  return true;
}

}  // namespace caravel::watcher
