// One extract on its way, with a store that does not tell the truth.
#include "watcher/pipeline/pipeline.h"

#include <gmock/gmock.h>

#include "tests/support/spool_fixture.h"
#include "watcher/ledger/extracts.h"
#include "watcher/spool/originals.h"

namespace caravel::watcher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using uploader::RefusedRow;
using uploader::UploadCounts;

/// Says that all went well, and counts as it was told to.
class LyingUpload : public uploader::Upload {
 public:
  LyingUpload(UploadCounts counts, std::vector<RefusedRow> refused)
      : counts_(counts), refused_(std::move(refused)) {}
  Result<> run(const StopSignal&) override { return {}; }
  [[nodiscard]] const UploadCounts& counts() const override { return counts_; }
  [[nodiscard]] const std::vector<RefusedRow>& refused() const override { return refused_; }
  [[nodiscard]] bool must_restart() const override { return false; }
  [[nodiscard]] const std::vector<std::string>& notes() const override { return notes_; }

 private:
  UploadCounts counts_;
  std::vector<RefusedRow> refused_;
  std::vector<std::string> notes_;
};

class LyingStore : public uploader::Store {
 public:
  UploadCounts counts;
  std::vector<RefusedRow> refused;

  Result<std::string> check(bool) override { return std::string("fine"); }
  std::unique_ptr<uploader::Upload> start(uploader::ExtractInfo, formatter::RowReader,
                                          uploader::UploadOptions) override {
    return std::make_unique<LyingUpload>(counts, refused);
  }
  Result<std::optional<uploader::StoredDocument>> find(const std::string&) override {
    return std::nullopt;
  }
  Result<uploader::Missing> missing(const std::string&, formatter::RowReader,
                                    const StopSignal&) override {
    return uploader::Missing{};
  }
  Result<> for_each_row_of(const std::string&, const std::string&,
                           const std::function<void(const uploader::StoredDocument&)>&) override {
    return {};
  }
  Result<> for_each_feed_document(
      const std::string&, const std::function<void(const uploader::StoredDocument&)>&) override {
    return {};
  }
  Result<std::uint64_t> remove_rows(const std::string&, const std::string&,
                                    const std::vector<std::string>&) override {
    return std::uint64_t{0};
  }
  Result<bool> put_mapping(const uploader::Mapping&, bool) override { return true; }
};

UploadCounts counts_of(std::uint64_t stored, std::uint64_t already_there,
                       std::uint64_t differs = 0) {
  UploadCounts counts;
  counts.stored = stored;
  counts.already_there = already_there;
  counts.differs = differs;
  return counts;
}

class PipelineTest : public SpoolTest {
 protected:
  /// Four lines: three rows and a reject.
  const ReadyExtract& Extract() {
    Configure("feeds:\n  hrt: {format: spysocket, max_rejects: 90%}\n");
    Drop("drop/a-2012-03-09.log", GoodLine(1) + GoodLine(2) + "rubbish\n" + GoodLine(3));
    Start();
    EXPECT_THAT(Ready(), ElementsAre("hrt/a-2012-03-09.log"));
    return in_work_.front();
  }
  LyingStore store_;
};

TEST_F(PipelineTest, AnExtractWhoseLinesAreNotAllAccountedForIsNotDone) {
  const ReadyExtract& extract = Extract();
  const RefusedRow refused{1, 0, "no"};
  const struct {
    const char* what;
    UploadCounts counts;
    std::vector<RefusedRow> refused;
  } cases[] = {
      {"a row lost", counts_of(2, 0), {}},
      {"a row invented", counts_of(4, 0), {}},
      {"a row counted twice", counts_of(3, 1), {}},
      {"stored and refused", counts_of(3, 0), {refused}},
      {"more that differ than are there", counts_of(2, 1, 2), {}},
      {"nothing at all", counts_of(0, 0), {}},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    store_.counts = test.counts;
    store_.refused = test.refused;
    const PipelineResult result = Load(extract, store_);
    EXPECT_EQ(result.ending, Ending::put_off);
    EXPECT_THAT(result.message, HasSubstr("set done"));
    const auto known = Must(ledger_->extracts().find_claim(extract.claim.id));
    ASSERT_TRUE(known);
    EXPECT_EQ(known->state, State::waiting);
    EXPECT_THAT(dir_.list("spool/done"), IsEmpty());
    EXPECT_TRUE(dir_.exists("spool/work/" + extract.claim.id + "/a-2012-03-09.log"));
  }
  store_.counts = counts_of(2, 0);
  store_.refused = {refused};
  EXPECT_EQ(Load(extract, store_).ending, Ending::done);
  const LineCounts counts = Must(ledger_->extracts().find_claim(extract.claim.id))->counts;
  EXPECT_EQ(counts.lines, 4U);
  EXPECT_EQ(counts.stored, 2U);
  EXPECT_EQ(counts.rejected, 2U);
}

TEST_F(PipelineTest, AnExtractThatFindsNoRoomWaitsAloneAndLeavesItToOthers) {
  const ReadyExtract& extract = Extract();
  for (FeedConfig& feed : config_.feeds) feed.keep_csv = std::chrono::hours(1);
  std::uint64_t free = 1500;
  const std::string spool = config_.spool;
  spool_.emplace(
      Must(Spool::open(spool, Room(1000, [&](int) { return Result<std::uint64_t>(free); }))));
  store_.counts = counts_of(3, 0);
  SpaceNeeds needs;
  const auto load = [&] {
    const Service service{config_, test::ShippedFormats(), *spool_, never_};
    return run_pipeline({service, *extract.feed, *ledger_, store_, {}, std::nullopt, &needs},
                        job_of_claim(extract.claim, *extract.root, false));
  };
  const auto nothing_is_left = [&] {
    EXPECT_THAT(dir_.list("spool/csv"), IsEmpty());
    EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
    const auto known = Must(ledger_->extracts().find_claim(extract.claim.id));
    EXPECT_EQ(known->state, State::waiting);
    EXPECT_THAT(known->why, HasSubstr("disk: "));
    EXPECT_TRUE(dir_.exists("spool/work/" + extract.claim.id + "/a-2012-03-09.log"));
  };
  const PipelineResult first = load();
  EXPECT_EQ(first.ending, Ending::refused) << "not given up, nor waited for: others may pass";
  EXPECT_TRUE(first.asks_for_room_first) << "however long this took, the next try is cheap";
  nothing_is_left();
  const std::uint64_t needed = needs.of(extract.claim.id, std::chrono::steady_clock::now());
  EXPECT_GT(needed, 500U);

  // With as much as before it would come as far as before.
  free = 1000 + needed - 1;
  const PipelineResult again = load();
  EXPECT_EQ(again.ending, Ending::refused);
  EXPECT_THAT(again.message, HasSubstr(std::to_string(needed)));
  nothing_is_left();

  free = 1000 + needed;
  EXPECT_EQ(load().ending, Ending::done);
}

TEST_F(PipelineTest, ADiskThatIsLowLetsNothingBegin) {
  const ReadyExtract& extract = Extract();
  const std::string spool = config_.spool;
  spool_.emplace(
      Must(Spool::open(spool, Room(1000, [](int) { return Result<std::uint64_t>(999); }))));
  store_.counts = counts_of(3, 0);
  const PipelineResult result = Load(extract, store_);
  EXPECT_EQ(result.ending, Ending::put_off);
  EXPECT_THAT(result.message, HasSubstr("less than min_free (1000 bytes) is free"));
}

TEST_F(PipelineTest, ARejectWithoutRoomIsKeptByItsPlaceInTheOriginal) {
  const ReadyExtract& extract = Extract();
  config_.max_reject_bytes = 0;
  store_.counts = counts_of(2, 0);
  store_.refused = {{4, 0, "the store says no"}};
  const PipelineResult result = Load(extract, store_);
  EXPECT_EQ(result.ending, Ending::done);
  const std::size_t line = GoodLine(1).size();
  EXPECT_EQ(dir_.read_file("spool/rejects/a-2012-03-09.log.reasons.csv"),
            fmt::format("line,offset,reason\n3,{},expected a time HH:MM:SS (Time) at byte 0 "
                        "(location); kept by its place: 7 bytes\n4,{},the store says no; kept by "
                        "its place: {} bytes\n",
                        2 * line, 2 * line + 8, line - 1));
  EXPECT_FALSE(dir_.exists("spool/rejects/a-2012-03-09.log.rejects"));
  EXPECT_THAT(originals_in_use(*spool_).value(),
              ElementsAre(Original{"a-2012-03-09.log", 3 * line + 8}));
  EXPECT_THAT(Must(ledger_->extracts().find_claim(extract.claim.id))->why,
              HasSubstr("2 rejects are kept by their place only"));
}

TEST_F(PipelineTest, KeepsTheCsvIfItIsToBeKeptForSomeTime) {
  store_.counts = counts_of(3, 0);
  const ReadyExtract& first = Extract();
  for (FeedConfig& feed : config_.feeds) feed.keep_csv = std::chrono::hours(1);
  EXPECT_EQ(Load(first, store_).ending, Ending::done);
  EXPECT_EQ(dir_.list("spool/csv").size(), 2U) << "the CSV and its sidecar";

  Drop("drop/b-2012-03-09.log", GoodLine(1) + GoodLine(2) + "rubbish\n" + GoodLine(3));
  for (FeedConfig& feed : config_.feeds) feed.keep_csv = std::chrono::milliseconds(0);
  Pass(std::chrono::minutes(2));
  ASSERT_THAT(Ready(), ElementsAre("hrt/b-2012-03-09.log"));
  EXPECT_EQ(Load(in_work_.back(), store_).ending, Ending::done);
  EXPECT_EQ(dir_.list("spool/csv").size(), 2U) << "those of the first";
}

}  // namespace
}  // namespace caravel::watcher
