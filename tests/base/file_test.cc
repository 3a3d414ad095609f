#include "base/file.h"

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace caravel {
namespace {

TEST(ReadFile, HoldsWholeFilesUpToTheLimit) {
  const test::TempDir dir;
  // Around the sizes at which the memory for it grows, and around the limit.
  constexpr std::size_t kLimit = 100'000;
  for (const std::size_t size : {0, 1, 16'383, 16'384, 16'385, 32'768, 65'536, 99'999, 100'000}) {
    const std::string text(size, 'x');
    const auto read = read_file(dir.write_file("f", text), kLimit);
    ASSERT_TRUE(read) << size << ": " << read.error().message;
    EXPECT_EQ(*read, text) << size;
  }
  const auto larger = read_file(dir.write_file("f", std::string(kLimit + 1, 'x')), kLimit);
  ASSERT_FALSE(larger);
  EXPECT_THAT(larger.error().message, testing::HasSubstr("larger than 100000 bytes"));
}

}  // namespace
}  // namespace caravel
