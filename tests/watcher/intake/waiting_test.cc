// Claims that wait: what they keep from going on, how often they are looked at, and what a restart
// makes of those that lie in places of their own.
#include <sys/stat.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/spool_fixture.h"
#include "tests/support/without_right.h"
#include "watcher/intake/intake.h"
#include "watcher/intake/open_claims.h"
#include "watcher/ledger/extracts.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using test::WithoutRight;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WaitingTest : public SpoolTest {
 protected:
  void PutOff(const ReadyExtract& extract, const std::string& why) {
    intake_->wait_again(extract, {WaitReason::put_off, why}, now_);
  }
  /// How often extract 0 becomes ready while this time passes; it is put off each time.
  int TriesWithin(std::chrono::milliseconds time) {
    int tries = 0;
    for (auto passed = 0ms; passed < time; passed += 500ms) {
      Pass(500ms);
      for (const ReadyExtract& extract : intake_->take_ready()) {
        ++tries;
        PutOff(extract, "a disk error");
      }
    }
    return tries;
  }
};

TEST_F(WaitingTest, FilesThatCannotBeReadTakeNoPlace) {
  Configure("max_claims: 2\nfeeds:\n  hrt: {format: spysocket}\n");
  const WithoutRight<CAP_DAC_OVERRIDE> no_override;
  const WithoutRight<CAP_DAC_READ_SEARCH> no_search;
  for (int i = 0; i < 8; ++i) {
    const std::string path = fmt::format("drop/a{}.log", i);
    Drop(path, GoodLine(1));
    ASSERT_EQ(::chmod(dir_.path("spool/" + path).c_str(), 0), 0);
  }
  Drop("drop/good.log", GoodLine(1));
  Start();
  Pass(1s);
  EXPECT_THAT(Ready(), ElementsAre("hrt/good.log"));
  for (int i = 0; i < 20; ++i) Pass(10s);
  EXPECT_EQ(intake_->waiting(), 8U);
}

TEST_F(WaitingTest, FilesThatAreHeldOpenTakeNoPlace) {
  Configure("max_claims: 2\nfeeds:\n  hrt: {format: spysocket}\n");
  std::vector<UniqueFd> senders;
  for (int i = 0; i < 8; ++i) {
    const std::string path = fmt::format("drop/a{}.log", i);
    Drop(path, GoodLine(1));
    senders.push_back(Must(open_file(dir_.path("spool/" + path), O_WRONLY)));
  }
  Drop("drop/good.log", GoodLine(1));
  Start();
  for (int i = 0; i < 20; ++i) Pass(1s);
  EXPECT_THAT(Ready(), ElementsAre("hrt/good.log"));
}

TEST_F(WaitingTest, ExtractsThatArePutOffTakeNoPlaceAndComeBackEverLaterAlone) {
  Configure("max_claims: 1\nfeeds:\n  hrt: {format: spysocket}\n");
  Drop("drop/bad.log", GoodLine(1));
  Start();
  ASSERT_THAT(Ready(), ElementsAre("hrt/bad.log"));
  PutOff(in_work_[0], "a disk error");
  const int soon = TriesWithin(60s);
  Drop("drop/good.log", GoodLine(2));
  bool good = false;
  for (int i = 0; i < 130 && !good; ++i) {
    Pass(1s);
    for (const ReadyExtract& extract : intake_->take_ready()) {
      good = extract.claim.name == "good.log";
      if (good) intake_->finished(extract, now_);
      if (!good) PutOff(extract, "a disk error");
    }
  }
  EXPECT_TRUE(good);
  const int later = TriesWithin(600s);
  EXPECT_GE(soon, 4);
  EXPECT_LT(later, 10 * soon) << "ever less often";
  EXPECT_GE(later, 8) << "but never given up";
  EXPECT_THAT(intake_->take_messages(), ElementsAre("bad.log: waits: a disk error")) << "said once";
}

TEST_F(WaitingTest, OneThatComesThroughHurriesTheOthers) {
  Configure("feeds:\n  hrt: {format: spysocket}\n");
  for (int i = 0; i < 5; ++i) Drop(fmt::format("drop/a{}.log", i), GoodLine(1));
  Start();
  ASSERT_EQ(Ready().size(), 5U);
  // For long, so that their next tries lie far ahead.
  for (int round = 0; round < 8; ++round) {
    for (const ReadyExtract& extract : std::exchange(in_work_, {})) PutOff(extract, "no room");
    for (int i = 0; in_work_.size() < 5 && i < 200; ++i) {
      Pass(1s);
      (void)Ready();
    }
  }
  ASSERT_EQ(in_work_.size(), 5U);
  std::vector<ReadyExtract> tried = std::exchange(in_work_, {});
  for (std::size_t i = 1; i < tried.size(); ++i) PutOff(tried[i], "no room");
  intake_->finished(tried[0], now_);
  Pass(1ms);
  EXPECT_EQ(Ready().size(), 2U);
  for (const ReadyExtract& extract : std::exchange(in_work_, {})) intake_->finished(extract, now_);
  Pass(1ms);
  EXPECT_EQ(Ready().size(), 2U);
}

TEST_F(WaitingTest, ThereIsABoundForThoseThatWaitToo) {
  Configure("feeds:\n  hrt: {format: spysocket}\n");
  const FeedConfig& feed = config_.feeds[0];
  OpenClaims open(2, 3);
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_TRUE(open.has_room_to_rest(feed, 0));
    open.open(id, feed);
    open.set_resting(id, true);
    open.set_resting(id, true);
  }
  EXPECT_TRUE(open.has_room(feed, 1));
  EXPECT_FALSE(open.has_room(feed, 2));
  EXPECT_FALSE(open.has_room_to_rest(feed, 0));
  open.set_resting("a", false);
  EXPECT_FALSE(open.has_room(feed, 1));
  EXPECT_TRUE(open.has_room_to_rest(feed, 0));
  EXPECT_TRUE(open.close("a"));
  EXPECT_TRUE(open.close("b"));
  EXPECT_EQ(open.resting(feed), 1U);
  EXPECT_TRUE(open.has_room(feed, 1));
}

TEST_F(WaitingTest, AClaimThatCannotBeReadKeepsNoOtherFromBeingAdopted) {
  Configure("feeds:\n  hrt: {format: spysocket}\n");
  // One after the other: claims of one batch would share a directory.
  for (const char* path : {"drop/a.log", "drop/b.log"}) {
    Drop(path, GoodLine(1));
    Start();
  }
  const std::string id = dir_.list("spool/work").at(0);
  const std::string directory = dir_.path("spool/work/" + id);
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_override;
    const WithoutRight<CAP_DAC_READ_SEARCH> no_search;
    ASSERT_EQ(::chmod(directory.c_str(), 0), 0);
    Start();
    EXPECT_EQ(Ready().size(), 1U);
    EXPECT_THAT(intake_->take_messages(), Contains(HasSubstr(id)));
    EXPECT_TRUE(Must(ledger_->extracts().find_claim(id))) << "the file is there: its row must stay";
    ASSERT_EQ(::chmod(directory.c_str(), 0700), 0);
  }
}

/// A claim of a drop directory on another file system, whose feed has another one by now.
class OldClaimTest : public WaitingTest {
 protected:
  void Claimed(const std::string& feed) {
    Configure("feeds:\n  hrt: {format: spysocket}\n");
    id_ = make_claim_id(now_.wall);
    NewClaim row;
    row.claim = id_;
    row.feed = feed;
    row.name = "a.log";
    row.path = dir_.path("old/.caravel/" + id_ + "/a.log");
    Must(ledger_->extracts().commit_claims({row}, now_.wall));
  }
  void MakeRoot() {
    dir_.make_dir("old");
    dir_.make_dir("old/.caravel");
    ASSERT_EQ(::chmod(dir_.path("old/.caravel").c_str(), 0700), 0);
  }
  void MakeFile() {
    MakeRoot();
    dir_.make_dir("old/.caravel/" + id_);
    dir_.write_file("old/.caravel/" + id_ + "/a.log", GoodLine(1));
  }
  std::string id_;
};

TEST_F(OldClaimTest, OfAFeedThatMovedItIsTakenUp) {
  Claimed("hrt");
  MakeFile();
  Start();
  EXPECT_THAT(Ready(), ElementsAre("hrt/a.log"));
}

TEST_F(OldClaimTest, OfAFeedThatIsNotConfiguredItIsReportedAndKept) {
  Claimed("gone");
  MakeFile();
  Start();
  EXPECT_THAT(Ready(), IsEmpty());
  EXPECT_THAT(intake_->take_messages(), Contains(HasSubstr("no feed takes it")));
  EXPECT_TRUE(Must(ledger_->extracts().find_claim(id_)));
  EXPECT_TRUE(dir_.exists("old/.caravel/" + id_ + "/a.log"));
}

TEST_F(OldClaimTest, WhereNobodyCanLookItIsNotTakenForLost) {
  Claimed("hrt");
  Start();
  EXPECT_THAT(intake_->take_messages(), Contains(HasSubstr("cannot be reached")));
  EXPECT_TRUE(Must(ledger_->extracts().find_claim(id_)));
  // It is mounted again, and the file was never claimed: the rename did not come about.
  MakeRoot();
  Start();
  EXPECT_FALSE(Must(ledger_->extracts().find_claim(id_)));
}

}  // namespace
}  // namespace caravel::watcher
