// The steps of one extract through the pipeline, and what is known in between. Internal to it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "watcher/exchange/manifest.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/stores.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Each step is done once; an outage in the middle of one repeats that step only. A step says
/// itself which comes next.
class Attempt {
 public:
  Attempt(PipelineTools& tools, const ExtractJob& job);

  /// Goes on until the extract is done or failed. After an error: call again, and it goes on.
  [[nodiscard]] Result<> go_on();

  /// Grows with every step and with every row that is acknowledged.
  [[nodiscard]] std::uint64_t progress() const { return progress_; }
  /// Set if the file itself cannot be had: it is not there, or not ready after all.
  [[nodiscard]] std::optional<Ending> file_trouble() const { return file_trouble_; }
  [[nodiscard]] PipelineResult result(Ending ending, std::string message) const;
  /// The ending once go_on() has succeeded.
  [[nodiscard]] PipelineResult result() const;

  /// Notes in the ledger, and tells the observer, that it waits.
  void report_wait(const Error& error, std::chrono::milliseconds wait, Time now);

 private:
  enum class Step {
    open,           // and fsync the file: power loss is covered from here on
    take_prepared,  // or
    format,         // to CSV and sidecar
    upload,         // rows, then the feed document
    keep_rejects,   // those of the store too
    finish,         // commit `done` with its counts
    remove_stale,
    archive,
    refuse,  // the file's own content is at fault: commit `failed`, set it aside
    end,
  };

  Result<> open();
  Result<> take_prepared();
  Result<> format();
  Result<> check_manifest(const std::vector<Manifest>& manifests);
  Result<> note_formatted();
  Result<> upload();
  Result<> start_upload();
  Result<bool> was_loaded_before();
  Result<formatter::RowReader> open_rows() const;
  void acknowledge(std::uint64_t rows);
  Result<> keep_rejects();
  Result<> finish();
  Result<> remove_stale();
  Result<> archive();
  Result<> refuse();
  Result<> note_sequence(State end);
  Result<> put_file_away();
  void start_over();

  void mark_store(StoreState state, const std::string& why, std::optional<Time> next_try);
  void note(const std::string& text);
  [[nodiscard]] std::string temporary(std::string_view folder, std::string_view ending) const;
  [[nodiscard]] formatter::Rejects::Paths reject_paths() const;
  void remove_csv() const;
  void remove_temporaries() const;

  PipelineTools& tools_;
  const ExtractJob& job_;
  const Time begun_at_;
  const std::string csv_;
  const std::string sidecar_;
  const std::string temporary_prefix_;
  Step step_ = Step::open;
  std::uint64_t progress_ = 0;
  UniqueFd fd_;
  std::optional<Ending> file_trouble_;
  FormatReport report_;
  std::string format_name_;
  std::unique_ptr<uploader::Upload> upload_;
  bool refused_rows_kept_ = false;
  std::uint64_t acknowledged_ = 0;
  std::chrono::steady_clock::time_point reported_{};
  std::optional<StoreState> marked_;
  std::optional<std::string> refusal_;  // why the file is set aside
  LineCounts counts_;
  std::vector<std::string> notes_;
};

}  // namespace caravel::watcher
