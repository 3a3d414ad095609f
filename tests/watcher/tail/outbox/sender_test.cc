// The command that is run for each file, and how long a failing one waits.
#include <gmock/gmock.h>

#include "watcher/tail/outbox/sender.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

TEST(SendCommand, QuotesThePath) {
  EXPECT_EQ(fill_command("scp {} h:d", "/o/a b"), "scp '/o/a b' h:d");
  EXPECT_EQ(fill_command("send", "/o/it's"), "send '/o/it'\\''s'");
  EXPECT_EQ(fill_command("cp {} x && mv {} y", "$(rm)"), "cp '$(rm)' x && mv '$(rm)' y");
}

TEST(SendBackoff, GrowsToFiveMinutes) {
  EXPECT_EQ(send_backoff(1, 0), milliseconds(1000));
  EXPECT_EQ(send_backoff(1, 1), milliseconds(500));
  EXPECT_EQ(send_backoff(4, 0), milliseconds(8000));
  EXPECT_EQ(send_backoff(50, 0), milliseconds(300'000));
  EXPECT_EQ(send_backoff(~0U, 1), milliseconds(150'000));
}

}  // namespace
}  // namespace caravel::tail
