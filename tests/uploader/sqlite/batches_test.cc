// Many rows with one statement: what becomes of each is as if they had been stored one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include <fmt/format.h>

#include "tests/support/sqlite_fixture.h"
#include "uploader/row.h"
#include "uploader/verdict.h"

namespace caravel::testing {
namespace {

using formatter::ColumnType;
using uploader::UploadCounts;
using uploader::UploadOptions;
using uploader::Verdict;

/// The rule, row by row, over a map.
class Model {
 public:
  UploadCounts load(const TestExtract& extract, const UploadOptions& options) {
    UploadCounts counts;
    std::uint64_t place = 0;
    for (const TestRow& row : extract.rows) {
      const std::uint64_t line = ++place;
      const Kept ours{std::string(uploader::extract_tag(extract.sha256)), line,
                      uploader::sum_text(uploader::row_sum(row.record)), row.record};
      const auto [at, added] = rows_.try_emplace("hrt:" + row.tail, ours);
      Verdict verdict = Verdict::stored;
      if (!added) {
        const Kept& there = at->second;
        verdict = uploader::verdict_on_taken_id({ours.extract, ours.line, ours.sum},
                                                {there.extract, there.line, there.sum}, options);
        if (verdict == Verdict::replace) {
          at->second = ours;
          verdict = Verdict::replaced;
        }
      }
      uploader::count(verdict, 1, counts);
    }
    return counts;
  }

  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> all;
    for (const auto& [id, row] : rows_) {
      all.push_back(fmt::format("{}|{}|{}|{}|{}", id, row.extract, row.line, row.sum, row.record));
    }
    return all;
  }

 private:
  struct Kept {
    std::string extract;
    std::uint64_t line = 0;
    std::string sum;
    std::string record;
  };
  std::map<std::string, Kept> rows_;
};

std::string said(const UploadCounts& counts) {
  return fmt::format("stored {}, already there {}, differs {}, replaced {}", counts.stored,
                     counts.already_there, counts.differs, counts.replaced);
}

class SqliteBatchTest : public SqliteFixture {
 protected:
  /// Rows in any order, some of them with the id of another, and some of these with another sum.
  TestExtract drawn_extract() {
    TestExtract extract = extract_of(0, "abc"[random_() % 3]);
    extract.columns = {{"Value", ColumnType::text}};
    for (std::size_t rows = random_() % 60; rows > 0; --rows) {
      const auto number = random_() % 80;
      extract.rows.push_back({fmt::format("20120309T0948{:02}:V:{}", number % 7, number),
                              fmt::format("value {}", random_() % 10 == 0 ? 1000 : number), 0});
    }
    return extract;
  }

  void compare_with_model(int rounds) {
    Model model;
    for (int round = 0; round < rounds; ++round) {
      config_.batch_rows = 1 + random_() % 3;  // a transaction has ten times as many
      Reopen();
      const TestExtract extract = drawn_extract();
      UploadOptions options;
      options.reprocess = random_() % 3 == 0;
      options.loaded_before = random_() % 3 == 0;
      const auto upload = Send(extract, options);
      ASSERT_EQ(said(upload->counts()), said(model.load(extract, options))) << "round " << round;
      ASSERT_EQ(AskAll("SELECT _id, _extract, _line, _sum, \"Value\" FROM hrt ORDER BY _id"),
                model.rows())
          << "round " << round;
    }
  }

  std::mt19937 random_{20120309};
};

TEST_F(SqliteBatchTest, RowsEndAsIfTheyWereStoredOneByOne) { compare_with_model(80); }

TEST_F(SqliteBatchTest, AlsoWhereTriggersOfPeopleWait) {
  Send(extract_of(0));
  // With a trigger SQLite reads all rows before it inserts the first (rows_table.h).
  Do("CREATE TABLE seen (id TEXT)");
  Do("CREATE TRIGGER note AFTER INSERT ON hrt BEGIN INSERT INTO seen VALUES (new._id); END");
  compare_with_model(40);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE _id NOT IN (SELECT id FROM seen)"), "0");
}

TEST_F(SqliteBatchTest, TriggersRunForRowsThatAreInsertedOnly) {
  Send(extract_of(5));
  Do("CREATE TABLE seen (id TEXT)");
  Do("CREATE TRIGGER added AFTER INSERT ON hrt BEGIN INSERT INTO seen VALUES (new._id); END");
  Do("CREATE TRIGGER changed AFTER UPDATE ON hrt BEGIN INSERT INTO seen VALUES ('no'); END");
  Send(extract_of(8, 'b'));
  EXPECT_EQ(AskAll("SELECT id FROM seen").size(), 3U);
  EXPECT_EQ(Ask("SELECT count(*) FROM seen WHERE id = 'no'"), "0");
}

TEST_F(SqliteBatchTest, ARowThatATriggerTurnsAwayIsNoStoredRow) {
  Send(extract_of(0));
  Do("CREATE TRIGGER never BEFORE INSERT ON hrt WHEN new._line = 3 BEGIN SELECT RAISE(IGNORE); "
     "END");
  const auto ran = Start(extract_of(5))->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "0");
}

TEST_F(SqliteBatchTest, AnIndexOfPeopleMayRefuseARow) {
  Send(extract_of(0));
  Do("CREATE UNIQUE INDEX one ON hrt (\"Lat\")");
  TestExtract extract = extract_of(5);
  extract.rows[4].record = extract.rows[1].record;
  const auto ran = Start(extract)->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_NE(ran.error().message.find("UNIQUE constraint failed"), std::string::npos)
      << ran.error().message;
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "0") << "all of a transaction, or nothing";
}

TEST_F(SqliteBatchTest, RefusedRowsStayInTheOrderOfTheirLines) {
  TestExtract extract = extract_of(6);
  std::reverse(extract.rows.begin(), extract.rows.end());  // ids descend, lines ascend
  extract.rows[1].record = "only one field";
  extract.rows[4].tail = "no id of ours";
  extract.rows[5].record = "2012-03-09,\xff";
  const auto upload = Send(extract);
  ASSERT_EQ(upload->refused().size(), 3U);
  EXPECT_EQ(upload->refused()[0].line, 2U);
  EXPECT_EQ(upload->refused()[1].line, 5U);
  EXPECT_EQ(upload->refused()[2].line, 6U);
  EXPECT_EQ(upload->refused()[2].offset, 500U);
  EXPECT_EQ(upload->counts().stored, 3U);
}

TEST_F(SqliteBatchTest, AStopWithinATransactionLeavesNothingOfIt) {
  StopSignal stop;
  TestExtract extract = extract_of(50);
  config_.batch_rows = 1;
  Reopen();
  auto upload = Start(extract);
  upload->on_progress = [&](std::uint64_t) { stop.request(); };
  const auto ran = upload->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped) << ran.error().message;
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "10");
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(upload->counts().stored, 50U);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "50");
}

TEST_F(SqliteBatchTest, EachOfTheColumnsThatATableTakesIsStored) {
  constexpr int kColumns = 2000 - 6;
  TestExtract extract = extract_of(0);
  extract.columns.clear();
  std::string record;
  for (int i = 0; i < kColumns; ++i) {
    extract.columns.push_back({fmt::format("n{}", i), ColumnType::number});
    record += fmt::format("{}{}", i > 0 ? "," : "", i);
  }
  extract.rows.push_back({"20120309T094800:V:1", record, 0});
  Send(extract);
  EXPECT_EQ(Ask("SELECT n0 || ' ' || n1000 || ' ' || n1993 FROM hrt"), "0 1000 1993");
}

TEST_F(SqliteBatchTest, FilesKeepTheirPages) {
  Send(extract_of(3));
  EXPECT_EQ(Ask("PRAGMA page_size"), "16384");
  store_.reset();
  std::filesystem::remove(config_.path);
  Do("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; CREATE TABLE theirs (a)");
  Reopen();
  Send(extract_of(3));
  EXPECT_EQ(Ask("PRAGMA page_size"), "4096");
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "3");
}

}  // namespace
}  // namespace caravel::testing
