// What `status --check` and /readyz say of a ledger.
#include "watcher/report/judge.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/support/ledger_fixture.h"
#include "watcher/ledger/directories.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class JudgeTest : public LedgerTest {
 protected:
  StatusReport Report() { return Ok(build_status(ledger(), question_, kNow)); }
  std::vector<std::string> Kinds() {
    std::vector<std::string> out;
    for (const Problem& problem : Report().health.problems) {
      out.push_back(std::string(name_of(problem.level)) + " " + problem.kind +
                    (problem.ready ? "" : " not ready"));
    }
    return out;
  }
  void Reject(const std::string& name, std::uint64_t rejected, Time at) {
    Claim(name, name, at);
    FormattedExtract yield = Yield(kSha.substr(name.size()) + name);
    yield.counts = {.lines = 30, .rows = 30 - rejected, .rejected = rejected};
    Ok(ledger().extracts().formatted(name, yield, at));
    Ok(ledger().extracts().finish_done(
        name, {.lines = 30, .rows = 30 - rejected, .rejected = rejected, .stored = 30 - rejected},
        "", at));
    std::filesystem::create_directories(folder_ / "spool/rejects");
    std::ofstream(folder_ / "spool/rejects/" + name + ".reasons.csv") << "line,offset,reason\n";
    std::ofstream(folder_ / "spool/rejects/." + name + ".owner") << yield.sha256 << "\nhrt";
  }

  StatusQuestion question_{.feeds = {"hrt"},
                           .stores = {{"couch", "https://c/feed"}},
                           .lock_holder = "caravel watch",
                           .limits = {},
                           .spool = folder_ / "spool"};
};

TEST_F(JudgeTest, NothingOpenIsOk) {
  EXPECT_THAT(Kinds(), IsEmpty());
  EXPECT_TRUE(Report().health.ready());
  EXPECT_EQ(check_line(Report()), "CARAVEL OK - nothing is open | failed=0 waiting=0 behind=0s\n");
}

TEST_F(JudgeTest, AnOpenFailureIsCriticalUntilItIsSettled) {
  Claim("c1", "a|b.log");
  Ok(ledger().extracts().finish_failed("c1", "damaged\ngzip data", 0, kNow));
  EXPECT_THAT(Kinds(), ElementsAre("critical failed"));
  EXPECT_EQ(check_line(Report()),
            "CARAVEL CRITICAL - 1 open failure, the newest a/b.log: damaged\\x0Agzip data | "
            "failed=1 waiting=0 behind=0s\n");
  // What failed hinders nothing that comes.
  EXPECT_TRUE(Report().health.ready());
  Ok(ledger().extracts().settle(Of("c1").id, Settled::acknowledged, "", kNow));
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(JudgeTest, SomebodyMustHaveWatchedOrSweptLately) {
  question_.lock_holder = "";
  EXPECT_THAT(Kinds(), ElementsAre("critical unwatched not ready"));
  question_.worked_at = kNow - minutes(10);
  EXPECT_THAT(Kinds(), IsEmpty());
  question_.worked_at = kNow - minutes(11);
  EXPECT_THAT(check_line(Report()),
              StartsWith("CARAVEL CRITICAL - nobody watches, and nobody swept for 11 min |"));
  question_.expect_sweep = minutes(30);
  EXPECT_THAT(Kinds(), IsEmpty());
  // A feed that is captured has nothing that a watcher could take.
  question_.worked_at.reset();
  question_.captures = {{"hrt", "caravel capture"}};
  EXPECT_THAT(Kinds(), IsEmpty());
  question_.feeds.push_back("web");
  EXPECT_THAT(Kinds(), ElementsAre("critical unwatched not ready"));
}

TEST_F(JudgeTest, WhatLastsLongerThanMaxWaitIsTold) {
  Ok(ledger().stores().set_state("couch", "https://c/feed", StoreState::waiting, "refused", {},
                                 kNow - minutes(15)));
  Claim("c1", "a.log", kNow - minutes(15));
  EXPECT_THAT(Kinds(), ElementsAre("critical store not ready", "warning waiting not ready"));
  question_.max_wait = minutes(16);
  EXPECT_THAT(Kinds(), IsEmpty());
  question_.disks = {{.what = "spool", .path = "/s", .free = 1, .full = "spool /s: 1 byte free"}};
  EXPECT_THAT(Kinds(), ElementsAre("warning disk not ready"));
  // Somebody waits for that disk as long.
  question_.max_wait = minutes(15);
  EXPECT_THAT(Kinds(), ElementsAre("critical store not ready", "critical disk not ready",
                                   "warning waiting not ready"));
}

TEST_F(JudgeTest, ManyRejectsCountForADayAndAsLongAsTheirFilesAreThere) {
  Reject("few.log", 3, kNow - hours(1));
  EXPECT_THAT(Kinds(), IsEmpty());
  Reject("old.log", 4, kNow - hours(25));
  EXPECT_THAT(Kinds(), IsEmpty());
  Reject("many.log", 4, kNow - hours(23));
  EXPECT_THAT(check_line(Report()),
              StartsWith("CARAVEL WARNING - over a tenth rejected of 1 extract, the newest "
                         "many.log: 4 of 30 lines |"));
  std::filesystem::remove_all(folder_ / "spool/rejects");
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(JudgeTest, GapsSilencesAndDirectoriesAreTold) {
  Ok(ledger().sources().arrived({"hrt", "00000001", "app.log on bus1"}, 5, State::done, kNow,
                                kNow));
  EXPECT_THAT(Kinds(), ElementsAre("warning gap"));
  EXPECT_THAT(check_line(Report()), HasSubstr("one of app.log on bus1 (run 00000001)"));
  question_.limits.resize(1);
  question_.limits.front().name = "hrt";
  question_.limits.front().expect_every = minutes(1);
  Ok(ledger().sources().close_gaps("hrt", "00000001", 1, 4, "", kNow));
  question_.drops = {{"hrt", "/drop"}};
  Ok(ledger().directories().set("/drop", DirectoryState::polled, "is on NFS", kNow));
  EXPECT_THAT(Kinds(), ElementsAre("warning polling"));
  question_.drops = {{"hrt", "/drop", "missing", "is missing"}};
  EXPECT_THAT(Kinds(), ElementsAre("critical directory not ready"));
}

TEST_F(JudgeTest, WhatCannotBeKnownIsOneLineToo) {
  EXPECT_EQ(unknown_line("ledger: a\nb|c"), "CARAVEL UNKNOWN - ledger: a\\x0Ab/c\n");
}

}  // namespace
}  // namespace caravel::watcher
