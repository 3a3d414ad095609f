// Which files are claimed, and when a claim is ready, over real directories and a clock by hand.
#include "watcher/intake/intake.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/spool_fixture.h"
#include "tests/support/without_right.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kTwoFeeds = R"(max_claims: 2
feeds:
  down: {drop: drop/down, format: spysocket}
  well: {drop: drop/well, format: spysocket}
)";
constexpr const char* kOneFeed = "feeds:\n  hrt: {format: spysocket}\n";

using test::WithoutRight;
using WithoutLeases = WithoutRight<CAP_LEASE>;

/// Nothing can be written to any file, as on a full disk, as long as it lives (setrlimit(2)).
class WithoutWrites {
 public:
  WithoutWrites() {
    ::signal(SIGXFSZ, SIG_IGN);  // else the kernel would end the test
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~WithoutWrites() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  WithoutWrites(const WithoutWrites&) = delete;
  WithoutWrites& operator=(const WithoutWrites&) = delete;

 private:
  rlimit before_{};
};

/// Of an extract of ten bytes.
Manifest ManifestOfTen() {
  Manifest manifest;
  manifest.host = "bus1";
  manifest.log = "/var/log/app.log";
  manifest.run = "0123abcd";
  manifest.sequence = 1;
  manifest.first_line = std::string(32, 'a');
  manifest.last = manifest.bytes = 10;
  manifest.lines = 1;
  manifest.sha256 = std::string(64, '0');
  return manifest;
}

class IntakeTest : public SpoolTest {
 protected:
  /// Where the only claim lies.
  [[nodiscard]] std::string InWork() const {
    const std::string claim = dir_.list("spool/work").at(0);
    return dir_.path("spool/work/" + claim + "/" + dir_.list("spool/work/" + claim).at(0));
  }
};

TEST_F(IntakeTest, MaxClaimsIsALimitOfEachFeedByItself) {
  Configure(kTwoFeeds);
  for (const char* name : {"a", "b", "c", "d"}) {
    Drop(fmt::format("drop/down/{}.log", name), GoodLine(1));
    Drop(fmt::format("drop/well/{}.log", name), GoodLine(1));
  }
  Start();
  const auto down = StartsWith("down/");
  const auto well = StartsWith("well/");
  EXPECT_THAT(Ready(), ElementsAre(down, down, well, well));
  // The extracts of feed `well` are finished; those of feed `down` wait for their store.
  for (const ReadyExtract& extract : std::vector<ReadyExtract>(in_work_)) {
    if (extract.feed->name == "well") intake_->finished(extract, now_);
  }
  EXPECT_THAT(Ready(), ElementsAre(well, well));
  EXPECT_EQ(dir_.list("spool/drop/down").size(), 2U);
}

TEST_F(IntakeTest, AfterAStartWhatWasClaimedGoesFirst) {
  Configure(kOneFeed);
  Drop("drop/b.log", GoodLine(1));
  Start();
  Drop("drop/a.log", GoodLine(2));
  now_.wall += 1s;
  Start();
  std::vector<std::string> names;
  for (const ReadyExtract& extract : intake_->take_ready()) names.push_back(extract.claim.name);
  EXPECT_THAT(names, ElementsAre("b.log", "a.log"));
}

TEST_F(IntakeTest, AClaimThatCannotBeLookedAtIsNotTakenForLost) {
  Configure(kOneFeed);
  Drop("drop/a.log", GoodLine(1));
  Start();
  const std::string id = dir_.list("spool/work").at(0);
  const std::string directory = dir_.path("spool/work/" + id);
  {
    const WithoutRight<CAP_DAC_OVERRIDE> no_override;
    const WithoutRight<CAP_DAC_READ_SEARCH> no_search;
    ASSERT_EQ(::chmod(directory.c_str(), 0), 0);
    Start();
    EXPECT_THAT(intake_->take_messages(), Contains(HasSubstr(id)));
    EXPECT_TRUE(Must(ledger_->extracts().find_claim(id))) << "the file is there: its row must stay";
    ASSERT_EQ(::chmod(directory.c_str(), 0700), 0);
  }
  Start();
  EXPECT_THAT(Ready(), ElementsAre(HasSubstr("a.log")));
}

TEST_F(IntakeTest, ANewcomerDoesNotOvertakeThoseThatWaitForRoom) {
  Configure("max_claims: 4\nfeeds:\n  hrt: {format: spysocket}\n");
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    Drop(fmt::format("drop/{}.log", name), GoodLine(1));
  }
  Start();
  EXPECT_THAT(Ready(), testing::SizeIs(4));
  const auto is_there = [&](const std::string& name) { return dir_.exists("spool/drop/" + name); };
  intake_->finished(in_work_[0], now_);
  Drop("drop/g.log", GoodLine(1));
  DropEvent event;
  event.watch = -1;  // this intake has no inotify
  event.kind = EventKind::closed;
  event.name = "g.log";
  intake_->on_events({event}, now_);
  EXPECT_TRUE(is_there("g.log"));
  intake_->finished(in_work_[1], now_);  // now half of the places are free
  EXPECT_THAT(Ready(), testing::SizeIs(2));
  EXPECT_TRUE(is_there("g.log"));
  EXPECT_FALSE(is_there("e.log") || is_there("f.log"));
}

TEST_F(IntakeTest, SlowSendersTakeNoPlace) {
  Configure("max_claims: 4\nfeeds:\n  hrt: {format: spysocket}\n");
  std::vector<UniqueFd> senders;
  for (const char* name : {"a", "b", "c"}) {
    const std::string path = fmt::format("drop/{}.log", name);
    Drop(path, GoodLine(1));
    senders.push_back(Must(open_file(dir_.path("spool/" + path), O_WRONLY)));
  }
  Start();
  for (int i = 0; i < 10; ++i) Pass(1s);
  ASSERT_THAT(dir_.list("spool/work"), testing::SizeIs(1)) << "one directory for all of them";
  ASSERT_EQ(dir_.list("spool/work/" + dir_.list("spool/work").front()).size(), 3U);
  ASSERT_THAT(Ready(), IsEmpty());
  for (const char* name : {"d", "e", "f"}) Drop(fmt::format("drop/{}.log", name), GoodLine(1));
  Pass(60s);
  EXPECT_THAT(Ready(), testing::SizeIs(3));
}

TEST_F(IntakeTest, AManifestThatACrashLeftInWorkGoesToTheFeedThatClaimedIt) {
  Configure(kTwoFeeds);
  const Manifest manifest = ManifestOfTen();
  // Both feeds take the name, and no row of the ledger tells them apart.
  const std::string id = make_claim_id(now_.wall, "well");
  dir_.make_dir("spool/work/" + id);
  dir_.write_file("spool/work/" + id + "/a.log.manifest", format_manifest(manifest));
  Start();
  Pass(1s);
  EXPECT_EQ(Must(ledger_->manifests().for_name("well", "a.log")).size(), 1U);
  EXPECT_THAT(Must(ledger_->manifests().for_name("down", "a.log")), IsEmpty());
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
}

TEST_F(IntakeTest, AnExtractWhoseRowALossOfPowerTookBackGoesToTheFeedThatClaimedIt) {
  Configure(kTwoFeeds);
  const auto claimed = now_.wall - std::chrono::minutes(5);
  const std::string id = make_claim_id(claimed, "well");
  dir_.write_file("spool/work/" + id + "/a.log", GoodLine(1));
  Start();
  EXPECT_THAT(Ready(), ElementsAre("well/a.log"));
  EXPECT_FALSE(in_work_.front().is_new) << "of an earlier try something may lie somewhere";
  EXPECT_LE(in_work_.front().claimed, now_.steady - std::chrono::minutes(4));
  EXPECT_EQ(Must(ledger_->extracts().find_claim(id))->feed, "well");
}

TEST_F(IntakeTest, ClaimsNameTheirFeedAndAreHandedOverBeforeAllIsScanned) {
  Configure("max_claims: 2\nfeeds:\n  hrt: {format: spysocket}\n");
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    Drop(fmt::format("drop/{}.log", name), GoodLine(1));
  }
  intake_.emplace(config_, *spool_, *ledger_, nullptr);
  std::size_t ready = 0;
  intake_->on_ready = [&] {
    if (ready == 0) ready = Ready().size();
  };
  Must(intake_->start(now_));
  EXPECT_EQ(ready, 2U);
  EXPECT_EQ(feed_of_claim_id(in_work_.front().claim.id), "hrt");
}

TEST_F(IntakeTest, AnExtractThatProvedNotToBeReadyIsWaitedForAgain) {
  Configure(kOneFeed);
  Drop("drop/a-2012-03-09.log", GoodLine(1));
  Start();
  ASSERT_THAT(Ready(), ElementsAre("hrt/a-2012-03-09.log"));
  const ReadyExtract extract = in_work_.front();
  const std::string place = fmt::format("spool/work/{}/a-2012-03-09.log", extract.claim.id);
  std::filesystem::create_hard_link(dir_.path(place), dir_.path("second-name"));
  const auto store = uploader::make_store(*config_.find_store(extract.feed->store));
  EXPECT_EQ(Load(extract, *store).ending, Ending::not_ready);
  intake_->wait_again(extract, {WaitReason::not_ready, "has a second name"}, now_);
  EXPECT_EQ(intake_->waiting(), 1U);
  Pass(2s);
  EXPECT_THAT(Ready(), IsEmpty());
  std::filesystem::remove(dir_.path("second-name"));
  Pass(20s);
  ASSERT_THAT(Ready(), ElementsAre("hrt/a-2012-03-09.log"));
  EXPECT_EQ(in_work_.back().claim, extract.claim);
  EXPECT_EQ(Load(in_work_.back(), *store).ending, Ending::done);
}

TEST_F(IntakeTest, ADropDirectoryThatIsMadeAnewDoublesNoClaim) {
  Configure(kOneFeed);
  Drop("drop/a.log", GoodLine(1));
  Drop("drop/b.log", GoodLine(2));
  Start();
  ASSERT_THAT(Ready(), ElementsAre("hrt/a.log", "hrt/b.log"));
  Drop("drop/waits.log", GoodLine(3));
  const UniqueFd writer = Must(open_file(dir_.path("spool/drop/waits.log"), O_WRONLY));
  Pass(70s);
  ASSERT_EQ(intake_->waiting(), 1U);
  for (int i = 0; i < 2; ++i) {
    std::filesystem::remove(dir_.path("spool/drop"));
    Pass(70s);
    std::filesystem::create_directory(dir_.path("spool/drop"));
    Pass(70s);
  }
  EXPECT_EQ(intake_->waiting(), 1U);
  EXPECT_THAT(Ready(), IsEmpty()) << "they are in work already";
  EXPECT_EQ(Must(ledger_->extracts().unfinished()).size(), 3U);
}

TEST_F(IntakeTest, NothingThatIsWaitedForKeepsTheLoopAwake) {
  Configure(kOneFeed);
  Start();
  // A file that a scan saw is deleted: it is forgotten, and its deadline too.
  now_.wall = std::chrono::system_clock::now();
  Drop("drop/gone.log", GoodLine(1));
  Pass(60s);
  std::filesystem::remove(dir_.path("spool/drop/gone.log"));
  for (int i = 0; i < 10; ++i) {
    Pass(100ms);
    EXPECT_GT(intake_->next_deadline(), now_.steady);
  }
  // The drop directory is deleted, with a file in it that is not still yet.
  now_.wall = std::chrono::system_clock::now() - 60s;
  Drop("drop/gone.log", GoodLine(1));
  Pass(60s);
  ASSERT_EQ(intake_->waiting(), 1U);
  std::filesystem::remove_all(dir_.path("spool/drop"));
  for (int i = 0; i < 100; ++i) {
    Pass(1s);
    EXPECT_GT(intake_->next_deadline(), now_.steady);
  }
}

TEST_F(IntakeTest, WithoutItsRowAnExtractInWorkFindsItsManifestInDone) {
  Configure(kOneFeed);
  const Manifest manifest = ManifestOfTen();
  dir_.write_file("spool/done/2012/03/09/a.log.manifest", format_manifest(manifest));
  dir_.write_file("spool/done/2012/03/09/b.log.manifest", format_manifest(manifest));
  dir_.write_file("spool/done/2012/03/10/a.log.manifest", "none at all");
  // The ledger was moved away while the extract was in work, and its manifest was taken.
  dir_.write_file("spool/work/" + make_claim_id(now_.wall) + "/a.log", GoodLine(1));
  Start();
  EXPECT_THAT(Must(ledger_->manifests().for_name("hrt", "a.log")), ElementsAre(manifest));
  EXPECT_THAT(Must(ledger_->manifests().for_name("hrt", "b.log")), IsEmpty());
}

TEST_F(IntakeTest, AClaimThatMustBeStillKeepsTheLoopAsleepMeanwhile) {
  Configure(kOneFeed);
  Drop("drop/a.log", GoodLine(1));
  ASSERT_EQ(::chown(dir_.path("spool/drop/a.log").c_str(), 12345, 12345), 0);
  const WithoutLeases without;
  if (!without.taken()) GTEST_SKIP() << "needs root, to give a right up";
  const UniqueFd probe = Must(open_file(dir_.path("spool/drop/a.log"), O_RDONLY));
  if (writer_state(probe.get()) != WriterState::forbidden) GTEST_SKIP() << "leases can be taken";
  Inotify inotify;
  intake_.emplace(config_, *spool_, *ledger_, &inotify);
  Must(intake_->start(now_));
  ASSERT_EQ(intake_->waiting(), 1U);
  EXPECT_THAT(Ready(), IsEmpty());
  // The reason names the right, and the log says once what to do.
  EXPECT_THAT(Must(ledger_->extracts().unfinished()).front().why, HasSubstr("without CAP_LEASE"));
  EXPECT_THAT(intake_->take_messages(), Contains(HasSubstr("AmbientCapabilities=CAP_LEASE")));
  // Half-way a program opens the file and writes nothing: that makes an event, and changes nothing.
  now_.steady += 30s;
  ASSERT_TRUE(open_file(InWork(), O_WRONLY));
  std::vector<DropEvent> events;
  Must(inotify.drain(events));
  intake_->on_events(events, now_);
  for (int i = 0; i < 100; ++i) {
    Pass(1s);
    ASSERT_GT(intake_->next_deadline(), now_.steady) << i;
  }
  EXPECT_THAT(Ready(), ElementsAre("hrt/a.log"));
  EXPECT_THAT(intake_->take_messages(), testing::Not(Contains(HasSubstr("AmbientCapabilities"))));
}

TEST_F(IntakeTest, ASecondOutageOfTheLedgerIsSaidAgain) {
  Configure(kOneFeed);
  Start();
  const auto claims_fail = Contains(HasSubstr("ledger: claim:"));
  for (int outage = 0; outage < 2; ++outage) {
    SCOPED_TRACE(outage);
    const std::string name = fmt::format("{}.log", outage);
    Drop("drop/" + name, GoodLine(outage));
    {
      const WithoutWrites without;
      Pass(60s);
      EXPECT_THAT(intake_->take_messages(), claims_fail);
      for (int i = 0; i < 10; ++i) Pass(10s);
      EXPECT_THAT(intake_->take_messages(), IsEmpty()) << "it lasts";
      EXPECT_THAT(Ready(), IsEmpty());
    }
    Pass(10s);
    EXPECT_THAT(intake_->take_messages(), Contains("the ledger takes claims again"));
    EXPECT_THAT(Ready(), ElementsAre("hrt/" + name));
  }
}

TEST_F(IntakeTest, ADropDirectoryThatIsLostTwiceIsSaidTwice) {
  Configure(kOneFeed);
  Start();
  for (int outage = 0; outage < 2; ++outage) {
    SCOPED_TRACE(outage);
    std::filesystem::remove(dir_.path("spool/drop"));
    for (int i = 0; i < 10; ++i) Pass(60s);
    EXPECT_THAT(intake_->take_messages(), ElementsAre(HasSubstr("No such file or directory")));
    std::filesystem::create_directory(dir_.path("spool/drop"));
    Pass(60s);
    EXPECT_THAT(intake_->take_messages(), ElementsAre(HasSubstr("is there again")));
  }
}

TEST_F(IntakeTest, FilesThatCannotBeClaimedAreNamedOnceAndNotWithoutBound) {
  Configure(kOneFeed);
  Start();
  // No claim can be made, because work/ is gone. Manifests are dropped rather than extracts: the
  // ledger has no rows of them, which would take time.
  std::filesystem::remove(dir_.path("spool/work"));
  constexpr std::size_t kMore = Notices::kMostConditions + 100;
  const auto drop_all = [&] {
    for (std::size_t i = 0; i < kMore; ++i) Drop(fmt::format("drop/{}.log.manifest", i), "");
    Pass(60s);
    return intake_->take_messages().size();
  };
  const std::size_t said = drop_all();
  EXPECT_GE(said, Notices::kMostConditions);
  EXPECT_LE(said, Notices::kMostConditions + 5);
  Pass(60s);
  EXPECT_THAT(intake_->take_messages(), IsEmpty()) << "it lasts";
  for (std::size_t i = 0; i < kMore; ++i) {
    std::filesystem::remove(dir_.path(fmt::format("spool/drop/{}.log.manifest", i)));
  }
  Pass(60s);
  EXPECT_EQ(drop_all(), said) << "other files, of the same names";
}

}  // namespace
}  // namespace caravel::watcher
