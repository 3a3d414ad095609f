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

TEST_F(LedgerTest, BatchesAreCountedInTheirClasses) {
  BatchSums first;
  first.add(1, 0.0005);
  first.add(1, 0.001);  // a bound belongs to the class below it
  first.add(7000, 31);  // slower than any class
  Ok(ledger().stores().add_batches("hrt", "couch", first));
  BatchSums second;
  second.add(20'000, 0.2);  // larger than any class
  Ok(ledger().stores().add_batches("hrt", "couch", second));
  Ok(ledger().stores().add_batches("hrt", "couch", first));
  Ok(ledger().stores().add_batches("bus", "couch", second));
  const auto all = Ok(ledger().stores().batches());
  ASSERT_THAT(all, SizeIs(2));
  const auto& sums = all.at({"hrt", "couch"}).sums();
  ASSERT_THAT(sums, SizeIs(3));
  const BatchSums::Sum& small = sums.at({0, 0});
  EXPECT_EQ(small.batches, 4U);
  EXPECT_EQ(small.rows, 4U);
  EXPECT_DOUBLE_EQ(small.seconds, 0.003);
  EXPECT_EQ(sums.at({8, kBatchSecondBounds.size()}).rows, 14'000U);
  EXPECT_EQ(sums.at({kBatchRowBounds.size(), 7}).batches, 1U);
}

}  // namespace
}  // namespace caravel::watcher
