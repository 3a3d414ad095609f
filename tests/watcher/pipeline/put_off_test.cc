// Trouble of one extract, or of a directory of ours: whose it is said to be, and what is done
// again.
#include <fcntl.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/support/spool_fixture.h"
#include "tests/support/without_right.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/stores.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {
namespace {

using test::WithoutRight;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using uploader::RefusedRow;
using uploader::UploadCounts;

/// What the store of these tests answers, and how often it was asked.
struct Script {
  UploadCounts counts;
  std::vector<RefusedRow> refused;
  std::optional<Error> error;
  bool of_csv = false;
  int uploads = 0;
};

class ScriptedUpload : public uploader::Upload {
 public:
  explicit ScriptedUpload(const Script& script) : script_(script) {}
  Result<> run(const StopSignal&) override {
    if (script_.error) return tl::unexpected(*script_.error);
    return {};
  }
  [[nodiscard]] const UploadCounts& counts() const override { return script_.counts; }
  [[nodiscard]] const std::vector<RefusedRow>& refused() const override { return script_.refused; }
  [[nodiscard]] bool must_restart() const override { return script_.of_csv; }
  [[nodiscard]] bool csv_failed() const override { return script_.of_csv; }
  [[nodiscard]] const std::vector<std::string>& notes() const override { return notes_; }

 private:
  const Script& script_;
  std::vector<std::string> notes_;
};

class ScriptedStore : public uploader::Store {
 public:
  Script script;

  Result<std::string> check(bool) override { return std::string("fine"); }
  std::unique_ptr<uploader::Upload> start(uploader::ExtractInfo, formatter::RowReader,
                                          uploader::UploadOptions) override {
    ++script.uploads;
    return std::make_unique<ScriptedUpload>(script);
  }
  Result<std::optional<uploader::StoredDocument>> find(const std::string&) override {
    return std::nullopt;
  }
  Result<uploader::Missing> missing(const std::string&, formatter::RowReader,
                                    const StopSignal&) override {
    return uploader::Missing{};
  }
  Result<> for_each_feed_document(
      const std::string&, const std::function<void(const uploader::StoredDocument&)>&) override {
    return {};
  }
  Result<> for_each_row_of(const std::string&, const std::string&,
                           const std::function<void(const uploader::StoredDocument&)>&) override {
    return {};
  }
  Result<std::uint64_t> remove_rows(const std::string&, const std::string&,
                                    const std::vector<std::string>&) override {
    return std::uint64_t{0};
  }
  Result<bool> put_mapping(const uploader::Mapping&, bool) override { return true; }
};

class PutOffTest : public SpoolTest {
 protected:
  /// One extract in work: of three rows the store refuses the second.
  void Take(const std::string& more_lines = "", const std::string& keep_csv = "7d") {
    Configure("feeds:\n  hrt: {format: spysocket, max_rejects: 90%, keep_csv: " + keep_csv + "}\n");
    Drop("drop/a-2012-03-09.log", GoodLine(1) + GoodLine(2) + GoodLine(3) + more_lines);
    Start();
    EXPECT_THAT(Ready(), ElementsAre("hrt/a-2012-03-09.log"));
    store_.script.counts.stored = 2;
    store_.script.refused = {{2, GoodLine(1).size(), "no"}};
  }
  PipelineResult Load() {
    const ReadyExtract& extract = in_work_.front();
    const Service service{config_, test::ShippedFormats(), *spool_, never_};
    const PipelineTools tools{service, *extract.feed, *ledger_, store_,
                              {},      std::nullopt,  nullptr,  &runs_};
    return run_pipeline(tools, job_of_claim(extract.claim, *extract.root, extract.last_chance));
  }
  void Chmod(const std::string& directory, mode_t mode) {
    ASSERT_EQ(::chmod(dir_.path("spool/" + directory).c_str(), mode), 0);
  }
  std::vector<Extract> Waiting() { return Must(ledger_->extracts().unfinished()); }

  ScriptedStore store_;
  PutOffRuns runs_;
};

TEST_F(PutOffTest, WhatTheStoreHasAnsweredForIsNotSentAgain) {
  Take();
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_right;
    Chmod("rejects", 0550);
    for (int i = 0; i < 5; ++i) {
      const PipelineResult result = Load();
      EXPECT_EQ(result.ending, Ending::put_off);
      EXPECT_THAT(result.message, HasSubstr("rejects/"));
    }
    Chmod("rejects", 0750);
  }
  EXPECT_EQ(Load().ending, Ending::done);
  EXPECT_EQ(store_.script.uploads, 1);
  EXPECT_EQ(dir_.read_file("spool/rejects/a-2012-03-09.log.rejects"), GoodLine(2));
}

TEST_F(PutOffTest, ALineThatTheStoreRefusedIsKeptOnceHoweverOftenThatIsTried) {
  Take("rubbish\n");
  // The lines are added to the temporaries, and then nobody can take a name for them.
  ASSERT_EQ(Load().ending, Ending::done);
  const std::string owner =
      ".tmp-hidden-" +
      Must(ledger_->extracts().find_claim(in_work_.front().claim.id))->sha256.substr(0, 16);
  for (const std::string& name : dir_.list("spool/rejects")) {
    std::filesystem::remove(dir_.path("spool/rejects/" + name));
  }
  dir_.make_dir("spool/rejects/" + owner);
  Drop("drop/a-2012-03-09.log", GoodLine(1) + GoodLine(2) + GoodLine(3) + "rubbish\n");
  Pass(std::chrono::minutes(2));
  in_work_.clear();
  ASSERT_THAT(Ready(), ElementsAre("hrt/a-2012-03-09.log"));
  store_.script.uploads = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Load().ending, Ending::put_off);
  std::filesystem::remove(dir_.path("spool/rejects/" + owner));
  EXPECT_EQ(Load().ending, Ending::done);
  EXPECT_EQ(store_.script.uploads, 1);
  EXPECT_EQ(dir_.read_file("spool/rejects/a-2012-03-09.log.rejects"), "rubbish\n" + GoodLine(2));
}

TEST_F(PutOffTest, RejectFilesThatWereTidiedAwayAreMadeAnewWithoutAnotherUpload) {
  Take("rubbish\n");
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_right;
    store_.script.error = Error{ErrorKind::refused, "none of these"};
    EXPECT_EQ(Load().ending, Ending::refused);
    store_.script.error.reset();
    Chmod("rejects", 0550);
    EXPECT_EQ(Load().ending, Ending::put_off);
    Chmod("rejects", 0750);
  }
  for (const std::string& name : dir_.list("spool/rejects")) {
    std::filesystem::remove(dir_.path("spool/rejects/" + name));
  }
  EXPECT_EQ(Load().ending, Ending::put_off) << "they are missed";
  EXPECT_EQ(Load().ending, Ending::done);
  EXPECT_EQ(store_.script.uploads, 2) << "the refused one, and the good one";
  EXPECT_EQ(dir_.read_file("spool/rejects/a-2012-03-09.log.rejects"), "rubbish\n" + GoodLine(2));
}

TEST_F(PutOffTest, WithoutACsvOnTheDiskEachTryFormatsAnewAndFindsTheSameRejects) {
  Take("rubbish\n", "0s");
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_right;
    Chmod("rejects", 0550);
    EXPECT_EQ(Load().ending, Ending::put_off);
    Chmod("rejects", 0750);
  }
  for (const std::string& name : dir_.list("spool/rejects")) {
    std::filesystem::remove(dir_.path("spool/rejects/" + name));
  }
  EXPECT_EQ(Load().ending, Ending::done);
  EXPECT_EQ(store_.script.uploads, 1);
  EXPECT_EQ(dir_.read_file("spool/rejects/a-2012-03-09.log.rejects"), "rubbish\n" + GoodLine(2));
}

TEST_F(PutOffTest, ARejectsDirectoryThatCannotBeWrittenIsNoMatterWithoutARejects) {
  Take();
  store_.script.counts.stored = 3;
  store_.script.refused.clear();
  const WithoutRight<CAP_DAC_OVERRIDE> no_right;
  Chmod("rejects", 0550);
  EXPECT_EQ(Load().ending, Ending::done);
}

TEST_F(PutOffTest, ACsvThatCannotBeReadIsNotBlamedOnTheStore) {
  Take();
  store_.script.error = Error{ErrorKind::retry, "csv: read: Input/output error"};
  store_.script.of_csv = true;
  EXPECT_EQ(Load().ending, Ending::put_off);
  EXPECT_THAT(Waiting().at(0).why, HasSubstr("csv: read"));
  EXPECT_THAT(Must(ledger_->stores().all()), IsEmpty()) << "nothing is said of the store";
  store_.script.error.reset();
  EXPECT_EQ(Load().ending, Ending::done);
}

TEST_F(PutOffTest, AnExtractThatIsDoneBlocksNobodyThoughItCannotBeArchived) {
  Take();
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_right;
    Chmod("done", 0550);
    const PipelineResult result = Load();
    EXPECT_EQ(result.ending, Ending::done);
    EXPECT_THAT(result.left_in_work, HasSubstr("done"));
    intake_->finished(in_work_.front(), now_);
    Pass(std::chrono::minutes(2));
    EXPECT_THAT(intake_->take_messages(), ElementsAre(HasSubstr("done")));
    Chmod("done", 0750);
  }
  Pass(std::chrono::minutes(2));
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
  EXPECT_THAT(Must(ledger_->extracts().not_archived()), IsEmpty());
}

TEST_F(PutOffTest, SoManyAreKeptAndNoMore) {
  Take();
  const WithoutRight<CAP_DAC_OVERRIDE> no_right;
  Chmod("rejects", 0550);
  const Service service{config_, test::ShippedFormats(), *spool_, never_};
  const ReadyExtract& extract = in_work_.front();
  const PipelineTools tools{service, *extract.feed, *ledger_, store_,
                            {},      std::nullopt,  nullptr,  &runs_};
  store_.script.refused.resize(PutOffRuns::kMostRefused + 1, store_.script.refused.front());
  const auto job = job_of_claim(extract.claim, *extract.root, false);
  EXPECT_EQ(run_pipeline(tools, job).ending, Ending::put_off);
  EXPECT_EQ(runs_.size(), 0U) << "its refused lines would take too much room";
  Chmod("rejects", 0750);
}

}  // namespace
}  // namespace caravel::watcher
