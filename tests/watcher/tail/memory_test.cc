// What was read is remembered: no file is lost or repeated, whatever names and clocks say.
#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/sha256.h"

namespace caravel::tail {
namespace {

using testing::HasSubstr;

class TailMemory : public TailFixture, public testing::Test {};

TEST_F(TailMemory, ReadsFilesThatAreNumberedUpwards) {
  for (const bool new_log : {false, true}) {
    SCOPED_TRACE(new_log);
    TailFixture f;
    f.Append("a\n");
    f.Pass();
    f.Stop();
    f.Append("b\n");
    f.Rename("app.log", "app.log.1");
    f.Append("c\n");
    f.Rename("app.log", "app.log.2");
    f.Append("d\n");
    f.Rename("app.log", "app.log.3");
    if (new_log) f.Append("e\n");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), std::string("a\nb\nc\nd\n") + (new_log ? "e\n" : ""));
  }
}

TEST_F(TailMemory, LosesNothingWhereTheOrderCannotBeTold) {
  Append("a\n");
  Pass();
  Rename("app.log", "app.log.5");
  Append("b\n");
  PassGrace();
  Stop();
  for (const char* name : {"app.log.7", "app.log.2", "app.log.old", "app.log-20240131"}) {
    Append(std::string(name) + "\n", name);
  }
  PassGrace();
  for (const char* name : {"app.log.7", "app.log.2", "app.log.old", "app.log-20240131"}) {
    EXPECT_THAT(Sent(), HasSubstr(std::string(name) + "\n"));
  }
  const std::string all = Sent();
  Restart();
  PassGrace();
  EXPECT_EQ(Sent(), all);
}

TEST_F(TailMemory, ReadsWhatIsWrittenToARotatedFileAfterItWasFinished) {
  Append("a\n");
  Pass();
  Rename("app.log", "app.log.1");
  Append("b\n");
  PassGrace();
  ASSERT_EQ(Sent(), "a\nb\n");
  Append("late\n", "app.log.1");
  for (int i = 0; i < 30; ++i) Pass();
  EXPECT_EQ(Sent(), "a\nb\nlate\n");
  Stop();
  Append("c\n");
  Append("later\n", "app.log.1");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nlate\nlater\nc\n");
}

TEST_F(TailMemory, ReadsALogThatWasWrittenAnewAndRotated) {
  Append(std::string(4000, 'a') + "\n");
  Pass();
  Truncate();
  const std::string anew = std::string(3000, 'b') + "\n";
  Append(anew);
  Rename("app.log", "app.log.1");
  Append("c\n");
  PassGrace();
  EXPECT_EQ(Sent(), std::string(4000, 'a') + "\n" + anew + "c\n");
}

TEST_F(TailMemory, LeavesAloneWhatLayThereBefore) {
  Append("old\n", "app.log.1");
  Append("a\n");
  Pass();
  Append("not ours\n", "app.log.1");
  Restart();
  Rename("app.log.1", "app.log.2");
  Rename("app.log", "app.log.1");
  Append("b\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\n");
}

TEST_F(TailMemory, OfSinglePassesIsBoundedToo) {
  const auto count = [&](const std::string& key) {
    const std::string state = "\n" + ReadAll(options.state);
    std::size_t found = 0;
    for (auto at = state.find("\n" + key); at != std::string::npos; ++found) {
      at = state.find("\n" + key, at + 1);
    }
    return found;
  };
  options.grace = std::chrono::milliseconds(0);
  for (int i = 0; i < 10; ++i) {
    Append("line " + std::to_string(i) + "\n");
    Restart();
    Pass();
    std::filesystem::remove(Log("app.log.2"));
    if (i > 0) Rename("app.log.1", "app.log.2");
    Rename("app.log", "app.log.1");
  }
  EXPECT_LE(count("known="), 5U);

  options.logs = {Log("dated-*.log")};
  for (int i = 0; i < 10; ++i) {
    Append("x\n", "dated-" + std::to_string(i) + "x.log");
    Restart();
    Pass();
    std::filesystem::remove(Log("dated-" + std::to_string(i) + "x.log"));
  }
  EXPECT_LE(count("log=") - 1, 5U);
}

TEST_F(TailMemory, KnowsWhatWasReadWhenItIsCompressedAtOnce) {
  for (const bool stopped : {false, true}) {
    SCOPED_TRACE(stopped);
    TailFixture f;
    f.Append("1\n");
    f.Pass();
    if (stopped) f.Stop();
    f.Append("packed", "app.log.1.gz");
    std::filesystem::last_write_time(f.Log("app.log.1.gz"),
                                     std::filesystem::last_write_time(f.Log()));
    std::filesystem::remove(f.Log());
    f.Append("2\n");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "1\n2\n");
    EXPECT_THAT(f.AllMessages(), testing::Not(testing::HasSubstr("its lines are missing")));
  }
}

}  // namespace
}  // namespace caravel::tail
