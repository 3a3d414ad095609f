#include "watcher/intake/noticing/inotify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class InotifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    inotify_ = std::make_unique<Inotify>();
    const auto opened = inotify_->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }

  int Watch(const std::string& name) {
    auto fd = open_directory(dir_.path(name));
    EXPECT_TRUE(fd);
    return inotify_->watch_directory(fd->get()).value();
  }
  /// All events so far; they are in the queue before the system call that caused them returns.
  std::vector<DropEvent> Drain() {
    std::vector<DropEvent> events;
    EXPECT_TRUE(inotify_->drain(events));
    return events;
  }
  bool Readable() {
    pollfd poll_fd{inotify_->fd(), POLLIN, 0};
    return ::poll(&poll_fd, 1, 0) == 1;
  }

  test::TempDir dir_;
  std::unique_ptr<Inotify> inotify_;
};

TEST_F(InotifyTest, ACloseAfterWritingIsToldApart) {
  const int watch = Watch("");
  UniqueFd fd(::open(dir_.path("a.log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_THAT(Drain(), Not(Contains(DropEvent{watch, EventKind::closed, "a.log", false})));
  fd.reset();
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::closed, "a.log", false}));
}

TEST_F(InotifyTest, ARenameIntoTheDirectoryIsToldApart) {
  dir_.make_dir("drop");
  dir_.write_file("a.part", "x");
  const int watch = Watch("drop");
  std::filesystem::rename(dir_.path("a.part"), dir_.path("drop/a.log"));
  EXPECT_TRUE(Readable());
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::moved_in, "a.log", false}));
  EXPECT_FALSE(Readable());
}

TEST_F(InotifyTest, LinkAndUnlinkAreOnlyChanges) {
  dir_.write_file("a.part", "x");
  const int watch = Watch("");
  ASSERT_EQ(::link(dir_.path("a.part").c_str(), dir_.path("a.log").c_str()), 0);
  ASSERT_EQ(::unlink(dir_.path("a.part").c_str()), 0);
  EXPECT_THAT(Drain(),
              ::testing::ElementsAre(DropEvent{watch, EventKind::changed, "a.log", false},
                                     DropEvent{watch, EventKind::changed, "a.part", false}));
}

TEST_F(InotifyTest, AClaimedFileTellsOfItsLastWriter) {
  dir_.write_file("claimed", "x");
  const UniqueFd reader(::open(dir_.path("claimed").c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd writer(::open(dir_.path("claimed").c_str(), O_WRONLY | O_CLOEXEC));
  const int watch = inotify_->watch_file(reader.get()).value();
  EXPECT_THAT(Drain(), IsEmpty());
  writer.reset();
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::closed, "", false}));
}

TEST_F(InotifyTest, AClaimedFileTellsOfALinkThatIsGone) {
  dir_.write_file("claimed", "x");
  ASSERT_EQ(::link(dir_.path("claimed").c_str(), dir_.path("other").c_str()), 0);
  const UniqueFd reader(::open(dir_.path("claimed").c_str(), O_RDONLY | O_CLOEXEC));
  const int watch = inotify_->watch_file(reader.get()).value();
  ASSERT_EQ(::unlink(dir_.path("other").c_str()), 0);
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::changed, "", false}));
}

TEST_F(InotifyTest, TheParentTellsThatADropDirectoryWentAndCameWhileWeHoldItOpen) {
  dir_.make_dir("drop");
  auto parent = open_directory(dir_.path());
  auto drop = open_directory(dir_.path("drop"));
  const int watch = inotify_->watch_parent(parent->get()).value();
  std::filesystem::remove(dir_.path("drop"));
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::changed, "drop", true}));
  dir_.make_dir("drop");
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::changed, "drop", true}));
}

TEST_F(InotifyTest, ADirectoryThatIsRemovedEndsItsWatch) {
  dir_.make_dir("drop");
  const int watch = Watch("drop");
  std::filesystem::remove(dir_.path("drop"));
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::watch_gone, "", false}));
  inotify_->remove(watch);  // gone already: no harm
}

TEST_F(InotifyTest, ADirectoryThatIsRenamedSaysSo) {
  dir_.make_dir("drop");
  const int watch = Watch("drop");
  std::filesystem::rename(dir_.path("drop"), dir_.path("elsewhere"));
  EXPECT_THAT(Drain(), Contains(DropEvent{watch, EventKind::watch_gone, "", false}));
}

TEST_F(InotifyTest, TwoUsesShareOneWatchAndTheLastOneEndsIt) {
  const int first = Watch("");
  auto fd = open_directory(dir_.path());
  const int second = inotify_->watch_parent(fd->get()).value();
  EXPECT_EQ(first, second);
  inotify_->remove(first);
  dir_.write_file("a.log", "x");
  // The parent's smaller mask has not replaced the drop directory's.
  EXPECT_THAT(Drain(), Contains(DropEvent{first, EventKind::closed, "a.log", false}));
  inotify_->remove(second);
  static_cast<void>(Drain());
  dir_.write_file("b.log", "x");
  EXPECT_THAT(Drain(), IsEmpty());
}

TEST_F(InotifyTest, AQueueThatIsFullSaysOverflowAndADrainIsBounded) {
  Watch("");
  const std::string limit = "/proc/sys/fs/inotify/max_queued_events";
  std::ifstream in(limit);
  std::size_t queued = 0;
  ASSERT_TRUE(in >> queued);
  if (queued > 100'000) GTEST_SKIP() << limit << " is too large to fill";
  // Two names by turns: equal events in a row are merged by the kernel.
  dir_.write_file("a", "x");
  dir_.write_file("b", "x");
  for (std::size_t i = 0; i < queued; ++i) {
    ASSERT_EQ(::chmod(dir_.path(i % 2 == 0 ? "a" : "b").c_str(), 0600), 0);
  }
  std::vector<DropEvent> all;
  int drains = 0;
  while (Readable()) {
    const auto events = Drain();
    EXPECT_LE(events.size(), 16'384U);
    all.insert(all.end(), events.begin(), events.end());
    ASSERT_LT(++drains, 1000);
  }
  EXPECT_THAT(all, Contains(DropEvent{-1, EventKind::overflow, "", false}));
}

TEST_F(InotifyTest, AFileIsNoDirectoryToWatch) {
  dir_.write_file("a", "x");
  const UniqueFd fd(::open(dir_.path("a").c_str(), O_RDONLY | O_CLOEXEC));
  const auto watch = inotify_->watch_directory(fd.get());
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().kind, ErrorKind::fault);
}

TEST(InotifyLimits, TooManyInstancesNameTheSysctl) {
  // The limit of instances and that of descriptors both end with EMFILE. The first one is shared
  // with whatever else runs here, tests too, so the second one is met.
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  rlimit none = files;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  Inotify inotify;
  const auto opened = inotify.open();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::fault);
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("fs.inotify.max_user_instances"));
}

}  // namespace
}  // namespace caravel::watcher
