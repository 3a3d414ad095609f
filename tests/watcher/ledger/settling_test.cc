// A failure's life: open until something settles it.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include "watcher/ledger/history.h"

namespace caravel::watcher {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SettlingTest : public LedgerTest {
 protected:
  void Fail(const std::string& claim, const std::string& name, const std::string& sha256 = kSha) {
    Claim(claim, name);
    Ok(ledger().extracts().finish_failed(claim, "no format", 5, kNow, sha256));
    Ok(ledger().extracts().set_done_path(claim, "/spool/failed/" + name));
  }
  std::vector<std::string> Open() {
    std::vector<std::string> names;
    for (const Extract& extract : Ok(ledger().history().open_failures(10))) {
      names.push_back(extract.name);
    }
    return names;
  }
  std::uint64_t Counted() { return Ok(ledger().history().summaries())["hrt"].open_failures; }
};

TEST_F(SettlingTest, AFailureIsOpenUntilAPersonSaysThatItIsSettled) {
  Fail("c1", "a.log");
  Fail("c2", "b.log", kOtherSha);
  EXPECT_THAT(Open(), ElementsAre("b.log", "a.log"));
  EXPECT_EQ(Counted(), 2U);
  EXPECT_TRUE(Ok(ledger().extracts().settle(Of("c1").id, Settled::acknowledged, "known", kNow)));
  EXPECT_THAT(Open(), ElementsAre("b.log"));
  EXPECT_EQ(Counted(), 1U);
  EXPECT_EQ(Ok(ledger().history().summaries())["hrt"].extracts[State::failed], 2U) << "history";
  const Extract settled = Of("c1");
  EXPECT_EQ(settled.settled, Settled::acknowledged);
  EXPECT_EQ(settled.settled_at, kNow);
  EXPECT_EQ(settled.settled_why, "known");
  EXPECT_FALSE(Ok(ledger().extracts().settle(settled.id, Settled::removed, "", kNow)))
      << "how it ended first stays";
}

TEST_F(SettlingTest, OnlyFailuresAndRejectsAreSettled) {
  const auto settle = [&](const std::string& claim) {
    return Ok(ledger().extracts().settle(Of(claim).id, Settled::acknowledged, "seen", kNow));
  };
  Claim("c1", "a.log");
  Format("c1");
  EXPECT_FALSE(settle("c1"));
  Finish("c1");
  EXPECT_TRUE(Of("c1").has_open_rejects());
  EXPECT_THAT(ClaimsOf(ledger().history().with_rejects(Time{}, 9)), ElementsAre("c1"));
  EXPECT_TRUE(settle("c1"));
  EXPECT_FALSE(Of("c1").has_open_rejects());
  EXPECT_EQ(Of("c1").settled_why, "seen");
  EXPECT_THAT(ClaimsOf(ledger().history().with_rejects(Time{}, 9)), IsEmpty());
  Claim("c2", "b.log");
  auto clean = Yield();
  clean.counts = {.lines = 1, .rows = 1};
  Ok(ledger().extracts().formatted("c2", clean, kNow));
  Ok(ledger().extracts().finish_done("c2", {.lines = 1, .rows = 1, .stored = 1}, "", kNow));
  EXPECT_FALSE(settle("c2")) << "nothing of it was rejected";
}

TEST_F(SettlingTest, TheSameContentThatIsLoadedEndsAFailure) {
  Fail("c1", "a.log");
  Fail("c2", "other.log", kOtherSha);
  Fail("c3", "never-read.log", "");
  Claim("c4", "again.log");
  Format("c4");
  EXPECT_EQ(Counted(), 3U) << "not before it is done";
  Finish("c4");
  EXPECT_THAT(Open(), ElementsAre("never-read.log", "other.log"));
  EXPECT_EQ(Of("c1").settled, Settled::loaded);
}

TEST_F(SettlingTest, ARetryIsAskedForOnceAndEndsTheFailureWhenItIsTaken) {
  Fail("c1", "a.log");
  Ok(ledger().extracts().ask_retry(Of("c1").id, kNow));
  Ok(ledger().extracts().ask_retry(Of("c1").id, kNow));
  const auto wanted = Ok(ledger().extracts().retries());
  ASSERT_THAT(wanted, SizeIs(1));
  EXPECT_EQ(Counted(), 1U) << "a wish alone settles nothing";
  EXPECT_THAT(Ok(ledger().extracts().retries(Origin::capture)), IsEmpty());
  Ok(ledger().extracts().end_retry(wanted.front(), "/spool/work/c2/a.log", kNow));
  EXPECT_THAT(Ok(ledger().extracts().retries()), IsEmpty());
  EXPECT_EQ(Of("c1").settled, Settled::retried);
  EXPECT_EQ(Of("c1").path, "/spool/work/c2/a.log");
}

TEST_F(SettlingTest, ARetryThatCannotBeLeavesTheFailureOpen) {
  Fail("c1", "a.log");
  Ok(ledger().extracts().ask_retry(Of("c1").id, kNow));
  Ok(ledger().extracts().end_retry(Of("c1"), "", kNow));
  EXPECT_THAT(Ok(ledger().extracts().retries()), IsEmpty());
  EXPECT_EQ(Counted(), 1U);
  EXPECT_EQ(Of("c1").path, "/spool/failed/a.log");
}

TEST_F(SettlingTest, WhatWasBrokenOffByHandIsNoOpenFailure) {
  Ok(ledger().extracts().commit_claims({ClaimOf("c1", "a.log", Origin::process)}, kNow));
  Ok(ledger().extracts().finish_broken_off("c1", "not loaded: no answer", kNow));
  EXPECT_EQ(Counted(), 0U);
  EXPECT_EQ(Of("c1").state, State::failed);
  EXPECT_EQ(Of("c1").settled, Settled::broken_off);
  EXPECT_EQ(Of("c1").why, "not loaded: no answer");
}

TEST_F(SettlingTest, ExtractsWithRejectsAreFoundNewestFirst) {
  Claim("c1", "a.log");
  Format("c1");
  Finish("c1");
  Fail("c2", "b.log", kOtherSha);
  const auto found = Ok(ledger().history().with_rejects(kNow, 10));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().name, "a.log");
  EXPECT_THAT(Ok(ledger().history().with_rejects(kNow + std::chrono::seconds(1), 10)), IsEmpty());
}

}  // namespace
}  // namespace caravel::watcher
