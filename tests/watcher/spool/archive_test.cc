#include "watcher/spool/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/temp_dir.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::year_month_day kDay{std::chrono::year(2026), std::chrono::month(11),
                                           std::chrono::day(22)};
const std::string kSha = "0123456789abcdef" + std::string(48, '0');

template <class T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

/// With the drop directory in the spool (work/), or on another file system (DROP/.caravel).
class ArchiveTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (Far() && !std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "no /dev/shm";
    drop_dir_ = Far() ? std::make_unique<test::TempDir>("/dev/shm")
                      : std::make_unique<test::TempDir>(dir_.path());
    drop_ = Must(open_directory(drop_dir_->path()));
    root_ =
        std::make_unique<ClaimRoot>(Must(claim_root_for(spool_, drop_.get(), drop_dir_->path())));
    if (root_->in_spool == Far()) GTEST_SKIP() << "no second file system";
  }
  static bool Far() { return GetParam(); }

  Claim Take(const std::string& name) {
    Claim made{make_claim_id(std::chrono::sys_days(kDay)), name};
    EXPECT_EQ(claim(*root_, drop_.get(), made).value(), ClaimOutcome::claimed);
    return made;
  }
  Claim Claimed(const std::string& content = "a line\n", const std::string& name = "a.log.gz") {
    drop_dir_->write_file(name, content);
    const timespec times[2] = {{1, 0}, {1'331'286'480, 123'456'789}};
    EXPECT_EQ(::utimensat(drop_.get(), name.c_str(), times, 0), 0);
    return Take(name);
  }
  std::optional<std::string> Archive(const Claim& made) {
    return Must(archive(spool_, *root_, made, kSha, kDay));
  }
  std::optional<std::string> SetAside(const Claim& made, const std::string& why = "it is broken",
                                      const std::string& sha = kSha) {
    return Must(set_aside(spool_, *root_, made, sha, why));
  }
  std::string Read(const std::string& relative) { return dir_.read_file("spool/" + relative); }
  std::string ClaimPath(const Claim& made) { return root_->path + "/" + made.id + "/" + made.name; }

  test::TempDir dir_;
  Spool spool_ = Must(Spool::open(dir_.path("spool")));
  std::unique_ptr<test::TempDir> drop_dir_;
  UniqueFd drop_;
  std::unique_ptr<ClaimRoot> root_;
};

INSTANTIATE_TEST_SUITE_P(Drop, ArchiveTest, ::testing::Bool(),
                         [](const auto& far) { return far.param ? "ElsewhereCopied" : "InSpool"; });

TEST_P(ArchiveTest, AnOriginalGoesToItsDayWithItsBytesAndItsMtime) {
  const Claim made = Claimed();
  EXPECT_EQ(Archive(made), "done/2026/11/22/a.log.gz");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz"), "a line\n");
  EXPECT_EQ(Must(stamp_in_spool(spool_, "done/2026/11/22/a.log.gz"))->mtime_ns,
            1'331'286'480'123'456'789);
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(root_->path + "/" + made.id));
  EXPECT_THAT(dir_.list("spool/done"), ElementsAre("2026")) << "no temporary is left";
}

TEST_P(ArchiveTest, ATakenNameIsNeverOverwritten) {
  EXPECT_EQ(Archive(Claimed("one")), "done/2026/11/22/a.log.gz");
  EXPECT_EQ(Archive(Claimed("two")), "done/2026/11/22/a.log.gz~01234567");
  EXPECT_EQ(Archive(Claimed("three")), "done/2026/11/22/a.log.gz~01234567~2");
  EXPECT_EQ(Archive(Claimed("four")), "done/2026/11/22/a.log.gz~01234567~3");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz"), "one");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz~01234567"), "two");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz~01234567~2"), "three");
  EXPECT_THAT(dir_.list("spool/done"), ElementsAre("2026"));
}

TEST_P(ArchiveTest, AfterACrashBehindTheMoveTheArchivedFileIsFound) {
  Archive(Claimed("first"));
  const Claim made = Claimed("second");
  const FileStamp stamp = Must(look_at(*root_, made)).stamp;
  Archive(made);
  EXPECT_EQ(Archive(made), std::nullopt);
  EXPECT_EQ(Must(find_archived(spool_, "a.log.gz", kSha, kDay, stamp)),
            "done/2026/11/22/a.log.gz~01234567");
  FileStamp other = stamp;
  ++other.mtime_ns;
  EXPECT_EQ(Must(find_archived(spool_, "a.log.gz", kSha, kDay, other)), std::nullopt);
}

TEST_P(ArchiveTest, ALargeFileIsMovedWhole) {
  std::string content;
  while (content.size() < 1'000'000) content += std::to_string(content.size()) + "\n";
  Archive(Claimed(content));
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz"), content);
}

TEST_P(ArchiveTest, AnArchivedFileThatChangedComesBackAsANewClaim) {
  const Claim made = Claimed();
  const std::string path = Archive(made).value();
  const FileStamp before = *Must(stamp_in_spool(spool_, path));
  dir_.write_file("spool/" + path, "a line\nanother\n");
  EXPECT_TRUE(changed_since(before, *Must(stamp_in_spool(spool_, path))));

  const ClaimRoot work = Must(claim_root_for(spool_, spool_.done_fd(), dir_.path("spool/done")));
  const Claim again{make_claim_id(std::chrono::sys_days(kDay)), made.name};
  EXPECT_EQ(reclaim(spool_, path, again).value(), ClaimOutcome::claimed);
  EXPECT_THAT(Must(list_claims(work)), ElementsAre(again));
  EXPECT_EQ(Must(look_at(work, again)).stamp.size, 15U);
  EXPECT_EQ(Must(stamp_in_spool(spool_, path)), std::nullopt);

  const Claim late{make_claim_id(std::chrono::sys_days(kDay)), made.name};
  EXPECT_EQ(reclaim(spool_, path, late).value(), ClaimOutcome::vanished);
  EXPECT_THAT(Must(list_claims(work)), ElementsAre(again));
}

TEST_P(ArchiveTest, AFailedFileIsExplained) {
  const Claim made = Claimed();
  EXPECT_EQ(SetAside(made), "failed/a.log.gz");
  EXPECT_THAT(dir_.list("spool/failed"), ElementsAre("a.log.gz", "a.log.gz.why"));
  EXPECT_EQ(Read("failed/a.log.gz"), "a line\n");
  EXPECT_EQ(Read("failed/a.log.gz.why"), "it is broken\n\nclaim: " + made.id + "\n");
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
  EXPECT_EQ(SetAside(made), std::nullopt);
  EXPECT_EQ(dir_.list("spool/failed").size(), 2U);
}

TEST_P(ArchiveTest, AReasonThatAnEnemyWroteIsOneShortLine) {
  SetAside(Claimed(), "no\x1b[31m\n\nclaim: forged\n\u202E" + std::string(30'000, 'x'));
  const std::string why = Read("failed/a.log.gz.why");
  EXPECT_THAT(why, testing::StartsWith("no\\x1B[31m\\x0A\\x0Aclaim: forged\\x0A\\xE2\\x80\\xAE"));
  EXPECT_LT(why.size(), 4100U);
}

TEST_P(ArchiveTest, ASecondFailedFileOfTheNameHasItsOwnReason) {
  SetAside(Claimed("one"), "first");
  EXPECT_EQ(SetAside(Claimed("two"), "second"), "failed/a.log.gz~01234567");
  const Claim unread = Claimed("three");
  const std::string hex = unread.id.substr(unread.id.size() - 8);
  EXPECT_EQ(SetAside(unread, "third", ""), "failed/a.log.gz~" + hex);
  EXPECT_EQ(Read("failed/a.log.gz"), "one");
  EXPECT_THAT(Read("failed/a.log.gz.why"), HasSubstr("first"));
  EXPECT_THAT(Read("failed/a.log.gz~01234567.why"), HasSubstr("second"));
  EXPECT_THAT(Read("failed/a.log.gz~" + hex + ".why"), HasSubstr("third"));
  EXPECT_EQ(dir_.list("spool/failed").size(), 6U);
}

TEST_P(ArchiveTest, AfterACrashBetweenReasonAndFileTheSameNameIsUsed) {
  const Claim made = Claimed();
  dir_.write_file("spool/failed/a.log.gz.why", "an earlier word\n\nclaim: " + made.id + "\n");
  dir_.write_file("spool/failed/.tmp-" + made.id + ".why", "half");
  EXPECT_EQ(SetAside(made), "failed/a.log.gz");
  EXPECT_THAT(Read("failed/a.log.gz.why"), HasSubstr("it is broken"));
  EXPECT_THAT(dir_.list("spool/failed"), ElementsAre("a.log.gz", "a.log.gz.why"));
}

TEST_P(ArchiveTest, AReasonOfUnknownOriginIsNotOverwritten) {
  dir_.write_file("spool/failed/a.log.gz.why", "by hand");
  EXPECT_EQ(SetAside(Claimed()), "failed/a.log.gz~01234567");
  EXPECT_EQ(Read("failed/a.log.gz.why"), "by hand");
  EXPECT_EQ(dir_.list("spool/failed").size(), 3U);
}

TEST_P(ArchiveTest, AFileCalledLikeAReasonIsAFileLikeAnyOther) {
  SetAside(Claimed("one", "a"));
  EXPECT_EQ(SetAside(Claimed("two", "a.why")), "failed/a.why~01234567");
  EXPECT_THAT(Read("failed/a.why"), HasSubstr("it is broken"));
}

TEST_P(ArchiveTest, WhatIsNoRegularFileIsSetAsideUnopened) {
  ASSERT_EQ(::symlink("/etc/passwd", drop_dir_->path("s").c_str()), 0);
  ASSERT_EQ(::mkfifo(drop_dir_->path("f").c_str(), 0600), 0);
  drop_dir_->write_file("d/inside", "x");
  for (const std::string name : {"s", "f", "d"}) {
    SCOPED_TRACE(name);
    const Claim made = Take(name);
    const auto path = SetAside(made, "is no regular file", "");
    ASSERT_TRUE(path);
    if (Far()) {
      EXPECT_EQ(*path, root_->path + "/failed/" + made.id + "." + name);
      EXPECT_THAT(Read("failed/" + name + ".why"), HasSubstr(*path));
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::symlink_status(*path)));
    } else {
      EXPECT_EQ(*path, "failed/" + name);
      EXPECT_TRUE(dir_.exists("spool/failed/" + name));
    }
    EXPECT_THAT(Read("failed/" + name + ".why"), HasSubstr("is no regular file"));
  }
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
}

class FarArchiveTest : public ArchiveTest {};
INSTANTIATE_TEST_SUITE_P(Drop, FarArchiveTest, ::testing::Values(true));

TEST_P(FarArchiveTest, AfterACrashBetweenCopyAndUnlinkThereIsNoSecondCopy) {
  const Claim made = Claimed();
  const auto copied = std::filesystem::path(dir_.path("spool/done/2026/11/22/a.log.gz"));
  std::filesystem::create_directories(copied.parent_path());
  std::filesystem::copy(ClaimPath(made), copied);
  std::filesystem::last_write_time(copied, std::filesystem::last_write_time(ClaimPath(made)));

  EXPECT_EQ(Archive(made), "done/2026/11/22/a.log.gz");
  EXPECT_THAT(dir_.list("spool/done/2026/11/22"), ElementsAre("a.log.gz"));
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
}

TEST_P(FarArchiveTest, OtherBytesOfTheSameSizeAndTimeAreAnotherFile) {
  EXPECT_EQ(Archive(Claimed("one")), "done/2026/11/22/a.log.gz");
  EXPECT_EQ(Archive(Claimed("two")), "done/2026/11/22/a.log.gz~01234567");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz"), "one");
}

TEST_P(FarArchiveTest, AHalfCopyOfACrashIsMadeAnew) {
  const Claim made = Claimed();
  dir_.write_file("spool/done/.tmp-" + made.id, "a li, and then more than there was");
  EXPECT_EQ(Archive(made), "done/2026/11/22/a.log.gz");
  EXPECT_EQ(Read("done/2026/11/22/a.log.gz"), "a line\n");
  EXPECT_THAT(dir_.list("spool/done"), ElementsAre("2026"));
}

TEST_P(FarArchiveTest, AFailedFileThatWasCopiedBeforeACrashIsNotCopiedAgain) {
  const Claim made = Claimed();
  dir_.write_file("spool/failed/a.log.gz.why", "it is broken\n\nclaim: " + made.id + "\n");
  const auto copied = std::filesystem::path(dir_.path("spool/failed/a.log.gz"));
  std::filesystem::copy(ClaimPath(made), copied);
  std::filesystem::last_write_time(copied, std::filesystem::last_write_time(ClaimPath(made)));
  EXPECT_EQ(SetAside(made), "failed/a.log.gz");
  EXPECT_THAT(dir_.list("spool/failed"), ElementsAre("a.log.gz", "a.log.gz.why"));
}

TEST_P(FarArchiveTest, ACopyLeavesTheRoomThatMustStayFree) {
  // Somebody else writes too: the first piece fits, the second does not.
  std::uint64_t free = 1'500'000;
  std::uint64_t shrinks_by = 200'000;
  spool_ = Must(Spool::open(dir_.path("spool"), Room(1'000'000, [&](int) {
                              free -= shrinks_by;
                              return Result<std::uint64_t>(free);
                            })));
  const Claim made = Claimed(std::string(600'000, 'x'));
  const auto archived = archive(spool_, *root_, made, kSha, kDay);
  ASSERT_FALSE(archived);
  EXPECT_THAT(archived.error().message, HasSubstr("min_free"));
  EXPECT_EQ(free, 1'100'000U);
  EXPECT_THAT(dir_.list("spool/done"), ElementsAre("2026")) << "no temporary is left";
  EXPECT_TRUE(std::filesystem::exists(ClaimPath(made)));
  free = 2'000'000;
  shrinks_by = 0;
  EXPECT_EQ(Archive(made), "done/2026/11/22/a.log.gz");
}

TEST_P(FarArchiveTest, HolesStayHoles) {
  const Claim made = Claimed("begin");
  const std::uint64_t size = std::uint64_t{1} << 40;
  std::filesystem::resize_file(ClaimPath(made), size);
  {
    const UniqueFd end = open_file(ClaimPath(made), O_WRONLY).value();
    ASSERT_EQ(::pwrite(end.get(), "end", 3, static_cast<off_t>(size - 3)), 3);
  }
  ASSERT_EQ(SetAside(made), "failed/a.log.gz");
  const UniqueFd copy = open_file(dir_.path("spool/failed/a.log.gz"), O_RDONLY).value();
  struct stat status {};
  ASSERT_EQ(::fstat(copy.get(), &status), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), size);
  EXPECT_LT(status.st_blocks * 512, 10 << 20);
  char bytes[5];
  ASSERT_EQ(::pread(copy.get(), bytes, 5, 0), 5);
  EXPECT_EQ(std::string_view(bytes, 5), "begin");
  ASSERT_EQ(::pread(copy.get(), bytes, 5, static_cast<off_t>(size - 5)), 5);
  EXPECT_EQ(std::string_view(bytes, 5), std::string_view("\0\0end", 5));
}

TEST_P(FarArchiveTest, AFileThatIsBeingWrittenIsNotCopied) {
  const Claim made = Claimed();
  UniqueFd writer(::open(ClaimPath(made).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const auto refused = archive(spool_, *root_, made, kSha, kDay);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::retry);
  EXPECT_THAT(refused.error().message, HasSubstr("being written"));
  EXPECT_TRUE(std::filesystem::exists(ClaimPath(made)));
  EXPECT_THAT(dir_.list("spool/done/2026/11/22"), IsEmpty());
  writer.reset();
  EXPECT_EQ(Archive(made), "done/2026/11/22/a.log.gz");
}

TEST(ArchivedNames, AreTakenBackToTheNameOfTheSender) {
  const std::string hex = "0123abcd" + std::string(56, '0');
  for (const unsigned n : {1U, 2U, 3U, 12U, 9999U}) {
    for (const char* name : {"a.log", "app~x.log", "a.log.gz", "a~0", "~"}) {
      EXPECT_EQ(original_name(nth_name(name, hex, n)), name) << n;
    }
  }
  for (const char* name : {"app~x.log", "a~0123abc", "a~0123ABCD", "a~3", "~0123abcd", ""}) {
    EXPECT_EQ(original_name(name), name);
  }
}

}  // namespace
}  // namespace caravel::watcher
