// Names that are still in a drop directory.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(LedgerTest, NamesInTheDropDirectoryFollowTheScan) {
  Ok(ledger().drop_names().set_in_drop("hrt", {{"a.log", 1, 1, ""}, {"b.log", 1, 1, "changing"}},
                                       kNow));
  Ok(ledger().drop_names().set_in_drop("web", {{"a.log", 1, 1, ""}}, kNow));
  for (int scan = 1; scan < 100; ++scan) {
    Ok(ledger().drop_names().set_in_drop("hrt", {{"b.log", 1, scan, "changing"}},
                                         kNow + seconds(scan)));
  }
  EXPECT_THAT(Ok(ledger().history().newest_in(State::seen, 10)), SizeIs(1));  // the one of web
  const auto waiting = Ok(ledger().history().newest_in(State::waiting, 10));
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].name, "b.log");
  EXPECT_EQ(waiting[0].why, "changing");
  EXPECT_EQ(waiting[0].mtime_ns, 99);
  EXPECT_EQ(waiting[0].since, kNow);
  EXPECT_EQ(waiting[0].seen_at, kNow);
  EXPECT_THAT(ClaimsOf(ledger().extracts().unfinished()), IsEmpty());

  Ok(ledger().drop_names().set_in_drop("hrt", {}, kNow));
  EXPECT_THAT(Ok(ledger().history().newest_in(State::waiting, 10)), IsEmpty());
}

TEST_F(LedgerTest, AFloodOfNamesIsBounded) {
  std::vector<InDrop> files;
  std::vector<LeftAlone> names;
  for (std::size_t i = 0; i < DropNames::kMaxInDrop + 5; ++i) {
    files.push_back({"n" + std::to_string(i), 1, 1, "changing"});
    names.push_back({"n" + std::to_string(i), "no match"});
  }
  Ok(ledger().drop_names().set_in_drop("hrt", files, kNow));
  Ok(ledger().drop_names().set_left_alone("hrt", names, kNow));
  EXPECT_THAT(Ok(ledger().history().newest_in(State::waiting, 100'000)),
              SizeIs(DropNames::kMaxInDrop));
  EXPECT_THAT(Ok(ledger().drop_names().left_alone())["hrt"], SizeIs(DropNames::kMaxLeftAlone));
}

TEST_F(LedgerTest, NamesLeftAloneFollowTheScan) {
  Ok(ledger().drop_names().set_left_alone("hrt", {{"x", "no match"}, {"y", "a directory"}}, kNow));
  Ok(ledger().drop_names().set_left_alone("hrt", {{"y", "a directory"}, {"z", "a symlink"}},
                                          kNow + hours(1)));
  const auto left = Ok(ledger().drop_names().left_alone())["hrt"];
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0].name, "y");
  EXPECT_EQ(left[0].since, kNow);
  EXPECT_EQ(left[1].why, "a symlink");
  EXPECT_EQ(left[1].since, kNow + hours(1));
}

TEST_F(LedgerTest, AnIdleScanWritesNothing) {
  const std::vector<InDrop> files = {{"a.log", 1, 1, "changing"}};
  const std::vector<LeftAlone> names = {{"x", "no match"}};
  Ok(ledger().drop_names().set_in_drop("hrt", files, kNow));
  Ok(ledger().drop_names().set_left_alone("hrt", names, kNow));
  Ok(ledger().stores().set_state("s", "/s", StoreState::ok, "", {}, kNow));
  const auto size = std::filesystem::file_size(path_ + "-wal");
  Ok(ledger().drop_names().set_in_drop("hrt", files, kNow + hours(1)));
  Ok(ledger().drop_names().set_left_alone("hrt", names, kNow + hours(1)));
  Ok(ledger().stores().set_state("s", "/s", StoreState::ok, "", {}, kNow + hours(1)));
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), size);
  Ok(ledger().drop_names().set_in_drop("hrt", {}, kNow + hours(1)));
  EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), size);
}

}  // namespace
}  // namespace caravel::watcher
