// What the ledger knows of names, times, stores and feeds.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(LedgerTest, NamesInTheDropDirectoryFollowTheScan) {
  Ok(ledger().set_in_drop("hrt", {{"a.log", 1, 1, ""}, {"b.log", 1, 1, "changing"}}, kNow));
  Ok(ledger().set_in_drop("web", {{"a.log", 1, 1, ""}}, kNow));
  for (int scan = 1; scan < 100; ++scan) {
    Ok(ledger().set_in_drop("hrt", {{"b.log", 1, scan, "changing"}}, kNow + seconds(scan)));
  }
  EXPECT_THAT(Ok(ledger().newest_in(State::seen, 10)), SizeIs(1));  // the one of web
  const auto waiting = Ok(ledger().newest_in(State::waiting, 10));
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].name, "b.log");
  EXPECT_EQ(waiting[0].why, "changing");
  EXPECT_EQ(waiting[0].mtime_ns, 99);
  EXPECT_EQ(waiting[0].since, kNow);
  EXPECT_EQ(waiting[0].seen_at, kNow);
  EXPECT_THAT(ClaimsOf(ledger().unfinished()), IsEmpty());

  Ok(ledger().set_in_drop("hrt", {}, kNow));
  EXPECT_THAT(Ok(ledger().newest_in(State::waiting, 10)), IsEmpty());
}

TEST_F(LedgerTest, AFloodOfNamesIsBounded) {
  std::vector<InDrop> files;
  std::vector<LeftAlone> names;
  for (std::size_t i = 0; i < Ledger::kMaxInDrop + 5; ++i) {
    files.push_back({"n" + std::to_string(i), 1, 1, "changing"});
    names.push_back({"n" + std::to_string(i), "no match"});
  }
  Ok(ledger().set_in_drop("hrt", files, kNow));
  Ok(ledger().set_left_alone("hrt", names, kNow));
  EXPECT_THAT(Ok(ledger().newest_in(State::waiting, 100'000)), SizeIs(Ledger::kMaxInDrop));
  EXPECT_THAT(Ok(ledger().left_alone())["hrt"], SizeIs(Ledger::kMaxLeftAlone));
}

TEST_F(LedgerTest, NamesLeftAloneFollowTheScan) {
  Ok(ledger().set_left_alone("hrt", {{"x", "no match"}, {"y", "a directory"}}, kNow));
  Ok(ledger().set_left_alone("hrt", {{"y", "a directory"}, {"z", "a symlink"}}, kNow + hours(1)));
  const auto left = Ok(ledger().left_alone())["hrt"];
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0].name, "y");
  EXPECT_EQ(left[0].since, kNow);
  EXPECT_EQ(left[1].why, "a symlink");
  EXPECT_EQ(left[1].since, kNow + hours(1));
}

TEST_F(LedgerTest, AnIdleScanWritesNothing) {
  const std::vector<InDrop> files = {{"a.log", 1, 1, "changing"}};
  const std::vector<LeftAlone> names = {{"x", "no match"}};
  Ok(ledger().set_in_drop("hrt", files, kNow));
  Ok(ledger().set_left_alone("hrt", names, kNow));
  Ok(ledger().set_store_state("s", "/s", StoreState::ok, "", {}, kNow));
  const auto size = std::filesystem::file_size(path_ + "-wal");
  Ok(ledger().set_in_drop("hrt", files, kNow + hours(1)));
  Ok(ledger().set_left_alone("hrt", names, kNow + hours(1)));
  Ok(ledger().set_store_state("s", "/s", StoreState::ok, "", {}, kNow + hours(1)));
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), size);
  Ok(ledger().set_in_drop("hrt", {}, kNow + hours(1)));
  EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), size);
}

TEST_F(LedgerTest, IsFoundByShaNameAndPath) {
  Claim("c1", "a.log");
  Format("c1");
  Finish("c1");
  Ok(ledger().set_done_path("c1", "/spool/done/a.log~01234567"));
  Claim("c2", "a.log");
  Format("c2", kOtherSha);
  EXPECT_THAT(ClaimsOf(ledger().find_sha256(kSha)), ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().find_sha256("bbbbbbbbbbbbbbbb")), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().find_sha256("")), IsEmpty());
  EXPECT_THAT(ClaimsOf(ledger().find_sha256("%")), IsEmpty());
  EXPECT_THAT(ClaimsOf(ledger().find_name("a.log")), ElementsAre("c2", "c1"));
  EXPECT_THAT(ClaimsOf(ledger().find_name("a.log", 1)), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().find_name("/spool/done/a.log~01234567")), ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().find_name("a.log~01234567")), ElementsAre("c1"));
  EXPECT_THAT(ClaimsOf(ledger().find_name("/spool/work/c2/a.log")), ElementsAre("c2"));
  EXPECT_THAT(ClaimsOf(ledger().find_name(".log")), IsEmpty());
}

TEST_F(LedgerTest, TheFirstTimeUsedIsRememberedUnlessAPersonSaysBetter) {
  EXPECT_EQ(Ok(ledger().known_time(kSha)), std::nullopt);
  const struct {
    const char* time;
    const char* source;
    KnownTime known;
  } steps[] = {
      {"2012-03-09T10:00:00Z", "mtime", {"2012-03-09T10:00:00Z", "mtime"}},
      {"2013-01-01T00:00:00Z", "name", {"2012-03-09T10:00:00Z", "mtime"}},
      {"2011", "option", {"2011", "option"}},
      {"2013-01-01T00:00:00Z", "manifest", {"2011", "option"}},
      {"", "", {"2011", "option"}},
  };
  int number = 0;
  for (const auto& step : steps) {
    SCOPED_TRACE(step.time);
    const std::string claim = "c" + std::to_string(++number);
    Claim(claim, "a.log");
    FormattedExtract extract = Yield();
    extract.time_used = step.time;
    extract.time_source = step.source;
    Ok(ledger().formatted(claim, extract, kNow));
    EXPECT_EQ(Ok(ledger().known_time(kSha)), step.known);
  }
}

TEST_F(LedgerTest, ADatabaseMayBeMadeOnlyBeforeItsFirstRow) {
  EXPECT_TRUE(Ok(ledger().may_create("https://c/feed")));
  Ok(ledger().set_store_state("couch", "https://c/feed", StoreState::waiting, "refused",
                              kNow + seconds(5), kNow));
  EXPECT_TRUE(Ok(ledger().may_create("https://c/feed")));
  Ok(ledger().first_row_stored("couch", "https://c/feed", kNow));
  Ok(ledger().first_row_stored("couch", "https://c/feed", kNow + hours(1)));
  EXPECT_FALSE(Ok(ledger().may_create("https://c/feed")));
  EXPECT_TRUE(Ok(ledger().may_create("https://c/other")));
  const auto stores = Ok(ledger().stores());
  ASSERT_THAT(stores, SizeIs(1));
  EXPECT_EQ(stores[0].first_row_at, kNow);
  EXPECT_EQ(stores[0].state, StoreState::waiting);
}

TEST_F(LedgerTest, AStoresStateKeepsWhenItBegan) {
  const auto set = [&](StoreState state, const std::string& why, std::optional<Time> next,
                       Time now) {
    Ok(ledger().set_store_state("couch", "https://c/feed", state, why, next, now));
    return Ok(ledger().stores()).at(0);
  };
  set(StoreState::waiting, "refused", kNow + seconds(1), kNow);
  const StoreRecord still = set(StoreState::waiting, "timeout", kNow + hours(2), kNow + hours(1));
  EXPECT_EQ(still.since, kNow);
  EXPECT_EQ(still.why, "timeout");
  EXPECT_EQ(still.next_try, kNow + hours(2));
  const StoreRecord ok = set(StoreState::ok, "", {}, kNow + hours(3));
  EXPECT_EQ(ok.since, kNow + hours(3));
  EXPECT_EQ(ok.next_try, std::nullopt);
}

TEST_F(LedgerTest, KnowsTheRowTimesOfOtherExtracts) {
  for (const std::string claim : {"c1", "c2", "c3"}) {
    Claim(claim, claim + ".log");
    Format(claim, std::string(64, claim[1]));
  }
  Finish("c1");
  Finish("c2");
  const auto times = Ok(ledger().other_row_times("hrt", std::string(64, '1')));
  // c3 is not done, but rows of it may be in the store already, under another extract's credit.
  ASSERT_THAT(times, SizeIs(2));
  EXPECT_EQ(times[1].name, "c3.log");
  EXPECT_EQ(times[0].name, "c2.log");
  EXPECT_EQ(times[0].first_time, "2012-03-09T09:48:00");
  EXPECT_EQ(times[0].last_time, "2012-03-09T09:52:00");
  EXPECT_THAT(Ok(ledger().other_row_times("web", kSha)), IsEmpty());
}

TEST_F(LedgerTest, WhatWasDoneLatelyIsLookedAtAgain) {
  const struct {
    const char* claim;
    Time done;
    const char* path;
  } cases[] = {{"old", kNow - hours(2), "/done/old"},
               {"edge", kNow - hours(1), "/done/edge"},
               {"new", kNow, "/done/new"},
               {"unarchived", kNow, ""}};
  for (const auto& c : cases) {
    Claim(c.claim, "a.log");
    Format(c.claim);
    Finish(c.claim, c.done);
    if (*c.path != '\0') Ok(ledger().set_done_path(c.claim, c.path));
  }
  EXPECT_THAT(ClaimsOf(ledger().done_since(kNow - hours(1))), ElementsAre("edge", "new"));
}

TEST_F(LedgerTest, SumsUpByFeed) {
  Claim("c1", "a.log", kNow - hours(5));
  Format("c1");
  Finish("c1", kNow - hours(2));
  Claim("c2", "b.log", kNow - hours(1));
  Format("c2");
  Finish("c2", kNow);
  Claim("c3", "c.log", kNow - hours(3));
  Ok(ledger().finish_failed("c3", "damaged", 7, kNow));
  Claim("c4", "d.log", kNow - minutes(9));
  Ok(ledger().set_in_drop("hrt", {{"e.log", 1, 1, "changing"}}, kNow - minutes(20)));
  NewClaim by_hand = ClaimOf("c5", "f.log", Origin::process);
  Ok(ledger().commit_claims({by_hand}, kNow - hours(9)));

  auto summaries = Ok(ledger().summaries());
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

  EXPECT_EQ(Ok(ledger().throughput_since(kNow - hours(1)))["hrt"].extracts, 1U);
  const Throughput day = Ok(ledger().throughput_since(kNow - hours(24)))["hrt"];
  EXPECT_EQ(day.extracts, 2U);
  EXPECT_EQ(day.rows, 498U);
  EXPECT_EQ(day.bytes, 202U);
}

}  // namespace
}  // namespace caravel::watcher
