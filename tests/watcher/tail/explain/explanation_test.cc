// --explain: what the agent knows of one log, in words.
#include "watcher/tail/explain/explanation.h"

#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class TailExplain : public TailFixture, public testing::Test {
 public:
  void TestBody() override {}
  [[nodiscard]] std::string Explain(const std::string& name = "app.log") const {
    const auto text =
        explain_log({options.state, grace_of(options), options.logs, options.siblings}, Log(name));
    EXPECT_TRUE(text.has_value()) << text.error().message;
    return text.value_or("");
  }
};

TEST_F(TailExplain, NamesEachFileHowFarItWasReadAndWhyItIsTheLogs) {
  Append("old\n", "app.log.2");
  Append("aaa\n");
  options.from_start = false;
  Pass();
  Append("bbb\n");
  Pass();
  Rename("app.log", "app.log.1");
  LetItBeOld();
  Append("cccc\n");
  PassGrace();
  Stop();
  Append("dd\n");
  const std::string text = Explain();
  EXPECT_THAT(text, HasSubstr(": 2 extracts; last looked at 20"));
  EXPECT_THAT(text, HasSubstr("  app.log.2  4 bytes, not to be read: it lay there before, or its "
                              "text was read before  [its name]\n"
                              "  app.log.1  8 bytes, read  [its name]\n"
                              "  app.log  8 bytes, being read: up to byte 5  [the log itself]\n"));
  EXPECT_THAT(text, HasSubstr("no agent runs with this state\nnothing is known to have been "
                              "missed\n"));
}

TEST_F(TailExplain, SaysWhatIsNotTheLogsThoughItsNameIsAlike) {
  Append("a\n", "node.log");
  options.logs = {Log("node.log")};
  Pass();
  Append("b\n", "node1.log");
  LetItBeOld();
  Append("c\n", "node.log");
  LetItBeOld();
  Append("d\n", "node1.log");
  const std::string text = Explain("node.log");
  EXPECT_THAT(text, HasSubstr("  not the log's: node1.log  [its times do not show"));
}

TEST_F(TailExplain, SaysWhatARunningAgentHoldsOpenAlsoIfItsNameIsGone) {
  Append("a\n");
  Pass();
  Rename("app.log", "app.log.1");
  Append("b\n");
  static_cast<void>(agent->step(now));
  fs::remove(Log("app.log.1"));
  const std::string text = Explain();
  EXPECT_THAT(text, HasSubstr("agent " + std::to_string(::getpid()) + " runs and holds open:\n"));
  EXPECT_THAT(text, HasSubstr("  app.log.1 (deleted)  2 bytes\n"));
}

TEST_F(TailExplain, SaysWhatWasMissedAndWhenAlsoAfterARestart) {
  Append("a\n");
  Pass();
  Stop();
  fs::remove(Log());
  Append("b\n");
  Pass();
  Restart();
  const std::string text = Explain();
  EXPECT_THAT(text, HasSubstr("missed:\n  20"));
  EXPECT_THAT(text, HasSubstr("app.log: the file that was read up to byte 2 is gone (deleted)"));
}

TEST_F(TailExplain, ALogThatNobodyLookedAtIsExplainedToo) {
  Append("a\n");
  Append("b\n", "app.log.1");
  const std::string text = Explain();
  EXPECT_THAT(text, HasSubstr("was never looked at by an agent with this state"));
  EXPECT_THAT(text, HasSubstr("  app.log.1  2 bytes, not read yet  [its name]"));
  EXPECT_FALSE(fs::exists(options.state));
}

TEST_F(TailExplain, AStateThatCannotBeReadIsAnError) {
  fs::create_directories(fs::path(options.state).parent_path());
  std::ofstream(options.state) << "nonsense\n";
  const auto text = explain_log({options.state, grace_of(options), options.logs, {}}, Log());
  ASSERT_FALSE(text.has_value());
  EXPECT_THAT(text.error().message, HasSubstr(options.state));
}

}  // namespace
}  // namespace caravel::tail
