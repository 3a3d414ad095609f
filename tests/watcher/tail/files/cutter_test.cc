// Bytes that are skipped, and those that only cannot be looked at.
#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/cutter.h"

namespace caravel::tail {
namespace {

class SkipNuls : public TailFixture, public testing::Test {
 protected:
  Cutter cutter_{disk};
};

TEST_F(SkipNuls, PassesOverHolesAndBytes) {
  const std::string nuls(100, '\0');
  Append(nuls + "a\n");
  const auto fd = open_file(Log(), O_RDONLY);
  EXPECT_EQ(cutter_.skip_nuls(fd->get(), 0, 102), 100U);
}

TEST_F(SkipNuls, WhatCannotBeAskedIsNoHole) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const UniqueFd read(pipe[0]);
  const UniqueFd write(pipe[1]);
  const auto skipped = cutter_.skip_nuls(read.get(), 0, 1000);
  ASSERT_FALSE(skipped.has_value());
  EXPECT_EQ(skipped.error().system, ESPIPE);
}

}  // namespace
}  // namespace caravel::tail
