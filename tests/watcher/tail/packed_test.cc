// Rotated files that were compressed before the agent saw them.
#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Lines(const std::string& word, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += word + " " + std::to_string(i) + "\n";
  return out;
}

std::vector<std::string> Sorted(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

class TailPacked : public TailFixture, public testing::Test {
 public:
  void TestBody() override {}

  enum class Time { kept, new_one, old };
  /// As gzip(1) does it (its file has the time of the original), or as many loggers do.
  void Pack(const std::string& name, Time time = Time::kept) const {
    const auto modified = fs::last_write_time(Log(name));
    Append(Gzip(ReadAll(Log(name))), name + ".gz");
    if (time == Time::kept) fs::last_write_time(Log(name + ".gz"), modified);
    if (time == Time::old) fs::last_write_time(Log(name + ".gz"), modified - std::chrono::hours(1));
    fs::remove(Log(name));
  }
  void RotateAndPack(Time time = Time::kept) const {
    for (int i = 8; i > 0; --i) {
      const std::string name = "app.log." + std::to_string(i) + ".gz";
      if (fs::exists(Log(name))) Rename(name, "app.log." + std::to_string(i + 1) + ".gz");
    }
    Rename("app.log", "app.log.1");
    Pack("app.log.1", time);
    LetItBeOld();
  }
};

TEST_F(TailPacked, WhatWasRotatedAndPackedMeanwhileIsReadOnBehindWhatWasRead) {
  for (const Time time : {Time::kept, Time::new_one}) {
    fs::remove_all(Outbox());
    fs::remove_all(fs::path(options.state).parent_path());
    for (const auto& file : fs::directory_iterator(Log(""))) fs::remove(file);
    Append("a\n");
    Pass();
    Stop();
    Append("b\n");
    for (const char* line : {"c\n", "d\n", "e\n"}) {
      RotateAndPack(time);
      Append(line);
    }
    PassGrace();
    EXPECT_EQ(Sent(), "a\nb\nc\nd\ne\n");
    Restart();
    PassGrace();
    EXPECT_EQ(Sent(), "a\nb\nc\nd\ne\n");
    EXPECT_THAT(messages, IsEmpty());
    Stop();
  }
}

TEST_F(TailPacked, OnceReadsThemToo) {
  options.once = true;
  Append("a\n");
  Pass();
  Stop();
  Append("b\n");
  RotateAndPack();
  Append("c\n");
  RotateAndPack();
  Append("d\n");
  Pass();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
}

TEST_F(TailPacked, WhatWasReadIsKnownByItsContent) {
  const std::string text = Lines("line", 400);
  Append(text);
  Pass();
  Stop();
  RotateAndPack(Time::new_one);
  Append("b\n");
  PassGrace();
  EXPECT_EQ(Sent(), text + "b\n");
  // Its original is long gone, and the packed one is packed anew, with another time again.
  Rename("app.log.1.gz", "app.log.2.gz");
  fs::copy_file(Log("app.log.2.gz"), Log("app.log.3.gz"));
  fs::remove(Log("app.log.2.gz"));
  PassGrace();
  EXPECT_EQ(Sent(), text + "b\n");
  EXPECT_THAT(messages, IsEmpty());
}

/// The lines of a second may fill several files, and some packers keep only whole seconds.
TEST_F(TailPacked, TimesThatAgreeInTheirSecondsProveNothing) {
  Append("a\n");
  Pass();
  Append("b\n");
  Rename("app.log", "app.log.1");
  Append("c\n");
  PassGrace();
  Stop();
  fs::remove(Log("app.log.1"));
  Rename("app.log", "app.log.1");
  const auto second =
      std::chrono::floor<std::chrono::seconds>(fs::last_write_time(Log("app.log.1")));
  Append("d\n", "app.log.1");
  Pack("app.log.1");
  fs::last_write_time(Log("app.log.1.gz"), second);
  Append("e\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\ne\n");
}

/// Many files at once, as of a program that rotates ten times a second and packs each file.
TEST_F(TailPacked, ManyThatWereHeldOrMissedAreReadOnceEach) {
  Append("a\n");
  Pass();
  std::string all = "a\n";
  for (int i = 1; i <= 16; ++i) {
    const std::string text = Lines("file " + std::to_string(i), i % 2 == 0 ? 300 : 3);
    all += text;
    Rename("app.log", "app.log." + std::to_string(i));
    Append(text);
    // Each fourth file is begun, rotated and packed while nobody looks.
    if (i % 4 == 1 || i % 4 == 2) static_cast<void>(agent->step(now));
    Pack("app.log." + std::to_string(i), Time::new_one);
    LetItBeOld();
    if (i % 4 != 3) static_cast<void>(agent->step(now));
  }
  for (int i = 0; i < 4; ++i) PassGrace();
  // What is written in one tick of the clock has no order that anybody could tell.
  EXPECT_EQ(Sorted(Sent()), Sorted(all));
}

TEST_F(TailPacked, SeveralMembersAndManyExtractsWithARestartAmongThem) {
  options.max_bytes = 300;
  Append("a\n");
  Pass();
  Stop();
  fs::remove(Log());
  const std::string first = Lines("first", 500);
  const std::string second = Lines("second", 500);
  Append(Gzip("a\n" + first) + Gzip(second), "app.log.1.gz");
  LetItBeOld();
  Append("z\n");
  Start();
  static_cast<void>(agent->step(now));
  static_cast<void>(agent->step(now));
  EXPECT_TRUE(Sent().starts_with("a\nfirst 0\n"));
  EXPECT_FALSE(Sent().ends_with("z\n"));
  Restart();
  PassGrace();
  EXPECT_TRUE(Sent() == "a\n" + first + second + "z\n");
  EXPECT_EQ(ManifestOf(std::next(Extracts().begin())->first).first, 2U);
}

TEST_F(TailPacked, ADamagedOneIsReadAsFarAsItGoesAndTheRestIsNamed) {
  Append("a\n");
  Pass();
  Stop();
  Append(Lines("b", 5000));
  RotateAndPack(Time::new_one);
  fs::resize_file(Log("app.log.1.gz"), fs::file_size(Log("app.log.1.gz")) / 2);
  Append("c\n");
  // It may still be written.
  Pass();
  EXPECT_TRUE(Sent() == "a\n");
  EXPECT_THAT(messages, IsEmpty());
  fs::last_write_time(Log("app.log.1.gz"),
                      fs::last_write_time(Log("app.log.1.gz")) - std::chrono::hours(1));
  PassGrace();
  const std::string sent = Sent();
  EXPECT_TRUE(sent.starts_with("a\nb 0\nb 1\n")) << sent.substr(0, 100);
  EXPECT_TRUE(sent.ends_with("\nc\n")) << "half a line before the damage is left out";
  EXPECT_THAT(AllMessages(),
              HasSubstr("app.log.1.gz: is damaged (it ends in the middle): what comes "
                        "behind its first "));
}

TEST_F(TailPacked, WhatIsPackedInAnotherWayIsNamed) {
  Append("a\n");
  Pass();
  Stop();
  Append("b\n");
  Rename("app.log", "app.log.1.bz2");
  fs::resize_file(Log("app.log.1.bz2"), 3);  // as good as packed: nobody can read it
  fs::copy_file(Log("app.log.1.bz2"), Log("app.log.2.bz2"));
  fs::remove(Log("app.log.1.bz2"));
  Append("c\n");
  PassGrace();
  EXPECT_EQ(Sent(), "a\nc\n");
  EXPECT_THAT(AllMessages(), HasSubstr("app.log.2.bz2: was compressed before it was read"));
  EXPECT_THAT(AllMessages(), HasSubstr("the file that was read up to byte 2 is gone"));
}

TEST_F(TailPacked, WithoutRoomItWaits) {
  Append("a\n");
  Pass();
  Append(Lines("b", 100));
  Stop();
  RotateAndPack();
  Append("c\n");
  Start();
  disk.break_operations([] { return true; }, ENOSPC);
  PassGrace();
  EXPECT_TRUE(trouble);
  EXPECT_EQ(Sent(), "a\n");
  disk.heal();
  PassGrace();
  EXPECT_EQ(Sent(), "a\n" + Lines("b", 100) + "c\n");
  EXPECT_FALSE(fs::exists(Outbox() / ".unpacked"));
}

TEST_F(TailPacked, WithoutRoomItIsTriedEverMoreRarely) {
  Append("a\n");
  Pass();
  Append(Lines("b", 100));
  Stop();
  RotateAndPack();
  Append("c\n");
  Start();
  int asked = 0;
  disk.break_operations([&] { return ++asked > 0; }, ENOSPC);
  for (int i = 0; i < 200; ++i) Pass();
  EXPECT_LT(asked, 40);
  EXPECT_TRUE(trouble) << "it is said as long as it lasts";
  disk.heal();
  for (int i = 0; i < 400; ++i) Pass();
  EXPECT_EQ(Sent(), "a\n" + Lines("b", 100) + "c\n");
}

TEST_F(TailPacked, NothingIsLeftBehindByACrash) {
  for (int operation = 1; operation < 40; ++operation) {
    TailFixture other;
    other.Append("a\n");
    other.Pass();
    other.Stop();
    other.Append("b\n");
    other.Rename("app.log", "app.log.1");
    other.Append(Gzip(ReadAll(other.Log("app.log.1"))), "app.log.1.gz");
    fs::remove(other.Log("app.log.1"));
    other.Append("c\n");
    other.Start();
    other.disk.crash_in(operation, operation % 2 == 0);
    try {
      other.PassGrace();
    } catch (const Crash&) {
      other.Stop();
    }
    other.disk.heal();
    other.PassGrace();
    EXPECT_EQ(other.Sent(), "a\nb\nc\n") << operation;
    EXPECT_FALSE(fs::exists(other.Outbox() / ".unpacked")) << operation;
  }
}

}  // namespace
}  // namespace caravel::tail
