// What lies at a path.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

TEST(IsThere, OnlyNoSuchFileIsANo) {
  TailFixture f;
  f.Append("a");
  fs::create_symlink("loop", f.Log("loop"));
  fs::create_symlink("nowhere", f.Log("dangling"));
  EXPECT_EQ(is_there(f.Log()), true);
  EXPECT_EQ(is_there(f.Log("dangling")), true);
  EXPECT_EQ(is_there(f.Log("none")), false);
  EXPECT_EQ(is_there(f.Log("app.log/x")), false);
  EXPECT_FALSE(is_there(f.Log("loop/x")).has_value());
}

}  // namespace
}  // namespace caravel::tail
