#include "watcher/spool/room.h"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/temp_dir.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr int kAnyFd = -1;

Room RoomWith(std::uint64_t min_free, std::uint64_t free) {
  return Room(min_free, [free](int) { return Result<std::uint64_t>(free); });
}

TEST(RoomTest, WhatMustStayFreeStaysFree) {
  const struct {
    std::uint64_t min_free, free, more;
    bool fits;
  } cases[] = {
      {100, 150, 50, true},         {100, 150, 51, false},       {100, 100, 0, true},
      {100, 99, 0, false},          {100, 0, 0, false},          {0, 0, 1000, true},
      {~0ULL, ~0ULL - 1, 0, false}, {1, ~0ULL, ~0ULL - 1, true},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(std::to_string(test.free) + " free, " + std::to_string(test.more) + " more");
    const auto there = RoomWith(test.min_free, test.free).expect(kAnyFd, test.more);
    ASSERT_EQ(there.has_value(), test.fits);
    if (there) continue;
    EXPECT_EQ(there.error().kind, ErrorKind::retry);
    EXPECT_THAT(there.error().message, HasSubstr("min_free"));
  }
}

TEST(RoomTest, FreeSpaceIsThatOfTheFileSystem) {
  const test::TempDir dir;
  const UniqueFd file = open_file(dir.write_file("f", "x"), O_RDONLY).value();
  const auto bytes = free_bytes(file.get());
  ASSERT_TRUE(bytes);
  EXPECT_GT(*bytes, 0U);
  EXPECT_LE(*bytes, std::filesystem::space(dir.path()).capacity);
  EXPECT_FALSE(free_bytes(kAnyFd));
}

TEST(RoomTest, ADiskThatDoesNotAnswerIsNoRoom) {
  const Room room(1, [](int) -> Result<std::uint64_t> { return fail_with_errno("ask", EIO); });
  EXPECT_FALSE(room.expect(kAnyFd, 0));
}

TEST(RoomTest, AnExtractIsAtFaultOverItsOwnLimitAndWaitsForTheDisk) {
  const Room room = RoomWith(100, 1100);
  const auto ask = ask_room(room, 5000);
  EXPECT_TRUE(ask(kAnyFd, 4000, 1000));
  EXPECT_EQ(ask(kAnyFd, 4000, 1001).error().kind, ErrorKind::content);
  EXPECT_THAT(ask(kAnyFd, 4000, 1001).error().message, HasSubstr("max_unpacked"));
  EXPECT_EQ(ask(kAnyFd, 0, 1001).error().kind, ErrorKind::refused) << "others may pass";
}

TEST(RoomTest, AFullDiskIsNoFaultOfTheFile) {
  for (const int full : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_EQ(refused_if_no_space(system_error("write", full)).kind, ErrorKind::refused);
  }
  EXPECT_EQ(refused_if_no_space(system_error("write", EIO)).kind, ErrorKind::retry);
  EXPECT_EQ(refused_if_no_space({ErrorKind::content, "damaged"}).kind, ErrorKind::content);
}

TEST(SpaceNeedsTest, AskForMoreThanWasThereAndForgetAfterAnHour) {
  SpaceNeeds needs;
  const SpaceNeeds::Moment now{};
  EXPECT_EQ(needs.of("a", now), 0U);
  needs.note("a", 80 << 20, now);
  EXPECT_EQ(needs.of("a", now), 91U << 20);
  EXPECT_EQ(needs.of("a", now + 59min), 91U << 20);
  EXPECT_EQ(needs.of("a", now + 1h), 0U) << "it may need less than was thought";
  EXPECT_EQ(needs.of("b", now), 0U);
  needs.note("a", 8 << 20, now + 1h);
  EXPECT_EQ(needs.of("a", now + 1h), 10U << 20);
  needs.forget("a");
  EXPECT_EQ(needs.of("a", now + 1h), 0U);
}

}  // namespace
}  // namespace caravel::watcher
