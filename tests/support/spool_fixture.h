// A loading host in one process: configuration, spool, ledger and intake, and a clock that only the
// test moves.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/moment.h"
#include "tests/formatter/format_run.h"
#include "tests/support/temp_dir.h"
#include "uploader/store.h"
#include "watcher/intake/intake.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/spool/spool.h"
#include "watcher/store_types.h"

namespace caravel::watcher {

class SpoolTest : public ::testing::Test {
 protected:
  template <class T>
  static T Must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  }
  static void Must(const Result<>& result) {
    if (!result) throw std::runtime_error(result.error().message);
  }

  /// `text`: what the configuration says beside spool and state.
  void Configure(const std::string& text) {
    config_ = Must(parse_config("spool: spool\nstate: state\n" + text, dir_.path("caravel.yaml"),
                                all_store_types(), ConfigOptions{}));
    spool_ = Must(Spool::open(config_.spool));
    ledger_ = Must(Ledger::open(config_.ledger_path()));
  }
  void Start() {
    intake_.emplace(config_, *spool_, *ledger_, nullptr);
    Must(intake_->start(now_));
  }
  /// Lets time pass, then lets the intake do what is due.
  void Pass(std::chrono::milliseconds time) {
    now_.steady += time;
    now_.wall += time;
    intake_->step(now_);
  }
  /// Drops a file with times that are old enough for it to be whole.
  void Drop(const std::string& path, const std::string& content) {
    dir_.write_file("spool/" + path, content);
  }
  /// The names that became ready, "feed/name". They stay in work.
  std::vector<std::string> Ready() {
    std::vector<std::string> names;
    for (ReadyExtract& extract : intake_->take_ready()) {
      names.push_back(extract.feed->name + "/" + extract.claim.name);
      in_work_.push_back(std::move(extract));
    }
    std::ranges::sort(names);
    return names;
  }
  /// Runs the pipeline for one extract, into `store`. A store that is down is not waited for.
  PipelineResult Load(const ReadyExtract& extract, uploader::Store& store) {
    const Service service{config_, test::ShippedFormats(), *spool_, never_};
    return run_pipeline({service, *extract.feed, *ledger_, store, {}, std::chrono::milliseconds(0)},
                        job_of_claim(extract.claim, *extract.root, extract.last_chance));
  }

  test::TempDir dir_;
  Config config_;
  std::optional<Spool> spool_;
  std::optional<Ledger> ledger_;
  std::optional<Intake> intake_;
  std::vector<ReadyExtract> in_work_;
  // The clock starts a little in the future: files that are made now have been still for long then.
  Moment now_{std::chrono::steady_clock::now(),
              std::chrono::system_clock::now() + std::chrono::seconds(10)};
  StopSignal never_;
};

/// One good line of spysocket.
inline std::string GoodLine(int second) {
  return fmt::format(
      "09:48:{:02} 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] "
      "Adher:3 [Valid] Odom:2668 [Valid] DGPS:On FOM:2\n",
      second);
}

}  // namespace caravel::watcher
