#include "watcher/files/scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

class ScanTest : public ::testing::Test {
 protected:
  std::map<std::string, ScanEntry> Scan() {
    std::map<std::string, ScanEntry> found;
    const auto scanned = scan_directory(fd_->get(), "*.log", [&](const ScanEntry& entry) {
      found.emplace(entry.name, entry);
      return true;
    });
    EXPECT_TRUE(scanned);
    return found;
  }

  test::TempDir dir_;
  Result<UniqueFd> fd_ = open_directory(dir_.path());
};

TEST_F(ScanTest, EveryKindOfEntryIsToldApartAndOnlyPlainFilesAreTakeable) {
  dir_.write_file("plain.log", "12345");
  dir_.write_file("one.log", "x");
  ASSERT_EQ(::link(dir_.path("one.log").c_str(), dir_.path("two.log").c_str()), 0);
  dir_.make_dir("dir.log");
  ASSERT_EQ(::symlink("plain.log", dir_.path("symlink.log").c_str()), 0);
  ASSERT_EQ(::symlink("/nowhere", dir_.path("dangling.log").c_str()), 0);
  ASSERT_EQ(::mkfifo(dir_.path("fifo.log").c_str(), 0600), 0);
  dir_.write_file("other.txt", "x");
  dir_.write_file("a.log.part", "x");

  auto found = Scan();
  EXPECT_EQ(found.at("plain.log").kind, FileKind::regular);
  EXPECT_EQ(found.at("one.log").kind, FileKind::linked);
  EXPECT_EQ(found.at("two.log").kind, FileKind::linked);
  EXPECT_EQ(found.at("dir.log").kind, FileKind::directory);
  EXPECT_EQ(found.at("symlink.log").kind, FileKind::symlink);
  EXPECT_EQ(found.at("dangling.log").kind, FileKind::symlink);
  EXPECT_EQ(found.at("fifo.log").kind, FileKind::other);
  EXPECT_EQ(found.at("other.txt").verdict.kind, NameKind::unmatched);
  EXPECT_EQ(found.at("a.log.part").verdict.kind, NameKind::in_progress);
  for (const auto& [name, entry] : found) {
    EXPECT_EQ(entry.takeable(), name == "plain.log") << name;
  }
}

TEST_F(ScanTest, SizeTimesAndInodeAreThoseOfTheFile) {
  dir_.write_file("a.log", "12345");
  const timespec times[2] = {{100, 1}, {1'331'286'480, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, dir_.path("a.log").c_str(), times, 0), 0);
  struct stat status;
  ASSERT_EQ(::stat(dir_.path("a.log").c_str(), &status), 0);

  const FileStamp stamp = Scan().at("a.log").stamp;
  EXPECT_EQ(stamp.size, 5U);
  EXPECT_EQ(stamp.mtime_ns, 1'331'286'480'123'456'789);
  EXPECT_EQ(stamp.inode, status.st_ino);
  EXPECT_EQ(stamp.device, status.st_dev);
  EXPECT_EQ(stamp.links, 1U);
  EXPECT_EQ(stamp.ctime_ns, status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec);
}

TEST_F(ScanTest, HostileNamesComeAsTheyAre) {
  for (const std::string name : {"-rf", "a\nb.log", "\xFF\xFE.log", "*.log"}) {
    dir_.write_file(name, "x");
  }
  dir_.write_file(std::string(255, 'n'), "x");
  const auto found = Scan();
  EXPECT_EQ(found.size(), 5U);
  EXPECT_EQ(found.at("a\nb.log").verdict.kind, NameKind::unusable);
  EXPECT_EQ(found.at("\xFF\xFE.log").verdict.kind, NameKind::unusable);
  EXPECT_EQ(found.at(std::string(255, 'n')).verdict.kind, NameKind::unusable);
  EXPECT_TRUE(found.at("*.log").takeable());
}

TEST_F(ScanTest, OurOwnDirectoryIsLeftOut) {
  dir_.make_dir(".caravel");
  EXPECT_TRUE(Scan().empty());
}

TEST_F(ScanTest, FilesMayBeRenamedAwayMeanwhileAndEachIsSeenOnce) {
  dir_.make_dir("claims");
  constexpr int kFiles = 1000;
  for (int i = 0; i < kFiles; ++i) dir_.write_file(std::to_string(i) + ".log", "x");
  int seen = 0;
  ASSERT_TRUE(scan_directory(fd_->get(), "*.log", [&](const ScanEntry& entry) {
    if (!entry.takeable()) return true;
    ++seen;
    const std::string to = "claims/" + entry.name;
    EXPECT_EQ(::renameat(fd_->get(), entry.name.c_str(), fd_->get(), to.c_str()), 0);
    return true;
  }));
  EXPECT_EQ(seen, kFiles);
  EXPECT_EQ(Scan().size(), 1U);
}

TEST_F(ScanTest, WhatVanishesDuringTheScanIsNoError) {
  for (int i = 0; i < 10; ++i) dir_.write_file(std::to_string(i) + ".log", "x");
  int seen = 0;
  ASSERT_TRUE(scan_directory(fd_->get(), "*.log", [&](const ScanEntry&) {
    ++seen;
    for (int i = 0; i < 10; ++i) ::unlink(dir_.path(std::to_string(i) + ".log").c_str());
    return true;
  }));
  EXPECT_EQ(seen, 1);
}

TEST_F(ScanTest, TheVisitorCanEndIt) {
  dir_.write_file("a.log", "x");
  dir_.write_file("b.log", "x");
  int seen = 0;
  ASSERT_TRUE(scan_directory(fd_->get(), "*.log", [&](const ScanEntry&) {
    ++seen;
    return false;
  }));
  EXPECT_EQ(seen, 1);
}

TEST_F(ScanTest, ScansDoNotDisturbEachOther) {
  dir_.write_file("a.log", "x");
  EXPECT_EQ(Scan().size(), 1U);
  EXPECT_EQ(Scan().size(), 1U) << "the offset of the descriptor was used";
}

TEST_F(ScanTest, OneNameCanBeLookedAt) {
  dir_.write_file("a.log", "x");
  EXPECT_TRUE(look_at_name(fd_->get(), "a.log", "*.log").value()->takeable());
  EXPECT_EQ(look_at_name(fd_->get(), "b.log", "*.log").value(), std::nullopt);
  EXPECT_FALSE(look_at_name(fd_->get(), "..", "*"));
  EXPECT_FALSE(look_at_name(fd_->get(), "../x", "*"));
}

TEST_F(ScanTest, ADirectoryThatIsNoneIsAnError) {
  dir_.write_file("a", "x");
  const UniqueFd file(::open(dir_.path("a").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(scan_directory(file.get(), "*", [](const ScanEntry&) { return true; }));
}

TEST(FileStampTest, OnlySizeAndMtimeAreContent) {
  const FileStamp before{1, 2, 1, 10, 100, 100};
  FileStamp now{9, 8, 7, 10, 100, 999};
  EXPECT_FALSE(changed_since(before, now));
  ++now.size;
  EXPECT_TRUE(changed_since(before, now));
  now = before;
  --now.mtime_ns;
  EXPECT_TRUE(changed_since(before, now));
}

TEST(FileStampTest, TimesBeyondRangeAreTheNearest) {
  struct stat status {};
  status.st_mtim = {1L << 60, 999'999'999};
  status.st_ctim = {-(1L << 60), 0};
  EXPECT_EQ(stamp_of(status).mtime_ns, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(stamp_of(status).ctime_ns, std::numeric_limits<std::int64_t>::min());
}

}  // namespace
}  // namespace caravel::watcher
