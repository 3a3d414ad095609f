#include "uploader/tables/row_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace caravel::uploader {
namespace {

RowBatch batch_of(const std::vector<std::string>& tails) {
  RowBatch batch("hrt");
  for (const std::string& tail : tails) {
    formatter::Row row;
    row.line = batch.size() + 1;
    row.id_tail = tail;
    row.record = "record";
    batch.add(row);
  }
  return batch;
}

TEST(RowBatch, GivesBackWhatWasAdded) {
  RowBatch batch("hrt");
  formatter::Row row;
  row.line = 7;
  row.lines = 3;
  row.offset = 1234;
  row.kind = 2;
  row.id_tail = "20120309T094800:V:1";
  row.record = "a,b";
  batch.add(row);
  row.id_tail = "";
  row.record = "";
  batch.add(row);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.id(0), "hrt:20120309T094800:V:1");
  EXPECT_EQ(batch.row(0).id_tail, "20120309T094800:V:1");
  EXPECT_EQ(batch.row(0).record, "a,b");
  EXPECT_EQ(batch.row(0).line, 7U);
  EXPECT_EQ(batch.row(0).lines, 3U);
  EXPECT_EQ(batch.row(0).offset, 1234U);
  EXPECT_EQ(batch.row(0).kind, 2U);
  EXPECT_EQ(batch.id(1), "hrt:");
  EXPECT_EQ(batch.row(1).record, "");
  batch.clear();
  EXPECT_EQ(batch.size(), 0U);
  EXPECT_EQ(batch.bytes(), 0U);
  EXPECT_TRUE(batch.by_id().empty());
}

TEST(RowBatch, EqualIdsKeepTheirOrder) {
  const RowBatch batch = batch_of({"b", "a", "b", "a", "b"});
  EXPECT_EQ(batch.by_id(), (std::vector<std::uint32_t>{1, 3, 0, 2, 4}));
}

TEST(RowBatch, IdsAreOrderedAsBytes) {
  // As SQLite orders texts (memcmp), also where one ends and the other goes on.
  const std::vector<std::string> tails = {"t:V:1",
                                          "t:V:10",
                                          "t",
                                          "",
                                          "t:V:1\x01",
                                          "t:V:\xc3\xa4",
                                          "t:V:z",
                                          "t:V:123456789",
                                          "t:V:12345678",
                                          std::string("t:V:1\0", 6),
                                          std::string("t:V:1\0\0", 7)};
  const RowBatch batch = batch_of(tails);
  std::vector<std::uint32_t> expected(tails.size());
  std::iota(expected.begin(), expected.end(), 0U);
  std::ranges::sort(expected, {}, [&](std::uint32_t i) { return tails[i]; });
  EXPECT_EQ(batch.by_id(), expected);
}

TEST(RowBatch, ManyIdsAreOrderedLikeTheirTexts) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> tails;
    const std::size_t rows = random() % 40;
    for (std::size_t i = 0; i < rows; ++i) {
      std::string tail = "20120309T0948";
      // Few letters, so that ids are equal, or begin alike, again and again.
      for (std::size_t more = random() % 14; more > 0; --more) tail.push_back("ab"[random() % 2]);
      tails.push_back(tail);
    }
    std::vector<std::uint32_t> expected(rows);
    std::iota(expected.begin(), expected.end(), 0U);
    std::ranges::stable_sort(expected, {}, [&](std::uint32_t i) { return tails[i]; });
    ASSERT_EQ(batch_of(tails).by_id(), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace caravel::uploader
