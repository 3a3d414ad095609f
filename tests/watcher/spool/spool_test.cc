#include "watcher/spool/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kSpoolNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h + 15min;

class SpoolTest : public ::testing::Test {
 protected:
  Spool Open() {
    auto spool = Spool::open(dir_.path("spool"));
    if (!spool) throw std::runtime_error(spool.error().message);
    return std::move(*spool);
  }
  void Age(const std::string& name, std::chrono::system_clock::time_point to) const {
    const timespec time{std::chrono::system_clock::to_time_t(to), 0};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, dir_.path(name).c_str(), times, 0), 0);
  }

  test::TempDir dir_;
};

TEST_F(SpoolTest, MakesWhatIsMissingWithTheRightsItNeeds) {
  const Spool spool = Open();
  EXPECT_THAT(dir_.list("spool"), ElementsAre("csv", "done", "drop", "failed", "rejects", "work"));
  EXPECT_EQ(dir_.mode("spool/drop"), 0755U);
  EXPECT_EQ(dir_.mode("spool/work"), 0700U);
  EXPECT_EQ(dir_.mode("spool/csv"), 0700U);
  EXPECT_EQ(dir_.mode("spool/done"), 0750U);
  EXPECT_EQ(dir_.mode("spool/rejects"), 0750U);
  EXPECT_EQ(dir_.mode("spool/failed"), 0750U);
}

TEST_F(SpoolTest, LeavesSendersRightsAndClosesWhatIsPrivate) {
  dir_.make_dir("spool/drop");
  dir_.make_dir("spool/work");
  ASSERT_EQ(::chmod(dir_.path("spool/drop").c_str(), 01777), 0);
  ASSERT_EQ(::chmod(dir_.path("spool/work").c_str(), 0777), 0);
  const Spool spool = Open();
  EXPECT_EQ(dir_.mode("spool/drop"), 01777U);
  EXPECT_EQ(dir_.mode("spool/work"), 0700U);
}

TEST_F(SpoolTest, ASymlinkInThePlaceOfADirectoryIsAFault) {
  dir_.make_dir("spool");
  dir_.make_dir("elsewhere");
  ASSERT_EQ(::symlink("../elsewhere", dir_.path("spool/work").c_str()), 0);
  const auto spool = Spool::open(dir_.path("spool"));
  ASSERT_FALSE(spool);
  EXPECT_EQ(spool.error().kind, ErrorKind::fault);
  EXPECT_THAT(spool.error().message, HasSubstr("work"));
}

TEST_F(SpoolTest, ADirectoryOfSomeoneElseIsAFault) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a directory away";
  dir_.make_dir("spool/work");
  ASSERT_EQ(::chown(dir_.path("spool/work").c_str(), 65534, 65534), 0);
  const auto spool = Spool::open(dir_.path("spool"));
  ASSERT_FALSE(spool);
  EXPECT_EQ(spool.error().kind, ErrorKind::fault);
  EXPECT_THAT(spool.error().message, HasSubstr("uid 65534"));
}

TEST_F(SpoolTest, TheSecondToLockIsToldWhoHoldsIt) {
  const Spool spool = Open();
  auto first = spool.lock("caravel watch", kSpoolNow);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->lock);
  const auto second = Open().lock("caravel sweep", kSpoolNow);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->lock);
  EXPECT_EQ(second->holder,
            "pid " + std::to_string(::getpid()) + ", `caravel watch`, since 2026-11-22T10:15:00Z");
  first->lock.reset();
  EXPECT_TRUE(spool.lock("caravel sweep", kSpoolNow)->lock);
}

TEST_F(SpoolTest, TheLockOfAKilledHolderIsFreeAndItsTextForgotten) {
  const Spool spool = Open();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = Open().lock("a command with a very long description", kSpoolNow);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(dir_.read_file("spool/.lock"), HasSubstr("very long"));

  const auto lock = spool.lock("short", kSpoolNow);
  ASSERT_TRUE(lock->lock);
  EXPECT_THAT(dir_.read_file("spool/.lock"), ::testing::EndsWith("`short`, since "
                                                                 "2026-11-22T10:15:00Z\n"));
}

TEST_F(SpoolTest, OnlyOldTemporariesAreRemoved) {
  const Spool spool = Open();
  for (const std::string directory : {"csv", "done", "rejects", "failed"}) {
    dir_.write_file("spool/" + directory + "/.tmp-x", "half");
    dir_.write_file("spool/" + directory + "/keep", "whole");
  }
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(spool.remove_temporaries(now).value(), 0U) << "`process` may be at work on them";
  EXPECT_EQ(spool.remove_temporaries(now + 25h).value(), 4U);
  for (const std::string directory : {"csv", "done", "rejects", "failed"}) {
    EXPECT_THAT(dir_.list("spool/" + directory), ElementsAre("keep"));
  }
}

// ---- rejects/

const std::string kSpoolSha(64, 'a');
const std::string kOtherSpoolSha(64, 'b');

class RejectsTest : public SpoolTest {
 protected:
  std::string Publish(const std::string& sha, const std::string& rejects,
                      const std::string& cut = "") {
    RejectFiles files;
    const auto prepare = [&](const std::string& content, const std::string& suffix) {
      if (content.empty()) return std::string();
      dir_.write_file("spool/rejects/.tmp-" + suffix, content);
      return ".tmp-" + suffix;
    };
    files.rejects = prepare(rejects, "rejects");
    files.cut = prepare(cut, "cut");
    files.reasons = prepare(rejects + cut, "reasons");
    auto base = publish_reject_files(spool_, "hrt", "a.log", sha, files);
    if (!base) throw std::runtime_error(base.error().message);
    return *base;
  }
  /// Without the hidden ones.
  std::vector<std::string> Listed() {
    auto names = dir_.list("spool/rejects");
    std::erase_if(names, [](const std::string& name) { return name.starts_with("."); });
    return names;
  }

  Spool spool_ = Open();
};

TEST_F(RejectsTest, FilesGetTheNameOfTheExtract) {
  EXPECT_EQ(Publish(kSpoolSha, "bad\n", "cu"), "a.log");
  EXPECT_THAT(Listed(), ElementsAre("a.log.cut", "a.log.reasons.csv", "a.log.rejects"));
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log.rejects"), "bad\n");
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log.cut"), "cu");
}

TEST_F(RejectsTest, AReplayReplacesItsOwnAndTakesAwayWhatIsNoMore) {
  Publish(kSpoolSha, "bad\n", "cu");
  EXPECT_EQ(Publish(kSpoolSha, "worse\n"), "a.log");
  EXPECT_THAT(Listed(), ElementsAre("a.log.reasons.csv", "a.log.rejects"));
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log.rejects"), "worse\n");
  EXPECT_EQ(Publish(kSpoolSha, ""), "");
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
}

TEST_F(RejectsTest, AnotherExtractsFilesAreNeverTouched) {
  Publish(kSpoolSha, "bad\n");
  EXPECT_EQ(Publish(kOtherSpoolSha, "bad\n"), "a.log~bbbbbbbb")
      << "the same bytes, but other lines";
  EXPECT_EQ(Publish(kOtherSpoolSha, "other\n"), "a.log~bbbbbbbb");
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log.rejects"), "bad\n");
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log~bbbbbbbb.rejects"), "other\n");
  EXPECT_EQ(Listed().size(), 4U);
}

TEST_F(RejectsTest, OurNameIsKeptWhenTheFirstBecomesFree) {
  Publish(kSpoolSha, "bad\n");
  Publish(kOtherSpoolSha, "other\n");
  Publish(kSpoolSha, "");
  EXPECT_EQ(Publish(kOtherSpoolSha, "other\n"), "a.log~bbbbbbbb");
  EXPECT_EQ(Listed().size(), 2U);
}

TEST_F(RejectsTest, FilesOfUnknownOriginAreNotOverwritten) {
  dir_.write_file("spool/rejects/a.log.cut", "by hand");
  EXPECT_EQ(Publish(kSpoolSha, "bad\n"), "a.log~aaaaaaaa");
  EXPECT_EQ(dir_.read_file("spool/rejects/a.log.cut"), "by hand");
}

TEST_F(RejectsTest, ACrashBetweenTheRenamesIsFinishedByTheReplay) {
  // As after a crash: the note of the owner is there, and one of the three files.
  dir_.write_file("spool/rejects/.a.log.owner", std::string(kSpoolSha) + "\nhrt");
  dir_.write_file("spool/rejects/a.log.rejects", "bad\n");
  EXPECT_EQ(Publish(kSpoolSha, "bad\n", "cu"), "a.log");
  EXPECT_THAT(Listed(), ElementsAre("a.log.cut", "a.log.reasons.csv", "a.log.rejects"));
}

TEST_F(RejectsTest, ACrashAfterTheOwnerLeavesTheNameToWhoeverComesFirst) {
  dir_.write_file("spool/rejects/.a.log.owner", std::string(kSpoolSha) + "\nhrt");
  EXPECT_EQ(Publish(kOtherSpoolSha, "other\n"), "a.log");
  EXPECT_EQ(Publish(kSpoolSha, "bad\n"), "a.log~aaaaaaaa");
}

TEST_F(RejectsTest, AnotherFeedWithTheSameContentLeavesThemAlone) {
  EXPECT_EQ(Publish(kSpoolSha, "bad\n"), "a.log");
  const auto kept = Listed();
  EXPECT_EQ(publish_reject_files(spool_, "web", "a.log", kSpoolSha, {}), "");
  EXPECT_EQ(Listed(), kept);
}

TEST_F(RejectsTest, NothingToPublishLeavesNothing) {
  EXPECT_EQ(Publish(kSpoolSha, ""), "");
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
  EXPECT_FALSE(publish_reject_files(spool_, "hrt", "../a.log", kSpoolSha, {}));
}

}  // namespace
}  // namespace caravel::watcher
