#include "watcher/tail/agent.h"

#include <sys/stat.h>

#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Tail : public TailFixture, public testing::Test {};

TEST_F(Tail, CutsOnlyAtLineEnds) {
  Append("one\ntwo\nhal");
  Pass();
  EXPECT_EQ(Sent(), "one\ntwo\n");
  Append("f\n");
  Pass();
  EXPECT_EQ(Sent(), "one\ntwo\nhalf\n");
}

TEST_F(Tail, SaysInTheManifestWhichBytesOfWhichFile) {
  Append(
      "\xEF\xBB\xBF"
      " first \r\ntwo\n");
  Pass();
  Append("three\n");
  Pass();
  const auto extracts = Extracts();
  ASSERT_THAT(extracts, SizeIs(2));
  const watcher::Manifest first = ManifestOf(extracts.begin()->first);
  const watcher::Manifest second = ManifestOf(extracts.rbegin()->first);
  struct stat status {};
  ASSERT_EQ(::stat(Log().c_str(), &status), 0);
  EXPECT_EQ(first.inode, status.st_ino);
  EXPECT_EQ(first.device, status.st_dev);
  EXPECT_EQ(first.log, Log());
  EXPECT_EQ(first.host, "host");
  EXPECT_EQ(first.sequence, 1U);
  EXPECT_EQ(first.first, 0U);
  EXPECT_EQ(first.last, 16U);
  EXPECT_EQ(first.lines, 2U);
  // xxhsum -H2 of " first "
  EXPECT_EQ(first.first_line, second.first_line);
  EXPECT_EQ(second.sequence, 2U);
  EXPECT_EQ(second.run, first.run);
  EXPECT_EQ(second.first, 16U);
  EXPECT_EQ(second.last, 22U);
  EXPECT_EQ(extracts.begin()->first, "app.log.host." + first.run + ".00000001.log");
}

TEST_F(Tail, BeginsBehindTheLastLineEndUnlessToldOtherwise) {
  options.from_start = false;
  Append("old\nhal");
  Pass();
  EXPECT_EQ(Sent(), "");
  Append("f\nnew\n");
  Pass();
  EXPECT_EQ(Sent(), "half\nnew\n");
}

TEST_F(Tail, ReadsALogThatAppearsLaterFromItsStart) {
  options.from_start = false;
  Pass();
  Append("one\n");
  Restart();
  Pass();
  EXPECT_EQ(Sent(), "one\n");
}

TEST_F(Tail, CutsABacklogIntoSeveralExtractsAndKeepsALongLineWhole) {
  options.max_bytes = 100;
  std::string all;
  for (int i = 0; i < 50; ++i) all += "line " + std::to_string(i) + "\n";
  all += std::string(300'000, 'x') + "\nend\n";
  Append(all);
  Pass();
  EXPECT_EQ(Sent(), all);
  for (const auto& [name, content] : Extracts()) {
    EXPECT_TRUE(content.size() <= 100 || content == std::string(300'000, 'x') + "\n") << name;
  }
}

TEST_F(Tail, GoesOnWhereItStoppedAlsoInSeveralRotatedFiles) {
  Append("a\n");
  Pass();
  Stop();
  Append("b\n");
  Rename("app.log", "app.log.1");
  Append("c\n");
  Rename("app.log.1", "app.log.2");
  Rename("app.log", "app.log.1");
  Append("d\n");
  Start();
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
  for (const auto& [name, content] : Extracts()) EXPECT_EQ(content.size(), 2U) << name;
}

TEST_F(Tail, WaitsForAWriterThatHasNotReopenedYet) {
  Append("a\n");
  Pass();
  Rename("app.log", "app.log.1");
  Append("new\n");
  Pass();
  Append("late\n", "app.log.1");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nlate\nnew\n");
}

TEST_F(Tail, ReadsADeletedLogToItsEnd) {
  Append("a\n");
  Pass();
  Append("b\n");
  std::filesystem::remove(Log());
  Append("c\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\n");
}

TEST_F(Tail, FindsTheRestOfACopiedAndTruncatedLogInTheCopy) {
  for (const bool running : {true, false}) {
    SCOPED_TRACE(running);
    TailFixture f;
    f.Append("a\n");
    f.Pass();
    if (!running) f.Stop();
    f.Append("b\n");
    std::filesystem::copy_file(f.Log(), f.Log("app.log.1"));
    f.Truncate();
    f.Append("c, longer than all before\n");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "a\nb\nc, longer than all before\n");
  }
}

TEST_F(Tail, SaysWhatATruncationMayHaveTaken) {
  Append("a\nb\n");
  Pass();
  Truncate();
  Append("c\n");
  Pass();
  EXPECT_EQ(Sent(), "a\nb\nc\n");
  EXPECT_THAT(AllMessages(), HasSubstr("truncated or rewritten after its first 4 bytes"));
}

TEST_F(Tail, SkipsTheHoleThatAWriterWithoutAppendLeaves) {
  Append(std::string(5000, 'a') + "\n");
  Pass();
  Truncate();
  std::filesystem::resize_file(Log(), 5001);
  Append("b\n");
  Pass();
  EXPECT_EQ(Sent(), std::string(5000, 'a') + "\nb\n");
  EXPECT_THAT(AllMessages(), HasSubstr("5001 NUL bytes"));
  Restart();
  Append("c\n");
  Pass();
  EXPECT_THAT(Sent(), testing::EndsWith("\nb\nc\n"));
}

TEST_F(Tail, SaysThatACompressedFileWasNotRead) {
  Append("a\n");
  Pass();
  Stop();
  Append("b\n");
  now.wall += std::chrono::seconds(2);
  Rename("app.log", "app.log.1");
  Append("packed", "app.log.1.gz");
  std::filesystem::remove(Log("app.log.1"));
  std::filesystem::last_write_time(
      Log("app.log.1.gz"), std::filesystem::file_time_type::clock::now() + std::chrono::seconds(2));
  Append("c\n");
  Start();
  PassGrace();
  EXPECT_EQ(Sent(), "a\nc\n");
  EXPECT_THAT(AllMessages(), HasSubstr("app.log.1.gz: was compressed before it was read"));
  EXPECT_THAT(AllMessages(), HasSubstr("is gone (deleted or compressed)"));
}

TEST_F(Tail, NeverHangsOnWhatIsNoFile) {
  for (const bool fifo : {true, false}) {
    TailFixture f;
    f.Append("a\n");
    f.Pass();
    std::filesystem::remove(f.Log());
    if (fifo) {
      ASSERT_EQ(::mkfifo(f.Log().c_str(), 0600), 0);
    } else {
      std::filesystem::create_directory(f.Log());
    }
    f.PassGrace();
    EXPECT_THAT(f.AllMessages(), HasSubstr("is no regular file now"));
    std::filesystem::remove(f.Log());
    f.Append("b\n");
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "a\nb\n");
  }
}

TEST_F(Tail, KeepsLogsOfOneNameAndAnyBytesInNamesApart) {
  const std::string odd = "a b'\"$\n\xFF.log";
  std::filesystem::create_directory(Log("x"));
  options.logs = {Log(), Log("x/app.log"), Log(odd)};
  Append("1\n");
  Append("2\n", "x/app.log");
  Append("3\n", odd);
  Pass();
  Restart();
  Append("4\n", odd);
  Pass();
  const auto extracts = Extracts();
  ASSERT_THAT(extracts, SizeIs(4));
  std::map<std::string, std::string> by_log;
  for (const auto& [name, content] : extracts) by_log[ManifestOf(name).log] += content;
  EXPECT_EQ(by_log[Log()], "1\n");
  EXPECT_EQ(by_log[Log("x/app.log")], "2\n");
  EXPECT_EQ(by_log[Log(odd)], "3\n4\n");
}

TEST_F(Tail, FollowsWhatAPatternFindsLaterFromItsStart) {
  options.from_start = false;
  options.logs = {Log("*.log")};
  Append("old\n", "a.log");
  Pass();
  Append("new\n", "b.log");
  Append("packed\n", "b.log.gz");
  Append("rotated\n", "a-20240131.log");
  Pass();
  EXPECT_EQ(OfLog("b.log"), "new\n");
  EXPECT_EQ(OfLog("a.log"), "rotated\n");
  std::filesystem::remove(Log("b.log"));
  std::filesystem::remove(Log("b.log.gz"));
  for (int i = 0; i < 20; ++i) Pass();
  EXPECT_THAT(ReadAll(options.state), Not(HasSubstr("b.log")));
}

TEST_F(Tail, ReadsTheRotatedFilesOfALogThatAPatternFindsLater) {
  options.logs = {Log("*.log")};
  Append("old\n", "b.log.7");
  Append("a\n", "a.log");
  while (file_time() <= stamp_of(Log("b.log.7"))->value().id.born) continue;
  Pass();
  // All of this happens between two looks: for b.log while the agent runs, for c.log while it does
  // not.
  for (const std::string name : {"b.log", "c.log"}) {
    Append("1\n", name);
    Rename(name, name + ".1");
    Append("2\n", name);
    if (name == "b.log") Pass();
    Stop();
  }
  for (int i = 0; i < 5; ++i) PassGrace();
  EXPECT_EQ(OfLog("b.log"), "1\n2\n");
  EXPECT_EQ(OfLog("c.log"), "1\n2\n");
}

TEST_F(Tail, DoesNotReadRotatedFilesAgainWhenTheirLogComesBack) {
  options.logs = {Log("*.log")};
  Append("a\n", "a.log");
  Pass();
  Append("1\n", "b.log");
  Pass();
  Rename("b.log", "b.log.1");
  Append("2\n", "b.log");
  PassGrace();
  std::filesystem::remove(Log("b.log"));
  for (int i = 0; i < 5; ++i) PassGrace();
  Append("3\n", "b.log");
  for (int i = 0; i < 5; ++i) PassGrace();
  EXPECT_EQ(OfLog("b.log"), "1\n2\n3\n");
}

TEST_F(Tail, AWriterThatStaysInAnOldFileHoldsTheNewOneUpForSomeTimeOnly) {
  options.grace = std::chrono::seconds(1);
  Append("a\n");
  Pass();
  Rename("app.log", "app.log.1");
  Append("new\n");
  std::string old = "a\n";
  for (int i = 0; i < 40; ++i) {
    const std::string line = "old " + std::to_string(i) + "\n";
    Append(line, "app.log.1");
    old += line;
    Pass(std::chrono::milliseconds(500));
    if (i == 8) {
      EXPECT_THAT(Sent(), Not(HasSubstr("new")));
    }
  }
  EXPECT_THAT(Sent(), HasSubstr("new\n"));
  // All lines of both files are there, those of each file in their order.
  for (int i = 0; i < 20; ++i) Pass();
  std::string both = Sent();
  both.erase(both.find("new\n"), 4);
  EXPECT_EQ(both, old);
}

}  // namespace
}  // namespace caravel::tail
