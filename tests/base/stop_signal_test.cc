// Waits that a stop ends.
#include "base/stop_signal.h"

#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "base/ending/stop_on_signal.h"

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

/// The exit code of a program that is told to stop and does not.
int ExitCodeOfOneThatHangs(int set_code) {
  const pid_t child = ::fork();
  if (child == 0) {
    static StopSignal stop;
    stop_on_signals(stop);
    if (set_code != 0) set_exit_code_at_stop(set_code);
    ::raise(SIGTERM);
    if (!stop.requested()) ::_exit(99);
    for (;;) ::pause();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StopOnSignal, AProgramThatHangsEndsAllTheSameWithItsExitCode) {
  EXPECT_EQ(ExitCodeOfOneThatHangs(7), 7);
  EXPECT_EQ(ExitCodeOfOneThatHangs(0), 1) << "unless somebody said otherwise, it did not end well";
}

}  // namespace
}  // namespace caravel
