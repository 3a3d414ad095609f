// One extract from claim to done: format, upload, feed document, ledger, archive.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/store.h"
#include "watcher/config/config.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// An extract to take through. Its row is in the ledger already.
struct ExtractJob {
  Claim claim;
  Origin origin = Origin::drop;
  /// Where the claim lies; nullptr if the file is a person's and must not be moved or changed.
  const ClaimRoot* root = nullptr;
  std::string path;  // of the file
  /// `path` is a CSV with its sidecar beside it (PATH.sidecar): nothing is left to format.
  bool prepared = false;
  ByHand by_hand;
  /// The manifest beside a person's file. Those that came by its name before do not bind it.
  std::optional<Manifest> beside;
  bool reprocess = false;
  bool delete_stale = false;
  /// It was waited for long enough: what is not as its manifest says is given up.
  bool last_chance = false;
};

/// What the outside wants to know meanwhile. Each may be empty. Called in the pipeline's thread.
struct PipelineObserver {
  std::function<void(std::uint64_t bytes, std::uint64_t of)> on_format;
  std::function<void(std::uint64_t rows, std::uint64_t of)> on_upload;
  /// Something is down: why, and when it is tried again.
  std::function<void(const std::string& why, std::chrono::milliseconds wait)> on_wait;
  /// What a person should know, though nothing stops.
  std::function<void(const std::string& text)> on_note;
};

enum class Ending {
  done,
  failed,   // the file's own content: it is in failed/, or, by hand, where it was
  gave_up,  // something is down and the job may not wait for ever: the file stays where it is
  refused,  // the store takes nothing of it, and may take others: the file stays where it is
  stopped,
  vanished,    // the file is not there any more
  mismatched,  // its content is not what its manifest says: a good transfer may follow
  not_ready,   // it cannot be read now (a second link, a lease, no right): others need not wait
};

struct PipelineResult {
  Ending ending = Ending::done;
  LineCounts counts;
  std::string message;  // failed, gave_up, refused: why
  std::string format;
  bool wants_year = false;  // failed for want of --year
};

/// Everything that a pipeline works with; all of it must outlive it. One thread.
struct PipelineTools {
  const Config& config;
  const FeedConfig& feed;
  const formatter::FormatSet& formats;
  const Spool& spool;
  Ledger& ledger;
  uploader::Store& store;
  const uploader::StoreConfig& store_config;
  const StopSignal& stop;
  PipelineObserver observer;
  /// How long a store (or a disk) may be down before the job is given up; empty: for ever.
  std::optional<std::chrono::milliseconds> patience;
};

class Pipeline {
 public:
  explicit Pipeline(PipelineTools tools) : tools_(std::move(tools)) {}

  /// Takes one extract all the way. Blocks. The order of its steps is the one that survives a crash
  /// at any instant (docs/promises.md): everything up to the commit of `done` can be done again.
  [[nodiscard]] PipelineResult run(const ExtractJob& job);

 private:
  PipelineTools tools_;
};

}  // namespace caravel::watcher
