// How often the ledger is asked, and what stands at which path.
#include "watcher/serve/snapshots.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/support/config_fixture.h"
#include "tests/support/config_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/serve/site.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A ledger that takes its time, and a clock that only it moves.
class SnapshotsTest : public testing::Test {
 protected:
  Result<Overview> Look() {
    ++looks_;
    now_.steady += takes_;
    return Overview{};
  }

  Moment now_{std::chrono::steady_clock::time_point(seconds(100)), Time(seconds(100))};
  milliseconds takes_{20};
  int looks_ = 0;
  Snapshots snapshots_{[this](Time) { return Look(); }, [this] { return now_; }};
};

TEST_F(SnapshotsTest, AnAnswerServesForASecond) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(snapshots_.current().has_value());
  EXPECT_EQ(looks_, 1);
  now_.steady += milliseconds(999);
  (void)snapshots_.current();
  EXPECT_EQ(looks_, 1);
  now_.steady += milliseconds(1);
  (void)snapshots_.current();
  EXPECT_EQ(looks_, 2);
}

TEST_F(SnapshotsTest, ASlowLedgerIsAskedLessOften) {
  takes_ = seconds(2);
  (void)snapshots_.current();
  now_.steady += milliseconds(19'999);
  (void)snapshots_.current();
  EXPECT_EQ(looks_, 1);
  now_.steady += milliseconds(1);
  (void)snapshots_.current();
  EXPECT_EQ(looks_, 2);
}

class SiteTest : public testing::Test {
 protected:
  SiteTest() { config_.max_wait = seconds(900); }

  testing_support::Folder folder_;
  Config config_ = Parsed("spool: " + (folder_ / "spool") + "\nstate: " + (folder_ / "state") +
                          "\nfeeds: {hrt: {}}");
  Moment now_ = Moment::now();
  Site site_{config_, [this] { return now_; }, "1.2.3"};
};

TEST_F(SiteTest, IsThereBeforeTheLedgerIs) {
  EXPECT_EQ(site_.answer("/healthz").body, "ok\n");
  const Answer ready = site_.answer("/readyz");
  EXPECT_EQ(ready.status, 503U);
  const auto json = nlohmann::json::parse(ready.body);
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["problems"][0]["kind"], "unwatched");
  EXPECT_EQ(site_.answer("/").status, 200U);
  EXPECT_THAT(site_.answer("/metrics").body, HasSubstr("caravel_watched 0\n"));
  EXPECT_EQ(nlohmann::json::parse(site_.answer("/status.json").body)["feeds"][0]["name"], "hrt");
  EXPECT_EQ(site_.answer("/style.css").type, "text/css; charset=utf-8");
  EXPECT_TRUE(site_.answer("/live").is_stream);
  for (const char* path : {"", "/x", "/../etc/passwd", "//", "/page.html", "/metrics/"}) {
    EXPECT_EQ(site_.answer(path).status, 404U) << path;
  }
}

TEST_F(SiteTest, ADamagedLedgerIsSaidAndNotServed) {
  std::filesystem::create_directories(folder_ / "state");
  std::ofstream(folder_ / "state/ledger.db") << "no database, but long enough for a header of one";
  EXPECT_EQ(site_.answer("/healthz").status, 200U);
  EXPECT_THAT(site_.answer("/").body, HasSubstr("The ledger cannot be read"));
  for (const char* path : {"/", "/readyz", "/status.json"}) {
    EXPECT_EQ(site_.answer(path).status, 503U) << path;
  }
  EXPECT_THAT(site_.answer("/readyz").body, HasSubstr("\"kind\": \"ledger\""));
  EXPECT_THAT(site_.answer("/metrics").body, HasSubstr("caravel_ledger_readable 0\n"));
}

TEST_F(SiteTest, ListenersAreToldWhenTheLedgerWasWrittenAndWhenThePageGrowsOld) {
  EXPECT_THAT(site_.take_event(), HasSubstr("event: changed\n"));
  EXPECT_EQ(site_.take_event(), "");
  ASSERT_TRUE(Ledger::open(config_.ledger_path()).has_value());
  EXPECT_THAT(site_.take_event(), HasSubstr("event: changed\n"));
  EXPECT_EQ(site_.take_event(), "");
  now_.steady += seconds(15);
  EXPECT_THAT(site_.take_event(), HasSubstr("data: critical\n\n"));
}

}  // namespace
}  // namespace caravel::watcher
