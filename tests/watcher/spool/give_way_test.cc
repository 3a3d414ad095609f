#include "watcher/spool/give_way.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/support/spool_fixture.h"
#include "watcher/ledger/extracts.h"

namespace caravel::watcher {
namespace {

using ::testing::UnorderedElementsAre;

TEST(ClaimOfFile, IsInItsNameOrTheFileIsNotOurs) {
  const std::string id = "20261122T101500Z-0123456789ab";
  const struct {
    std::string name;
    std::string claim;
  } cases[] = {
      {"a.log." + id + ".csv", id},
      {"a.log." + id + ".csv.sidecar", id},
      {".tmp-" + id + ".rejects", id},
      {".tmp-" + id + ".csv", id},
      {"a.log." + id, ""},
      {"a.log." + id + ".sidecar", ""},
      {"a.log.csv", ""},
      {"csv", ""},
      {"", ""},
      {".tmp-hidden-0123456789abcdef", ""},
      {"a.log.20261122T101500Z-x.csv", ""},
      {"a.log.rejects", ""},
  };
  for (const auto& test : cases) EXPECT_EQ(claim_of_file(test.name), test.claim) << test.name;
}

class GiveWayTest : public SpoolTest {
 protected:
  void SetUp() override { Configure("feeds: {hrt: {}}"); }
  /// The CSV of an extract in that state, written so many seconds after the first; its claim id.
  std::string Csv(State state, int second) {
    const std::string id = make_claim_id(now_.wall + std::chrono::seconds(second));
    NewClaim row;
    row.claim = id;
    row.feed = "hrt";
    row.name = "a.log";
    Must(ledger_->extracts().commit_claims({row}, now_.wall));
    if (state == State::waiting) {
      for (int i = 0; i < 3; ++i) {
        Must(ledger_->extracts().set_waiting(id, "refused", now_.wall, now_.wall));
      }
    }
    if (state == State::failed) {
      Must(ledger_->extracts().finish_failed(id, "why", 0, now_.wall, ""));
    }
    Write("csv/a.log." + id + ".csv", second);
    return id;
  }
  void Write(const std::string& path, int second) {
    const timespec times[2] = {{1000 + second, 0}, {1000 + second, 0}};
    EXPECT_EQ(
        ::utimensat(AT_FDCWD, dir_.write_file("spool/" + path, "0123456789").c_str(), times, 0), 0);
  }
};

TEST_F(GiveWayTest, TheOldestOfWhatHasEndedGoFirstAndNoMoreThanIsNeeded) {
  const std::string youngest = Csv(State::failed, 3);
  const std::string in_work = Csv(State::claimed, 0);
  const std::string oldest = Csv(State::failed, 1);
  const std::string next = Csv(State::failed, 2);
  const std::string unknown = "a.log." + make_claim_id(now_.wall) + ".csv";
  Write("csv/" + unknown, 0);
  Write("csv/of-a-person.csv", 0);
  Write("rejects/.tmp-" + oldest + ".rejects", 1);
  Write("rejects/.tmp-" + in_work + ".rejects", 1);
  Write("rejects/a.log.rejects", 0);
  const GivenWay gone = give_way(*spool_, *ledger_, in_work,
                                 [&] { return !dir_.exists("spool/csv/a.log." + next + ".csv"); });
  EXPECT_EQ(gone.files, 3U);
  EXPECT_EQ(gone.bytes, 30U);
  EXPECT_THAT(dir_.list("spool/csv"),
              UnorderedElementsAre("a.log." + youngest + ".csv", "a.log." + in_work + ".csv",
                                   unknown, "of-a-person.csv"));
  EXPECT_THAT(dir_.list("spool/rejects"),
              UnorderedElementsAre(".tmp-" + in_work + ".rejects", "a.log.rejects"));
  (void)give_way(*spool_, *ledger_, in_work, [] { return false; });
  EXPECT_THAT(dir_.list("spool/csv"),
              UnorderedElementsAre("a.log." + in_work + ".csv", unknown, "of-a-person.csv"));
}

TEST_F(GiveWayTest, WhatWaitsGivesWayToWhatWasTriedLessOftenAndOnlyToThat) {
  const std::string waits = Csv(State::waiting, 1);
  const std::string also_waits = Csv(State::waiting, 2);
  const std::string is_new = Csv(State::claimed, 3);
  const std::string ended = Csv(State::failed, 4);
  const auto never = [] { return false; };
  EXPECT_EQ(give_way(*spool_, *ledger_, "unknown", never).files, 1U);
  EXPECT_FALSE(dir_.exists("spool/csv/a.log." + ended + ".csv"));
  EXPECT_EQ(give_way(*spool_, *ledger_, also_waits, never).files, 0U) << "in turn, for ever";
  EXPECT_EQ(give_way(*spool_, *ledger_, is_new, never).files, 2U);
  EXPECT_THAT(dir_.list("spool/csv"), UnorderedElementsAre("a.log." + is_new + ".csv"));
}

}  // namespace
}  // namespace caravel::watcher
