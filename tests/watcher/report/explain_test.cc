// What explain says of names that the ledger has no extract of, and of extracts with their runs.
#include "watcher/report/explain.h"

#include <gmock/gmock.h>

#include "tests/support/ledger_fixture.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kName1 = "app.log.bus1.0a1b2c3d.00000001.log";
constexpr const char* kName2 = "app.log.bus1.0a1b2c3d.00000002.log";

class ExplainTest : public LedgerTest {
 protected:
  ExplainTest() {
    config_.spool = folder_ / "spool";
    config_.feeds.resize(1);
    config_.feeds[0].name = "hrt";
  }
  static Manifest ManifestOf(std::uint64_t sequence) {
    Manifest manifest;
    manifest.host = "bus1";
    manifest.log = "/var/log/app.log";
    manifest.inode = 42;
    manifest.run = "0a1b2c3d";
    manifest.sequence = sequence;
    manifest.first_line = std::string(32, '0');
    manifest.first = 100;
    manifest.last = 300;
    manifest.bytes = 200;
    manifest.lines = 2;
    manifest.sha256 = kSha;
    manifest.cut = kNow - hours(1);
    return manifest;
  }
  /// The extract with this number ended; those before it did not come.
  void Arrive(std::uint64_t sequence) {
    Ok(ledger().sources().arrived({"hrt", "0a1b2c3d", "app.log on bus1"}, sequence, State::done,
                                  kNow - hours(2), kNow - hours(2)));
  }

  Config config_;
};

TEST_F(ExplainTest, NothingIsToldOfANameThatNobodyMentions) {
  EXPECT_EQ(Ok(explain_left_alone(ledger(), "x.log")), "");
  EXPECT_EQ(explain_manifest(ledger(), config_, "x.log.manifest"), "");
  EXPECT_EQ(explain_missing(ledger(), config_, "x.log", kNow), "");
  EXPECT_EQ(explain_log(ledger(), "x.log", false, kNow), "");
}

TEST_F(ExplainTest, ANameThatIsLeftAloneHasItsReason) {
  Ok(ledger().drop_names().set_left_alone("hrt", {{"readme.txt", "does not match '*.log'"}}, kNow));
  EXPECT_EQ(Ok(explain_left_alone(ledger(), "readme.txt")),
            "readme.txt: left alone in the drop directory of hrt: it does not match '*.log'\n");
}

TEST_F(ExplainTest, AManifestSaysWhetherItsExtractCame) {
  Ok(ledger().manifests().add("hrt", kName1, ManifestOf(1), kNow));
  const std::string manifest = std::string(kName1) + ".manifest";
  EXPECT_EQ(explain_manifest(ledger(), config_, manifest),
            manifest +
                ": taken (feed hrt)\n"
                "  from           /var/log/app.log on bus1\n"
                "  sequence       1 of run 0a1b2c3d\n"
                "  bytes          100 to 300 of inode 42 there, cut 2012-03-09 09:00:00 UTC\n"
                "  its extract    " +
                kName1 + ": has not come\n");
  Claim("c1", kName1);
  EXPECT_THAT(explain_manifest(ledger(), config_, manifest),
              EndsWith(std::string(kName1) + ": claimed\n"));
}

TEST_F(ExplainTest, AnExtractThatNeverCameIsKnownByItsManifestOrByItsNumber) {
  Arrive(3);
  EXPECT_EQ(explain_missing(ledger(), config_, kName2, kNow),
            std::string(kName2) +
                ": has not come: 1 to 2 of run 0a1b2c3d is missing for 2 h (feed hrt): late or "
                "lost\n");
  Ok(ledger().manifests().add("hrt", kName2, ManifestOf(2), kNow));
  EXPECT_THAT(explain_missing(ledger(), config_, kName2, kNow),
              AllOf(StartsWith(std::string(kName2) +
                               ": has not come, though its manifest has (feed hrt)\n"),
                    HasSubstr("  sequence       2 of run 0a1b2c3d\n")));
}

TEST_F(ExplainTest, ALogIsKnownByItsPathAndByItsName) {
  Arrive(3);
  Ok(ledger().manifests().add("hrt", kName2, ManifestOf(2), kNow));
  const std::string facts =
      ": a log that is captured (feed hrt)\n"
      "  from           /var/log/app.log on bus1\n"
      "  its extracts   run 0a1b2c3d, the last that is known is number 2: " +
      std::string(kName2) +
      "\n"
      "  cut            2012-03-09 09:00:00 UTC, up to byte 300 of inode 42 there\n"
      "  its state      has not come\n"
      "  missing        1 to 2 of its run, for 2 h: late or lost\n"
      "  its lines      `caravel explain " +
      kName2 + "` tells of the last, and so for each number\n";
  EXPECT_EQ(explain_log(ledger(), "app.log", false, kNow), "app.log" + facts);
  EXPECT_EQ(explain_log(ledger(), "/var/log/../log/app.log", false, kNow),
            "/var/log/../log/app.log" + facts);
  EXPECT_EQ(explain_log(ledger(), "other.log", false, kNow), "");
}

TEST_F(ExplainTest, AnExtractIsToldWithItsManifestItsGapsAndItsStore) {
  Arrive(3);
  Claim("c1", kName1);
  Ok(ledger().manifests().add("hrt", kName1, ManifestOf(1), kNow));
  Format("c1");
  Ok(ledger().stores().set_state("local", "/rows.db", StoreState::waiting, "connection refused", {},
                                 kNow));
  const std::string text = explain_extracts(ledger(), "/spool", {Of("c1"), Of("c1")}, kNow);
  EXPECT_THAT(text, AllOf(StartsWith(std::string(kName1) + ": formatted\n"),
                          HasSubstr("  sequence       1 of run 0a1b2c3d\n"),
                          HasSubstr(" of its run, for 2 h: late or lost\n"),
                          HasSubstr("  its store      connection refused\n\n" +
                                    std::string(kName1) + ": formatted\n")));
}

}  // namespace
}  // namespace caravel::watcher
