// Which files are logs, under which names: patterns, links, rotated files, what is not there.
#include <fnmatch.h>
#include <gmock/gmock.h>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/glob.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/names/wildcard.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class TailNames : public testing::Test, public TailFixture {
 public:
  void TestBody() override {}

  /// For each log, by its name, all that was cut from it.
  std::map<std::string, std::string> SentOf() {
    std::map<std::string, std::string> all;
    for (const auto& [name, content] : Extracts()) {
      all[fs::path(ManifestOf(name).log).filename()] += content;
    }
    return all;
  }
};

TEST_F(TailNames, NumberedFilesThatAPatternTakesForRotatedAreNamed) {
  options.logs = {Log("*.log")};
  for (const char* name :
       {"node.log", "node-1.log", "node-10.1.2.3.log", "node-18080.log", "node-20240131.log"}) {
    Append("a\n", name);
  }
  Pass();
  EXPECT_THAT(AllMessages(), HasSubstr("node-1.log and 2 more: taken for a rotated file"));
  messages.clear();
  Restart();
  Pass();
  EXPECT_THAT(messages, IsEmpty());
}

TEST_F(TailNames, OnesThatAreNamedThemselvesAreLogs) {
  options.logs = {Log("node.log"), Log("node-1.log"), Log("node-1?.log")};
  for (const char* name : {"node.log", "node-1.log"}) Append(std::string(name) + "\n", name);
  Pass();
  // The pattern does not match node.log: so what it finds is a log, not a rotated file of node.log.
  Append("node-12.log\n", "node-12.log");
  for (int i = 0; i < 20; ++i) Pass();
  const auto sent = SentOf();
  EXPECT_THAT(sent, SizeIs(3));
  for (const auto& [name, content] : sent) EXPECT_EQ(content, name + "\n");
}

TEST_F(TailNames, ALogThatWasRotatedToANameOfAPatternIsReadToItsEnd) {
  options.logs = {Log("app.log"), Log("app-*.log")};
  Append("a\n");
  Pass();
  Append("b\n");
  Stop();
  Append("c\n");
  Rename("app.log", "app-20240131.log");
  Append("d\n");
  for (int i = 0; i < 10; ++i) Pass();
  EXPECT_THAT(SentOf(), ElementsAre(testing::Pair("app.log", "a\nb\nc\nd\n")));
}

TEST_F(TailNames, TwoNamesOfOneFileAreOneLog) {
  options.logs = {Log("*.log"), Log("b.lnk"), Log("c.lnk")};
  Append("a\n", "a.log");
  fs::create_hard_link(Log("a.log"), Log("b.log"));
  fs::create_symlink(Log("a.log"), Log("c.log"));
  fs::create_symlink(Log("a.log"), Log("b.lnk"));
  Append("c\n", "c.lnk");
  Pass();
  EXPECT_THAT(SentOf(), ElementsAre(testing::Pair("a.log", "a\n"), testing::Pair("c.lnk", "c\n")));
  EXPECT_THAT(AllMessages(), HasSubstr("b.lnk: is the same file as "));
  // Once b.lnk is a file of its own, it is followed.
  fs::remove(Log("b.lnk"));
  Append("b\n", "b.lnk");
  Pass();
  EXPECT_EQ(SentOf()["b.lnk"], "b\n");
}

TEST_F(TailNames, ALogThatIsNamedTwiceIsReadOnce) {
  options.logs = {Log(), Log(), Log("*.log")};
  Pass();
  Append("a\n");
  for (int i = 0; i < 5; ++i) Pass();
  EXPECT_EQ(Sent(), "a\n");
  EXPECT_THAT(AllMessages(), Not(HasSubstr("same file")));
}

TEST_F(TailNames, ANameInTheStateThatIsNotAskedForHoldsNobodyUp) {
  fs::create_symlink("app.log", Log("link"));
  options.logs = {Log("link")};
  Append("a\n");
  Pass();
  Stop();
  options.logs = {Log()};
  options.from_start = false;
  Append("b\n");
  Pass();
  Append("c\n");
  Pass();
  // The file is read on from where it was read to, under whatever name.
  EXPECT_THAT(SentOf(),
              ElementsAre(testing::Pair("app.log", "b\nc\n"), testing::Pair("link", "a\n")));
}

TEST_F(TailNames, ALinkThatIsSwappedToAFileOfItsOwnIsReadFromItsStart) {
  options.logs = {Log(), Log("link")};
  options.from_start = false;
  Append("old\n");
  fs::create_symlink("app.log", Log("link"));
  Pass();
  Append("new 1\nnew 2\n", "new");
  fs::remove(Log("link"));
  fs::create_symlink("new", Log("link"));
  for (int i = 0; i < 3; ++i) Pass();
  Append("new 3\n", "new");
  Pass();
  EXPECT_EQ(Sent(), "new 1\nnew 2\nnew 3\n");
}

TEST_F(TailNames, ALinkThatIsSwappedToAnotherLogLeavesItsFileToThePattern) {
  options.logs = {Log("current"), Log("*.log")};
  Append("x 1\n", "x.log");
  Append("y 1\n", "y.log");
  fs::create_symlink("x.log", Log("current"));
  Pass();
  for (const bool stopped : {true, false}) {
    if (stopped) Stop();
    fs::remove(Log("current"));
    fs::create_symlink(stopped ? "y.log" : "x.log", Log("current"));
    Append("x 2\n", "x.log");
    PassGrace();
    Append("x 3\n", "x.log");
    Append("y 2\n", "y.log");
    PassGrace();
  }
  std::string all = Sent();
  EXPECT_EQ(all.size(), 4U * 8) << all;
  EXPECT_EQ(std::count(all.begin(), all.end(), 'x'), 5);
}

TEST_F(TailNames, TheGapOfARotationMakesNoSecondLogOfOneFile) {
  options.logs = {Log("app*.log*"), Log("link")};
  fs::create_symlink("app.log", Log("link"));
  Append("a\n");
  Pass();
  for (int i = 1; i < 4; ++i) {
    // Two rotations between two looks, and for a while no file with the log's name.
    if (i > 1) Rename("app.log.1", "app.log.2");
    Rename("app.log", "app.log.1");
    Pass();
    if (i == 2) Restart();
    Pass();
    Append(std::to_string(i) + "\n");
    PassGrace();
  }
  EXPECT_EQ(Sent(), "a\n1\n2\n3\n");
}

TEST_F(TailNames, AFileThatIsRenamedToAnotherMatchGoesOnWhereItWasRead) {
  options.logs = {Log("*.log")};
  std::string written;
  for (const char* done : {"done-x.log", "done-y.log", "done-z.log"}) {
    Append(std::string(done) + " 1\n");
    Pass();
    Rename("app.log", done);
    if (done[5] == 'y') Restart();
    PassGrace();
    Append(std::string(done) + " 2\n", done);
    PassGrace();
    written += std::string(done) + " 1\n" + done + " 2\n";
  }
  for (int i = 0; i < 20; ++i) Pass();
  EXPECT_EQ(Sent().size(), written.size()) << Sent();
  std::istringstream lines(written);
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(Sent(), HasSubstr(line + "\n"));
}

TEST_F(TailNames, ADirectoryThatIsNotMountedYetForgetsNothing) {
  for (const std::string& log : {Log(), Log("*.log")}) {
    SCOPED_TRACE(log);
    TailNames f;
    f.options.logs = {f.Log(fs::path(log).filename())};
    f.Append("a\n");
    f.Pass();
    f.Rename("app.log", "app.log.1");
    f.Append("b\n");
    f.PassGrace();
    f.Stop();
    const fs::path here = fs::path(f.Log()).parent_path();
    const fs::path away = here.string() + ".away";
    fs::rename(here, away);
    fs::create_directory(here);
    for (int i = 0; i < 10; ++i) f.Pass();
    fs::remove(here);
    fs::rename(away, here);
    f.Append("c\n");
    for (int i = 0; i < 10; ++i) f.Pass();
    EXPECT_EQ(f.Sent(), "a\nb\nc\n");
    EXPECT_THAT(f.AllMessages(), Not(HasSubstr("is gone")));
  }
}

TEST_F(TailNames, ABusyWriterGetsAnExtractAnInterval) {
  Append("a\n");
  std::size_t before = 0;
  for (int i = 0; i < 3; ++i) {
    now.steady += std::chrono::seconds(1);
    if (!agent) Start();
    // The writer writes a line after each step of the agent.
    for (int step = 0; step < 20; ++step) {
      Append("b\n");
      if (agent->step(now).idle) break;
    }
    EXPECT_LE(Extracts().size(), ++before);
  }
  EXPECT_GE(Extracts().size(), 2U);
}

TEST_F(TailNames, ExtractsAreNoLogs) {
  options.outbox = Log("out");
  options.logs = {Log("*/*.log"), Log("*.log")};
  Append("a\n");
  for (int i = 0; i < 5; ++i) {
    Pass();
    Append("b\n");
  }
  EXPECT_EQ(Sent(), "a\nb\nb\nb\nb\n");
  EXPECT_THAT(AllMessages(), HasSubstr("matches files of the outbox"));
}

TEST_F(TailNames, WhatIsNotThereIsSaidOnceAndWaitedFor) {
  options.logs = {Log("app.log"), Log("no*.log")};
  for (int i = 0; i < 3; ++i) Pass();
  EXPECT_THAT(messages, ElementsAre(HasSubstr("no*.log: no file matches; waiting"),
                                    HasSubstr("app.log: does not exist; waiting")));
  messages.clear();
  Append("a\n");
  Append("b\n", "now.log");
  for (int i = 0; i < 2; ++i) Pass();
  EXPECT_THAT(SentOf(), SizeIs(2));
  EXPECT_THAT(messages, testing::UnorderedElementsAre(HasSubstr("is there now"),
                                                      HasSubstr("a file matches now")));
}

TEST_F(TailNames, WithoutDescriptorsToSpareTheOthersGoOn) {
  options.max_open = 2;
  options.logs = {Log("a"), Log("b"), Log("c")};
  for (const char* name : {"a", "b", "c"}) Append(std::string(name) + "\n", name);
  Pass();
  EXPECT_THAT(SentOf(), SizeIs(2));
  EXPECT_THAT(AllMessages(), HasSubstr("limit of open files"));
  fs::remove(Log("a"));
  for (int i = 0; i < 5; ++i) Pass();
  EXPECT_EQ(SentOf()["c"], "c\n");
}

TEST_F(TailNames, DesertedLogsOfAPatternAreForgottenTogether) {
  options.logs = {Log("*.log")};
  // Its rotated file keeps c.log, the last log, in the list; c.log is looked at while a.log is
  // forgotten.
  Append("old\n", "c.log.1");
  for (const std::string name : {"a.log", "b.log", "c.log"}) Append("1\n", name);
  Pass();
  fs::remove(Log("a.log"));
  fs::remove(Log("c.log"));
  for (int i = 0; i < 20; ++i) Pass();
  EXPECT_THAT(ReadAll(options.state), Not(HasSubstr("a.log")));
  EXPECT_THAT(ReadAll(options.state), HasSubstr("c.log"));
  Append("2\n", "b.log");
  Pass();
  EXPECT_EQ(OfLog("b.log"), "1\n2\n");
}

}  // namespace
}  // namespace caravel::tail
