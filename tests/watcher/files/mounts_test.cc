#include "watcher/files/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caravel::watcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Mounts, OfFstabArePlacesOnly) {
  EXPECT_THAT(mount_points_in_fstab("# <file system> <mount point>\n"
                                    "UUID=1\t/\text4 errors=remount-ro 0 1\n"
                                    "UUID=2 none swap sw 0 0\n"
                                    "\n"
                                    "  LABEL=x   /mnt/a\\040disk/ ext4 noauto\n"
                                    "//host/share /mnt/b cifs _netdev 0 0"),
              ElementsAre("/", "/mnt/a disk", "/mnt/b"));
  EXPECT_THAT(mount_points_in_fstab("#/dev/x /mnt/y ext4\nhalf /a"), IsEmpty());
}

TEST(Mounts, OfMountinfoAreTheFifthField) {
  EXPECT_THAT(mount_points_in_mountinfo(
                  "36 35 98:0 /mnt1 /mnt/parent\\040dir rw,noatime master:1 - ext3 /dev/root rw\n"
                  "37 35 0:5 / / rw - tmpfs none rw\n"
                  "rubbish\n"),
              ElementsAre("/mnt/parent dir", "/"));
}

TEST(Mounts, APathLiesBelowADirectoryByWholeNames) {
  EXPECT_TRUE(is_below("/a/b", "/a"));
  EXPECT_TRUE(is_below("/a", "/a"));
  EXPECT_TRUE(is_below("/a", "/"));
  EXPECT_FALSE(is_below("/ab", "/a"));
  EXPECT_FALSE(is_below("/a", "/a/b"));
}

TEST(Mounts, NothingOfFstabIsMissingForTheRoot) { EXPECT_EQ(unmounted_place_of("/"), ""); }

}  // namespace
}  // namespace caravel::watcher
