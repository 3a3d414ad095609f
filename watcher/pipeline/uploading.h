// The rows of one extract on their way into its store, and what the ledger hears of it. Internal to
// the pipeline.
//
//   start()  opens an upload ─┐
//   run()    rows … ──────────┴─> store      run() again after an outage: it goes on behind the
//            feed document ─────> store      rows that were acknowledged
//              │
//              └─> ledger: rows acknowledged (once a second), state of the store, its first row
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"
#include "watcher/ledger/stores.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/obstacle.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// What a store made of all rows of an extract.
struct StoreAnswer {
  uploader::UploadCounts counts;
  std::vector<uploader::RefusedRow> refused;
};

class Uploading {
 public:
  /// Both must outlive it. The feed document says that the extract was taken at this moment.
  Uploading(const PipelineTools& tools, const ExtractJob& job);
  Uploading(const Uploading&) = delete;
  Uploading& operator=(const Uploading&) = delete;

  /// False before start(), after an error of run() that no upload can go on from, and at the end.
  [[nodiscard]] bool started() const { return upload_ != nullptr; }
  /// Begins with the first of `rows`. `report` is what formatting said of them.
  [[nodiscard]] Result<> start(formatter::RowReader rows, const FormatReport& report);
  /// Blocks until the feed document is stored. Needs started(). Errors as Upload::run(); it is said
  /// of the store only what is the store's fault.
  [[nodiscard]] StepResult<> run();
  /// Forgets what was stored: all rows are sent again.
  void start_over();

  /// What the store did, once run() has succeeded: from then on nothing of the upload is held but
  /// this. Null before.
  [[nodiscard]] const StoreAnswer* answer() const { return answer_ ? &*answer_ : nullptr; }
  /// What the last run() noted, whether it succeeded or not.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// What the store took at a time, and how long that took, over all runs.
  [[nodiscard]] const BatchSums& batches() const { return batches_; }
  /// The most rows that were ever acknowledged: what is sent again is no progress.
  [[nodiscard]] std::uint64_t furthest() const { return furthest_; }

  /// Notes in the ledger that the store is down or at fault.
  void store_is_down(const Error& error, Time next_try);

 private:
  void acknowledge(std::uint64_t rows);
  void mark_store(StoreState state, const std::string& why, std::optional<Time> next_try);

  const PipelineTools& tools_;
  const ExtractJob& job_;
  const std::string place_;  // of the store, as the ledger knows it
  const Time begun_at_;
  std::unique_ptr<uploader::Upload> upload_;
  std::uint64_t rows_ = 0;  // to be sent
  bool had_rows_ = false;   // the store did, before, and the ledger knows
  std::uint64_t acknowledged_ = 0;
  std::uint64_t furthest_ = 0;
  std::optional<StoreAnswer> answer_;
  BatchSums batches_;
  std::vector<std::string> notes_;
  std::chrono::steady_clock::time_point told_ledger_{};
  std::optional<StoreState> marked_;
};

}  // namespace caravel::watcher
