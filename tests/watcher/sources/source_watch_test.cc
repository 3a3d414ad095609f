// What capture hosts owe us, and what is said of it.
#include "watcher/sources/source_watch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"

namespace caravel::watcher {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Time kNow = Time(seconds(1'700'000'000));

class Sources : public ::testing::Test {
 protected:
  Sources() {
    FeedConfig feed;
    feed.name = "hrt";
    feed.expect_every = minutes(15);
    feed.manifest_wait = minutes(10);
    config_.feeds.push_back(feed);
  }
  void Arrive(const std::string& run, std::uint64_t sequence, Time now) {
    ASSERT_TRUE(ledger_.sources().arrived({"hrt", run, "app.log on bus1", false}, sequence,
                                          State::done, now, now));
  }
  /// Claims the extract, which then stays in work, as if its store were down.
  void Claim(const std::string& name, Time now) {
    NewClaim claim;
    claim.claim = "claim of " + name;
    claim.feed = "hrt";
    claim.name = name;
    ASSERT_TRUE(ledger_.extracts().commit_claims({claim}, now));
  }
  std::vector<std::string> Overdue(Time now) {
    std::vector<std::string> names;
    const auto overdue = overdue_manifests(config_.feeds, ledger_, now);
    for (const OpenManifest& manifest : overdue.value().newest) {
      names.push_back(manifest.name);
    }
    return names;
  }
  std::vector<std::string> SilentRuns(Time now) {
    std::vector<std::string> runs;
    const auto silent = silent_sources(config_.feeds, ledger_, now);
    for (const SilentSource& source : silent.value()) {
      runs.push_back(source.run);
    }
    return runs;
  }
  void Announce(const std::string& name, Time now) {
    Manifest manifest;
    manifest.host = "bus1";
    manifest.log = "app.log";
    manifest.run = "0a1b2c3d";
    manifest.sequence = 7;
    manifest.first_line = std::string(32, '0');
    manifest.last = manifest.bytes = manifest.lines = 1;
    manifest.sha256 = std::string(64, '0');
    manifest.cut = kNow;
    ASSERT_TRUE(ledger_.manifests().add("hrt", name, manifest, now));
  }

  Config config_;
  Ledger ledger_ = Ledger::open(std::string(Ledger::kInMemory)).value();
  SourceWatch watch_{config_, ledger_};
};

TEST_F(Sources, SilenceIsSaidOnceAndItsEndToo) {
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(15)), IsEmpty());
  EXPECT_THAT(watch_.step(kNow + minutes(17)),
              ElementsAre("hrt: app.log on bus1 is silent: nothing came for 17 min"));
  EXPECT_THAT(watch_.step(kNow + minutes(19)), IsEmpty());
  Arrive("0a1b2c3d", 2, kNow + minutes(20));
  EXPECT_THAT(watch_.step(kNow + minutes(21)),
              ElementsAre("hrt: app.log on bus1 is not silent any more"));
}

TEST_F(Sources, ALaterRunSpeaksForItsSource) {
  Arrive("0a1b2c3d", 9, kNow);
  Arrive("11111111", 1, kNow + minutes(30));
  EXPECT_THAT(watch_.step(kNow + minutes(31)), IsEmpty());
}

TEST_F(Sources, ARunThatWasReplacedIsNotSilent) {
  Arrive("0a1b2c3d", 9, kNow);
  Arrive("11111111", 1, kNow);  // one pass of cron claimed both
  Arrive("11111111", 2, kNow + minutes(30));
  EXPECT_THAT(SilentRuns(kNow + minutes(31)), IsEmpty());
  EXPECT_THAT(SilentRuns(kNow + minutes(50)), ElementsAre("11111111"));
}

TEST_F(Sources, OfTwoWithTheSameNameEachIsWatched) {
  Arrive("0a1b2c3d", 1, kNow);
  Arrive("11111111", 1, kNow + minutes(1));
  Arrive("0a1b2c3d", 2, kNow + minutes(2));
  Arrive("11111111", 2, kNow + minutes(30));
  EXPECT_THAT(
      watch_.step(kNow + minutes(31)),
      ElementsAre("hrt: app.log on bus1 (run 0a1b2c3d) is silent: nothing came for 29 min"));
  Arrive("0a1b2c3d", 3, kNow + minutes(32));
  EXPECT_THAT(
      watch_.step(kNow + minutes(33)),
      ElementsAre("hrt: app.log on bus1 (run 0a1b2c3d) is not silent any more, or a new run "
                  "took its place"));
}

TEST_F(Sources, WhatIsLoadedByHandIsNoSignOfLife) {
  const auto by_hand = [&](const std::string& run, std::uint64_t sequence, Time now) {
    ASSERT_TRUE(ledger_.sources().arrived({"hrt", run, "app.log on bus1", false}, sequence,
                                          State::done, std::nullopt, now));
  };
  Arrive("0a1b2c3d", 1, kNow);
  Arrive("11111111", 1, kNow + minutes(1));
  by_hand("0a1b2c3d", 1, kNow + minutes(30));  // a replay
  by_hand("22222222", 1, kNow + minutes(30));
  EXPECT_THAT(SilentRuns(kNow + minutes(60)), ElementsAre("11111111"));
  Arrive("22222222", 2, kNow + minutes(61));
  EXPECT_THAT(SilentRuns(kNow + minutes(80)), ElementsAre("22222222"));
}

TEST_F(Sources, WhatWaitsForItsStoreHasCome) {
  const std::string name = "app.log.bus1.0a1b2c3d.00000002.log";
  Arrive("0a1b2c3d", 1, kNow);
  Announce(name, kNow);
  Claim(name, kNow + minutes(20));
  EXPECT_THAT(SilentRuns(kNow + minutes(30)), IsEmpty());
  EXPECT_THAT(SilentRuns(kNow + minutes(36)), ElementsAre("0a1b2c3d"));
  EXPECT_THAT(Overdue(kNow + minutes(30)), IsEmpty());
}

TEST_F(Sources, AnExtractSpeaksForTheRunOfItsManifestWhateverItsName) {
  Arrive("0a1b2c3d", 1, kNow);
  Announce("renamed.log", kNow);
  Claim("renamed.log", kNow + minutes(20));
  EXPECT_THAT(SilentRuns(kNow + minutes(30)), IsEmpty());
}

TEST_F(Sources, WhatStillLiesInTheDropDirectoryHasCome) {
  Arrive("0a1b2c3d", 1, kNow);
  ASSERT_TRUE(ledger_.drop_names().set_in_drop(
      "hrt", {{"app.log.bus1.0a1b2c3d.00000002.log", 1, 1, "max_claims extracts are in work"}},
      kNow + minutes(20)));
  EXPECT_THAT(SilentRuns(kNow + minutes(30)), IsEmpty());
}

TEST_F(Sources, ABacklogThatIsLoadedAtLastDoesNotEndASilence) {
  ASSERT_TRUE(ledger_.sources().arrived({"hrt", "0a1b2c3d", "app.log on bus1", false}, 1,
                                        State::done, kNow, kNow + minutes(60)));
  EXPECT_THAT(SilentRuns(kNow + minutes(61)), ElementsAre("0a1b2c3d"));
}

TEST_F(Sources, TheSilenceOfAFeedGoesOnInThatOfItsSource) {
  Claim("app.log.bus1.0a1b2c3d.00000001.log", kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(16)),
              ElementsAre("hrt: the feed is silent: nothing came for 16 min"));
  // The store is there again.
  ASSERT_TRUE(ledger_.sources().arrived({"hrt", "0a1b2c3d", "app.log on bus1", false}, 1,
                                        State::done, kNow, kNow + minutes(17)));
  EXPECT_THAT(watch_.step(kNow + minutes(18)),
              ElementsAre("hrt: app.log on bus1 is silent: nothing came for 18 min"));
}

TEST_F(Sources, AManifestOfAnExtractInFailedIsNotOverdue) {
  Announce("a.log", kNow);
  Claim("a.log", kNow);
  ASSERT_TRUE(ledger_.extracts().finish_failed("claim of a.log", "another format", 1, kNow,
                                               std::string(64, '0')));
  EXPECT_THAT(Overdue(kNow + minutes(30)), IsEmpty());
}

TEST_F(Sources, AManifestOfABrokenTransferIsOverdue) {
  Announce("a.log", kNow);
  Claim("a.log", kNow);
  ASSERT_TRUE(ledger_.extracts().finish_failed("claim of a.log", "a broken transfer", 1, kNow,
                                               std::string(64, 'f')));
  EXPECT_THAT(Overdue(kNow + minutes(30)), ElementsAre("a.log"));
}

TEST_F(Sources, TheNewestManifestsAreShownAndAllAreCounted) {
  for (int i = 0; i < 1003; ++i) Announce(fmt::format("{}.log", i), kNow + seconds(i));
  const auto overdue = overdue_manifests(config_.feeds, ledger_, kNow + minutes(60)).value();
  EXPECT_EQ(overdue.total, 1003U);
  ASSERT_THAT(overdue.newest, testing::SizeIs(1000));
  EXPECT_EQ(overdue.newest.front().name, "1002.log");
}

TEST_F(Sources, EachPassOfCronKnowsWhatWasSaid) {
  const auto pass = [&](Time now) { return SourceWatch(config_, ledger_).step(now); };
  Arrive("0a1b2c3d", 1, kNow);
  Announce("a.log", kNow + minutes(30));
  EXPECT_THAT(pass(kNow + minutes(20)),
              ElementsAre("hrt: app.log on bus1 is silent: nothing came for 20 min"));
  EXPECT_THAT(pass(kNow + minutes(25)), IsEmpty());
  EXPECT_THAT(pass(kNow + minutes(45)), testing::SizeIs(1));  // the manifest
  EXPECT_THAT(pass(kNow + minutes(50)), IsEmpty());
  Arrive("0a1b2c3d", 2, kNow + minutes(55));
  EXPECT_THAT(pass(kNow + minutes(60)), ElementsAre("hrt: app.log on bus1 is not silent any more"));
  EXPECT_THAT(pass(kNow + minutes(65)), IsEmpty());
}

TEST_F(Sources, WhatAFeedOfAnotherProcessLacksIsNotOurs) {
  Config other;
  other.feeds.resize(1);
  other.feeds.front().name = "web";
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(20)), testing::SizeIs(1));
  Announce("a.log", kNow + minutes(20));
  EXPECT_THAT(SourceWatch(other, ledger_).step(kNow + minutes(40)), IsEmpty());
  EXPECT_THAT(watch_.step(kNow + minutes(25)), IsEmpty());
}

TEST_F(Sources, NothingIsSaidOfASilenceWhenNoneIsReportedAnyMore) {
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(20)), testing::SizeIs(1));
  config_.feeds.front().expect_every.reset();
  EXPECT_THAT(SourceWatch(config_, ledger_).step(kNow + minutes(25)), IsEmpty());
}

TEST_F(Sources, ASourceThatSentNothingForLongIsNotExpectedAnyMore) {
  config_.feeds.front().forget_source = std::chrono::hours(2);
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(20)), testing::SizeIs(1));
  const auto dated = [&](std::uint64_t sequence, Time now) {
    ASSERT_TRUE(ledger_.sources().arrived({"hrt", "11111111", "app-2.log on bus1", false}, sequence,
                                          State::done, now, now));
  };
  dated(1, kNow + minutes(120));
  EXPECT_THAT(watch_.step(kNow + minutes(121)),
              ElementsAre("hrt: app.log on bus1 sent nothing for 2 h 1 min: it is not expected "
                          "any more (forget_source)"));
  EXPECT_THAT(watch_.step(kNow + minutes(123)), IsEmpty());
  // The last source fails, too: the feed as a whole is expected to send something.
  EXPECT_THAT(watch_.step(kNow + minutes(140)),
              ElementsAre("hrt: app-2.log on bus1 is silent: nothing came for 20 min"));
  Claim("app-2.log.bus1.11111111.00000001.log", kNow + minutes(120));
  ASSERT_TRUE(ledger_.extracts().finish_failed("claim of app-2.log.bus1.11111111.00000001.log", "x",
                                               0, kNow + minutes(120)));
  EXPECT_THAT(watch_.step(kNow + minutes(245)),
              testing::UnorderedElementsAre(
                  "hrt: the feed is silent: nothing came for 2 h 5 min",
                  "hrt: app-2.log on bus1 sent nothing for 2 h 5 min: it is not expected any more "
                  "(forget_source)"));
  const auto silent = silent_sources(config_.feeds, ledger_, kNow + minutes(245)).value();
  EXPECT_EQ(std::count_if(silent.begin(), silent.end(),
                          [](const SilentSource& source) { return !source.forgotten; }),
            1);
  // The source sends again after all.
  dated(2, kNow + minutes(250));
  EXPECT_THAT(watch_.step(kNow + minutes(251)),
              ElementsAre("hrt: the feed is not silent any more"));
}

TEST_F(Sources, AWeeklySourceThatIsLateIsNews) {
  config_.feeds.front().expect_every = std::chrono::hours(24 * 8);
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + std::chrono::hours(24 * 8 + 1)), testing::SizeIs(1));
}

TEST_F(Sources, NothingIsExpectedOfAFeedThatNeverHadAnExtract) {
  EXPECT_THAT(watch_.step(kNow), IsEmpty());
}

TEST_F(Sources, AManifestWhoseExtractDoesNotComeIsSaidOnce) {
  Announce("a.log", kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(10)), IsEmpty());
  EXPECT_THAT(watch_.step(kNow + minutes(12)),
              ElementsAre("hrt: a.log.manifest came 12 min ago, and its extract has not been "
                          "loaded: late or lost"));
  EXPECT_THAT(watch_.step(kNow + minutes(14)), IsEmpty());
}

TEST_F(Sources, AnOldManifestIsNoNews) {
  Announce("a.log", kNow);
  EXPECT_THAT(watch_.step(kNow + std::chrono::hours(25)), IsEmpty());
  EXPECT_THAT(Overdue(kNow + std::chrono::hours(25)), ElementsAre("a.log"));
}

TEST_F(Sources, HowLongAManifestIsNewsIsItsOwnFeedsMatter) {
  Config with_another = config_;
  with_another.feeds.emplace_back();
  with_another.feeds.back().name = "web";
  with_another.feeds.back().manifest_wait = std::chrono::hours(72);
  const auto pass = [&](const Config& config, Time now) {
    return SourceWatch(config, ledger_).step(now);
  };
  Announce("a.log", kNow);
  EXPECT_THAT(pass(with_another, kNow + minutes(12)), testing::SizeIs(1));
  const Time later = kNow + std::chrono::hours(25);
  EXPECT_THAT(pass(config_, later), IsEmpty());
  EXPECT_THAT(pass(with_another, later), IsEmpty());
}

TEST_F(Sources, AClockThatIsSetBackSilencesNothing) {
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(600)), testing::SizeIs(1));
  Arrive("0a1b2c3d", 2, kNow + minutes(15));
  EXPECT_THAT(watch_.step(kNow + minutes(16)), testing::SizeIs(1));
}

}  // namespace
}  // namespace caravel::watcher
