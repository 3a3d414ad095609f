#include "watcher/files/file_system.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

TEST(FileSystem, NetworkFileSystemsArePolledAndTheirClocksAndLeasesNotBelieved) {
  for (const std::uint64_t type : {0x6969UL, 0xFF534D42UL, 0xFE534D42UL, 0x65735546UL, 0x01021997UL,
                                   0x12345678UL /* unknown */}) {
    const FileSystemTraits traits = traits_of_type(type);
    SCOPED_TRACE(traits.name);
    EXPECT_TRUE(traits.poll);
    EXPECT_FALSE(traits.leases_tell);
    EXPECT_FALSE(traits.own_clock);
  }
}

TEST(FileSystem, LocalFileSystemsAreNotPolled) {
  for (const std::uint64_t type : {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x01021994UL}) {
    const FileSystemTraits traits = traits_of_type(type);
    SCOPED_TRACE(traits.name);
    EXPECT_TRUE(traits.events);
    EXPECT_FALSE(traits.poll);
    EXPECT_TRUE(traits.leases_tell);
    EXPECT_TRUE(traits.own_clock);
  }
}

TEST(FileSystem, OverlayIsPolledButItsClockIsOurs) {
  const FileSystemTraits traits = traits_of_type(0x794C7630);
  EXPECT_EQ(traits.name, "overlayfs");
  EXPECT_TRUE(traits.poll);
  EXPECT_TRUE(traits.own_clock);
}

TEST(FileSystem, ProcIsNoneOfTheKnown) {
  auto proc = open_directory("/proc");
  ASSERT_TRUE(proc);
  EXPECT_EQ(file_system_of(proc->get()).value().name, "unknown");
}

TEST(FileSystem, TheProbeLeavesNothingBehind) {
  const test::TempDir dir;
  auto fd = open_directory(dir.path());
  ASSERT_TRUE(fd);
  const auto probe = probe_leases(fd->get());
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_TRUE(dir.list().empty());
  if (file_system_of(fd->get()).value().leases_tell) {
    EXPECT_TRUE(probe->own_files);
  }
  EXPECT_EQ(probe->reason.empty(), probe->own_files && probe->others_files);
}

TEST(FileSystem, WithoutTheCapabilityOnlyOwnFilesCanBeLeased) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become someone else";
  const test::TempDir dir;
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  auto fd = open_directory(dir.path());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(10);
    const auto probe = probe_leases(fd->get());
    ::_exit(probe && probe->own_files && !probe->others_files && !probe->reason.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace caravel::watcher
