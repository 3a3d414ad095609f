// What claiming and recovery hand on: a claim whose file may not be read yet.
#pragma once

#include <optional>
#include <string>

#include "watcher/config/config.h"
#include "watcher/ledger/extracts.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {

struct ClaimedFile {
  Claim claim;
  const FeedConfig* feed = nullptr;
  const ClaimRoot* root = nullptr;
  /// The ledger has no row of a manifest: after a crash it is found in work/ and taken again.
  bool manifest = false;
  /// It was claimed just now, by us: nothing of an earlier try lies anywhere.
  bool is_new = false;
  /// When it was claimed, if that was before now.
  std::optional<Time> claimed_at{};

  /// Where its bytes are.
  [[nodiscard]] std::string path() const { return root->path + "/" + place_of(claim); }
};

/// The row of an extract's claim, without size and mtime.
[[nodiscard]] NewClaim row_of(const ClaimedFile& file, Origin origin);

}  // namespace caravel::watcher
