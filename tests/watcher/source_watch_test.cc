// What capture hosts owe us, and what is said of it.
#include "watcher/source_watch.h"

#include <gmock/gmock.h>

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
    ASSERT_TRUE(ledger_.arrived({"hrt", run, "app.log on bus1", false}, sequence, now));
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
    ASSERT_TRUE(ledger_.add_manifest("hrt", name, manifest, now));
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
  EXPECT_THAT(overdue_manifests(config_.feeds, ledger_, kNow + std::chrono::hours(25)).value(),
              testing::SizeIs(1));
}

TEST_F(Sources, AClockThatIsSetBackSilencesNothing) {
  Arrive("0a1b2c3d", 1, kNow);
  EXPECT_THAT(watch_.step(kNow + minutes(600)), testing::SizeIs(1));
  Arrive("0a1b2c3d", 2, kNow + minutes(15));
  EXPECT_THAT(watch_.step(kNow + minutes(16)), testing::SizeIs(1));
}

}  // namespace
}  // namespace caravel::watcher
