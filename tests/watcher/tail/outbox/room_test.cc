// What gives way when room is short, and what never does.
#include <gmock/gmock.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/outbox/room.h"

namespace caravel::tail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TailRoom : public testing::Test, public TailFixture {
 protected:
  TailRoom() { std::filesystem::create_directories(Outbox() / "sent"); }

  /// Puts an extract of 100 bytes into `directory`.
  void Put(const std::filesystem::path& directory, std::uint64_t sequence) const {
    const std::string name = watcher::extract_name("/app.log", "host", "0a1b2c3d", sequence);
    std::ofstream(directory / name) << std::string(100, 'x');
  }
  [[nodiscard]] std::vector<std::uint64_t> Left() {
    std::vector<std::uint64_t> left;
    // Held while they are gone through: value() of a temporary is gone before the first turn.
    const auto waiting = outbox_.waiting();
    const auto sent = outbox_.sent();
    for (const OutboxFile& file : *waiting) left.push_back(file.sequence);
    for (const OutboxFile& file : *sent) left.push_back(file.sequence);
    return left;
  }

  tail::Outbox outbox_{disk, options.outbox};
  Notices notices_;
};

TEST_F(TailRoom, WhatWasSentGivesWayAndWhatWaitsDoesNot) {
  Put(Outbox() / "sent", 1);
  NextTick();
  Put(Outbox() / "sent", 2);
  Put(Outbox(), 3);
  OutboxRoom room(outbox_, {350, 100, std::chrono::hours(1)}, notices_);
  EXPECT_EQ(room.make_room(50, now), true);
  EXPECT_THAT(Left(), ElementsAre(3, 1, 2));
  EXPECT_EQ(room.make_room(100, now), true);
  EXPECT_THAT(Left(), ElementsAre(3, 2));
  EXPECT_EQ(room.make_room(250, now), true);
  EXPECT_THAT(Left(), ElementsAre(3));
  EXPECT_THAT(notices_.take(), IsEmpty());
  EXPECT_EQ(room.make_room(251, now), false);
  EXPECT_THAT(Left(), ElementsAre(3));
  EXPECT_THAT(notices_.take(), ElementsAre(HasSubstr("holds 100 bytes (--max-outbox)")));
}

TEST_F(TailRoom, AnEmptyOutboxTakesAnExtractThatIsLargerThanItMayBe) {
  OutboxRoom room(outbox_, {10, 10, std::chrono::hours(1)}, notices_);
  EXPECT_EQ(room.make_room(1000, now), true);
  room.add(1000);
  EXPECT_FALSE(room.fits(0));
}

TEST_F(TailRoom, OnlyAFullDiskTakesWhatWasSent) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    Put(Outbox() / "sent", i);
    NextTick();
  }
  OutboxRoom room(outbox_, {1000, 100, std::chrono::hours(1)}, notices_);
  EXPECT_EQ(room.make_room_on_disk(system_error("write", EIO), now), false);
  EXPECT_THAT(Left(), ElementsAre(1, 2, 3));
  EXPECT_EQ(room.make_room_on_disk(system_error("write", ENOSPC), now), true);
  EXPECT_THAT(Left(), ElementsAre(2, 3));
  EXPECT_EQ(room.make_room_on_disk(system_error("write", EDQUOT), now), true);
  EXPECT_EQ(room.make_room_on_disk(system_error("write", ENOSPC), now), true);
  EXPECT_EQ(room.make_room_on_disk(system_error("write", ENOSPC), now), false);
  EXPECT_THAT(Left(), IsEmpty());
}

}  // namespace
}  // namespace caravel::tail
