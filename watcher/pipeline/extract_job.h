// What is to be done with one extract.
#pragma once

#include <optional>
#include <string>

#include "watcher/exchange/manifest.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {

/// An extract to take through the pipeline. Its row must be in the ledger before that. Made by
/// job_of_claim() or job_of_file(); commands set what a person asked for on top.
struct ExtractJob {
  Claim claim;
  Origin origin = Origin::drop;
  /// Where the claim lies; nullptr if the file is a person's and must not be moved or changed.
  const ClaimRoot* root = nullptr;
  std::string path;  // of a person's file, absolute; "" for a claim
  /// `path` is a CSV with its sidecar beside it (PATH.sidecar): nothing is left to format.
  bool prepared = false;
  ByHand by_hand;
  /// The manifest beside a person's file. Manifests that came earlier for the same name are about
  /// other files and do not bind this one.
  std::optional<Manifest> beside;
  bool reprocess = false;
  bool delete_stale = false;
  /// Nobody waits any longer for another transfer: content that is not as its manifest says fails.
  bool last_chance = false;
  /// Nothing of an earlier try lies anywhere: there is nothing to be removed first.
  bool is_new = false;
};

/// The job of a file that was claimed; `root` must outlive it.
[[nodiscard]] ExtractJob job_of_claim(const Claim& claim, const ClaimRoot& root, bool last_chance,
                                      bool is_new = false);

/// The job of a file that a person named: it is read where it lies, under a claim id of its own.
[[nodiscard]] ExtractJob job_of_file(const std::string& path, Time now);

}  // namespace caravel::watcher
