#include "watcher/files/completeness.h"
#include "base/moment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include <gtest/gtest.h>

#include "base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;

class WriterStateTest : public ::testing::Test {
 protected:
  UniqueFd Open(int flags) const { return UniqueFd(::open(path_.c_str(), flags | O_CLOEXEC)); }

  test::TempDir dir_;
  std::string path_ = dir_.write_file("a.log", "a line\n");
};

TEST_F(WriterStateTest, ReadersDoNotCount) {
  const UniqueFd fd = Open(O_RDONLY);
  const UniqueFd other = Open(O_RDONLY);
  EXPECT_EQ(writer_state(fd.get()), WriterState::none);
}

TEST_F(WriterStateTest, AnOpenWriterIsSeenUntilItCloses) {
  const UniqueFd fd = Open(O_RDONLY);
  UniqueFd writer = Open(O_WRONLY);
  EXPECT_EQ(writer_state(fd.get()), WriterState::present);
  writer.reset();
  EXPECT_EQ(writer_state(fd.get()), WriterState::none);
}

TEST_F(WriterStateTest, AWritableMappingIsAWriter) {
  const UniqueFd fd = Open(O_RDONLY);
  UniqueFd writer = Open(O_RDWR);
  void* const mapping = ::mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  writer.reset();
  EXPECT_EQ(writer_state(fd.get()), WriterState::present);
  ASSERT_EQ(::munmap(mapping, 1), 0);
  EXPECT_EQ(writer_state(fd.get()), WriterState::none);
}

TEST_F(WriterStateTest, AWriterThatRenamedTheFileIsStillOne) {
  const UniqueFd writer = Open(O_WRONLY);
  ASSERT_EQ(::rename(path_.c_str(), dir_.path("b.log").c_str()), 0);
  path_ = dir_.path("b.log");
  const UniqueFd fd = Open(O_RDONLY);
  EXPECT_EQ(writer_state(fd.get()), WriterState::present);
}

TEST_F(WriterStateTest, TheLeaseIsGivenBack) {
  const UniqueFd fd = Open(O_RDONLY);
  ASSERT_EQ(writer_state(fd.get()), WriterState::none);
  EXPECT_EQ(::fcntl(fd.get(), F_GETLEASE), F_UNLCK);
  EXPECT_TRUE(Open(O_WRONLY | O_NONBLOCK));  // EWOULDBLOCK if a lease were in the way
}

TEST_F(WriterStateTest, WhoMayNotLeaseGetsNoAnswer) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become someone else";
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  const UniqueFd fd = Open(O_RDONLY);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(10);
    ::_exit(writer_state(fd.get()) == WriterState::forbidden ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(WriterStateTest, SomethingThatIsNoFileGetsNoAnswer) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  EXPECT_EQ(writer_state(reader.get()), WriterState::unknown);
}

TEST_F(WriterStateTest, WritersThatComeInBetweenDoNotEndUs) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGIO, SIG_DFL);
    const UniqueFd fd = Open(O_RDONLY);
    for (int i = 0; i < 20'000; ++i) {
      const WriterState state = writer_state(fd.get());
      if (state != WriterState::none && state != WriterState::present) ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    static_cast<void>(Open(O_WRONLY));
  }
  EXPECT_EQ(status, 0) << (WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "");
}

TEST(WriterRecheck, IsQuickAtFirstAndRareInTheLongRun) {
  EXPECT_EQ(writer_recheck_delay(1), 1ms);
  EXPECT_EQ(writer_recheck_delay(2), 4ms);
  EXPECT_EQ(writer_recheck_delay(7), 4096ms);
  EXPECT_EQ(writer_recheck_delay(4'000'000'000U), 4096ms);
  EXPECT_EQ(writer_recheck_delay(0), 1ms);
}

class StillnessTest : public ::testing::Test {
 protected:
  static constexpr auto kSettle = 2000ms;
  static std::int64_t Ns(std::chrono::system_clock::time_point t) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
  }
  void Advance(std::chrono::milliseconds by) {
    now_.steady += by;
    now_.wall += by;
  }
  void Touch() { stamp_.mtime_ns = stamp_.ctime_ns = Ns(now_.wall); }
  bool Look(bool own_clock = false, const std::string& name = "a.log") {
    return tracker_.look(1, name, stamp_, now_, kSettle, own_clock);
  }

  StillnessTracker tracker_{3};
  Moment now_{std::chrono::steady_clock::time_point(1000s),
              std::chrono::system_clock::time_point(1'700'000'000s)};
  FileStamp stamp_{1, 2, 1, 10, Ns(now_.wall), Ns(now_.wall)};
};

TEST_F(StillnessTest, StillOnceNothingChangedForSettle) {
  EXPECT_FALSE(Look());
  EXPECT_EQ(tracker_.next_deadline(), now_.steady + kSettle);
  Advance(1999ms);
  EXPECT_TRUE(tracker_.due(now_).empty());
  EXPECT_FALSE(Look());
  Advance(1ms);
  ASSERT_EQ(tracker_.due(now_).size(), 1U);
  EXPECT_EQ(tracker_.due(now_)[0], StillnessTracker::Key(1, "a.log"));
  EXPECT_TRUE(Look());
  EXPECT_EQ(tracker_.size(), 0U);
  EXPECT_EQ(tracker_.next_deadline(), std::nullopt);
}

TEST_F(StillnessTest, AnyChangeStartsAnew) {
  const auto change_each = {
      +[](FileStamp& s) { ++s.size; },     +[](FileStamp& s) { ++s.mtime_ns; },
      +[](FileStamp& s) { ++s.ctime_ns; }, +[](FileStamp& s) { ++s.inode; },
      +[](FileStamp& s) { ++s.links; },
  };
  for (const auto change : change_each) {
    tracker_.forget(1, "a.log");
    EXPECT_FALSE(Look());
    Advance(1500ms);
    change(stamp_);
    EXPECT_FALSE(Look());
    EXPECT_EQ(tracker_.next_deadline(), now_.steady + kSettle);
    Advance(1500ms);
    EXPECT_FALSE(Look());
    Advance(500ms);
    EXPECT_TRUE(Look());
  }
}

TEST_F(StillnessTest, AnOldFileIsStillAtOnceWhereTheClockIsOurs) {
  Advance(2000ms);
  EXPECT_FALSE(Look(false));
  EXPECT_TRUE(Look(true));
  EXPECT_EQ(tracker_.size(), 0U);
}

TEST_F(StillnessTest, AnOldMtimeAloneSaysNothing) {
  // cp -p and rsync -t set the mtime; ctime is the kernel's.
  Advance(2000ms);
  stamp_.ctime_ns = Ns(now_.wall);
  EXPECT_FALSE(Look(true));
}

TEST_F(StillnessTest, TimesInTheFutureMakeNoShortcutButAreWaitedFor) {
  stamp_.mtime_ns = stamp_.ctime_ns = Ns(now_.wall + 24h);
  EXPECT_FALSE(Look(true));
  Advance(2000ms);
  EXPECT_TRUE(Look(true));
}

TEST_F(StillnessTest, AJumpOfTheWallClockIsNoStillness) {
  EXPECT_FALSE(Look(false));
  now_.wall += 24h;
  EXPECT_FALSE(Look(false));
}

TEST_F(StillnessTest, MemoryIsBoundedAndWhatHadNoRoomIsFoundAgain) {
  Touch();
  EXPECT_FALSE(Look(false, "a"));
  EXPECT_FALSE(Look(false, "b"));
  EXPECT_FALSE(Look(false, "c"));
  EXPECT_FALSE(tracker_.take_missed());
  EXPECT_FALSE(Look(false, "d"));
  EXPECT_EQ(tracker_.size(), 3U);
  EXPECT_FALSE(tracker_.take_missed()) << "no room yet: a scan would find none either";
  tracker_.forget(1, "a");
  EXPECT_TRUE(tracker_.take_missed());
  EXPECT_FALSE(tracker_.take_missed());
}

TEST_F(StillnessTest, DirectoriesAreToldApart) {
  EXPECT_FALSE(tracker_.look(1, "a", stamp_, now_, kSettle, false));
  EXPECT_FALSE(tracker_.look(2, "a", stamp_, now_, kSettle, false));
  tracker_.forget_directory(1);
  Advance(2000ms);
  ASSERT_EQ(tracker_.due(now_).size(), 1U);
  EXPECT_EQ(tracker_.due(now_)[0].first, 2);
}

}  // namespace
}  // namespace caravel::watcher
