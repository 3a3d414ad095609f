// One extract from claim to done.
//
//   ExtractJob ──> run_pipeline() ──> PipelineResult: how it ended, and the counts of its lines
//                    │   ^
//                    v   │ a passing fault: wait, then the same step again
//                  Attempt     open → format → upload → rejects → commit done → archive
//                                                  (attempt.h: the order that survives a crash)
//
// Everybody loads extracts this way: `watch` and `sweep` what was claimed, `process` and `upload`
// what a person names.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "formatter/formatter.h"
#include "uploader/store.h"
#include "watcher/config/config.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/extract_job.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/room.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// What all extracts of this process share; must outlive them. Any thread may read it.
struct Service {
  const Config& config;
  const formatter::FormatSet& formats;
  const Spool& spool;
  StopSignal& stop;
  Origin origin = Origin::drop;
};

/// What the outside wants to know meanwhile. Each may be empty. Called in the pipeline's thread.
struct PipelineObserver {
  std::function<void(std::uint64_t bytes, std::uint64_t of)> on_format;
  std::function<void(std::uint64_t rows, std::uint64_t of)> on_upload;
  /// The store brings an older table up to date before it takes rows. Called often.
  std::function<void(std::uint64_t rows, std::uint64_t of)> on_upgrade;
  /// Something is down: why, and when it is tried again.
  std::function<void(const std::string& why, std::chrono::milliseconds wait)> on_wait;
  /// What a person should know, though nothing stops.
  std::function<void(const std::string& text)> on_note;
};

class PipelineRun;

/// Extracts that were put off behind their formatting: the next try goes on from there, and what
/// the store has answered for is not sent again. Only memory is held, and not much: past the bounds
/// an extract begins with its file again, which does no harm. One thread.
class PutOffRuns {
 public:
  static constexpr std::size_t kMost = 100;
  /// Lines that stores refused, of all of them.
  static constexpr std::size_t kMostRefused = 100'000;

  PutOffRuns();
  ~PutOffRuns();
  PutOffRuns(const PutOffRuns&) = delete;
  PutOffRuns& operator=(const PutOffRuns&) = delete;

  void put(std::unique_ptr<PipelineRun> run);
  /// Null if there is none.
  [[nodiscard]] std::unique_ptr<PipelineRun> take(const std::string& claim);
  [[nodiscard]] std::size_t size() const { return runs_.size(); }

 private:
  std::map<std::string, std::unique_ptr<PipelineRun>> runs_;  // by claim id
  std::size_t refused_ = 0;
};

/// What one extract is loaded with. All of it must outlive run_pipeline(); one thread.
struct PipelineTools {
  const Service& service;
  const FeedConfig& feed;
  Ledger& ledger;
  uploader::Store& store;  // the feed's
  PipelineObserver observer;
  /// How long a store may be down before the job is given up; empty: for ever.
  std::optional<std::chrono::milliseconds> patience;
  /// What is known of extracts that found too little room; null if nothing is remembered.
  SpaceNeeds* needs = nullptr;
  /// Other extracts can go on while this one cannot: trouble of its own puts it off, and what is
  /// done of it is kept here. Null: such trouble is waited for like a store.
  PutOffRuns* put_off = nullptr;
  /// Where `patience` is for ever: how long any other trouble may last, such as a store that
  /// answers, and refuses our password.
  std::optional<std::chrono::milliseconds> patience_otherwise{};

  [[nodiscard]] const uploader::StoreConfig& store_config() const {
    return *service.config.find_store(feed.store);
  }
};

enum class Ending {
  done,
  failed,   // the file's own content: it is in failed/, or, by hand, where it was
  gave_up,  // something is down and the job may not wait for ever: the file stays where it is
  put_off,  // trouble of this file, or of a directory here: it stays, and others may pass
  refused,  // the store takes nothing of it, or the disk has no room for it; others may pass: the
            // file stays where it is
  stopped,
  vanished,    // the file is not there any more
  mismatched,  // its content is not what its manifest says: a good transfer may follow
  not_ready,   // it cannot be read now (a second link, a lease, no right): others need not wait
};

struct PipelineResult {
  Ending ending = Ending::done;
  LineCounts counts;
  std::string message;  // empty if done: else why it is not
  std::string format;
  bool wants_year = false;  // failed for want of --year
  /// Done or failed, but its file could not be moved out of work/ yet: why. The intake repeats it.
  std::string left_in_work;
  std::chrono::milliseconds took{0};
  /// The next try asks for room on the disk before anything else: it costs nothing while there is
  /// none.
  bool asks_for_room_first = false;
};

/// Takes one extract all the way. Blocks: while the store is down it waits and tries again, until
/// `tools.patience` is over or Service::stop is requested. Trouble of any other kind is this
/// extract's own: it is put off, if `tools.put_off` is there. A crash at any instant loses nothing
/// and stores nothing twice: attempt.h says why.
[[nodiscard]] PipelineResult run_pipeline(const PipelineTools& tools, const ExtractJob& job);

}  // namespace caravel::watcher
