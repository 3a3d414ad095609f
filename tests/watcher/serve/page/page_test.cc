// The page, its plots and its commands, over numbers and names that a stranger chose.
#include "watcher/serve/page/page.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/config_fixture.h"
#include "tests/support/ledger_fixture.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"
#include "watcher/serve/page/commands_to_copy.h"
#include "watcher/serve/page/page_files.h"
#include "watcher/serve/page/page_values.h"
#include "watcher/serve/page/plots.h"
#include "watcher/serve/page/reasons.h"

namespace caravel::watcher {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PageTest : public LedgerTest {
 protected:
  std::string Page() {
    const Overview overview = Ok(build_overview(ledger(), question_, kNow));
    return page_html(overview, {"loader", "/etc/caravel/caravel.yaml", "1.2.3"});
  }
  void Fail(const std::string& claim, const std::string& name, const std::string& why) {
    Claim(claim, name, kNow - minutes(9));
    Ok(ledger().extracts().finish_failed(claim, why, 0, kNow - minutes(8)));
  }

  StatusQuestion question_{
      .feeds = {"hrt"}, .stores = {{"local", "/rows.db"}}, .lock_holder = "x", .limits = {}};
};

TEST_F(PageTest, NoTextOfAStrangerBecomesMarkup) {
  const std::string evil = "<script>alert('1')</script>\"onload=x&{{{now}}}";
  Fail("c1", evil + ".log", "why " + evil);
  Claim("c2", evil + "2.log");
  Ok(ledger().extracts().set_waiting("c2", evil, {}, kNow));
  Claim("c3", evil + "3.log", kNow - minutes(5));
  Format("c3");
  Finish("c3", kNow - minutes(4));
  Ok(ledger().drop_names().set_left_alone("hrt", {{evil, evil}}, kNow));
  Ok(ledger().sources().arrived({"hrt", "00000001", evil}, 5, State::done, kNow, kNow));
  Ok(ledger().stores().set_state("local", "/rows.db", StoreState::fault, evil, {}, kNow));
  question_.lock_holder = evil;
  question_.drops = {{"hrt", evil, "missing", evil}};
  const std::string page = Page();
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("\"onload")));
  // One script, ours; each value stands where it belongs, and only there.
  EXPECT_EQ(page.find("<script"), page.rfind("<script"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;onload=x&amp;"
                              "{{{now}}}2.log"));
}

TEST_F(PageTest, WhatDeceivesTheEyeIsShownForWhatItIs) {
  Fail("c1", "a\u202egol.exe", "tab\tand \x1b[31m bad utf8 \xff");
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("a\\xE2\\x80\\xAEgol.exe"));
  EXPECT_THAT(page, HasSubstr("tab\\x09and \\x1B[31m bad utf8 \\xFF"));
}

TEST_F(PageTest, SaysWhatWaitsWhatFailedAndWhatToDo) {
  Fail("c1", "it's.log", "damaged gzip data");
  Claim("c2", "b.log", kNow - minutes(3));
  Ok(ledger().extracts().set_waiting("c2", "store couch does not answer", kNow + seconds(30),
                                     kNow - minutes(2)));
  Ok(ledger().sources().arrived({"hrt", "0123abcd", "app.log on bus1"}, 5, State::done, kNow,
                                kNow));
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("2 things need attention"));
  EXPECT_THAT(page, HasSubstr("<code tabindex=\"0\">caravel retry &#39;it&#39;\\&#39;&#39;s.log"
                              "&#39;</code>"));
  EXPECT_THAT(page, HasSubstr("store couch does not answer; tried 1 time; next try at"));
  EXPECT_THAT(page, HasSubstr("caravel ack 0123abcd:1-4"));
  EXPECT_THAT(page, HasSubstr("1 gap in the sequence of extracts"));
}

TEST_F(PageTest, ALedgerWithoutExtractsIsAPageToo) {
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("All is well"));
  EXPECT_THAT(page, HasSubstr("never"));
  EXPECT_THAT(page, Not(HasSubstr("id=\"failed\"")));
  question_ = {};
  EXPECT_THAT(Page(), HasSubstr("No feed is configured."));
}

TEST(Page, NothingIsLoadedFromElsewhere) {
  for (const char* name : {"page.html", "error.html", "style.css", "live.js"}) {
    const std::string_view file = page_file(name);
    EXPECT_FALSE(file.empty()) << name;
    EXPECT_EQ(file.find("//www"), std::string_view::npos) << name;
    EXPECT_EQ(file.find("https:"), std::string_view::npos) << name;
    EXPECT_EQ(file.find("{{{"), std::string_view::npos) << name << " leaves a value unescaped";
    EXPECT_EQ(file.find("{{&"), std::string_view::npos) << name << " leaves a value unescaped";
  }
  EXPECT_TRUE(page_file("nothing").empty());
}

TEST(Plots, AValueThatIsNotNothingIsSeen) {
  EXPECT_EQ(bars_path({}), "M0 0");
  EXPECT_EQ(bars_path({0, 0}), "M0 0");
  EXPECT_EQ(bars_path({0, 100}), "M396.0 120v-110.4h288.0v110.4z");
  EXPECT_EQ(bars_path({1, 1'000'000}), "M36.0 120v-1.0h288.0v1.0zM396.0 120v-110.4h288.0v110.4z");
  EXPECT_EQ(area_path({0, 2}), "M0 120L180.0 120.0L540.0 9.6L720 120z");
}

TEST(CommandsToCopy, AreOneWordForAShellWhateverTheName) {
  EXPECT_EQ(shell_word("a-1.log"), "a-1.log");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$(rm -rf ~)`x`;\"'!"), "'$(rm -rf ~)`x`;\"'\\''!'");
  EXPECT_EQ(shell_command("retry", "/etc/caravel/caravel.yaml", {"-x.log"}),
            "caravel retry -- -x.log");
  EXPECT_EQ(shell_command("ack", "/a b.yaml", {"x"}), "caravel ack --config '/a b.yaml' x");
  Extract extract;
  extract.name = "a\nb";
  EXPECT_EQ(operand_of(extract), "");
  extract.sha256 = std::string(64, 'a');
  EXPECT_EQ(operand_of(extract), std::string(16, 'a'));
  extract.name = "a b";
  EXPECT_EQ(operand_of(extract), "a b");
}

TEST(Reasons, EqualOnesAreCountedWhereverInTheLineTheyWere) {
  const testing_support::Folder folder;
  const std::string path = folder / "x.reasons.csv";
  std::ofstream(path) << "line,offset,reason\n1,0,expected a blank at byte 95 (a)\n"
                         "2,9,expected a blank at byte 7 (a)\n3,18,\"no, \"\"line\"\" end\"\n"
                         "4,20,cut off";
  EXPECT_THAT(frequent_reasons(path, 3),
              ElementsAre("2 × expected a blank (a)", "1 × no, \"line\" end"));
  EXPECT_THAT(frequent_reasons(path, 1), ElementsAre("2 × expected a blank (a)"));
  EXPECT_THAT(frequent_reasons(folder / "none", 3), IsEmpty());
}

}  // namespace
}  // namespace caravel::watcher
