// Sequences of capture hosts, and the gaps in them.
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "tests/support/ledger_fixture.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/sources.h"
#include "watcher/sources/sequence.h"

namespace caravel::watcher {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const SourceRun kRun{"hrt", "0a1b2c3d", "/var/log/app.log on bus1", false};

class LedgerSources : public ::testing::Test {
 protected:
  Arrival Arrive(std::uint64_t sequence, Time now = kNow) {
    auto arrival = ledger_.sources().arrived(kRun, sequence, State::done, now, now);
    EXPECT_TRUE(arrival.has_value()) << arrival.error().message;
    return arrival.value_or(Arrival{});
  }
  std::vector<SourceStatus> Sources() { return ledger_.sources().all().value(); }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> Gaps() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
    for (const SourceStatus& source : Sources()) {
      for (const SequenceGap& gap : source.gaps) out.emplace_back(gap.first, gap.last);
    }
    return out;
  }

  Ledger ledger_ = Ledger::open(std::string(Ledger::kInMemory)).value();
};

TEST_F(LedgerSources, AGapOpensSplitsAndCloses) {
  EXPECT_THAT(Arrive(1).opened, IsEmpty());
  EXPECT_EQ(Arrive(6).opened.at(0).first, 2U);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 5)));
  EXPECT_TRUE(Arrive(4).closed);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 3), Pair(5, 5)));
  Arrive(2);
  Arrive(5);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(3, 3)));
  const Arrival last = Arrive(3);
  EXPECT_TRUE(last.closed);
  EXPECT_EQ(last.gaps, 0U);
  EXPECT_THAT(Gaps(), IsEmpty());
}

TEST_F(LedgerSources, AGapThatAPersonClosesIsNoneAnyMore) {
  Arrive(1);
  Arrive(6);
  Arrive(9);
  const auto close = [&](std::uint64_t first, std::uint64_t last) {
    return ledger_.sources().close_gaps("hrt", kRun.run, first, last, "disk died", kNow).value();
  };
  EXPECT_EQ(close(3, 7), 4U) << "3, 4, 5 and 7; 6 came";
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(8, 8)));
  EXPECT_EQ(close(3, 7), 0U);
  EXPECT_FALSE(Arrive(4).closed) << "it comes all the same, and nothing was missing";
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(8, 8)));
  EXPECT_EQ(close(0, 100), 2U);
  EXPECT_THAT(Gaps(), IsEmpty());
  EXPECT_EQ(ledger_.sources().close_gaps("other", kRun.run, 0, 100, "", kNow).value(), 0U);
}

TEST_F(LedgerSources, TheFirstThatComesMayBeLate) {
  EXPECT_EQ(Arrive(3).opened.at(0).last, 2U);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(1, 2)));
}

TEST_F(LedgerSources, ArrivingTwiceChangesNothing) {
  for (const std::uint64_t sequence : {1U, 5U, 5U, 1U, 3U, 3U}) Arrive(sequence);
  EXPECT_FALSE(Arrive(3).closed);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(4, 4)));
  EXPECT_EQ(Sources().front().last_sequence, 5U);
}

TEST_F(LedgerSources, AGapKeepsTheTimeWhenItOpenedAlsoInItsHalves) {
  Arrive(9, kNow);
  Arrive(4, kNow + seconds(60));
  const std::vector<SourceStatus> sources = Sources();
  EXPECT_EQ(sources.front().gaps.size(), 2U);
  for (const SequenceGap& gap : sources.front().gaps) EXPECT_EQ(gap.since, kNow);
}

TEST_F(LedgerSources, ANumberThatNoAgentCountsToIsPassedOver) {
  EXPECT_THAT(Arrive(~std::uint64_t{0}).opened, IsEmpty());
  EXPECT_THAT(Arrive(0).opened, IsEmpty());
  EXPECT_THAT(Sources(), IsEmpty());
}

TEST_F(LedgerSources, AgreesWithATrivialModelInAnyOrder) {
  std::mt19937 random(11);
  std::set<std::uint64_t> come;
  for (int step = 0; step < 400; ++step) {
    const std::uint64_t sequence = random() % 60 + 1;
    come.insert(sequence);
    Arrive(sequence);
    std::set<std::uint64_t> missing;
    for (const auto& [first, last] : Gaps()) {
      for (std::uint64_t n = first; n <= last; ++n) EXPECT_TRUE(missing.insert(n).second);
    }
    for (std::uint64_t n = 1; n <= *come.rbegin(); ++n) {
      EXPECT_EQ(come.contains(n), !missing.contains(n)) << n;
    }
    EXPECT_TRUE(missing.empty() || *missing.rbegin() < *come.rbegin());
  }
}

TEST_F(LedgerSources, WhatIsHereIsNotMissingThoughALaterOneCameFirst) {
  const auto name = [](std::uint64_t number) {
    return extract_name("app.log", "bus1", "0a1b2c3d", number);
  };
  // Extract 3 is in work, 4 was seen by the last scan, 6 lies in the drop directory and was not
  // seen yet.
  NewClaim claim;
  claim.claim = "c3";
  claim.feed = "hrt";
  claim.name = name(3);
  ASSERT_TRUE(ledger_.extracts().commit_claims({claim}, kNow));
  ASSERT_TRUE(ledger_.drop_names().set_in_drop("hrt", {{name(4), 1, 1, ""}}, kNow));
  ASSERT_FALSE(Arrive(1).closed);
  const auto arrival = ledger_.sources().arrived(kRun, 7, State::done, kNow, kNow, [] {
    return std::set<std::uint64_t>{1, 6, 7, 9};
  });
  ASSERT_TRUE(arrival.has_value()) << arrival.error().message;
  ASSERT_THAT(arrival->opened, testing::SizeIs(2));
  EXPECT_THAT(describe({kRun, 7}, *arrival),
              ElementsAre("/var/log/app.log on bus1: extract 7 of run 0a1b2c3d is here, and 2, 5 "
                          "is not: late or lost"));
  // The ledger does not know of extract 6 yet, so it counts as a gap.
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(5, 5), Pair(6, 6)));
  EXPECT_FALSE(Arrive(6).closed) << "nobody heard that it was missing";
  EXPECT_TRUE(Arrive(5).closed);
  // An extract that failed as a broken transfer is missing.
  ASSERT_TRUE(ledger_.extracts().finish_failed("c3", "a broken transfer", 0, kNow));
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(3, 3)));
  ASSERT_TRUE(ledger_.drop_names().set_in_drop("hrt", {}, kNow));
  EXPECT_THAT(Gaps(), ElementsAre(Pair(2, 2), Pair(3, 3), Pair(4, 4)));
}

TEST_F(LedgerSources, WhatAPersonBrokeOffIsMissing) {
  NewClaim claim;
  claim.claim = "c1";
  claim.feed = "hrt";
  claim.name = extract_name("app.log", "bus1", "0a1b2c3d", 1);
  claim.origin = Origin::process;
  ASSERT_TRUE(ledger_.extracts().commit_claims({claim}, kNow));
  Arrive(2);
  EXPECT_THAT(Gaps(), ElementsAre(Pair(1, 1)));
}

TEST_F(LedgerSources, TheDropDirectoryIsReadUnderNoLock) {
  ASSERT_FALSE(Arrive(1).closed);
  ASSERT_TRUE(ledger_.sources().arrived(kRun, 3, State::done, kNow, kNow, [&] {
    Arrive(2);  // another came meanwhile
    return std::set<std::uint64_t>{};
  }));
  EXPECT_THAT(Gaps(), IsEmpty());
}

TEST_F(LedgerSources, ALongListOfGapsIsCut) {
  Arrival arrival;
  for (std::uint64_t i = 1; i < 8; ++i) arrival.opened.push_back({2 * i, 2 * i, kNow});
  EXPECT_THAT(describe({kRun, 15}, arrival),
              ElementsAre(testing::HasSubstr("and 2, 4, 6, 8, 10 and 2 gaps more is not")));
}

TEST_F(LedgerSources, WhatOnlyANameSaysDoesNotReplaceWhatAManifestSaid) {
  Arrive(1);
  SourceRun by_name = kRun;
  by_name.source = "app.log.bus1";
  by_name.by_name_only = true;
  ASSERT_TRUE(ledger_.sources().arrived(by_name, 2, State::done, kNow, kNow).has_value());
  EXPECT_EQ(Sources().front().run.source, kRun.source);
}

TEST(Sequence, IsTakenFromTheManifestOrFromTheName) {
  Manifest manifest;
  manifest.run = "11111111";
  manifest.sequence = 7;
  manifest.log = "/l";
  manifest.host = "h";
  EXPECT_EQ(sequence_of("f", "any.log", manifest)->sequence, 7U);
  EXPECT_EQ(sequence_of("f", "any.log", manifest)->run.source, "/l on h");
  const auto by_name = sequence_of("f", "app.log.bus1.0a1b2c3d.00000012.log", std::nullopt);
  ASSERT_TRUE(by_name.has_value());
  EXPECT_EQ(by_name->sequence, 12U);
  EXPECT_EQ(by_name->run.run, "0a1b2c3d");
  EXPECT_FALSE(sequence_of("f", "app-2012-03-09.log", std::nullopt));
}

}  // namespace
}  // namespace caravel::watcher
