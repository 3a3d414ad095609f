// Bytes in front of a file, and those for which no file is made.
#include "formatter/output/output.h"

#include <fcntl.h>

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

class OutputTest : public testing::Test {
 protected:
  Output::Open Opens() {
    return [this] {
      ++opened_;
      return open_file(dir_.path("out"), O_WRONLY | O_CREAT | O_TRUNC);
    };
  }

  test::TempDir dir_;
  int opened_ = 0;
};

TEST_F(OutputTest, FewBytesAreHeldAndNoFileIsMade) {
  Output output(Opens());
  EXPECT_FALSE(output.discards());
  output.append("a line\n");
  output.settle();
  ASSERT_TRUE(output.flush());
  EXPECT_EQ(output.held(), "a line\n");
  EXPECT_EQ(opened_, 0);

  ASSERT_TRUE(output.write_all_out());
  EXPECT_EQ(output.held(), std::nullopt);
  EXPECT_EQ(dir_.read_file("out"), "a line\n");
}

TEST_F(OutputTest, ManyAreWrittenAndNoneIsHeld) {
  Output output(Opens());
  const std::string line(100'000, 'x');
  for (int i = 0; i < 5; ++i) {
    output.append(line);
    output.settle();
  }
  ASSERT_TRUE(output.flush());
  EXPECT_EQ(output.held(), std::nullopt);
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(dir_.read_file("out").size(), 5 * line.size());
  EXPECT_EQ(output.bytes(), 5 * line.size());
}

TEST_F(OutputTest, AFileThatCannotBeMadeIsToldByTheNextFlush) {
  Output output([] { return Result<UniqueFd>(fail(ErrorKind::refused, "no room")); });
  output.append("x");
  EXPECT_EQ(output.write_all_out().error().message, "no room");
  EXPECT_EQ(output.flush().error().message, "no room");
  EXPECT_EQ(output.held(), std::nullopt);
}

}  // namespace
}  // namespace caravel::formatter
