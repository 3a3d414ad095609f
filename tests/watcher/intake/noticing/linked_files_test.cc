// When files with a second link are looked at again.
#include "watcher/intake/noticing/linked_files.h"

#include <gmock/gmock.h>

#include "watcher/intake/noticing/drop_directory.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const LinkedFiles::Key kFile{0, "a.log"};

TEST(LinkedFilesTest, TheLooksComeAtEverLongerIntervalsUntilTheScanTakesOver) {
  LinkedFiles files;
  Moment now{};
  files.wait(kFile, now);
  std::chrono::nanoseconds last{0};
  int looks = 0;
  while (const auto next = files.next_deadline()) {
    const auto interval = *next - now.steady;
    EXPECT_GT(interval, last);
    EXPECT_LT(interval, kScanEvery);
    EXPECT_THAT(files.due(now), IsEmpty());
    now.steady = *next;
    ASSERT_THAT(files.due(now), ElementsAre(kFile));
    last = interval;
    files.wait(kFile, now);
    ASSERT_LT(++looks, 100);
  }
  EXPECT_GT(looks, 5);
  EXPECT_EQ(files.size(), 0U);
}

TEST(LinkedFilesTest, AnEventBetweenTwoLooksDoesNotMakeTheIntervalLonger) {
  LinkedFiles files;
  Moment now{};
  files.wait(kFile, now);
  const auto first = *files.next_deadline();
  for (int event = 0; event < 10; ++event) files.wait(kFile, now);
  EXPECT_EQ(*files.next_deadline(), first);
}

TEST(LinkedFilesTest, ForgetsOneFileOrAWholeDirectory) {
  LinkedFiles files;
  for (const auto& file : {kFile, {0, "b.log"}, {1, "a.log"}}) files.wait(file, Moment{});
  files.forget(kFile);
  EXPECT_EQ(files.size(), 2U);
  files.forget_directory(0);
  EXPECT_EQ(files.size(), 1U);
  files.forget_directory(1);
  EXPECT_EQ(files.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace caravel::watcher
