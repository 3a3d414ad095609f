#include "base/backoff.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, GrowsToItsLimitWithJitterAndStartsAnewAfterSuccess) {
  Backoff backoff(milliseconds(100), milliseconds(1000));
  const auto most = ~std::uint64_t{0};
  for (const int ceiling : {100, 200, 400, 800, 1000, 1000}) {
    SCOPED_TRACE(ceiling);
    Backoff low = backoff;
    EXPECT_EQ(low.next(0), milliseconds(ceiling / 10));
    Backoff high = backoff;
    const auto span = static_cast<std::uint64_t>(ceiling - ceiling / 10 + 1);
    EXPECT_EQ(high.next(span - 1), milliseconds(ceiling));
    EXPECT_LE(backoff.next(most), milliseconds(ceiling));
  }
  backoff.reset();
  EXPECT_LE(backoff.next(most), milliseconds(100));
  EXPECT_EQ(backoff.next(0, seconds(60)), seconds(60));
}

}  // namespace
}  // namespace caravel
