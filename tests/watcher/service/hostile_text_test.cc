// Names, hosts, reasons and replies that an enemy wrote, through every way out of the program.
#include <gmock/gmock.h>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/support/ledger_fixture.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/stores.h"
#include "watcher/report/explain.h"
#include "watcher/report/status.h"
#include "watcher/service/console.h"
#include "watcher/service/program_log.h"

namespace caravel::watcher {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

/// Commands of terminals, forged lines, directions, and no end: 30,000 bytes.
std::string Hostile() {
  std::string text =
      "begin\x1b[31m\x1b]0;title\x07\n2026-01-01T00:00:00Z error: forged\r\u202E\u2028\u0085\xff";
  text.resize(30'000, 'x');
  return text;
}

/// Nothing that a terminal obeys, no line that we did not begin, and no more than `most` bytes.
void ExpectTame(const std::string& out, std::size_t most) {
  EXPECT_EQ(printable_lines(out), out);
  EXPECT_THAT(out, Not(HasSubstr("\n2026-01-01T00:00:00Z error: forged")));
  EXPECT_LE(out.size(), most);
  EXPECT_THAT(out, HasSubstr("begin"));
}

class HostileText : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    const std::string bad = Hostile();
    Claim("c1", bad, kNow - minutes(9));
    Ok(ledger().extracts().set_waiting("c1", bad, kNow, kNow - minutes(6)));
    Claim("c2", "f" + bad, kNow - minutes(9));
    Ok(ledger().extracts().finish_failed("c2", bad, 0, kNow - minutes(8)));
    Ok(ledger().drop_names().set_left_alone("hrt", {{printable(bad), bad}}, kNow - minutes(50)));
    Ok(ledger().stores().set_state("couch", "https://c/feed", StoreState::waiting, bad, kNow,
                                   kNow - minutes(6)));
  }

  StatusReport Report() {
    const std::string bad = Hostile();
    StatusQuestion question{.feeds = {"hrt"},
                            .stores = {{"couch", bad}},
                            .lock_holder = bad,
                            .captures = {{"hrt", bad}},
                            .most = 10,
                            .limits = {}};
    question.refused_manifests.total = 1;
    question.refused_manifests.newest.push_back({bad, bad, kNow});
    StatusReport report = Ok(build_status(ledger(), question, kNow));
    ReportedSource source;
    source.status.run.feed = "hrt";
    source.status.run.source = bad;
    source.status.last_at = kNow;
    report.sources.push_back(source);
    report.silent.push_back({});
    report.silent.back().feed = "hrt";
    report.silent.back().source = bad;
    return report;
  }
};

TEST_F(HostileText, Status) { ExpectTame(status_text(Report()), 25'000); }

TEST_F(HostileText, OneLongHostNameDoesNotWidenTheLinesOfOthers) {
  StatusReport report = Report();
  ReportedSource usual;
  usual.status.run.feed = "hrt";
  usual.status.run.source = "app.log on host";
  report.sources.assign(10, usual);
  const std::size_t before = status_text(report).size();
  usual.status.run.source = std::string(30'000, 'h');
  report.sources.push_back(usual);
  EXPECT_LT(status_text(report).size(), before + 2000);
}

TEST_F(HostileText, StatusAsJson) {
  const std::string out = status_json(Report());
  for (const char c : out) ASSERT_TRUE((c >= ' ' && c < '\x7f') || c == '\n') << int{c};
  EXPECT_LE(out.size(), 40'000U);
  const auto json = nlohmann::json::parse(out);
  EXPECT_THAT(json["waiting"][0]["why"].get<std::string>(), HasSubstr("begin"));
}

TEST_F(HostileText, Explain) {
  for (const char* claim : {"c1", "c2"}) {
    const auto extract = Ok(ledger().extracts().find_claim(claim));
    ASSERT_TRUE(extract.has_value());
    ExpectTame(explain_extracts(ledger(), "/spool", {*extract}, kNow), 10'000);
  }
  Manifest manifest;
  manifest.host = manifest.log = Hostile();
  ExpectTame(explain_manifest_text(manifest), 5'000);
  ExpectTame(Ok(explain_left_alone(ledger(), Hostile())), 5'000);
}

TEST_F(HostileText, MessagesOfCommands) {
  testing::internal::CaptureStderr();
  say("{}: {} of {}", Hostile(), Hostile(), 3);
  const std::string said = testing::internal::GetCapturedStderr();
  ExpectTame(said, 3'000);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_THAT(said, testing::EndsWith(" of 3\n"));
}

TEST_F(HostileText, AnswersOfCommands) {
  testing::internal::CaptureStdout();
  Ok(print("one\n\x1b[31m\u202Etwo\n"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\n\\x1B[31m\\xE2\\x80\\xAEtwo\n");
}

TEST_F(HostileText, TheLog) {
  // A program of its own, because there is one log a process.
  EXPECT_EXIT(
      {
        start_logging("debug");
        log_error("{}: {}", Hostile(), std::string_view("second"));
        write_log(Severity::info, "\x1b[31m\nforged");
        ::_exit(0);
      },
      testing::ExitedWithCode(0),
      "error: begin\\\\x1B\\[31m.*\\(30000 bytes\\): second\n[^\n]*info: "
      "\\\\x1B\\[31m\\\\x0Aforged\n$");
}

}  // namespace
}  // namespace caravel::watcher
