// The progress line, on terminals of any width.
#include "watcher/terminal/progress_line.h"

#include <gmock/gmock.h>

namespace caravel::watcher {
namespace {

using std::chrono::seconds;

TEST(ProgressLine, SaysPercentRateAndTimeLeft) {
  EXPECT_EQ(progress_line({"a.log", "storing", 12'345, 29'000, "rows", seconds(3)}, 100),
            "a.log storing [########............]  43 % 12,345 of 29,000 rows, 4,115/s, 4 s left");
  EXPECT_EQ(progress_line({"a.log", "formatting", 1'250'000, 0, "bytes", seconds(1)}, 100),
            "a.log formatting  1.2 MB, 1.2 MB/s");
}

TEST(ProgressLine, SaysLessWhereThereIsLessRoom) {
  const Stage stage{"a.log", "storing", 12'345, 29'000, "rows", seconds(3)};
  EXPECT_EQ(progress_line(stage, 60),
            "a.log storing  43 % 12,345 of 29,000 rows, 4,115/s, 4 s left");
  EXPECT_EQ(progress_line(stage, 30), "a.log storing  43 %");
  EXPECT_EQ(progress_line(stage, 12), "a.log  43 %");
  const std::string long_name(200, 'x');
  for (std::size_t columns = 1; columns < 200; ++columns) {
    SCOPED_TRACE(columns);
    EXPECT_LE(progress_line(stage, columns).size(), columns);
    EXPECT_LE(progress_line({long_name, "storing", 1, 2, "rows", seconds(9)}, columns).size(),
              columns);
  }
}

TEST(ProgressLine, ANameIsNeitherACommandNorWide) {
  EXPECT_EQ(progress_line({"\x1b[2Jé", "storing", 0, 0, "rows", seconds(0)}, 60),
            "\\x1B[2J? storing  0 rows");
  // More than was announced is all of it.
  EXPECT_THAT(progress_line({"a", "storing", 9, 3, "rows", seconds(1)}, 60),
              testing::HasSubstr("100 %"));
}

}  // namespace
}  // namespace caravel::watcher
