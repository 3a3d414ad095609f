#include "base/sqlite/sqlite.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <thread>

#include "base/sqlite/transaction.h"
#include "tests/support/temp_dir.h"

namespace caravel {
namespace {

constexpr int kNoWait = 0;

class SqliteTest : public ::testing::Test {
 protected:
  Sqlite Open(Sqlite::Mode mode = Sqlite::Mode::create) {
    auto file = Sqlite::open(path_, mode, kNoWait);
    EXPECT_TRUE(file) << file.error().message;
    return std::move(*file);
  }

  test::TempDir directory_;
  std::string path_ = directory_.path("it's a %file?.db");
};

TEST_F(SqliteTest, OnlyCreateMakesAFile) {
  for (const auto mode : {Sqlite::Mode::read_write, Sqlite::Mode::read_only}) {
    EXPECT_FALSE(Sqlite::open(path_, mode, kNoWait));
  }
  ASSERT_TRUE(Open().script("CREATE TABLE t (a)"));
  EXPECT_TRUE(Open(Sqlite::Mode::read_write).script("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(Open(Sqlite::Mode::read_only).script("INSERT INTO t VALUES (1)").error().kind,
            ErrorKind::fault);
}

TEST_F(SqliteTest, ImmutableReadsAFileWithAnyNameAndMakesNoneBesideIt) {
  ASSERT_TRUE(Open().script("PRAGMA journal_mode=WAL; CREATE TABLE t (a)"));
  auto file = Open(Sqlite::Mode::immutable);
  std::int64_t tables = 0;
  ASSERT_TRUE(file.each("SELECT count(*) FROM sqlite_schema",
                        [&](const Statement& row) { tables = row.integer(0); }));
  EXPECT_EQ(tables, 1);
  int files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(directory_.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(SqliteTest, ErrorsSayWhetherWaitingHelps) {
  auto first = Open();
  ASSERT_TRUE(first.script("CREATE TABLE t (a)"));
  auto second = Open();
  ASSERT_TRUE(first.script("BEGIN IMMEDIATE"));
  EXPECT_EQ(second.script("BEGIN IMMEDIATE").error().kind, ErrorKind::retry);
  ASSERT_TRUE(first.script("COMMIT; PRAGMA max_page_count=2"));
  EXPECT_EQ(first.run("INSERT INTO t VALUES (zeroblob(100000))").error().kind, ErrorKind::retry);
  EXPECT_EQ(first.prepare("SELECT nothing FROM t").error().kind, ErrorKind::fault);
  std::ofstream(directory_.path("text.db")) << std::string(5000, 'x');
  auto text = Sqlite::open(directory_.path("text.db"), Sqlite::Mode::read_write, kNoWait);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->script("CREATE TABLE t (a)").error().kind, ErrorKind::fault);
}

TEST_F(SqliteTest, BorrowedTextIsReadWhenTheStatementRuns) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a, b, c)"));
  auto insert = file.prepare("INSERT INTO t VALUES (?, ?, ?)").value();
  std::string bytes = "before";
  insert.bind_borrowed(bytes);
  insert.bind_borrowed({});
  insert.bind_null();
  bytes.replace(0, 6, "behind");
  ASSERT_TRUE(insert.finish());
  ASSERT_TRUE(insert.finish()) << "values stay bound";
  int rows = 0;
  ASSERT_TRUE(file.each("SELECT a, b, c FROM t", [&](const Statement& row) {
    ++rows;
    EXPECT_EQ(row.text_view(0), "behind");
    EXPECT_FALSE(row.is_null(1)) << "an empty text is a text";
    EXPECT_TRUE(row.is_null(2));
    EXPECT_EQ(row.columns(), 3);
    EXPECT_EQ(row.column_name(2), "c");
  }));
  EXPECT_EQ(rows, 2);
}

TEST_F(SqliteTest, AValueThatCannotBeBoundSpoilsOneRunOnly) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a)"));
  auto insert = file.prepare("INSERT INTO t VALUES (?)");
  ASSERT_TRUE(insert);
  EXPECT_FALSE(insert->run(1, 2)) << "there is no second value";
  EXPECT_TRUE(insert->run(1));
}

TEST_F(SqliteTest, ATransactionThatIsNotCommittedLeavesNothing) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a)"));
  {
    auto transaction = Transaction::begin(file);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(file.run("INSERT INTO t VALUES (1)"));
  }
  auto transaction = Transaction::begin(file);
  ASSERT_TRUE(transaction);
  EXPECT_EQ(file.run("DELETE FROM t").value(), 0);
  EXPECT_TRUE(transaction->commit());
}

TEST_F(SqliteTest, ATransactionWithinAnotherIsAPartOfIt) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a)"));
  const auto insert = [&](int value, bool commit) {
    auto part = Transaction::begin(file);
    ASSERT_TRUE(part);
    ASSERT_TRUE(file.run("INSERT INTO t VALUES (?)", value));
    if (commit) {
      EXPECT_TRUE(part->commit());
    }
  };
  {
    auto all = Transaction::begin(file);
    ASSERT_TRUE(all);
    insert(1, true);
    insert(2, false);
    insert(3, true);
    EXPECT_TRUE(file.in_transaction()) << "a part that ends ends nothing else";
    EXPECT_EQ(Open().run("DELETE FROM t").error().kind, ErrorKind::retry)
        << "nor gives it a lock up";
    ASSERT_TRUE(all->commit());
  }
  EXPECT_FALSE(file.in_transaction());
  EXPECT_EQ(file.run("DELETE FROM t WHERE a IN (1, 3)").value(), 2);
  EXPECT_EQ(file.run("DELETE FROM t").value(), 0) << "the part that was taken back";
  {
    auto all = Transaction::begin(file);
    insert(4, true);
  }
  EXPECT_EQ(file.run("DELETE FROM t").value(), 0) << "its commit is worth no more than the whole";
}

TEST_F(SqliteTest, AStatementMayRunFromInsideOfItsOwnRows) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)"));
  const char* const all = "SELECT a FROM t WHERE a >= ?";
  std::string seen;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(file.each(
        all,
        [&](const Statement& outer) {
          seen += outer.text(0) + ":";
          ASSERT_TRUE(file.each(
              all, [&](const Statement& inner) { seen += inner.text(0); }, outer.integer(0)));
          seen += " ";
        },
        1));
  }
  EXPECT_EQ(seen, "1:12 2:2 1:12 2:2 ");
}

TEST_F(SqliteTest, AKeptStatementFollowsItsTableAndHoldsNothing) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a)"));
  ASSERT_TRUE(file.run("INSERT INTO t VALUES (?)", 1));
  const auto columns = [&] {
    int count = 0;
    EXPECT_TRUE(file.each("SELECT * FROM t", [&](const Statement& row) { count = row.columns(); }));
    return count;
  };
  EXPECT_EQ(columns(), 1);
  ASSERT_TRUE(Open().script("ALTER TABLE t ADD COLUMN b; DROP TABLE IF EXISTS u"));
  EXPECT_EQ(columns(), 2);
  EXPECT_FALSE(file.run("INSERT INTO t (a) VALUES (?)", 1, 2)) << "one value too many";
  EXPECT_TRUE(file.run("INSERT INTO t (a) VALUES (?)", 1)) << "spoils no later run";
}

TEST_F(SqliteTest, NotEachStatementIsKept) {
  auto file = Open();
  StatementCache cache;
  for (std::size_t i = 0; i < 2 * StatementCache::kMost; ++i) {
    const std::string sql = "SELECT " + std::to_string(i);
    cache.give_back("SELECT 'often'",
                    cache.take("SELECT 'often'").value_or(file.prepare("SELECT 'often'").value()));
    cache.give_back(sql, file.prepare(sql).value());
    ASSERT_TRUE(cache.take(sql));
  }
  EXPECT_LE(cache.size(), StatementCache::kMost);
  EXPECT_TRUE(cache.take("SELECT 'often'"));
  EXPECT_FALSE(cache.take("SELECT 0"));
}

TEST_F(SqliteTest, DoublesComeBackWithEveryBit) {
  auto file = Open();
  ASSERT_TRUE(file.script("CREATE TABLE t (a)"));
  const double value = 0.12345678901234568;
  ASSERT_TRUE(file.run("INSERT INTO t VALUES (?)", value));
  double read = 0;
  ASSERT_TRUE(file.each("SELECT a FROM t", [&](const Statement& row) {
    EXPECT_TRUE(row.is_real(0));
    EXPECT_FALSE(row.is_integer(0));
    read = row.real(0);
  }));
  EXPECT_EQ(read, value);
}

TEST_F(SqliteTest, TriggersCanBeKeptFromRunning) {
  auto file = Open();
  ASSERT_TRUE(
      file.script("CREATE TABLE t (a); CREATE TABLE seen (a); CREATE TRIGGER watch AFTER "
                  "INSERT ON t BEGIN INSERT INTO seen VALUES (new.a); END"));
  for (const bool run : {false, true}) {
    SCOPED_TRACE(run);
    ASSERT_TRUE(file.let_triggers_run(run));
    ASSERT_TRUE(file.run("INSERT INTO t VALUES (1)"));
    std::uint64_t seen = 0;
    ASSERT_TRUE(
        file.each("SELECT count(*) FROM seen", [&](const Statement& row) { seen = row.count(0); }));
    EXPECT_EQ(seen, run ? 1U : 0U);
  }
}

TEST_F(SqliteTest, NamesAreQuotedAndColumnsAreToldInLowerCase) {
  auto file = Open();
  const std::string odd = "a \"b\"; DROP";
  ASSERT_TRUE(file.script("CREATE TABLE " + sql_name(odd) + " (_id TEXT, Date, " + sql_name(odd) +
                          " int)"));
  EXPECT_EQ(file.columns_of(odd).value(),
            (std::map<std::string, std::string>{
                {"_id", "TEXT"}, {"date", ""}, {"a \"b\"; drop", "INT"}}));
  EXPECT_TRUE(file.columns_of("missing").value().empty());
  EXPECT_GE(file.most_columns(), 2000U);
}

TEST_F(SqliteTest, AfterALongWaitInVainTheNextStatementsDoNotWaitAgain) {
  constexpr int kLong = 4000;
  auto holder = Open();
  ASSERT_TRUE(holder.script("CREATE TABLE t (a)"));
  auto other = Sqlite::open(path_, Sqlite::Mode::read_write, kLong);
  ASSERT_TRUE(other);
  other->wait_once_only();
  auto prepared = other->prepare("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(prepared);
  {
    auto held = Transaction::begin(holder);
    ASSERT_TRUE(held);
    const auto waited = other->script("INSERT INTO t VALUES (2)");
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().kind, ErrorKind::retry);
  }
  // The lock is free, but nobody asks for it.
  for (const auto& again : {prepared->run(), other->script("INSERT INTO t VALUES (2)")}) {
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::retry);
    EXPECT_EQ(again.error().message, "database is locked");
  }
  EXPECT_FALSE(other->run("INSERT INTO t VALUES (2)"));
  // In a while it is asked for again.
  Result<> stored = prepared->run();
  for (int i = 0; i < 1000 && !stored; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stored = prepared->run();
  }
  EXPECT_TRUE(stored);
}

TEST_F(SqliteTest, AStopEndsTheWaitForALock) {
  auto holder = Open();
  ASSERT_TRUE(holder.script("CREATE TABLE t (a); BEGIN EXCLUSIVE"));
  StopSignal stop;
  constexpr int kAnHour = 3'600'000;
  auto waits = Sqlite::open(path_, Sqlite::Mode::read_write, kAnHour, &stop).value();
  std::thread other([&] { stop.request(); });
  const auto written = waits.script("INSERT INTO t VALUES (1)");
  other.join();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::retry);
  // Nobody waits afterwards either, and a connection that was moved knows it too.
  auto moved = std::move(waits);
  EXPECT_FALSE(moved.script("INSERT INTO t VALUES (1)"));
  ASSERT_TRUE(holder.script("ROLLBACK"));
  EXPECT_TRUE(moved.script("INSERT INTO t VALUES (1)"));
}

}  // namespace
}  // namespace caravel
