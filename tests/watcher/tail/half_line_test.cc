// Lines that the logger itself cuts in two when it rotates.
#include <fcntl.h>

#include <thread>

#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class TailHalfLine : public TailFixture, public testing::Test {
 public:
  void TestBody() override {}
  /// Makes `before` be last written `ahead` before `after` was born.
  void LastWritten(const std::string& before, const std::string& after,
                   std::chrono::nanoseconds ahead) const {
    const std::int64_t time = stamp_of(Log(after))->value().id.born - ahead.count();
    const timespec stamp{time / 1'000'000'000, time % 1'000'000'000};
    const timespec times[] = {stamp, stamp};
    ASSERT_EQ(::utimensat(AT_FDCWD, Log(before).c_str(), times, 0), 0);
  }
  void CutAtRotation(std::chrono::nanoseconds ahead) {
    Append("a\nfirst ha");
    Pass();
    Rename("app.log", "app.log.1");
    Append("lf\nb\n");
    LastWritten("app.log.1", "app.log", ahead);
  }
  /// The manifests, in order.
  [[nodiscard]] std::vector<watcher::Manifest> Manifests() const {
    std::vector<watcher::Manifest> all;
    for (const auto& [name, content] : Extracts()) all.push_back(ManifestOf(name));
    return all;
  }
  [[nodiscard]] std::vector<std::string> Contents() const {
    std::vector<std::string> all;
    for (const auto& [name, content] : Extracts()) all.push_back(content);
    return all;
  }
};

TEST_F(TailHalfLine, IsJoinedIfTheLoggerWentOverAtOnce) {
  CutAtRotation(std::chrono::milliseconds(1));
  PassGrace();
  EXPECT_THAT(Contents(), testing::ElementsAre("a\n", "first half\n", "b\n"));
  const auto manifests = Manifests();
  ASSERT_EQ(manifests.size(), 3U);
  // As if the first file had gone on; the next one begins behind its first line.
  EXPECT_EQ(manifests[1].first, 2U);
  EXPECT_EQ(manifests[1].last, 13U);
  EXPECT_EQ(manifests[1].lines, 1U);
  EXPECT_EQ(manifests[1].inode, manifests[0].inode);
  EXPECT_NE(manifests[2].inode, manifests[0].inode);
  EXPECT_EQ(manifests[2].first, 3U);
  EXPECT_THAT(AllMessages(), HasSubstr("app.log.1: bytes 2 to 10 are a line that was cut in two "
                                       "when the log was rotated; joined with the start of "));
  Restart();
  Append("c\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nfirst half\nb\nc\n");
}

TEST_F(TailHalfLine, IsJoinedAtEachRotation) {
  Append("a\nfirst ha");
  Pass();
  for (const std::string line : {"lf\nsecond ha", "lf\nthird ha", "lf\nb\n"}) {
    for (int i = 3; i > 0; --i) {
      const std::string name = "app.log." + std::to_string(i);
      if (fs::exists(Log(name))) Rename(name, "app.log." + std::to_string(i + 1));
    }
    Rename("app.log", "app.log.1");
    Append(line);
    LastWritten("app.log.1", "app.log", std::chrono::milliseconds(1));
    PassGrace();
    Restart();
  }
  PassGrace();
  EXPECT_EQ(Sent(), "a\nfirst half\nsecond half\nthird half\nb\n");
  for (const auto& manifest : Manifests()) EXPECT_EQ(manifest.lines, 1U);
}

/// rotatelogs -n: the log's first file keeps its name.
TEST_F(TailHalfLine, IsFoundAtTheEndOfALogThatIsLeftForOtherNames) {
  for (const auto ahead : {std::chrono::milliseconds(1), std::chrono::milliseconds(100)}) {
    for (const bool once : {false, true}) {
      TailHalfLine f;
      f.options.once = once;
      f.options.grace = std::chrono::milliseconds(200);
      f.Append("a\nfirst ha");
      f.Pass();
      // The log must have been born before the time that LastWritten() gives it, and no program can
      // set a birth.
      std::this_thread::sleep_for(std::chrono::milliseconds(120));
      f.Append("lf\nb\n", "app.log.1");
      f.LastWritten("app.log", "app.log.1", ahead);
      // Until it was still for the grace, by the clock of files.
      for (int i = 0; i < 400 && f.Sent().size() < 15; ++i) {
        if (once) f.Stop();
        f.Pass();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      const bool joined = ahead < std::chrono::milliseconds(50);
      EXPECT_EQ(f.Sent(), "a\nfirst half\nb\n");
      EXPECT_EQ(f.Contents().size(), joined ? 3U : 4U);
    }
  }
}

TEST_F(TailHalfLine, IsJoinedAlsoIfTheNextFileIsPackedThen) {
  CutAtRotation(std::chrono::milliseconds(1));
  PassGrace();
  Stop();
  Append("c\n");
  Rename("app.log", "app.log.2");
  Append(Gzip(ReadAll(Log("app.log.2"))), "app.log.2.gz");
  fs::remove(Log("app.log.2"));
  LetItBeOld();
  Append("d\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nfirst half\nb\nc\nd\n");
}

TEST_F(TailHalfLine, IsSentInPiecesIfNobodyKnowsWhatItsOtherHalfIs) {
  for (const auto ahead : {std::chrono::milliseconds(900), std::chrono::milliseconds(-900)}) {
    fs::remove_all(Outbox());
    fs::remove_all(fs::path(options.state).parent_path());
    for (const auto& file : fs::directory_iterator(Log(""))) fs::remove(file);
    CutAtRotation(ahead);
    PassGrace();
    EXPECT_THAT(Contents(), testing::ElementsAre("a\n", "first ha", "lf\n", "b\n"));
    std::vector<std::uint64_t> lines;
    for (const auto& manifest : Manifests()) lines.push_back(manifest.lines);
    EXPECT_THAT(lines, testing::ElementsAre(1, 0, 0, 1));
    EXPECT_THAT(AllMessages(), HasSubstr("app.log.1: bytes 2 to 10 are a line without an end"));
    Restart();
    Append("c\n");
    PassGrace();
    EXPECT_EQ(Sent(), "a\nfirst half\nb\nc\n");
    EXPECT_EQ(Manifests().back().lines, 1U);
    Stop();
  }
}

// Each file is a log of its own, so neither knows where the other half is; but both know that they
// have one.
TEST_F(TailHalfLine, IsSentInPiecesIfEachFileIsALogOfItsOwn) {
  options.logs = {Log("app-*.log")};
  options.grace = std::chrono::milliseconds(20);
  for (const bool stopped : {false, true}) {
    SCOPED_TRACE(stopped ? "stopped meanwhile" : "running");
    Append("a\nfirst ha", "app-1.log");
    Pass();
    if (stopped) Stop();
    NextTick();
    Append("lf\nb\n", "app-2.log");
    LastWritten("app-1.log", "app-2.log", std::chrono::milliseconds(1));
    while (file_time() - stamp_of(Log("app-1.log"))->value().modified < 25'000'000) NextTick();
    PassGrace();
    EXPECT_EQ(OfLog("app-1.log"), "a\nfirst ha");
    EXPECT_EQ(OfLog("app-2.log"), "lf\nb\n");
    std::vector<std::uint64_t> lines;
    for (const auto& manifest : Manifests()) lines.push_back(manifest.lines);
    EXPECT_THAT(lines, testing::ElementsAre(1, 0, 0, 1));
    EXPECT_THAT(AllMessages(), HasSubstr("app-1.log: bytes 2 to 10 are a line without an end"));
    // The names come again, whole.
    for (const char* name : {"app-1.log", "app-2.log"}) fs::remove(Log(name));
    for (int i = 0; i < 8; ++i) PassGrace();
    Append("new\n", "app-1.log");
    PassGrace();
    EXPECT_EQ(OfLog("app-1.log"), "a\nfirst hanew\n");
    EXPECT_EQ(Manifests().back().lines, 1U);
    Stop();
    fs::remove_all(Outbox());
    fs::remove_all(fs::path(options.state).parent_path());
    fs::remove(Log("app-1.log"));
  }
}

TEST_F(TailHalfLine, IsOnlyGuessedAmongLogsOfOneLogger) {
  options.logs = {Log("*.log")};
  options.grace = std::chrono::milliseconds(20);
  Append("half", "service.log");
  Append("half", "other-1.log");
  NextTick();
  Append("whole\n", "app-2.log");
  for (const char* before : {"service.log", "other-1.log"}) {
    LastWritten(before, "app-2.log", std::chrono::milliseconds(1));
  }
  PassGrace();
  EXPECT_EQ(Sent(), "whole\n");
  EXPECT_EQ(Manifests().back().lines, 1U);
}

// worker-1.log is written by blocks, which seldom end with a line.
TEST_F(TailHalfLine, IsAwaitedIfTheLogBeforeMayGoOn) {
  options.logs = {Log("worker-*.log")};
  options.grace = std::chrono::hours(1);
  Append("a\nb", "worker-1.log");
  NextTick();
  Append("c\n", "worker-2.log");
  PassGrace();
  EXPECT_EQ(Sent(), "a\n") << "nobody knows yet whether c is a whole line";
  for (int i = 0; i < 10; ++i) NextTick();  // longer than the steps of the clock of files
  Append("b\n", "worker-1.log");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nbb\nc\n");
  for (const auto& manifest : Manifests()) EXPECT_EQ(manifest.lines, 1U);
}

TEST_F(TailHalfLine, AWriterThatComesBackFinishesAPiece) {
  CutAtRotation(std::chrono::seconds(5));
  PassGrace();
  Append("ck\nlate\n", "app.log.1");
  for (int i = 0; i < 4; ++i) PassGrace();
  EXPECT_THAT(Contents(), testing::ElementsAre("a\n", "first ha", "lf\n", "b\n", "ck\n", "late\n"));
  EXPECT_EQ(Manifests()[4].lines, 0U);
  EXPECT_EQ(Manifests()[5].lines, 1U);
}

TEST_F(TailHalfLine, WaitsForTheOtherHalfToBeWritten) {
  Append("a\nfirst ha");
  Pass();
  Rename("app.log", "app.log.1");
  Append("l");
  LastWritten("app.log.1", "app.log", std::chrono::milliseconds(1));
  PassGrace();
  EXPECT_EQ(Sent(), "a\n");
  Append("f\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nfirst half\n");
}

TEST_F(TailHalfLine, WhatStaysUnfinishedIsSentAsAPieceInTheEnd) {
  options.grace = std::chrono::seconds(1);
  Append("a\nfirst ha");
  Pass();
  Rename("app.log", "app.log.1");
  Append("l");
  LastWritten("app.log.1", "app.log", std::chrono::milliseconds(1));
  for (int i = 0; i < 4; ++i) PassGrace();
  EXPECT_THAT(Contents(), testing::ElementsAre("a\n", "first ha"));
}

TEST_F(TailHalfLine, NothingIsLostOrDoubledByACrash) {
  for (const auto ahead : {std::chrono::milliseconds(1), std::chrono::milliseconds(900)}) {
    for (int operation = 1; operation < 60; ++operation) {
      TailHalfLine other;
      other.Append("a\nfirst ha");
      other.Pass();
      other.Rename("app.log", "app.log.1");
      other.Append("lf\nb\n");
      other.LastWritten("app.log.1", "app.log", ahead);
      other.disk.crash_in(operation, operation % 2 == 0);
      for (int life = 0; life < 3; ++life) {
        try {
          other.PassGrace();
        } catch (const Crash&) {
          other.Stop();
        }
        other.disk.heal();
      }
      EXPECT_EQ(other.Sent(), "a\nfirst half\nb\n") << operation;
      EXPECT_EQ(other.Contents().size(), ahead < std::chrono::milliseconds(100) ? 3U : 4U)
          << operation;
    }
  }
}

}  // namespace
}  // namespace caravel::tail
