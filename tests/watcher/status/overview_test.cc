// What plots and histograms are made of, and the terminal's screen.
#include "watcher/status/overview.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "tests/support/ledger_fixture.h"
#include "watcher/serve/delay_counter.h"
#include "watcher/serve/metrics.h"
#include "watcher/status/screen.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class OverviewTest : public LedgerTest {
 protected:
  Overview Look() { return Ok(build_overview(ledger(), question_, kNow)); }
  /// An extract of 250 rows that was dropped at `seen` and whose newest line is of `line`.
  void Load(const std::string& claim, Time seen, Time done, const std::string& line = "",
            Origin origin = Origin::drop) {
    Ok(ledger().extracts().commit_claims({ClaimOf(claim, claim + ".log", origin)}, seen));
    FormattedExtract yield = Yield(kSha.substr(claim.size()) + claim);
    yield.last_time = line;
    Ok(ledger().extracts().formatted(claim, yield, seen));
    Finish(claim, done);
  }

  StatusQuestion question_{
      .feeds = {"hrt"}, .stores = {{"local", "/rows.db"}}, .lock_holder = "x", .limits = {}};
};

TEST_F(OverviewTest, SpansEndWithTheOneThatIsNow) {
  Load("old", kNow - hours(7), kNow - hours(7));
  Load("first", kNow - hours(5) - minutes(56), kNow - hours(5) - minutes(55));
  Load("a", kNow - seconds(20), kNow - seconds(10));
  Load("b", kNow - seconds(5), kNow - seconds(2));
  Load("now", kNow - milliseconds(1500), kNow);
  const Overview overview = Look();
  const Series& series = overview.series.at("hrt");
  EXPECT_THAT(series.rows, SizeIs(Series::kSpans));
  EXPECT_EQ(series.rows.front(), 200);
  EXPECT_EQ(series.extracts[Series::kSpans - 2], 2);
  EXPECT_DOUBLE_EQ(std::round(series.latest[Series::kSpans - 2]), 10);
  EXPECT_EQ(series.extracts.back(), 1);
  EXPECT_EQ(std::accumulate(series.extracts.begin(), series.extracts.end(), 0.0), 4);
  EXPECT_EQ(overview.first_span, kNow - hours(5) - minutes(55));
  EXPECT_EQ(overview.recent.front().claim, "now");
  EXPECT_THAT(overview.recent, SizeIs(5));
}

TEST_F(OverviewTest, DelaysAreCountedByWhatTheLedgerSays) {
  // kNow is 2012-03-09T10:00:00Z.
  Load("a", kNow - milliseconds(300), kNow, "20120309T095930Z");
  Load("b", kNow - seconds(40), kNow, "20120309T095958.5Z");
  Load("local", kNow - seconds(2), kNow, "20120309T095959");  // says no zone
  Load("leap", kNow, kNow, "20120309T095960Z");
  Load("hand", kNow - hours(2), kNow, "20120309T095959Z", Origin::process);
  Load("clock", kNow + seconds(9), kNow, "20120309T100500Z");  // set back meanwhile
  const auto delays = Ok(ledger().history().delays(kNow - hours(1), kNow + seconds(1)));
  ASSERT_THAT(delays, SizeIs(1));
  const StoreDelays& store = delays.at({"hrt", "local"});
  EXPECT_EQ(store.since_drop.count, 5U);
  EXPECT_NEAR(store.since_drop.sum, 42.3, 0.01);
  EXPECT_EQ(store.since_drop.within[0], 2U);      // 0.05 s
  EXPECT_EQ(store.since_drop.within[3], 3U);      // 0.5 s
  EXPECT_EQ(store.since_drop.within.back(), 5U);  // a day
  EXPECT_EQ(store.since_line.count, 3U);
  EXPECT_NEAR(store.since_line.sum, 31.5, 0.01);
}

TEST_F(OverviewTest, MetricsAreTheNumbersOfTheReport) {
  Load("a", kNow - seconds(2), kNow, "20120309T095930Z");
  Claim("b", "bad \"name\"\n.log", kNow - minutes(1));
  Ok(ledger().extracts().set_waiting("b", "why", kNow, kNow));
  question_.disks = {{.what = "spool", .path = "/a\"b\\c\xff", .free = 5, .size = 9, .least = 1}};
  const Result<Overview> overview = Look();
  const std::string text = metrics_text(
      overview, Ok(ledger().history().delays({}, kNow + seconds(1))), {0.5, 1024, "1.2.3"});
  for (const char* line :
       {"caravel_build_info{version=\"1.2.3\"} 1\n", "caravel_ledger_readable 1\n",
        "caravel_extracts{feed=\"hrt\",state=\"done\"} 1\n",
        "caravel_extracts{feed=\"hrt\",state=\"waiting\"} 1\n",
        "caravel_lines_total{feed=\"hrt\",outcome=\"stored\"} 200\n",
        "caravel_lines_total{feed=\"hrt\",outcome=\"rejected\"} 3\n",
        "caravel_extract_bytes_total{feed=\"hrt\"} 101\n", "caravel_retries{feed=\"hrt\"} 1\n",
        "caravel_oldest_open_seconds{feed=\"hrt\"} 60\n",
        "caravel_drop_to_stored_seconds_bucket{feed=\"hrt\",store=\"local\",le=\"1\"} 0\n",
        "caravel_drop_to_stored_seconds_bucket{feed=\"hrt\",store=\"local\",le=\"5\"} 1\n",
        "caravel_drop_to_stored_seconds_count{feed=\"hrt\",store=\"local\"} 1\n",
        "caravel_line_to_stored_seconds_count{feed=\"hrt\",store=\"local\"} 1\n",
        "caravel_watched 1\n", "caravel_ready 1\n", "caravel_sequence_gaps{feed=\"hrt\"} 0\n",
        "caravel_disk_free_bytes{place=\"spool\",path=\"/a\\\"b\\\\c\\\\xFF\"} 5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  // Never asked: neither up nor down.
  EXPECT_THAT(text, Not(HasSubstr("caravel_store_up")));
  const Result<Overview> none = fail(ErrorKind::fault, "no");
  EXPECT_THAT(metrics_text(none, {}, {}), HasSubstr("caravel_ledger_readable 0\n"));
  EXPECT_THAT(metrics_text(none, {}, {}), Not(HasSubstr("caravel_extracts")));
}

TEST_F(OverviewTest, ADelayIsCountedOnceAndForEver) {
  DelayCounter counter(kNow);
  const auto count = [&](Time now) {
    Ok(counter.advance(ledger(), now));
    const auto found = counter.sums().find({"hrt", "local"});
    return found == counter.sums().end() ? 0U : found->second.since_drop.count;
  };
  Load("before", kNow - seconds(9), kNow - seconds(1));
  Load("a", kNow, kNow + seconds(1));
  EXPECT_EQ(count(kNow + seconds(2)), 0U);  // somebody may commit a `done` of this moment yet
  Load("b", kNow, kNow + milliseconds(1500));
  EXPECT_EQ(count(kNow + seconds(17)), 2U);
  EXPECT_EQ(count(kNow + seconds(17)), 2U);
  Load("c", kNow, kNow + seconds(2));
  EXPECT_EQ(count(kNow), 2U);  // the clock was set back
  EXPECT_EQ(count(kNow + seconds(20)), 3U);
}

TEST(Sparkline, ShowsAllOfTheTimeInAsManyCharactersAsThereAre) {
  EXPECT_EQ(sparkline({0, 1, 4, 8}, 10), " ▁▄█");
  EXPECT_EQ(sparkline({0, 0, 0}, 10), "   ");
  EXPECT_EQ(sparkline({5, 1, 1, 2, 2}, 3), "█▄▇");  // the oldest stands alone
  EXPECT_EQ(sparkline({}, 10), "");
  EXPECT_EQ(sparkline({1}, 0), "");
}

std::vector<std::size_t> Widths(const std::string& text) {
  std::vector<std::size_t> out{0};
  for (const char c : text) {
    if (c == '\n') {
      out.push_back(0);
    } else if ((c & 0xC0) != 0x80) {  // not inside of a character
      ++out.back();
    }
  }
  out.pop_back();
  return out;
}

TEST_F(OverviewTest, TheScreenFitsWhateverTheNames) {
  for (int i = 0; i < 30; ++i) {
    const std::string claim = "c" + std::to_string(i);
    Claim(claim, claim + std::string(300, 'x') + "ü\x1b[2J.log", kNow - minutes(1));
    Ok(ledger().extracts().finish_failed(claim, std::string(500, 'w'), 0, kNow));
  }
  for (const auto& [columns, lines] :
       {std::pair<std::size_t, std::size_t>{80, 24}, {20, 5}, {200, 60}}) {
    const std::string text = screen(Look(), columns, lines).plain();
    EXPECT_LE(Widths(text).size(), lines);
    EXPECT_THAT(Widths(text), Each(testing::Le(columns)));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  }
  EXPECT_THAT(screen(Look(), 80, 24).plain(), HasSubstr("30 failed"));
}

}  // namespace
}  // namespace caravel::watcher
