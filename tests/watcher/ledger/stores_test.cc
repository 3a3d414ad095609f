// What the ledger remembers of stores.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::SizeIs;

TEST_F(LedgerTest, ADatabaseMayBeMadeOnlyBeforeItsFirstRow) {
  EXPECT_TRUE(Ok(ledger().stores().may_create("https://c/feed")));
  Ok(ledger().stores().set_state("couch", "https://c/feed", StoreState::waiting, "refused",
                                 kNow + seconds(5), kNow));
  EXPECT_TRUE(Ok(ledger().stores().may_create("https://c/feed")));
  Ok(ledger().stores().first_row_stored("couch", "https://c/feed", kNow));
  Ok(ledger().stores().first_row_stored("couch", "https://c/feed", kNow + hours(1)));
  EXPECT_FALSE(Ok(ledger().stores().may_create("https://c/feed")));
  EXPECT_TRUE(Ok(ledger().stores().may_create("https://c/other")));
  const auto stores = Ok(ledger().stores().all());
  ASSERT_THAT(stores, SizeIs(1));
  EXPECT_EQ(stores[0].first_row_at, kNow);
  EXPECT_EQ(stores[0].state, StoreState::waiting);
}

TEST_F(LedgerTest, AStoresStateKeepsWhenItBegan) {
  const auto set = [&](StoreState state, const std::string& why, std::optional<Time> next,
                       Time now) {
    Ok(ledger().stores().set_state("couch", "https://c/feed", state, why, next, now));
    return Ok(ledger().stores().all()).at(0);
  };
  set(StoreState::waiting, "refused", kNow + seconds(1), kNow);
  const StoreRecord still = set(StoreState::waiting, "timeout", kNow + hours(2), kNow + hours(1));
  EXPECT_EQ(still.since, kNow);
  EXPECT_EQ(still.why, "timeout");
  EXPECT_EQ(still.next_try, kNow + hours(2));
  const StoreRecord ok = set(StoreState::ok, "", {}, kNow + hours(3));
  EXPECT_EQ(ok.since, kNow + hours(3));
  EXPECT_EQ(ok.next_try, std::nullopt);
}

}  // namespace
}  // namespace caravel::watcher
