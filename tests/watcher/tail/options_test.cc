// The command line and the configuration file.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/options.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TailOptions, ComeFromTheLineAndAFile) {
  TailFixture f;
  f.Append("# comment\noutbox = out\nsend = scp {} a=b\n log=x.log\nlog = /y.log\ninterval = 5s\n",
           "conf");
  auto options = parse_options({"--config", f.Log("conf"), "--interval=10s", "--once"}, "/here");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  const std::string directory = f.Log("");
  EXPECT_EQ(options->agent.outbox, directory + "out");
  EXPECT_EQ(options->agent.send, "scp {} a=b");
  EXPECT_THAT(options->agent.logs, ElementsAre(directory + "x.log", "/y.log"));
  EXPECT_EQ(options->agent.interval, milliseconds(10'000));
  EXPECT_TRUE(options->agent.once);
  f.Append("\xEF\xBB\xBFonce = yes\n", "bom");
  options = parse_options({"--config", f.Log("bom"), "x"}, "/here");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_TRUE(options->agent.once);
  options = parse_options({"--config", f.Log("conf"), "--", "--odd.log"}, "/here");
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->agent.logs, ElementsAre("/here/--odd.log"));
  f.Append("siblings = old/{}-*\nsiblings = /a//b*\nmax-open = 7\nrecord-start = 2[0-9]\nlog = x\n",
           "names");
  options = parse_options({"--config", f.Log("names")}, "/here");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_THAT(options->agent.siblings, ElementsAre("old/{}-*", "/a/b*"));
  EXPECT_EQ(options->agent.max_held, 7U);
  EXPECT_EQ(options->agent.record_start, "2[0-9]");
  options = parse_options({"--resend", "0a1b2c3d:00000017"}, "/");
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->resend_sequence, 17U);
}

TEST(TailOptions, SpellAPathInOneWay) {
  for (const char* path :
       {"a/x.log", "./a/x.log", "a//x.log", "/here/./a/x.log", "//here/a/./x.log"}) {
    SCOPED_TRACE(path);
    const auto options = parse_options({"--outbox", path, "--state", path, path}, "/here");
    ASSERT_TRUE(options.has_value());
    EXPECT_THAT(options->agent.logs, ElementsAre("/here/a/x.log"));
    EXPECT_EQ(options->agent.outbox, "/here/a/x.log");
    EXPECT_EQ(options->agent.state, "/here/a/x.log");
  }
  // Only the file system knows what ".." means, so it stays.
  EXPECT_THAT(parse_options({"a/../x.log"}, "/")->agent.logs, ElementsAre("/a/../x.log"));
  EXPECT_FALSE(parse_options({"x.log"}, "").has_value());
}

TEST(TailOptions, AValueIsNoOption) {
  const auto options = parse_options({"--send", "--help", "x.log"}, "/");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->what, Options::What::run);
  EXPECT_EQ(options->agent.send, "--help");
  EXPECT_EQ(parse_options({"x.log", "-h"}, "/")->what, Options::What::help);
}

TEST(TailOptions, NameWhatIsWrong) {
  TailFixture f;
  f.Append("outbox = out\nintervall = 5s\n", "conf");
  f.Append("send = a\nsend = b\n", "conf2");
  f.Append("once = true\n", "conf3");
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{}, "no log is named"},
      {{"--intervall", "5s", "x"}, "did you mean --interval?"},
      {{"--once=1", "x"}, "--once: takes no value"},
      {{"--onc", "x"}, "did you mean --once?"},
      {{"--host", std::string(256, 'h'), "x"}, "longer than 255 bytes"},
      {{"--interval", "5", "x"}, "'5' is not like 30s"},
      {{"--interval"}, "--interval: needs a value"},
      {{"--max-bytes", "0", "x"}, "must be more than 0"},
      {{"--max-open", "0", "x"}, "is no number from 1 on"},
      {{"--siblings", "", "x"}, "must not be empty"},
      {{"--from", "middle", "x"}, "is neither start nor end"},
      {{"--resend", "x:1"}, "is not like"},
      {{"--resend", "0a1b2c3d:0:17"}, "is not like"},
      {{"--resend", "0a1b2c3d::17"}, "is not like"},
      {{"--resend", "0a1b2c3d:0"}, "is not like"},
      {{"--resend", "0a1b2c3d:"}, "is not like"},
      {{"--resend", "0a1b2c3d"}, "is not like"},
      {{"-x"}, "-x: unknown option"},
      {{"--config", f.Log("conf"), "x"}, "conf:2: intervall: unknown"},
      {{"--config", f.Log("conf2"), "x"}, "conf2:2: send: given twice"},
      {{"--config", f.Log("conf3"), "x"}, "conf3:1: once: must be yes or no"},
      {{"--config", "/nowhere", "x"}, "/nowhere"},
      {{""}, "path is empty"},
  };
  for (const auto& c : cases) {
    const auto options = parse_options(c.arguments, "/");
    ASSERT_FALSE(options.has_value()) << c.message;
    EXPECT_EQ(options.error().kind, ErrorKind::usage);
    EXPECT_THAT(options.error().message, HasSubstr(c.message));
  }
}

TEST(TailHelp, FitsOnOneScreen) {
  const std::string text = help_text();
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 36);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace caravel::tail
