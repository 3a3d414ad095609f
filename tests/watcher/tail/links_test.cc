// Logs that are symlinks: where their files are then.
#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

class TailLinks : public testing::Test, public TailFixture {
 protected:
  TailLinks() {
    for (const char* name : {"data", "other"}) fs::create_directory(Log(name));
    fs::create_symlink("data/app.log", Log());
  }
  void Swap(const std::string& target, const std::string& name = "app.log") const {
    fs::remove(Log(name));
    fs::create_symlink(target, Log(name));
  }
};

TEST_F(TailLinks, AreReadThroughTheRotationsOfTheirFile) {
  for (const bool stopped : {false, true}) {
    SCOPED_TRACE(stopped);
    TailLinks_AreReadThroughTheRotationsOfTheirFile_Test f;
    f.Append("1\n", "data/app.log");
    f.Pass();
    f.Append("2\n", "data/app.log");
    if (stopped) f.Stop();
    for (const char* line : {"3\n", "4\n"}) {
      if (fs::exists(f.Log("data/app.log.1"))) f.Rename("data/app.log.1", "data/app.log.2");
      f.Rename("data/app.log", "data/app.log.1");
      f.Append(line, "data/app.log");
    }
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n");
    f.Restart();
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n");
  }
}

TEST_F(TailLinks, LeaveAloneWhatLayThereBefore) {
  Append("old\n", "data/app.log.1");
  Append("1\n", "data/app.log");
  PassGrace();
  EXPECT_EQ(Sent(), "1\n");
}

TEST_F(TailLinks, AreReadToTheEndOfTheFileThatTheyLedTo) {
  for (const char* target : {"other/app.log", "data/app2.log"}) {
    for (const bool stopped : {false, true}) {
      SCOPED_TRACE(std::string(target) + (stopped ? " stopped" : ""));
      TailLinks_AreReadToTheEndOfTheFileThatTheyLedTo_Test f;
      f.Append("old\n", std::string(target) + ".1");
      f.Append("1\n", "data/app.log");
      TailFixture::LetItBeOld();
      f.Pass();
      if (stopped) f.Stop();
      f.Append("2\n", "data/app.log");
      f.Append("3\n", target);
      f.Swap(target);
      f.PassGrace();
      f.Append("4\n", target);
      f.PassGrace();
      EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n");
      f.Restart();
      f.PassGrace();
      EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n");
    }
  }
}

TEST_F(TailLinks, OfAnOlderStateTakeNothingOldForNew) {
  Append("old\n", "data/app.log.1");
  Append("1\n", "data/app.log");
  Pass();
  Stop();
  std::istringstream state(ReadAll(options.state));
  std::string without;
  for (std::string line; std::getline(state, line);) {
    if (!line.starts_with("target=") && !line.starts_with("looked=") && !line.starts_with("known="))
      without += line + "\n";
  }
  std::ofstream(options.state) << without;
  Append("2\n", "data/app.log");
  PassGrace();
  EXPECT_EQ(Sent(), "1\n2\n");
}

TEST_F(TailLinks, ThatLeadBackGoOnWhereTheyWere) {
  for (const bool stopped : {false, true}) {
    SCOPED_TRACE(stopped);
    TailLinks_ThatLeadBackGoOnWhereTheyWere_Test f;
    f.Append("1\n", "data/app.log");
    f.Pass();
    f.Swap("other/app.log");
    f.Append("2\n", "other/app.log");
    f.PassGrace();
    for (const char* line : {"3\n", "4\n", "5\n"}) {
      fs::remove(f.Log("other/app.log.2"));
      if (fs::exists(f.Log("other/app.log.1"))) f.Rename("other/app.log.1", "other/app.log.2");
      f.Rename("other/app.log", "other/app.log.1");
      f.Append(line, "other/app.log");
      if (stopped) f.Stop();
      f.PassGrace();
    }
    f.Swap("data/app.log");
    f.Append("6\n", "data/app.log");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n5\n6\n");
  }
}

TEST_F(TailLinks, AreReadToTheEndThoughNothingWasReadBefore) {
  Append("", "data/app.log");
  Pass();
  Append("1\n", "data/app.log");
  Append("2\n", "other/app.log");
  Swap("other/app.log");
  PassGrace();
  EXPECT_EQ(Sent(), "1\n2\n");
  // A writer goes on in the old file: its lines are read as those of any finished file.
  Append("3\n", "data/app.log");
  Pass(std::chrono::hours(2));
  PassGrace();
  EXPECT_EQ(Sent(), "1\n2\n3\n");
}

TEST_F(TailLinks, ThatAreSwappedWhenTheirFileIsRotatedLoseNothing) {
  for (const bool stopped : {false, true}) {
    SCOPED_TRACE(stopped);
    TailLinks_ThatAreSwappedWhenTheirFileIsRotatedLoseNothing_Test f;
    f.Append("1\n", "data/app.log");
    f.Pass();
    if (stopped) f.Stop();
    f.Append("2\n", "data/app.log");
    f.Rename("data/app.log", "data/app.log.1");
    f.Append("3\n", "data/app.log");
    f.Append("4\n", "other/app.log");
    f.Swap("other/app.log");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "1\n2\n3\n4\n");
  }
}

TEST_F(TailLinks, FilesThatWereRotatedSinceTheSwapAreNew) {
  Append("1\n", "data/app.log");
  Pass();
  Append("2\n", "other/app.log");
  Swap("other/app.log");
  Pass();
  Append("3\n", "data/app.log");
  Rename("other/app.log", "other/app.log.1");
  Append("4\n", "other/app.log");
  PassGrace();
  std::string sent = Sent();
  std::sort(sent.begin(), sent.end());
  EXPECT_EQ(sent, "\n\n\n\n1234");
}

TEST_F(TailLinks, TwoToOneFileReadWhatLiesBesideItOnce) {
  options.logs = {Log(), Log("app2.log")};
  fs::create_symlink("data/app.log", Log("app2.log"));
  Append("1\n", "data/app.log");
  PassGrace();
  Rename("data/app.log", "data/app.log.1");
  Append("2\n", "data/app.log");
  PassGrace();
  Append("late\n", "data/app.log.1");
  Pass(std::chrono::hours(2));
  PassGrace();
  EXPECT_EQ(Sent(), "1\n2\nlate\n");
}

}  // namespace
}  // namespace caravel::tail
