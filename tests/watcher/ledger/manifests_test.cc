// What manifests tell of the places of extracts in their logs.
#include "watcher/ledger/manifests.h"

#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace caravel::watcher {
namespace {

using std::chrono::seconds;

class Places : public LedgerTest {
 protected:
  void Came(const std::string& claim, const std::string& name, Time at = kNow,
            const std::string& sha256 = kSha) {
    Claim(claim, name, at);
    Format(claim, sha256);
  }
  void ManifestOf(const std::string& name, std::uint64_t first, Time at = kNow,
                  const std::string& sha256 = kSha) {
    Manifest manifest;
    manifest.host = "bus1";
    manifest.log = "app.log";
    manifest.run = "0a1b2c3d";
    manifest.sequence = 1;
    manifest.cut = at;
    manifest.first_line = std::string(32, '0');
    manifest.first = first;
    manifest.last = first + 1;
    manifest.bytes = manifest.lines = 1;
    manifest.sha256 = sha256;
    Ok(ledger().manifests().add("hrt", name, manifest, at));
  }
  bool Several(bool ignored = false) {
    return Ok(ledger().manifests().has_several_places("hrt", kSha, kOtherSha, ignored));
  }
};

TEST_F(Places, TheSameExtractAgainHasThePlaceOfTheFirst) {
  Came("c1", "a.log");
  Came("c2", "b.log");
  EXPECT_FALSE(Several()) << "both are logs of their own";
}

TEST_F(Places, ThoseThatCameTooLateAndThoseOfOtherContentsTellOfNone) {
  Came("c1", "a.log");
  ManifestOf("a.log", 100, kNow + seconds(1));  // too late: its rows were made without it
  EXPECT_FALSE(Several());
  Came("c2", "other.log", kNow, std::string(64, 'c'));
  ManifestOf("other.log", 200, kNow + seconds(2), std::string(64, 'd'));
  EXPECT_FALSE(Several()) << "of other contents";
}

TEST_F(Places, AReplayWithAManifestHasThePlaceThatItTells) {
  ManifestOf("a.log", 100);
  Came("c1", "a.log");
  ManifestOf("b.log", 100);
  Came("c2", "b.log");
  EXPECT_FALSE(Several());
}

TEST_F(Places, OneWithoutAManifestIsALogOfItsOwnAlsoAfterOthers) {
  ManifestOf("a.log", 100);
  Came("c1", "a.log");
  Came("c2", "c.log", kNow + seconds(1));
  EXPECT_TRUE(Several()) << "the feed may have ignored manifests then";
}

TEST_F(Places, WhereManifestsAreIgnoredTheyTellOfNoPlace) {
  Came("c1", "a.log");
  EXPECT_FALSE(Several(true));
  ManifestOf("b.log", 100);
  Came("c2", "b.log");
  EXPECT_TRUE(Several(true));
}

TEST_F(Places, TwoManifestsMayTellOfTwo) {
  ManifestOf("a.log", 100);
  ManifestOf("b.log", 200);
  EXPECT_TRUE(Several());
}

TEST_F(Places, WhatWasPackedOnItsWayHasTheManifestOfThePlainOne) {
  ManifestOf("a.log.gz", 100, kNow, kOtherSha);
  Came("c1", "a.log.gz");
  EXPECT_FALSE(Several());
  ManifestOf("b.log.gz", 200, kNow, kOtherSha);
  Came("c2", "b.log.gz");
  EXPECT_TRUE(Several());
}

TEST_F(Places, OneThatCameBeforeAnyManifestIsALogOfItsOwn) {
  Came("c1", "a.log");
  ManifestOf("b.log", 100, kNow + seconds(1));
  Came("c2", "b.log", kNow + seconds(1));
  EXPECT_TRUE(Several());
}

}  // namespace
}  // namespace caravel::watcher
