// What the ledger answers about extracts, names and feeds.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(LedgerTest, IsFoundByShaNameAndPath) {
  Claim("c1", "a.log");
  Format("c1");
  Finish("c1");
  Ok(ledger().extracts().set_done_path("c1", "/spool/done/a.log~01234567"));
  Claim("c2", "a.log");
  Format("c2", kOtherSha);
  EXPECT_THAT(ClaimsOf(ledger().history().find_sha256(kSha)), ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_sha256("bbbbbbbbbbbbbbbb")), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_sha256("")), IsEmpty());
  EXPECT_THAT(ClaimsOf(ledger().history().find_sha256("%")), IsEmpty());
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("a.log")), ElementsAre("c2", "c1"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("a.log", 1)), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("/spool/done/a.log~01234567")),
              ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("a.log~01234567")), ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("/spool/work/c2/a.log")), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name(".log")), IsEmpty());
}

TEST_F(LedgerTest, KnowsTheRowTimesOfOtherExtracts) {
  for (const std::string claim : {"c1", "c2", "c3"}) {
    Claim(claim, claim + ".log");
    Format(claim, std::string(64, claim[1]));
  }
  Finish("c1");
  Finish("c2");
  const auto times = Ok(ledger().history().other_row_times("hrt", std::string(64, '1')));
  // c3 is not done, but rows of it may be in the store already, under another extract's credit.
  ASSERT_THAT(times, SizeIs(2));
  EXPECT_EQ(times[1].name, "c3.log");
  EXPECT_EQ(times[0].name, "c2.log");
  EXPECT_EQ(times[0].first_time, "2012-03-09T09:48:00");
  EXPECT_EQ(times[0].last_time, "2012-03-09T09:52:00");
  EXPECT_THAT(Ok(ledger().history().other_row_times("web", kSha)), IsEmpty());
}

TEST_F(LedgerTest, SumsUpByFeed) {
  Claim("c1", "a.log", kNow - hours(5));
  Format("c1");
  Finish("c1", kNow - hours(2));
  Claim("c2", "b.log", kNow - hours(1));
  Format("c2");
  Finish("c2", kNow);
  Claim("c3", "c.log", kNow - hours(3));
  Ok(ledger().extracts().finish_failed("c3", "damaged", 7, kNow));
  Claim("c4", "d.log", kNow - minutes(9));
  Ok(ledger().drop_names().set_in_drop("hrt", {{"e.log", 1, 1, "changing"}}, kNow - minutes(20)));
  NewClaim by_hand = ClaimOf("c5", "f.log", Origin::process);
  Ok(ledger().extracts().commit_claims({by_hand}, kNow - hours(9)));

  auto summaries = Ok(ledger().history().summaries());
  ASSERT_THAT(summaries, SizeIs(1));
  const FeedSummary& hrt = summaries["hrt"];
  EXPECT_THAT(hrt.extracts,
              ElementsAre(testing::Pair(State::waiting, 1U), testing::Pair(State::claimed, 2U),
                          testing::Pair(State::done, 2U), testing::Pair(State::failed, 1U)));
  EXPECT_EQ(hrt.counts, (LineCounts{.lines = 569,
                                    .rows = 502,
                                    .dropped = 58,
                                    .rejected = 6,
                                    .stored = 400,
                                    .already_there = 98,
                                    .differs = 8,
                                    .replaced = 10,
                                    .failed = 7}));
  EXPECT_EQ(hrt.years_guessed, 2U);
  EXPECT_EQ(hrt.last_claim, kNow - minutes(9));
  ASSERT_TRUE(hrt.oldest_open.has_value());
  EXPECT_EQ(hrt.oldest_open->name, "e.log");
  EXPECT_EQ(hrt.oldest_open->seen_at, kNow - minutes(20));

  EXPECT_EQ(Ok(ledger().history().throughput_since(kNow - hours(1)))["hrt"].extracts, 1U);
  const Throughput day = Ok(ledger().history().throughput_since(kNow - hours(24)))["hrt"];
  EXPECT_EQ(day.extracts, 2U);
  EXPECT_EQ(day.rows, 400U);
  EXPECT_EQ(day.bytes, 202U);
}

}  // namespace
}  // namespace caravel::watcher
