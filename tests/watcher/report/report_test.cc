// What status and explain say, over a real ledger.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/support/ledger_fixture.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"
#include "watcher/report/explain.h"
#include "watcher/report/status.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

class ReportTest : public LedgerTest {
 protected:
  StatusReport Report() { return Ok(build_status(ledger(), question_, kNow)); }

  /// One extract of each fate, two stores, one name left alone.
  void Live() {
    Claim("c1", "a.log", kNow - hours(3));
    Format("c1");
    Finish("c1", kNow - hours(2));
    Claim("c2", "b.log", kNow - minutes(7));
    Ok(ledger().extracts().set_waiting("c2", "store couch does not answer", kNow + seconds(30),
                                       kNow - minutes(6)));
    Claim("c3", "bad.log.gz", kNow - minutes(9));
    Ok(ledger().extracts().finish_failed("c3", "damaged gzip data at byte 512", 0,
                                         kNow - minutes(8)));
    Ok(ledger().drop_names().set_left_alone("hrt", {{"readme.txt", "does not match '*.log'"}},
                                            kNow - hours(50)));
    Ok(ledger().stores().set_state("couch", "https://c/feed", StoreState::waiting,
                                   "connection refused", kNow + seconds(30), kNow - minutes(6)));
    Ok(ledger().stores().first_row_stored("local", "/rows.db", kNow - hours(2)));
    question_.lock_holder = "caravel watch (pid 123)";
  }

  StatusQuestion question_{
      .feeds = {"hrt", "web"},
      .stores = {{"couch", "https://c/feed"}, {"local", "/rows.db"}, {"new", "/new.db"}},
      .lock_holder = "",
      .most = 10,
      .limits = {}};
};

TEST_F(ReportTest, StatusFitsOnOneScreen) {
  Live();
  EXPECT_EQ(status_text(Report()),
            "Watched by caravel watch (pid 123).\n"
            "\n"
            "hrt\n"
            "  extracts       0 seen, 1 waiting, 0 in work, 1 done, 1 failed\n"
            "  lines          281 = 200 stored + 49 already there + 29 dropped + 3 rejected\n"
            "  last hour      0 extracts, 0 rows stored, 0 bytes\n"
            "  last day       1 extract, 200 rows stored, 101 bytes\n"
            "  last extract   7 min ago\n"
            "  behind by      7 min: b.log is waiting\n"
            "  differs        4 rows came again in another form and were kept as stored; caravel "
            "process --reprocess replaces them\n"
            "  year guessed   1 extract\n"
            "\n"
            "web\n"
            "  extracts       0 seen, 0 waiting, 0 in work, 0 done, 0 failed\n"
            "  lines          0 = 0 stored + 0 already there + 0 dropped + 0 rejected\n"
            "  last hour      0 extracts, 0 rows stored, 0 bytes\n"
            "  last day       0 extracts, 0 rows stored, 0 bytes\n"
            "  last extract   never\n"
            "\n"
            "Stores\n"
            "  couch  https://c/feed  unavailable for 6 min: connection refused; next try at "
            "2012-03-09 10:00:30 UTC (in 30 s)\n"
            "  local  /rows.db        ok\n"
            "  new    /new.db         not used yet\n"
            "\n"
            "Waiting (1)\n"
            "  hrt  b.log  6 min  store couch does not answer; tried 1 time; next try at "
            "2012-03-09 10:00:30 UTC (in 30 s)\n"
            "\n"
            "Failed (1)\n"
            "  hrt  bad.log.gz  8 min ago  damaged gzip data at byte 512\n"
            "  caravel retry NAME: goes in again; caravel ack NAME: settled, counts no longer\n"
            "\n"
            "Left alone in the drop directories (1)\n"
            "  hrt  readme.txt  2 days 2 h  does not match '*.log'\n");
}

TEST_F(ReportTest, AnEmptyLedgerIsSaidPlainly) {
  question_ = {};
  EXPECT_EQ(status_text(Report()),
            "Nobody watches the spool at the moment.\n\nNo feed is configured.\n\nStores\n");
}

TEST_F(ReportTest, SourcesThatSentNothingForLongAreOnlyCounted) {
  const auto arrive = [&](const std::string& run, std::uint64_t sequence, Time at) {
    Ok(ledger().sources().arrived({"hrt", run, "app-" + run + ".log on bus1"}, sequence,
                                  State::done, at, at));
  };
  const auto day = hours(24);
  arrive("00000001", 1, kNow - 40 * day);
  arrive("00000002", 3, kNow - 40 * day);  // extracts 1 to 2 never came
  arrive("00000003", 2, kNow - 40 * day);
  arrive("00000003", 4, kNow - 2 * day);
  arrive("00000003", 5, kNow - hours(1));
  const std::string text = status_text(Report());
  EXPECT_THAT(text, HasSubstr("\nSources\n"
                              "  hrt  app-00000003.log on bus1  run 00000003  up to 5, heard from "
                              "1 h ago  missing: 3 (for 2 days) and 1 more: late or lost\n"
                              "  2 sources that sent nothing for longer than forget_source, 1 with "
                              "gaps: status --json\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("00000001")));
  const auto sources = nlohmann::json::parse(status_json(Report()))["sources"];
  ASSERT_THAT(sources, SizeIs(3));
  EXPECT_EQ(sources[0]["forgotten"], true);
  EXPECT_EQ(sources[1]["gaps"][0]["last"], 2);
  EXPECT_EQ(sources[2]["forgotten"], false);
  EXPECT_THAT(sources[2]["gaps"], SizeIs(2));
  // A feed may set forget_source itself.
  question_.limits.resize(1);
  question_.limits.front().name = "hrt";
  question_.limits.front().expect_every = minutes(10);
  question_.limits.front().forget_source = minutes(30);
  // Its newest gap opened 2 days ago.
  EXPECT_THAT(status_text(Report()), HasSubstr("  3 sources that sent nothing"));
  EXPECT_THAT(status_text(Report()), testing::Not(HasSubstr("Silent")));
}

TEST_F(ReportTest, NamesThoseWhoCapture) {
  question_.captures = {{"hrt", "pid 7, `caravel capture`, since noon"}};
  EXPECT_THAT(status_text(Report()),
              testing::StartsWith("Nobody watches the drop directories at the moment.\n"
                                  "Feed hrt is captured by pid 7, `caravel capture`, since noon.\n"
                                  "\n"
                                  "hrt\n"));
  question_.lock_holder = "pid 8";
  EXPECT_THAT(status_text(Report()), testing::StartsWith("Watched by pid 8.\nFeed hrt is "));
}

TEST_F(ReportTest, AFeedThatIsNotConfiguredAnyMoreIsStillShown) {
  Claim("c1", "a.log");
  question_.feeds = {"web"};
  EXPECT_THAT(status_text(Report()), HasSubstr("hrt (not configured any more)\n"));
}

TEST_F(ReportTest, LongListsAreCutAndSaySo) {
  for (int i = 0; i < 12; ++i) {
    const std::string claim = "c" + std::to_string(i);
    Claim(claim, claim + ".log");
    Ok(ledger().extracts().finish_failed(claim, "damaged", 0, kNow));
  }
  question_.most = 3;
  const StatusReport report = Report();
  EXPECT_EQ(report.failed_total, 12U);
  ASSERT_THAT(report.failed, SizeIs(3));
  EXPECT_EQ(report.failed[0].name, "c11.log");
  EXPECT_THAT(status_text(report), HasSubstr("\nFailed (the newest 3 of 12)\n"));
}

TEST_F(ReportTest, AStoreThatWasPointedElsewhereIsANewOne) {
  Ok(ledger().stores().set_state("couch", "https://c/old", StoreState::fault, "401", {}, kNow));
  EXPECT_THAT(status_text(Report()), HasSubstr("couch  https://c/feed  not used yet\n"));
  Ok(ledger().stores().set_state("couch", "https://c/feed", StoreState::fault, "401", {},
                                 kNow - hours(1)));
  EXPECT_THAT(status_text(Report()), HasSubstr("couch  https://c/feed  at fault for 1 h: 401\n"));
}

TEST_F(ReportTest, JsonHasTheSameFacts) {
  Live();
  const auto json = nlohmann::json::parse(status_json(Report()));
  EXPECT_EQ(json["now"], "2012-03-09T10:00:00.000Z");
  EXPECT_EQ(json["watched_by"], "caravel watch (pid 123)");
  const auto& hrt = json["feeds"][0];
  EXPECT_EQ(hrt["name"], "hrt");
  EXPECT_EQ(hrt["extracts"]["done"], 1);
  EXPECT_EQ(hrt["extracts"]["uploading"], 0);
  EXPECT_EQ(hrt["counts"]["lines"], 281);
  EXPECT_EQ(hrt["counts"]["already_there"], 49);
  EXPECT_EQ(hrt["last_day"]["rows"], 200);
  EXPECT_EQ(hrt["lag_seconds"], 420);
  EXPECT_EQ(hrt["oldest_open"]["name"], "b.log");
  EXPECT_EQ(json["feeds"][1]["lag_seconds"], 0);
  EXPECT_TRUE(json["feeds"][1]["oldest_open"].is_null());
  EXPECT_EQ(json["stores"][0]["state"], "waiting");
  EXPECT_EQ(json["stores"][0]["next_try"], "2012-03-09T10:00:30.000Z");
  EXPECT_EQ(json["stores"][2]["state"], "unused");
  EXPECT_TRUE(json["stores"][2]["since"].is_null());
  EXPECT_EQ(json["waiting"][0]["why"], "store couch does not answer");
  EXPECT_EQ(json["waiting"][0]["attempts"], 1);
  EXPECT_EQ(json["failed"][0]["name"], "bad.log.gz");
  EXPECT_EQ(json["left_alone"][0]["name"], "readme.txt");
  question_.lock_holder = "";
  EXPECT_TRUE(nlohmann::json::parse(status_json(Report()))["watched_by"].is_null());
}

TEST_F(ReportTest, HostileNamesReachNeitherTerminalNorParser) {
  Ok(ledger().drop_names().set_left_alone("hrt", {{"\x1b[2Jx\xff\xc3", "no UTF-8"}}, kNow));
  EXPECT_THAT(status_text(Report()), HasSubstr("\\x1B[2Jx\\xFF\\xC3"));
  const auto json = nlohmann::json::parse(status_json(Report()));
  EXPECT_EQ(json["left_alone"][0]["name"], "\x1b[2Jx\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Printable, EscapesWhatIsNoPrintableUtf8) {
  const struct {
    std::string text;
    const char* printable;
  } cases[] = {
      {"a b~", "a b~"},
      {"ü€😀", "ü€😀"},
      {"a\nb\x7f", "a\\x0Ab\\x7F"},
      {"\xc2\x9b", "\\xC2\\x9B"},                    // CSI, in one C1 control
      {"\xc0\xaf", "\\xC0\\xAF"},                    // overlong
      {"\xed\xa0\x80", "\\xED\\xA0\\x80"},           // a surrogate
      {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xe2\x82", "\\xE2\\x82"},                    // cut off
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.printable);
    EXPECT_EQ(printable(c.text), c.printable);
  }
}

TEST_F(ReportTest, ExplainsAnExtractThatWaits) {
  Ok(ledger().drop_names().set_in_drop("hrt", {{"a.log", 1, 1, "changing"}}, kNow - minutes(5)));
  EXPECT_EQ(explain_text(Ok(ledger().history().find_name("a.log")).at(0), kNow),
            "a.log: waiting\n"
            "  feed           hrt\n"
            "  came           from the drop directory\n"
            "  first seen     2012-03-09 09:55:00 UTC\n"
            "  size           1 byte, last changed 1970-01-01 00:00:00 UTC\n"
            "  waits because  changing\n"
            "  waits since    2012-03-09 09:55:00 UTC (5 min)\n");
  Claim("c1", "a.log", kNow - minutes(4));
  Ok(ledger().extracts().set_waiting("c1", "store down", kNow - seconds(1), kNow - minutes(4)));
  Ok(ledger().extracts().set_waiting("c1", "store down", kNow - seconds(1), kNow - minutes(3)));
  EXPECT_THAT(explain_text(Of("c1"), kNow),
              HasSubstr("  claimed        2012-03-09 09:56:00 UTC as c1 on loader\n"
                        "  size           100 bytes, last changed 1970-01-01 00:00:00 UTC\n"
                        "  waits because  store down; tried 2 times; next try now\n"));
}

TEST_F(ReportTest, ExplainsAnExtractThatIsDone) {
  Claim("c1", "a.log");
  Format("c1");
  Ok(ledger().extracts().acknowledge("c1", 17, kNow));
  EXPECT_THAT(explain_text(Of("c1"), kNow),
              HasSubstr("  lines          281 = 251 rows + 29 dropped + 1 rejected\n"
                        "  uploaded       17 of 251 rows\n"));
  Ok(ledger().extracts().finish_done("c1", Good(), "attachment refused", kNow));
  Ok(ledger().extracts().set_done_path("c1", "/done/a.log"));
  EXPECT_EQ(explain_text(Of("c1"), kNow),
            "a.log: done\n"
            "  feed           hrt\n"
            "  came           from the drop directory\n"
            "  first seen     2012-03-09 10:00:00 UTC\n"
            "  claimed        2012-03-09 10:00:00 UTC as c1 on loader\n"
            "  size           101 bytes, last changed 1970-01-01 00:00:00 UTC\n"
            "  SHA-256        " +
                kSha +
                "\n"
                "  format         spysocket\n"
                "  its own time   2012-03-09T23:59:59Z (from its name); the year is a guess\n"
                "  lines          281 = 200 stored + 49 already there + 29 dropped + 3 rejected\n"
                "  differs        4 of those already there are stored in another form\n"
                "  replaced       5 of those stored took the place of another form\n"
                "  row times      2012-03-09T09:48:00 to 2012-03-09T09:52:00\n"
                "  store          local\n"
                "  done           2012-03-09 10:00:00 UTC\n"
                "  note           attachment refused\n"
                "  file           /done/a.log\n");
}

TEST_F(ReportTest, ExplainsAnExtractThatFailed) {
  Claim("c1", "a.log");
  Ok(ledger().extracts().finish_failed("c1", "damaged gzip data", 12, kNow));
  EXPECT_EQ(explain_text(Of("c1"), kNow),
            "a.log: failed\n"
            "  feed           hrt\n"
            "  came           from the drop directory\n"
            "  first seen     2012-03-09 10:00:00 UTC\n"
            "  claimed        2012-03-09 10:00:00 UTC as c1 on loader\n"
            "  size           100 bytes, last changed 1970-01-01 00:00:00 UTC\n"
            "  lines          12 = 12 failed\n"
            "  failed because damaged gzip data\n"
            "  store          local\n"
            "  given up       2012-03-09 10:00:00 UTC\n"
            "  file           /spool/work/c1/a.log\n");
}

}  // namespace
}  // namespace caravel::watcher
