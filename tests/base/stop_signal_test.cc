// Waits that a stop ends.
#include "base/stop_signal.h"

#include <climits>
#include <thread>

#include <gtest/gtest.h>

namespace caravel {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(StopSignal, ATimeoutOfPollIsRoundedUpAndBounded) {
  EXPECT_EQ(poll_timeout(milliseconds(5)), 5);
  EXPECT_EQ(poll_timeout(microseconds(5'001)), 6);
  EXPECT_EQ(poll_timeout(microseconds(1)), 1);
  EXPECT_EQ(poll_timeout(microseconds(0)), 0);
  EXPECT_EQ(poll_timeout(milliseconds(-5)), 0);
  EXPECT_EQ(poll_timeout(steady_clock::duration::max()), INT_MAX);
}

TEST(StopSignal, AWaitThatNobodyStopsLastsItsTime) {
  const StopSignal never;
  const auto began = steady_clock::now();
  EXPECT_FALSE(stopped_within(never, milliseconds(20)));
  EXPECT_GE(steady_clock::now() - began, milliseconds(20));
  EXPECT_FALSE(stopped_before(never, began));
}

TEST(StopSignal, AStopEndsAWaitAtOnceAndEveryWaitAfterIt) {
  StopSignal stop;
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(stopped_within(stop, hours(1)));
  other.join();
  EXPECT_TRUE(stopped_within(stop, hours(1)));
  EXPECT_TRUE(stopped_before(stop, steady_clock::now() - hours(1)));
}

}  // namespace
}  // namespace caravel
