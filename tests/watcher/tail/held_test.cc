// Files that appear, are renamed, packed or deleted between two looks: held open until they are
// read.
#include <fcntl.h>

#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TailHeld : public TailFixture, public testing::Test {
 public:
  void TestBody() override {}

  /// What appeared until now is opened, as the agent's thread does at once; no log is looked at.
  void See() {
    const Step step = agent->step(now);
    messages.insert(messages.end(), step.messages.begin(), step.messages.end());
  }
  void Write(const std::string& name, const std::string& text) {
    Append(text, name);
    LetItBeOld();
    See();
  }
  void Remove(const std::string& name) const { fs::remove(Log(name)); }
  /// Makes `before` end just before `after` was begun, however long this test was kept waiting in
  /// between.
  void Touch(const std::string& before, const std::string& after) const {
    const std::int64_t born = stamp_of(Log(after))->value().id.born - 1;
    const timespec time{born / 1'000'000'000, born % 1'000'000'000};
    const timespec times[] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, Log(before).c_str(), times, 0), 0);
  }
};

TEST_F(TailHeld, AFileThatIsDeletedBetweenTwoLooksIsRead) {
  Append("a\n");
  Pass();
  for (const char* line : {"b\n", "c\n", "d\n"}) {
    Rename("app.log", "app.log.1");
    Write("app.log", line);
    Remove("app.log.1");
  }
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
  EXPECT_THAT(messages, IsEmpty());
}

TEST_F(TailHeld, AFileThatIsPackedAtOnceIsReadAndItsPackedFormIsNotMissed) {
  Append("a\n");
  Pass();
  for (const char* line : {"b\n", "c\n", "d\n"}) {
    for (const int i : {2, 1}) {
      const std::string name = "app.log." + std::to_string(i) + ".gz";
      if (fs::exists(Log(name))) Rename(name, "app.log." + std::to_string(i + 1) + ".gz");
    }
    Rename("app.log", "app.log.1");
    Write("app.log", line);
    Append("packed " + std::string(line), "app.log.1.gz");
    fs::last_write_time(Log("app.log.1.gz"), fs::last_write_time(Log("app.log.1")));
    Remove("app.log.1");
    See();
  }
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
  EXPECT_THAT(messages, IsEmpty());
}

TEST_F(TailHeld, AFileThatIsMovedElsewhereIsRead) {
  fs::create_directory(Log("old"));
  Append("a\n");
  Pass();
  for (const char* line : {"b\n", "c\n"}) {
    Rename("app.log", std::string("old/") + line[0]);
    Write("app.log", line);
  }
  Rename("app.log", "old/last");
  PassGrace();
  Append("d\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
}

TEST_F(TailHeld, NamesInOtherDirectoriesAreKnownByAPattern) {
  for (const char* pattern : {"old/{}-*", "old/*"}) {
    SCOPED_TRACE(pattern);
    TailHeld f;
    f.options.siblings = {pattern};
    fs::create_directory(f.Log("old"));
    f.Append("a\n");
    f.Pass();
    f.Stop();
    for (const char* line : {"b\n", "c\n", "d\n"}) {
      f.Rename("app.log", std::string("old/app.log-") + line[0]);
      LetItBeOld();
      f.Append(line);
      LetItBeOld();
    }
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "a\nb\nc\nd\n");
    f.Restart();
    f.PassGrace();
    EXPECT_EQ(f.Sent(), "a\nb\nc\nd\n");
  }
}

TEST_F(TailHeld, FilesOfEachLoggerAreReadInTheOrderOfWriting) {
  struct Case {
    const char* what;
    const char* log;
    std::vector<const char*> names;  // of the files, in the order of writing
    bool touch = false;              // the times tell that they are the log's
  };
  const Case cases[] = {
      {"winston", "app.log", {"app.log", "app1.log", "app2.log", "app3.log"}, true},
      {"rotatelogs -n", "app.log", {"app.log", "app.log.1", "app.log.2"}},
      {"rotating-file-stream",
       "app.log",
       {"20240131-1010-01-app.log", "20240131-1010-02-app.log", "app.log"}},
      {"multilog",
       "current",
       {"@4000000065ba0f0a0c8b1d14.s", "@4000000065ba0f0b0c8b1d14.u", "current"}},
      {"cups", "app.log", {"app.log.O", "app.log"}},
      {"java", "app.log.0", {"app.log.2", "app.log.1", "app.log.0"}, true},
      {"java, extension", "app.0.log", {"app.2.log", "app.1.log", "app.0.log"}, true},
      {"logback", "app.log", {"app__2024-01-31.log", "app__2024-02-01.log", "app.log"}},
  };
  for (const Case& c : cases) {
    for (const bool stopped : {false, true}) {
      SCOPED_TRACE(std::string(c.what) + (stopped ? ", stopped" : ""));
      TailHeld f;
      f.options.logs = {f.Log(c.log)};
      f.options.grace = std::chrono::milliseconds(0);
      f.Pass();
      if (stopped) f.Stop();
      std::string written;
      std::string before;
      for (const std::string name : c.names) {
        f.Append(name + "\n", name);
        if (c.touch && !before.empty()) f.Touch(before, name);
        before = name;
        LetItBeOld();
        if (f.agent) f.See();
        written += name + "\n";
      }
      // Its change time is the last, as if nothing had been touched.
      fs::permissions(f.Log(before), fs::perms::owner_all);
      LetItBeOld();
      f.PassGrace();
      EXPECT_EQ(f.Sent(), written);
      f.Restart();
      f.PassGrace();
      EXPECT_EQ(f.Sent(), written);
    }
  }
}

TEST_F(TailHeld, ANumberedLogOfAnotherProgramIsLeftAlone) {
  options.logs = {Log("node.log")};
  options.grace = std::chrono::milliseconds(0);
  Append("a\n", "node.log");
  Pass();
  Write("node1.log", "of another program\n");
  Append("b\n", "node.log");
  // It was written five seconds after the other one was begun.
  fs::last_write_time(Log("node.log"), fs::file_time_type::clock::now() + std::chrono::seconds(5));
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\n");
  EXPECT_THAT(messages, IsEmpty());
}

TEST_F(TailHeld, AFileOfADoubtfulNameIsSaid) {
  options.grace = std::chrono::milliseconds(0);
  Append("a\n");
  Pass();
  Append("b\n", "app1.log");
  Touch("app.log", "app1.log");
  LetItBeOld();
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\n");
  EXPECT_THAT(messages, testing::ElementsAre(HasSubstr("app1.log: is read as a file of ")));
}

TEST_F(TailHeld, WhatALinkLedToForAMomentIsRead) {
  options.logs = {Log("current")};
  options.grace = std::chrono::milliseconds(0);
  std::string written;
  const auto swap_to = [&](int i) {
    const std::string name = "app." + std::to_string(i) + ".log";
    Append(name + "\n", name);
    LetItBeOld();
    fs::remove(Log("current"));
    fs::create_symlink(name, Log("current"));
    written += name + "\n";
  };
  swap_to(8);
  Pass();
  for (int i = 9; i < 12; ++i) {
    swap_to(i);
    See();
  }
  PassGrace();
  EXPECT_EQ(Sent(), written);
  Stop();
  for (int i = 12; i < 15; ++i) swap_to(i);
  PassGrace();
  EXPECT_EQ(Sent(), written);
}

TEST_F(TailHeld, AHardLinkThatMovesOnNamesItsFiles) {
  options.logs = {Log("current")};
  options.grace = std::chrono::milliseconds(0);
  std::string written;
  const auto next = [&](int i) {
    const std::string name = "app." + std::to_string(i);
    Append(name + "\n", name);
    LetItBeOld();
    fs::remove(Log("current"));
    fs::create_hard_link(Log(name), Log("current"));
    written += name + "\n";
  };
  next(8);
  Pass();
  for (int i = 9; i < 12; ++i) {
    next(i);
    See();
  }
  PassGrace();
  EXPECT_EQ(Sent(), written);
  Stop();
  for (int i = 12; i < 15; ++i) next(i);
  PassGrace();
  EXPECT_EQ(Sent(), written);
}

TEST_F(TailHeld, AFileThatMovesThroughTheLogsOfAPatternIsReadOnce) {
  for (const bool slow : {true, false}) {
    SCOPED_TRACE(slow);
    TailHeld f;
    f.options.logs = {f.Log("app.log*")};
    std::vector<std::string> lines;
    for (int i = 0; i < 8; ++i) {
      for (int number = 8; number-- > 0;) {
        const std::string name = "app.log." + std::to_string(number);
        if (fs::exists(f.Log(name))) f.Rename(name, "app.log." + std::to_string(number + 1));
      }
      lines.push_back("line " + std::to_string(i) + "\n");
      f.Append(lines.back(), "app.log.0");
      slow ? f.PassGrace() : f.Pass();
      if (i == 5) f.Restart();
    }
    f.PassGrace();
    f.PassGrace();
    std::string all;
    for (const std::string& line : lines) {
      EXPECT_THAT(f.Sent(), HasSubstr(line));
      all += line;
    }
    EXPECT_EQ(f.Sent().size(), all.size()) << f.Sent();
  }
}

TEST_F(TailHeld, BeyondTheLimitAMessageSaysSo) {
  options.max_held = 2;
  Append("0\n");
  Pass();
  for (int i = 1; i < 6; ++i) {
    Rename("app.log", "app.log-2024010" + std::to_string(i));
    Write("app.log", std::to_string(i) + "\n");
  }
  PassGrace();
  EXPECT_THAT(AllMessages(), HasSubstr("--max-open"));
  // Those that kept their names are read all the same.
  PassGrace();
  EXPECT_EQ(Sent(), "0\n1\n2\n3\n4\n5\n");
}

TEST_F(TailHeld, WhatIsNeededNoLongerIsLetGo) {
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  Append("a\n");
  PassGrace();
  const auto before = open_files();
  for (int i = 1; i < 6; ++i) {
    Write("other." + std::to_string(i), "of no log\n");
    Rename("app.log", "app.log-2024010" + std::to_string(i));
    Write("app.log", std::to_string(i) + "\n");
  }
  EXPECT_GT(open_files(), before);
  for (int i = 0; i < 30; ++i) Pass();
  EXPECT_EQ(open_files(), before);
}

TEST_F(TailHeld, AFileThatIsGoneBeforeItCanBeOpenedIsNamed) {
  Append("a\n");
  Pass();
  Append("b\n", "app.log.1");
  Append("of no log\n", "other");
  Remove("app.log.1");
  Remove("other");
  Pass();
  EXPECT_THAT(AllMessages(), HasSubstr("app.log.1: was there for a moment only"));
  EXPECT_THAT(AllMessages(), Not(HasSubstr("other")));
}

/// winston: its first file keeps the log's name.
TEST_F(TailHeld, OnceReadsTheEndOfALogThatIsLeftForOtherNamesFirst) {
  options.once = true;
  options.siblings = {"app*.log"};
  Append("a\n");
  Pass();
  Stop();
  LetItBeOld();
  Append("c\n", "app1.log");
  LetItBeOld();
  // The last lines of the first file and the first ones of the second are written together.
  Append("b\n");
  for (int i = 0; i < 3; ++i) {
    Pass();
    Stop();
  }
  EXPECT_EQ(Sent(), "a\nb\nc\n");
}

}  // namespace
}  // namespace caravel::tail
