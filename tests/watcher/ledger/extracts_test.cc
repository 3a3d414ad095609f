// An extract's way through the ledger.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/sqlite/sqlite.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::Folder;

TEST_F(LedgerTest, KeepsEveryFactOfAnExtractsWay) {
  Ok(ledger().drop_names().set_in_drop("hrt", {{"a.log", 50, 4, "still open for writing"}}, kNow));
  Claim("c1", "a.log", kNow + minutes(1));
  const Extract claimed = Of("c1");
  EXPECT_EQ(claimed.state, State::claimed);
  EXPECT_EQ(claimed.why, "");
  EXPECT_EQ(claimed.feed, "hrt");
  EXPECT_EQ(claimed.name, "a.log");
  EXPECT_EQ(claimed.path, "/spool/work/c1/a.log");
  EXPECT_EQ(claimed.seen_at, kNow);
  EXPECT_EQ(claimed.claimed_at, kNow + minutes(1));
  EXPECT_EQ(claimed.since, kNow + minutes(1));
  EXPECT_EQ(claimed.size, 100U);
  EXPECT_EQ(claimed.mtime_ns, 5);
  EXPECT_EQ(claimed.store, "local");
  EXPECT_EQ(claimed.host, "loader");
  EXPECT_EQ(claimed.done_at, std::nullopt);

  Ok(ledger().extracts().formatted("c1", Yield(), kNow + minutes(2)));
  const Extract formatted = Of("c1");
  EXPECT_EQ(formatted.state, State::formatted);
  EXPECT_EQ(formatted.since, kNow + minutes(2));
  EXPECT_EQ(formatted.size, 101U);
  EXPECT_EQ(formatted.mtime_ns, 6);
  EXPECT_EQ(formatted.sha256, kSha);
  EXPECT_EQ(formatted.format, "spysocket");
  EXPECT_EQ(formatted.time_used, "2012-03-09T23:59:59Z");
  EXPECT_EQ(formatted.time_source, "name");
  EXPECT_TRUE(formatted.year_guessed);
  EXPECT_EQ(formatted.first_time, "2012-03-09T09:48:00");
  EXPECT_EQ(formatted.last_time, "2012-03-09T09:52:00");
  EXPECT_EQ(formatted.counts,
            (LineCounts{.lines = 281, .rows = 251, .dropped = 29, .rejected = 1}));

  Ok(ledger().extracts().acknowledge("c1", 100, kNow + minutes(3)));
  Ok(ledger().extracts().acknowledge("c1", 200, kNow + minutes(4)));
  EXPECT_EQ(Of("c1").state, State::uploading);
  EXPECT_EQ(Of("c1").since, kNow + minutes(3));
  EXPECT_EQ(Of("c1").acknowledged, 200U);

  Ok(ledger().extracts().finish_done("c1", Good(), "attachment refused", kNow + minutes(5)));
  const Extract done = Of("c1");
  EXPECT_EQ(done.state, State::done);
  EXPECT_EQ(done.why, "attachment refused");
  EXPECT_EQ(done.done_at, kNow + minutes(5));
  EXPECT_EQ(done.acknowledged, 251U);
  EXPECT_EQ(done.counts, Good());
  EXPECT_EQ(done.done_path, "");

  Ok(ledger().extracts().set_done_path("c1", "/spool/done/2012/03/09/a.log"));
  EXPECT_EQ(Of("c1").done_path, "/spool/done/2012/03/09/a.log");
  EXPECT_EQ(Of("c1").path, "/spool/done/2012/03/09/a.log");
}

TEST_F(LedgerTest, RefusesToFinishUnlessEveryLineIsAccountedFor) {
  Claim("c1", "a.log");
  Format("c1");
  const struct {
    const char* what;
    void (*spoil)(LineCounts&);
    const char* message;
  } cases[] = {
      {"a row lost", [](LineCounts& c) { --c.stored; },
       "281 lines, but 199 stored + 49 already there + 29 dropped + 3 rejected = 280"},
      {"a row twice", [](LineCounts& c) { ++c.already_there; },
       "281 lines, but 200 stored + 50 already there + 29 dropped + 3 rejected = 282"},
      {"other lines", [](LineCounts& c) { ++c.lines, ++c.stored; },
       "formatted as 281 lines, 251 rows, 29 dropped, 1 rejected; finished as 282, 251, 29, 3"},
      {"a drop for a row", [](LineCounts& c) { ++c.dropped, --c.stored; },
       "formatted as 281 lines, 251 rows, 29 dropped, 1 rejected; finished as 281, 251, 30, 3"},
      {"a reject forgotten", [](LineCounts& c) { c.rejected -= 3, c.stored += 3; },
       "formatted as 281 lines, 251 rows, 29 dropped, 1 rejected; finished as 281, 251, 29, 0"},
      {"too many differ", [](LineCounts& c) { c.differs = 50; },
       "50 differs of 49 already there, 5 replaced of 200 stored, 0 failed"},
      {"too many replaced", [](LineCounts& c) { c.replaced = 201; },
       "4 differs of 49 already there, 201 replaced of 200 stored, 0 failed"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    LineCounts counts = Good();
    c.spoil(counts);
    EXPECT_EQ(FaultOf(ledger().extracts().finish_done("c1", counts, "", kNow)),
              std::string("ledger: set done c1: ") + c.message);
    EXPECT_EQ(Of("c1").state, State::formatted);
  }
  Finish("c1");
}

TEST_F(LedgerTest, RefusesFormattedCountsThatDoNotAddUp) {
  Claim("c1", "a.log");
  FormattedExtract extract = Yield();
  ++extract.counts.lines;
  EXPECT_EQ(FaultOf(ledger().extracts().formatted("c1", extract, kNow)),
            "ledger: formatted c1: 282 lines, but 251 rows + 29 dropped + 1 rejected");
  EXPECT_EQ(Of("c1").state, State::claimed);
}

TEST_F(LedgerTest, TheDatabaseItselfRefusesAWrongSum) {
  Claim("c1", "a.log");
  Format("c1");
  auto raw = Sqlite::open(path_, Sqlite::Mode::read_write, 1000);
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(FaultOf(raw->script("UPDATE extracts SET state = 'done'")),
              HasSubstr("CHECK constraint failed"));
}

TEST_F(LedgerTest, AnEmptyExtractIsDoneWithNoLines) {
  Claim("c1", "a.log");
  Ok(ledger().extracts().formatted("c1", {.sha256 = kSha}, kNow));
  Ok(ledger().extracts().finish_done("c1", {}, "", kNow));
  EXPECT_EQ(Of("c1").state, State::done);
}

TEST_F(LedgerTest, WhatIsDoneOrFailedStaysSo) {
  Claim("c1", "a.log");
  Format("c1");
  Finish("c1");
  Claim("c2", "b.log");
  Ok(ledger().extracts().finish_failed("c2", "damaged gzip data", 12, kNow + minutes(1)));
  EXPECT_EQ(Of("c2").why, "damaged gzip data");
  EXPECT_EQ(Of("c2").counts, (LineCounts{.lines = 12, .failed = 12}));
  EXPECT_EQ(Of("c2").done_at, kNow + minutes(1));
  for (const std::string claim : {"c1", "c2", "nothing"}) {
    SCOPED_TRACE(claim);
    const std::string end = " " + claim + ": no such claim, or it is done or failed already";
    EXPECT_EQ(FaultOf(ledger().extracts().set_state(claim, State::uploading, "", kNow)),
              "ledger: set state" + end);
    EXPECT_EQ(FaultOf(ledger().extracts().set_waiting(claim, "x", {}, kNow)),
              "ledger: set waiting" + end);
    EXPECT_EQ(FaultOf(ledger().extracts().formatted(claim, Yield(), kNow)),
              "ledger: formatted" + end);
    EXPECT_EQ(FaultOf(ledger().extracts().acknowledge(claim, 1, kNow)),
              "ledger: acknowledge" + end);
    EXPECT_EQ(FaultOf(ledger().extracts().finish_failed(claim, "x", 0, kNow)),
              "ledger: set failed" + end);
    EXPECT_EQ(FaultOf(ledger().extracts().set_path(claim, "x")), "ledger: set path" + end);
    EXPECT_FALSE(ledger().extracts().finish_done(claim, Good(), "", kNow).has_value());
    EXPECT_FALSE(ledger().extracts().claim_gone(claim).has_value());
  }
  EXPECT_EQ(Of("c1").state, State::done);
  EXPECT_EQ(Of("c2").state, State::failed);
  EXPECT_EQ(FaultOf(ledger().extracts().set_state("c1", State::done, "", kNow)),
            "ledger: set state c1: 'done' has a call of its own");
}

TEST_F(LedgerTest, WaitingCountsAttemptsAndKeepsWhenItBegan) {
  Claim("c1", "a.log");
  Ok(ledger().extracts().set_waiting("c1", "a manifest", {}, kNow + minutes(1)));
  EXPECT_EQ(Of("c1").attempts, 0U);
  EXPECT_EQ(Of("c1").next_try, std::nullopt);
  Ok(ledger().extracts().set_waiting("c1", "store down", kNow + minutes(3), kNow + minutes(2)));
  Ok(ledger().extracts().set_waiting("c1", "store still down", kNow + minutes(5),
                                     kNow + minutes(4)));
  EXPECT_EQ(Of("c1").state, State::waiting);
  EXPECT_EQ(Of("c1").why, "store still down");
  EXPECT_EQ(Of("c1").since, kNow + minutes(1));
  EXPECT_EQ(Of("c1").attempts, 2U);
  EXPECT_EQ(Of("c1").next_try, kNow + minutes(5));
  Ok(ledger().extracts().set_state("c1", State::claimed, "", kNow + minutes(6)));
  EXPECT_EQ(Of("c1").since, kNow + minutes(6));
  EXPECT_EQ(Of("c1").next_try, std::nullopt);
}

TEST_F(LedgerTest, ClaimsAreAllOrNone) {
  Claim("c1", "a.log");
  EXPECT_EQ(FaultOf(ledger().extracts().commit_claims(
                {ClaimOf("c2", "b.log"), ClaimOf("c1", "c.log")}, kNow)),
            "ledger: claim: c1: UNIQUE constraint failed: extracts.claim");
  EXPECT_EQ(Ok(ledger().extracts().find_claim("c2")), std::nullopt);
  EXPECT_THAT(ClaimsOf(ledger().extracts().unfinished()), ElementsAre("c1"));
}

TEST_F(LedgerTest, TheSameNameAgainIsAnotherExtract) {
  Claim("c1", "a.log");
  Claim("c2", "a.log");
  Ok(ledger().drop_names().set_in_drop("hrt", {{"a.log", 1, 1, ""}}, kNow));
  EXPECT_THAT(ClaimsOf(ledger().history().find_name("a.log")), ElementsAre("", "c2", "c1"));
}

TEST_F(LedgerTest, AClaimWhoseRenameFoundNothingIsForgotten) {
  Claim("c1", "a.log");
  Ok(ledger().extracts().claim_gone("c1"));
  EXPECT_EQ(Ok(ledger().extracts().find_claim("c1")), std::nullopt);
  Claim("c2", "b.log");
  Format("c2");
  EXPECT_EQ(FaultOf(ledger().extracts().claim_gone("c2")),
            "ledger: forget c2: no such claim, or it was formatted already");
}

TEST_F(LedgerTest, AfterACrashTheWorkIsKnown) {
  Claim("claimed", "a.log");
  Claim("formatted", "b.log");
  Format("formatted");
  Claim("waiting", "c.log");
  Ok(ledger().extracts().set_waiting("waiting", "store down", kNow + seconds(9), kNow));
  Claim("done", "d.log");
  Format("done");
  Finish("done");
  Claim("archived", "e.log");
  Format("archived");
  Finish("archived");
  Ok(ledger().extracts().set_done_path("archived", "/done/e.log"));
  Claim("failed", "f.log");
  Ok(ledger().extracts().finish_failed("failed", "damaged", 0, kNow));
  Ok(ledger().extracts().commit_claims({ClaimOf("hand", "g.log", Origin::process)}, kNow));
  Ok(ledger().drop_names().set_in_drop("hrt", {{"h.log", 1, 1, "changing"}}, kNow));

  // Killed: the connection is neither closed nor checkpointed; its files are copied as they are.
  const Folder after;
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(path_ + suffix, after / (std::string("ledger.db") + suffix));
  }
  path_ = after / "ledger.db";
  Reopen();
  EXPECT_THAT(ClaimsOf(ledger().extracts().unfinished()),
              ElementsAre("claimed", "formatted", "waiting"));
  EXPECT_THAT(ClaimsOf(ledger().extracts().not_archived()), ElementsAre("done", "failed"));
  EXPECT_EQ(Of("formatted").sha256, kSha);
  EXPECT_EQ(Of("waiting").next_try, kNow + seconds(9));
  ledger_.reset();  // before its folder goes
}

TEST_F(LedgerTest, TheFirstTimeUsedIsRememberedUnlessAPersonSaysBetter) {
  EXPECT_EQ(Ok(ledger().extracts().known_time(kSha)), std::nullopt);
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
    Ok(ledger().extracts().formatted(claim, extract, kNow));
    EXPECT_EQ(Ok(ledger().extracts().known_time(kSha)), step.known);
  }
}

TEST_F(LedgerTest, WhatWasDoneLatelyIsLookedAtAgain) {
  const struct {
    const char* claim;
    Time done;
    const char* path;
  } cases[] = {{"old", kNow - hours(2), "/done/old"},
               {"edge", kNow - hours(1), "/done/edge"},
               {"new", kNow, "/done/new"},
               {"unarchived", kNow, ""},
               {"another", kNow, "/done/another"},
               {"third", kNow, "/done/third"}};
  for (const auto& c : cases) {
    Claim(c.claim, "a.log");
    Format(c.claim);
    Finish(c.claim, c.done);
    if (*c.path != '\0') Ok(ledger().extracts().set_done_path(c.claim, c.path));
  }
  const auto page = [&](const ArchivedExtract* after) {
    return Ok(ledger().extracts().done_since(kNow - hours(1), Origin::drop, after, 2));
  };
  const auto claims = [](const std::vector<ArchivedExtract>& extracts) {
    std::vector<std::string> names;
    for (const ArchivedExtract& extract : extracts) names.push_back(extract.claim);
    return names;
  };
  const auto first = page(nullptr);
  EXPECT_THAT(claims(first), ElementsAre("edge", "new"));
  EXPECT_EQ(first.front().done_path, "/done/edge");
  EXPECT_THAT(claims(page(&first.back())), ElementsAre("another", "third"));
}

}  // namespace
}  // namespace caravel::watcher
