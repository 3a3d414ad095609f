// What retention removes, and what it never does.
#include "watcher/retention/retention.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "tests/support/spool_fixture.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/retention/folders.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr auto kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h + 15min;
constexpr auto kForEver = milliseconds::max();
const std::string kSha(64, 'a');

class RetentionTest : public SpoolTest {
 protected:
  RetentionTest() { Configure("feeds: {hrt: {format: spysocket}}\n"); }

  static KeepFor For(milliseconds time) {
    return [time](std::string_view) { return time; };
  }
  void Age(const std::string& name, Time to) const {
    const timespec time{std::chrono::system_clock::to_time_t(to), 0};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, dir_.path(name).c_str(), times, 0), 0);
  }
  /// Paths that went, in their order.
  std::vector<std::string> Went(const std::function<void(Remover&)>& prune,
                                Remover::Mode mode = Remover::Mode::remove) {
    std::vector<std::string> out;
    Remover remover(mode, [&](const Removal& removal) { out.push_back(removal.path); });
    prune(remover);
    EXPECT_THAT(remover.removed().errors, IsEmpty());
    EXPECT_EQ(remover.removed().files, out.size());
    return out;
  }
  std::vector<std::string> DoneWent(const KeepFor& keep, std::uint64_t most = 0) {
    return Went([&](Remover& remover) { prune_done(*spool_, keep, most, kNow, remover); });
  }
  std::vector<std::string> CsvWent(milliseconds keep, std::uint64_t most = 0) {
    return Went(
        [&](Remover& remover) { prune_csv(*spool_, *ledger_, For(keep), most, kNow, remover); });
  }
  std::vector<std::string> FailedWent(milliseconds keep, std::uint64_t most = 0) {
    return Went(
        [&](Remover& remover) { prune_failed(*spool_, *ledger_, For(keep), most, kNow, remover); });
  }
  std::vector<std::string> RejectsWent(milliseconds keep, std::uint64_t most = 0) {
    return Went([&](Remover& remover) {
      prune_rejects(*spool_, *ledger_, For(keep), most, kNow, remover);
    });
  }

  std::string Claim(char digit, const std::string& name) {
    const std::string claim = "20261122T101500Z-" + std::string(12, digit);
    Must(ledger_->extracts().commit_claims(
        {{.claim = claim, .feed = "hrt", .name = name, .size = 5, .mtime_ns = 7}}, kNow - 48h));
    return claim;
  }
  /// A failed extract whose file, and its .why, are in failed/.
  Extract Fail(char digit, const std::string& name) {
    const std::string claim = Claim(digit, name);
    Must(ledger_->extracts().finish_failed(claim, "no such format", 1, kNow - 48h));
    Must(ledger_->extracts().set_done_path(claim, spool_->absolute("failed/" + name)));
    dir_.write_file("spool/failed/" + name, "12345");
    dir_.write_file("spool/failed/" + name + ".why", "no such format\n\nclaim: " + claim + "\n");
    return *Must(ledger_->extracts().find_claim(claim));
  }
  void Settle(const Extract& extract, Time at, Settled how = Settled::acknowledged) {
    EXPECT_TRUE(Must(ledger_->extracts().settle(extract.id, how, "", at)));
  }
  /// A done extract that left reject files of 10 bytes.
  Extract Reject(char digit, const std::string& name, const std::string& sha256) {
    const std::string claim = Claim(digit, name);
    Must(ledger_->extracts().formatted(
        claim, {.sha256 = sha256, .counts = {.lines = 2, .rows = 1, .rejected = 1}}, kNow));
    Must(ledger_->extracts().finish_done(claim, {.lines = 2, .rows = 1, .rejected = 1, .stored = 1},
                                         "", kNow - 48h));
    dir_.write_file("spool/rejects/.tmp-r", "junk\n");
    dir_.write_file("spool/rejects/.tmp-s", "why..");
    Must(publish_reject_files(*spool_, "hrt", name, sha256, {".tmp-r", "", ".tmp-s"}));
    return *Must(ledger_->extracts().find_claim(claim));
  }
};

// -- done/ ----------------------------------------------------------------------------------------

TEST_F(RetentionTest, OriginalsGoWhenTheirDayIsLongEnoughOver) {
  dir_.write_file("spool/done/2026/10/22/old.log", "12345");
  dir_.write_file("spool/done/2026/10/23/young.log", "1");
  dir_.write_file("spool/done/2025/01/01/ancient.log", "123");
  // 2026-10-22 ended 30 days and 10:15 ago, 2026-10-23 29 days and 10:15.
  EXPECT_THAT(DoneWent(For(30 * 24h)),
              ElementsAre("done/2025/01/01/ancient.log", "done/2026/10/22/old.log"));
  EXPECT_THAT(dir_.list("spool/done"), ElementsAre("2026"));
  EXPECT_THAT(dir_.list("spool/done/2026/10"), ElementsAre("23"));
  EXPECT_TRUE(dir_.exists("spool/done/2026/10/23/young.log"));
}

TEST_F(RetentionTest, WhatIsNotOfOurMakingStays) {
  dir_.make_dir("outside");
  dir_.write_file("outside/precious", "1");
  dir_.make_dir("spool/done/2025/01");
  ASSERT_EQ(::symlink(dir_.path("outside").c_str(), dir_.path("spool/done/2025/01/01").c_str()), 0);
  dir_.write_file("spool/done/notes/01/01/a", "1");
  dir_.write_file("spool/done/2025/02/30/a", "no such day");
  dir_.write_file("spool/done/2025/03/01/sub/a", "1");
  Remover remover;
  prune_done(*spool_, For(0ms), 1, kNow, remover);
  EXPECT_EQ(remover.removed().files, 0U);
  EXPECT_TRUE(dir_.exists("outside/precious"));
  EXPECT_TRUE(dir_.exists("spool/done/notes/01/01/a"));
  EXPECT_TRUE(dir_.exists("spool/done/2025/02/30/a"));
  EXPECT_TRUE(dir_.exists("spool/done/2025/03/01/sub/a"));
}

TEST_F(RetentionTest, TodaysDirectoryStays) {
  dir_.write_file("spool/done/2026/11/22/a.log", "1");
  dir_.make_dir("spool/done/2026/11/23");
  EXPECT_THAT(DoneWent(For(0ms)), IsEmpty());
  EXPECT_THAT(dir_.list("spool/done/2026/11"), ElementsAre("22", "23"));
}

TEST_F(RetentionTest, OfAFullFolderTheOldestGoUntilItHoldsWhatItMay) {
  for (const std::string day : {"2026/11/21", "2026/11/22", "2026/10/31"}) {
    dir_.write_file("spool/done/" + day + "/a.log", "12345");
    dir_.write_file("spool/done/" + day + "/b.log", "12345");
  }
  EXPECT_THAT(DoneWent(For(30 * 24h), 30), IsEmpty());
  EXPECT_THAT(
      DoneWent(For(30 * 24h), 16),
      ElementsAre("done/2026/10/31/a.log", "done/2026/10/31/b.log", "done/2026/11/21/a.log"));
  EXPECT_THAT(DoneWent(For(30 * 24h), 5),
              ElementsAre("done/2026/11/21/b.log", "done/2026/11/22/a.log"));
  EXPECT_THAT(dir_.list("spool/done/2026/11/22"), ElementsAre("b.log"));
}

TEST_F(RetentionTest, AnOriginalThatIsNeededGoesForNoSize) {
  dir_.write_file("spool/done/2025/01/01/needed.log", "12345");
  dir_.write_file("spool/done/2025/01/02/other.log", "12345");
  const auto keep = [](std::string_view path) {
    return path.ends_with("needed.log") ? kForEver : milliseconds(0);
  };
  EXPECT_THAT(DoneWent(keep, 1), ElementsAre("done/2025/01/02/other.log"));
}

TEST_F(RetentionTest, ALookTakesTheSameWayAndRemovesNothing) {
  dir_.write_file("spool/done/2025/01/01/a.log", "1");
  dir_.write_file("spool/done/2026/11/22/b.log", "12345");
  const auto prune = [&](Remover& remover) {
    prune_done(*spool_, For(30 * 24h), 4, kNow, remover);
  };
  const auto looked = Went(prune, Remover::Mode::only_look);
  EXPECT_THAT(looked, ElementsAre("done/2025/01/01/a.log", "done/2026/11/22/b.log"));
  EXPECT_TRUE(dir_.exists("spool/done/2025/01/01/a.log"));
  EXPECT_EQ(Went(prune), looked);
  EXPECT_FALSE(dir_.exists("spool/done/2025"));
}

// -- csv/ -----------------------------------------------------------------------------------------

TEST_F(RetentionTest, CsvGoesByItsMtime) {
  dir_.write_file("spool/csv/old.csv", "123");
  dir_.write_file("spool/csv/young.csv", "1");
  dir_.write_file("spool/csv/.tmp-old", "1");
  Age("spool/csv/old.csv", kNow - 7 * 24h);
  Age("spool/csv/young.csv", kNow - 7 * 24h + 1s);
  Age("spool/csv/.tmp-old", kNow - 7 * 24h);
  EXPECT_THAT(CsvWent(7 * 24h), ElementsAre("csv/old.csv"));
  EXPECT_THAT(dir_.list("spool/csv"), ElementsAre(".tmp-old", "young.csv"));
}

TEST_F(RetentionTest, ACsvThatAnUploadNeedsStays) {
  const std::string in_work = "a.log." + Claim('1', "a.log") + ".csv";
  const std::string failed = "b.log." + Fail('2', "b.log").claim + ".csv";
  const std::string folded = "c.log.20261122T101500Z-" + std::string(12, '3') + ".csv";
  for (const std::string& name : {in_work, in_work + ".sidecar", failed, folded}) {
    dir_.write_file("spool/csv/" + name, "1");
    Age("spool/csv/" + name, kNow - 1h);
  }
  EXPECT_THAT(CsvWent(0ms, 1), UnorderedElementsAre("csv/" + failed, "csv/" + folded));
  EXPECT_THAT(dir_.list("spool/csv"), ElementsAre(in_work, in_work + ".sidecar"));
}

TEST_F(RetentionTest, OfFullCsvTheOldestGo) {
  for (int i = 0; i < 4; ++i) {
    const std::string name = "spool/csv/" + std::to_string(i) + ".csv";
    dir_.write_file(name, "12345");
    Age(name, kNow - std::chrono::minutes(i));
  }
  EXPECT_THAT(CsvWent(1h, 11), ElementsAre("csv/3.csv", "csv/2.csv"));
}

// -- failed/ --------------------------------------------------------------------------------------

TEST_F(RetentionTest, AFailedFileGoesOnceItWasSettledForLong) {
  Fail('1', "open.log");
  Settle(Fail('2', "old.log"), kNow - 24h);
  Settle(Fail('3', "new.log"), kNow - 1h);
  Settle(Fail('4', "loaded.log"), kNow - 24h, Settled::loaded);
  dir_.write_file("spool/failed/strange.log", "1");
  EXPECT_THAT(FailedWent(24h), ElementsAre("failed/old.log", "failed/loaded.log"));
  EXPECT_THAT(dir_.list("spool/failed"),
              ElementsAre("new.log", "new.log.why", "open.log", "open.log.why", "strange.log"));
}

TEST_F(RetentionTest, AFileThatCameUnderTheNameOfASettledOneStays) {
  const Extract first = Fail('1', "a.log");
  Settle(first, kNow - 24h);
  // A person took the file away, and another one failed under its name.
  const Extract second = Fail('2', "a.log");
  EXPECT_THAT(FailedWent(0ms, 1), IsEmpty());
  // Or it is nobody's: somebody put it there.
  Settle(second, kNow - 24h);
  dir_.write_file("spool/failed/a.log", "another");
  dir_.write_file("spool/failed/a.log.why", "mine");
  EXPECT_THAT(FailedWent(0ms, 1), IsEmpty());
  std::filesystem::remove(dir_.path("spool/failed/a.log.why"));
  EXPECT_THAT(FailedWent(0ms, 1), IsEmpty()) << "without a .why: not the file that was claimed";
}

TEST_F(RetentionTest, OfFullFailedTheOldestSettledGo) {
  Settle(Fail('1', "b.log"), kNow - 2h);
  Settle(Fail('2', "a.log"), kNow - 3h);
  Settle(Fail('3', "c.log"), kNow - 1h);
  Fail('4', "open.log");
  std::uint64_t all = 0;
  for (const std::string& name : dir_.list("spool/failed")) {
    all += std::filesystem::file_size(dir_.path("spool/failed/" + name));
  }
  EXPECT_THAT(FailedWent(24h, all), IsEmpty());
  EXPECT_THAT(FailedWent(24h, all - 6), ElementsAre("failed/a.log"));
}

// -- rejects/ -------------------------------------------------------------------------------------

TEST_F(RetentionTest, RejectsGoOnceTheyWereAcknowledgedForLong) {
  Reject('1', "open.log", std::string(64, '1'));
  Settle(Reject('2', "old.log", std::string(64, '2')), kNow - 24h);
  Settle(Reject('3', "new.log", std::string(64, '3')), kNow - 1h);
  dir_.write_file("spool/rejects/.old.log.original", "old.log\n5\n");
  EXPECT_THAT(RejectsWent(24h),
              ElementsAre("rejects/old.log.rejects", "rejects/old.log.reasons.csv"));
  EXPECT_THAT(dir_.list("spool/rejects"),
              UnorderedElementsAre(".new.log.owner", ".open.log.owner", "new.log.reasons.csv",
                                   "new.log.rejects", "open.log.reasons.csv", "open.log.rejects"));
}

TEST_F(RetentionTest, RejectsOfAnExtractThatCameAgainAreSettledByTheNewestOnly) {
  Settle(Reject('1', "a.log", kSha), kNow - 24h);
  const Extract again = Reject('2', "a.log", kSha);
  EXPECT_THAT(RejectsWent(0ms, 1), IsEmpty());
  Settle(again, kNow - 24h, Settled::retried);
  EXPECT_THAT(RejectsWent(0ms, 1), IsEmpty()) << "to go in again is not to be seen";
}

TEST_F(RetentionTest, OfFullRejectsTheOldestAcknowledgedGo) {
  Settle(Reject('1', "b.log", std::string(64, '1')), kNow - 2h);
  Settle(Reject('2', "a.log", std::string(64, '2')), kNow - 3h);
  Reject('3', "c.log", std::string(64, '3'));
  EXPECT_THAT(RejectsWent(24h, 30), IsEmpty());
  EXPECT_THAT(RejectsWent(24h, 29),
              ElementsAre("rejects/a.log.rejects", "rejects/a.log.reasons.csv"));
}

TEST_F(RetentionTest, WhoPublishesRejectsIsNotDisturbed) {
  Settle(Reject('1', "a.log", kSha), kNow - 24h);
  const UniqueFd lock = lock_rejects(*spool_);
  ASSERT_TRUE(lock);
  EXPECT_THAT(RejectsWent(0ms), IsEmpty());
}

TEST_F(RetentionTest, OwnersOfRejectsThatAPersonDeletedGoToo) {
  Reject('1', "a.log", kSha);
  std::filesystem::remove(dir_.path("spool/rejects/a.log.rejects"));
  std::filesystem::remove(dir_.path("spool/rejects/a.log.reasons.csv"));
  EXPECT_THAT(RejectsWent(24h), IsEmpty());
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
}

// -- What folds -----------------------------------------------------------------------------------

TEST_F(RetentionTest, AnExtractIsGoneWhenItsFileAndItsRejectsAre) {
  const Extract failed = Fail('1', "a.log");
  EXPECT_FALSE(is_gone_from_spool(spool_->path(), failed));
  std::filesystem::remove(dir_.path("spool/failed/a.log"));
  EXPECT_TRUE(is_gone_from_spool(spool_->path(), failed));
  const Extract rejected = Reject('2', "b.log", kSha);
  EXPECT_FALSE(is_gone_from_spool(spool_->path(), rejected));
  std::filesystem::remove(dir_.path("spool/rejects/b.log.rejects"));
  std::filesystem::remove(dir_.path("spool/rejects/b.log.reasons.csv"));
  EXPECT_TRUE(is_gone_from_spool(spool_->path(), rejected));
}

TEST_F(RetentionTest, AFolderThatOpenFailuresOverfillIsSaidAsLongAsItIs) {
  Fail('a', "a.log");
  const Extract second = Fail('b', "b.log");
  const auto overfull = [&](std::uint64_t most) {
    Remover remover;
    prune_failed(*spool_, *ledger_, For(kForEver), most, kNow, remover);
    return remover.removed().overfull;
  };
  EXPECT_THAT(overfull(0), IsEmpty());
  EXPECT_THAT(overfull(10'000), IsEmpty());
  const auto found = overfull(20);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].folder, "failed");
  EXPECT_GT(found[0].bytes, 20U);
  EXPECT_THAT(found[0].text("/s"), testing::HasSubstr("/s/failed holds "));
  EXPECT_THAT(found[0].text("/s"), testing::HasSubstr("though max_failed_size is 20 bytes"));
  // Said once, and again after an end.
  Overfull ledger(*ledger_);
  EXPECT_EQ(Must(ledger.replace("/s", found, kNow)).size(), 1U);
  EXPECT_THAT(Must(ledger.replace("/s", found, kNow + 1h)), IsEmpty());
  EXPECT_THAT(Must(ledger.replace("/t", {}, kNow)), IsEmpty());
  ASSERT_EQ(Must(ledger.all()).size(), 1U);
  EXPECT_EQ(Must(ledger.all())[0].since, kNow);
  EXPECT_THAT(Must(ledger.replace("/s", {}, kNow)), IsEmpty());
  EXPECT_THAT(Must(ledger.all()), IsEmpty());
  EXPECT_EQ(Must(ledger.replace("/s", found, kNow)).size(), 1U);
  // Once one of them is settled, it goes, and the folder has room.
  Settle(second, kNow);
  EXPECT_THAT(overfull(60), IsEmpty());
}

}  // namespace
}  // namespace caravel::watcher
