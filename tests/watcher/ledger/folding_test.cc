// What grows old in the ledger: extracts become daily totals, and are forgotten at last.
#include "watcher/ledger/upkeep/folding.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/ledger_fixture.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kDay = 24h;

class FoldingTest : public LedgerTest {
 protected:
  /// Everything that ended before `kNow` is old enough to be folded, and nothing to be forgotten.
  const FoldBounds kFoldAll{kNow, Time{}};
  const FoldBounds kForgetAll{kNow, kNow};

  static bool Gone(const Extract& /*extract*/) { return true; }

  void Archive(const std::string& claim) {
    Ok(ledger().extracts().set_done_path(claim, "/spool/done/" + claim));
  }
  /// An extract that was loaded and archived `age` ago.
  void Load(const std::string& claim, const std::string& name, std::chrono::hours age,
            const std::string& sha256 = kSha) {
    Claim(claim, name, kNow - age);
    Format(claim, sha256);
    Finish(claim, kNow - age);
    Archive(claim);
  }
  void Fail(const std::string& claim, std::chrono::hours age) {
    Claim(claim, claim + ".log", kNow - age);
    Ok(ledger().extracts().finish_failed(claim, "no such format", 7, kNow - age, kOtherSha));
    Archive(claim);
  }
  Folded Fold(const FoldBounds& bounds) { return FoldIf(bounds, Gone); }
  Folded FoldIf(const FoldBounds& bounds, const Folding::IsGone& is_gone) {
    Folding folding(ledger());
    Folded all;
    do {
      all += Ok(folding.step(bounds, is_gone));
    } while (all.more);
    return all;
  }
  FeedSummary Summary() { return Ok(ledger().history().summaries())["hrt"]; }
  std::string Text(const std::string& sql) {
    std::string out;
    Ok(ledger().database().each(sql, [&](const Statement& row) {
      for (int i = 0; i < row.columns(); ++i) out += (i > 0 ? "|" : "") + row.text(i);
      out += "\n";
    }));
    return out;
  }
};

TEST_F(FoldingTest, TheTotalsStayWhatTheyWere) {
  Load("c1", "a.log", 3 * kDay);
  Load("c2", "b.log", 3 * kDay, kOtherSha);
  Load("c3", "c.log", 2 * kDay);
  Fail("c4", 2 * kDay);
  Ok(ledger().extracts().settle(Of("c4").id, Settled::acknowledged, "", kNow));
  Claim("c5", "new.log");
  const FeedSummary before = Summary();
  const Folded folded = Fold(kFoldAll);
  EXPECT_EQ(folded.extracts, 4U);
  EXPECT_EQ(folded.forgotten, 0U);
  const FeedSummary after = Summary();
  EXPECT_EQ(after.counts, before.counts);
  EXPECT_EQ(after.extracts, before.extracts);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.years_guessed, before.years_guessed);
  EXPECT_EQ(after.last_claim, before.last_claim);
  EXPECT_EQ(Text("SELECT day, done, not_done, bytes, lines, failed FROM daily ORDER BY day"),
            "2012-03-06|2|0|202|562|0\n2012-03-07|1|1|201|288|7\n");
  EXPECT_EQ(Text("SELECT claim FROM extracts"), "c5\n");
  EXPECT_FALSE(Ok(ledger().history().is_empty()));
}

TEST_F(FoldingTest, WhatIsNotOverStays) {
  Load("archived", "a.log", 3 * kDay);
  Claim("done", "b.log", kNow - 3 * kDay);
  Format("done");
  Finish("done", kNow - 3 * kDay);  // a crash came before it was archived
  Fail("open", 3 * kDay);
  Load("wanted", "c.log", 3 * kDay);
  Ok(ledger().extracts().ask_retry(Of("wanted").id, kNow));
  Load("in-spool", "d.log", 3 * kDay);
  Load("young", "e.log", 0h);
  Claim("on-its-way", "f.log", kNow - 3 * kDay);
  const auto gone = [](const Extract& extract) { return extract.claim != "in-spool"; };
  EXPECT_EQ(FoldIf(kFoldAll, gone).extracts, 1U);
  EXPECT_EQ(Text("SELECT claim FROM extracts ORDER BY id"),
            "done\nopen\nwanted\nin-spool\nyoung\non-its-way\n");
}

TEST_F(FoldingTest, ALookSaysWhatAPassWouldDoAndChangesNothing) {
  for (int i = 0; i < 3; ++i) Load("c" + std::to_string(i), "a.log", 3 * kDay);
  Load("new", "b.log", 0h);
  Folding folding(ledger());
  const Folded looked = Ok(folding.look(kFoldAll, Gone));
  EXPECT_EQ(looked.extracts, 3U);
  EXPECT_EQ(Text("SELECT count(*) FROM daily"), "0\n");
  EXPECT_EQ(Fold(kFoldAll).extracts, looked.extracts);
  EXPECT_EQ(Ok(folding.look(kForgetAll, Gone)).forgotten, 3U);
}

TEST_F(FoldingTest, APassOfManyStepsMissesNone) {
  constexpr std::size_t kMany = 2 * Folding::kBatch + 7;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string claim = "c" + std::to_string(i);
    Ok(ledger().database().run(
        "INSERT INTO extracts (claim, feed, name, origin, state, since, seen_at, done_at, "
        "done_path, lines, stored) VALUES (?1, 'hrt', ?1, 'drop', 'done', ?2, ?2, ?2, '/x', 3, 3)",
        claim, time_text(kNow - 2 * kDay)));
  }
  // Every seventh is still in the spool.
  const auto gone = [](const Extract& extract) { return extract.id % 7 != 0; };
  Folding folding(ledger());
  const Folded first = Ok(folding.step(kFoldAll, gone));
  EXPECT_TRUE(first.more);
  EXPECT_LT(first.extracts, Folding::kBatch);
  std::size_t rest = 0;
  for (bool more = true; more;) {
    const Folded next = Ok(folding.step(kFoldAll, gone));
    rest += next.extracts;
    more = next.more;
  }
  EXPECT_EQ(first.extracts + rest, kMany - kMany / 7);
  EXPECT_EQ(Summary().counts.lines, 3 * kMany);
}

TEST_F(FoldingTest, AStepThatIsCutOffChangesNothing) {
  Load("c1", "a.log", 3 * kDay);
  Load("c2", "b.log", 3 * kDay);
  const FeedSummary before = Summary();
  // A fault at each of the changes that a fold consists of, as a full disk or a crash would be.
  for (const char* const at : {"INSERT ON remembered", "INSERT ON daily", "DELETE ON extracts"}) {
    SCOPED_TRACE(at);
    Ok(ledger().database().script(std::string("CREATE TRIGGER cut BEFORE ") + at +
                                  " BEGIN SELECT RAISE(ABORT, 'cut off'); END"));
    Folding folding(ledger());
    const auto cut = folding.step(kFoldAll, Gone);
    ASSERT_FALSE(cut.has_value());
    EXPECT_THAT(cut.error().message, HasSubstr("ledger: fold: cut off"));
    Ok(ledger().database().script("DROP TRIGGER cut"));
    EXPECT_EQ(Summary().counts, before.counts);
    EXPECT_EQ(Text("SELECT count(*) FROM remembered UNION ALL SELECT count(*) FROM daily"),
              "0\n0\n");
  }
  EXPECT_EQ(Fold(kFoldAll).extracts, 2U);
  EXPECT_EQ(Summary().counts, before.counts);
}

TEST_F(FoldingTest, AReplayIsRecognisedUntilItsContentIsForgotten) {
  Load("c1", "a.log", 3 * kDay);
  Fold(kFoldAll);
  auto found = Ok(ledger().history().find_sha256(kSha.substr(0, 12)));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found[0].folded);
  EXPECT_EQ(found[0].name, "a.log");
  EXPECT_EQ(found[0].state, State::done);
  EXPECT_EQ(found[0].counts, Good());
  EXPECT_EQ(found[0].store, "local");
  EXPECT_THAT(Ok(ledger().history().find_name("a.log")), SizeIs(1));
  EXPECT_THAT(Ok(ledger().history().find_name("c1")), SizeIs(1)) << "its name in done/";
  EXPECT_TRUE(Ok(ledger().extracts().known_time(kSha)).has_value());

  Folding folding(ledger());
  EXPECT_EQ(Ok(folding.step(kForgetAll, Gone)).forgotten, 1U);
  EXPECT_THAT(Ok(ledger().history().find_sha256(kSha)), IsEmpty());
  EXPECT_FALSE(Ok(ledger().extracts().known_time(kSha)).has_value());
  EXPECT_EQ(Summary().counts, Good());
  EXPECT_EQ(Text("SELECT done, forgotten FROM daily"), "1|1\n");
}

TEST_F(FoldingTest, TheYearOfAContentIsKeptAsLongAsAnyExtractHasIt) {
  Load("old", "a.log", 3 * kDay);
  Load("new", "b.log", 0h);
  Fold(kForgetAll);
  EXPECT_EQ(Fold(kForgetAll).forgotten, 0U);
  EXPECT_TRUE(Ok(ledger().extracts().known_time(kSha)).has_value());
}

TEST_F(FoldingTest, DeleteStaleStillKnowsWhoElseMayHaveBroughtARow) {
  Load("c1", "a.log", 3 * kDay);
  const auto times = [&](const std::string& sha256) {
    std::vector<std::string> out;
    for (const RowTimes& one : Ok(ledger().history().other_row_times("hrt", sha256))) {
      out.push_back(one.first_time + " " + one.last_time);
    }
    return out;
  };
  const auto before = times(kOtherSha);
  ASSERT_THAT(before, ElementsAre("2012-03-09T09:48:00 2012-03-09T09:52:00"));
  EXPECT_THAT(times(kSha), IsEmpty());
  Fold(kFoldAll);
  EXPECT_EQ(times(kOtherSha), before);
  EXPECT_THAT(times(kSha), IsEmpty()) << "its own rows hinder nothing";
  Fold(kForgetAll);
  EXPECT_EQ(times(kOtherSha), before);
  EXPECT_EQ(times(kSha), before) << "nobody knows any more whose they are";
}

Manifest ManifestOf(const std::string& sha256) {
  Manifest manifest;
  manifest.host = "capture";
  manifest.log = "/var/log/app.log";
  manifest.run = "0123abcd";
  manifest.sequence = 4;
  manifest.first_line = std::string(32, 'f');
  manifest.bytes = 100;
  manifest.lines = 3;
  manifest.sha256 = sha256;
  return manifest;
}

TEST_F(FoldingTest, AManifestThatComesAfterTheFoldIsTooLate) {
  Load("c1", "a.log", 3 * kDay);
  Fold(kFoldAll);
  Ok(ledger().manifests().add("hrt", "a.log", ManifestOf(kSha), kNow));
  EXPECT_EQ(Text("SELECT too_late, loaded_at IS NOT NULL FROM manifests"), "1|1\n");
}

TEST_F(FoldingTest, AManifestIsForgottenWithItsExtract) {
  Ok(ledger().manifests().add("hrt", "a.log", ManifestOf(kSha), kNow - 3 * kDay));
  Load("c1", "a.log", 3 * kDay);
  EXPECT_EQ(Fold(kFoldAll).manifests, 0U);
  const Folded folded = Fold(kForgetAll);
  EXPECT_EQ(folded.forgotten + folded.manifests, 2U);
  EXPECT_EQ(Text("SELECT count(*) FROM manifests"), "0\n");
}

TEST_F(FoldingTest, AFailureThatIsFoldedMakesNoManifestOverdue) {
  Ok(ledger().manifests().add("hrt", "c1.log", ManifestOf(kOtherSha), kNow - 3 * kDay));
  Fail("c1", 3 * kDay);
  Ok(ledger().extracts().settle(Of("c1").id, Settled::acknowledged, "", kNow));
  EXPECT_EQ(Fold(kFoldAll).extracts, 1U);
  std::vector<std::string> overdue;
  Ok(ledger().manifests().without_extract(
      Time{}, [&](const OpenManifest& open) { overdue.push_back(open.name); }));
  EXPECT_THAT(overdue, IsEmpty());
}

TEST_F(FoldingTest, TheLastClaimOfAFeedIsKnownWhenAllIsFolded) {
  Load("c1", "a.log", 3 * kDay);
  Load("c2", "b.log", 2 * kDay);
  const auto before = Ok(ledger().history().last_claim("hrt"));
  ASSERT_TRUE(before.has_value());
  Fold(kForgetAll);
  Fold(kForgetAll);
  EXPECT_EQ(Ok(ledger().history().last_claim("hrt")), before);
}

// -- A real ledger of the schema before -----------------------------------------------------------

class ForgettingSources : public FoldingTest {
 protected:
  void Arrive(const std::string& run, std::uint64_t sequence, std::chrono::hours ago,
              bool by_hand = false) {
    const std::optional<Time> came = by_hand ? std::nullopt : std::optional(kNow - ago);
    Ok(ledger().sources().arrived({"hrt", run, "app.log of bus1"}, sequence, State::done, came,
                                  kNow - ago));
  }
  std::vector<std::string> Runs() {
    std::vector<std::string> runs;
    for (const SourceStatus& source : Ok(ledger().sources().all())) runs.push_back(source.run.run);
    return runs;
  }
  const FoldBounds kBounds{kNow - 90 * kDay, kNow - 400 * kDay};
};

TEST_F(ForgettingSources, ARunGoesWithItsGapsOnceNothingOfItIsNews) {
  Arrive("00000001", 5, 500 * kDay);        // with the gap 1-4
  Arrive("00000002", 3, 500 * kDay);        // its gap is younger
  Arrive("00000002", 9, 300 * kDay, true);  // than what came of it
  Arrive("00000003", 1, 399 * kDay);
  Arrive("00000004", 1, 500 * kDay, true);  // by hand only
  Arrive("00000005", 1, 100 * kDay, true);
  Folding folding(ledger());
  EXPECT_EQ(Ok(folding.look(kBounds, Gone)).sources, 2U);
  EXPECT_THAT(Runs(), SizeIs(5));
  EXPECT_EQ(Fold(kBounds).sources, 2U);
  EXPECT_THAT(Runs(), testing::UnorderedElementsAre("00000002", "00000003", "00000005"));
  EXPECT_EQ(Text("SELECT DISTINCT run FROM gaps"), "00000002\n");
  EXPECT_EQ(Fold(kBounds).sources, 0U);
}

TEST_F(ForgettingSources, AGapThatAPersonClosedIsForgottenTooAndTheOthersStay) {
  Arrive("00000001", 5, 10 * kDay);
  Ok(ledger().sources().close_gaps("hrt", "00000001", 1, 2, "lost", kNow - 500 * kDay));
  Ok(ledger().sources().close_gaps("hrt", "00000001", 3, 3, "lost", kNow - 300 * kDay));
  Fold(kBounds);
  EXPECT_EQ(Text("SELECT first, last FROM closed_gaps"), "3|3\n");
  EXPECT_EQ(Text("SELECT first, last FROM gaps"), "4|4\n");
}

std::string Read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(LedgerMigration, ALedgerOfSchemaSixKeepsAllThatItKnew) {
  const testing_support::Folder folder;
  const std::string path = folder / "ledger.db";
  const std::string dump = Read(CARAVEL_SOURCE_DIR "/tests/watcher/ledger/schema-6.sql");
  ASSERT_FALSE(dump.empty());
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, dump.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);

  auto ledger = Ledger::open(path);
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  const FeedSummary before = ledger->history().summaries().value().at("hrt");
  EXPECT_EQ(before.counts.lines, 813U);
  EXPECT_EQ(before.open_failures, 1U);
  const auto found = ledger->history().find_name("bad-2012-03-09.log").value();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].settled_why, "a test");

  Folding folding(*ledger);
  const FoldBounds bounds{parse_time_text("2030-01-01T00:00:00.000Z").value(), Time{}};
  const auto folded = folding.step(bounds, [](const Extract&) { return true; });
  ASSERT_TRUE(folded.has_value()) << folded.error().message;
  EXPECT_EQ(folded->extracts, 5U) << "all but the failure that is open";
  const FeedSummary after = ledger->history().summaries().value().at("hrt");
  EXPECT_EQ(after.counts, before.counts);
  EXPECT_EQ(after.extracts, before.extracts);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.open_failures, 1U);
}

}  // namespace
}  // namespace caravel::watcher
