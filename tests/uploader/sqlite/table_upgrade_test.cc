// A table of an older version, which held every value as text, brought up to date.
#include <gmock/gmock.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include <fmt/format.h>

#include "tests/support/sqlite_fixture.h"

namespace caravel::testing {
namespace {

using formatter::Column;
using formatter::ColumnType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What must be the same before and after.
constexpr const char* kOwn =
    "SELECT _id, _kind, _time, _extract, _line, _sum, \"Date\" FROM hrt ORDER BY _id";
constexpr const char* kTypes = "SELECT typeof(Lat), count(*) FROM hrt GROUP BY 1 ORDER BY 1";

class TableUpgradeTest : public SqliteFixture {
 protected:
  /// Stores `extract` as versions did that declared every column as TEXT.
  void StoreAsTexts(TestExtract extract) {
    for (Column& column : extract.columns) column.type = ColumnType::text;
    Send(extract);
    ASSERT_EQ(Ask("SELECT count(*) FROM pragma_table_info('hrt') WHERE type = ''"), "0");
  }
  /// Rows whose table does not fit into SQLite's cache: a part of a change is in the file before
  /// its commit.
  TestExtract LargeExtract() {
    config_.batch_rows = 2000;  // few commits
    Reopen();
    TestExtract extract = extract_of(12'000);
    for (TestRow& row : extract.rows) {
      row.record = std::string(1000, 'x') + row.record.substr(row.record.find(','));
    }
    return extract;
  }
};

TEST_F(TableUpgradeTest, TextsBecomeNumbersOnceAndThatIsSaid) {
  TestExtract extract = extract_of(2500);
  extract.rows[0].record = "2012-03-09,007";
  extract.rows[1].record = "2012-03-09,";
  extract.rows[2].record = "12,-0";
  extract.rows[3].record = "2012-03-09,5";
  StoreAsTexts(extract);
  const auto before = AskAll(kOwn);
  EXPECT_THAT(AskAll(kTypes), ElementsAre("null|1", "text|2499"));

  Reopen();
  std::vector<std::uint64_t> seen;
  auto upload = Start(extract);
  upload->on_upgrade = [&](std::uint64_t rows, std::uint64_t of) {
    EXPECT_EQ(of, 2500U);
    seen.push_back(rows);
  };
  ASSERT_TRUE(upload->run(never_));
  EXPECT_THAT(seen, ElementsAre(1000U, 2000U, 2500U));
  ASSERT_EQ(upload->notes().size(), 1U);
  EXPECT_THAT(upload->notes()[0], HasSubstr("rows.db: table hrt was brought up to date"));
  EXPECT_THAT(upload->notes()[0], HasSubstr("2500 rows"));
  EXPECT_EQ(upload->counts().stored, 2500U) << "found as its own";
  EXPECT_EQ(upload->counts().differs, 0U);

  EXPECT_EQ(AskAll(kOwn), before);
  EXPECT_THAT(AskAll(kTypes), ElementsAre("integer|1", "null|1", "real|2496", "text|2"));
  EXPECT_EQ(Ask("SELECT max(Lat) FROM hrt WHERE Lat < 36.11"), "36.1099");
  EXPECT_EQ(Ask("SELECT typeof(\"Date\") FROM hrt WHERE _line = 3"), "text");
  EXPECT_EQ(Ask("PRAGMA integrity_check"), "ok");
  EXPECT_TRUE(Send(extract)->notes().empty());
  Reopen();
  EXPECT_TRUE(Send(extract)->notes().empty());
  EXPECT_TRUE(Send(extract_of(3, 'b', 3000))->notes().empty());
}

TEST_F(TableUpgradeTest, AnOpenConnectionSeesTheNewTable) {
  StoreAsTexts(extract_of(5));
  auto other = Sqlite::open(config_.path, Sqlite::Mode::read_write, 5000).value();
  const auto above = [&] {
    std::uint64_t rows = 0;
    EXPECT_TRUE(other.each("SELECT count(*) FROM hrt WHERE Lat > 5",
                           [&](const Statement& row) { rows = row.count(0); }));
    return rows;
  };
  EXPECT_EQ(above(), 0U) << "'36.1' is less than '5'";
  Send(extract_of(5));
  EXPECT_EQ(above(), 5U);
}

TEST_F(TableUpgradeTest, JsonTextsBecomeTheirValues) {
  TestExtract extract = extract_of(0);
  extract.columns = {{"v", ColumnType::json}};
  const char* const records[] = {"true", "\"\"\"12\"\"\"", "12", "{}", "plain"};
  for (const char* record : records) {
    extract.rows.push_back({fmt::format("20120309T09480{}:V", extract.rows.size()), record, 0});
  }
  StoreAsTexts(extract);
  Send(extract);
  EXPECT_THAT(AskAll("SELECT v, typeof(v) FROM hrt ORDER BY _line"),
              ElementsAre("1|integer", "12|text", "12|integer", "{}|text", "plain|text"));
}

TEST_F(TableUpgradeTest, WhatStaysIsKeptBesideWhatChanges) {
  TestExtract extract = extract_of(0);
  extract.columns = {{"a", ColumnType::number}, {"b", ColumnType::automatic}};
  for (const char* record : {"1,007", "2,n/a", "3,", "4,9223372036854775808", "5,6", "x,y"}) {
    extract.rows.push_back({fmt::format("20120309T09480{}:V", extract.rows.size()), record, 0});
  }
  StoreAsTexts(extract);
  Do("UPDATE hrt SET b = x'3132' WHERE _line = 5");
  Send(extract);
  EXPECT_THAT(AskAll("SELECT a, typeof(a), quote(b) FROM hrt ORDER BY _line"),
              ElementsAre("1|integer|'007'", "2|integer|'n/a'", "3|integer|NULL",
                          "4|integer|'9223372036854775808'", "5|integer|X'3132'", "x|text|'y'"));
}

TEST_F(TableUpgradeTest, WhatPeopleHaveAddedStaysAndWorks) {
  TestExtract extract = extract_of(200);
  StoreAsTexts(extract);
  Do("ALTER TABLE hrt ADD COLUMN note TEXT DEFAULT ', \"Lat\" TEXT';"
     "UPDATE hrt SET note = '12' WHERE _line = 7; UPDATE hrt SET Lat = x'00ff' WHERE _line = 8;"
     "ALTER TABLE hrt ADD COLUMN lat_number AS (CAST(Lat AS REAL));"
     "CREATE INDEX by_lat ON hrt (Lat); CREATE INDEX by_number ON hrt (lat_number);"
     "CREATE INDEX northern ON hrt (_time) WHERE Lat > 36.5;"
     "CREATE INDEX southern ON hrt (_time) WHERE Lat < 36.5;"
     "CREATE VIEW latest AS SELECT _id, Lat FROM hrt ORDER BY _id DESC;"
     "CREATE TABLE log (a);"
     "CREATE TRIGGER watch AFTER UPDATE ON hrt BEGIN INSERT INTO log VALUES (new._id); END");
  const auto before = AskAll(kOwn);
  Reopen();
  Send(extract);
  EXPECT_EQ(AskAll(kOwn), before);
  EXPECT_EQ(Ask("SELECT note, typeof(note) FROM hrt WHERE _line = 7"), "12|text");
  EXPECT_EQ(Ask("SELECT note FROM hrt WHERE _line = 9"), ", \"Lat\" TEXT");
  EXPECT_EQ(Ask("SELECT typeof(Lat) FROM hrt WHERE _line = 8"), "blob");
  EXPECT_THAT(AskAll(kTypes), ElementsAre("blob|1", "real|199"));
  EXPECT_EQ(Ask("PRAGMA integrity_check"), "ok") << "indexes have an entry for each row";
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt INDEXED BY by_lat WHERE Lat BETWEEN 36.1 AND 36.15"),
            Ask("SELECT count(*) FROM hrt NOT INDEXED WHERE Lat BETWEEN 36.1 AND 36.15"));
  EXPECT_EQ(Ask("SELECT typeof(Lat) FROM latest LIMIT 1"), "real");
  EXPECT_EQ(Ask("SELECT count(*) FROM log"), "0") << "no trigger runs for what changes no row";
  Do("UPDATE hrt SET note = 'x' WHERE _line = 1");
  EXPECT_EQ(Ask("SELECT count(*) FROM log"), "1") << "later it does";
}

TEST_F(TableUpgradeTest, ATypeThatPeopleGaveIsTheirs) {
  StoreAsTexts(extract_of(0));
  Do("ALTER TABLE hrt DROP COLUMN Lat; ALTER TABLE hrt ADD COLUMN Lat VARCHAR(20)");
  TestExtract extract = extract_of(3);
  extract.rows[0].record = "2012-03-09,36.7500";
  EXPECT_TRUE(Send(extract)->notes().empty());
  EXPECT_EQ(Ask("SELECT Lat FROM hrt WHERE _line = 1"), "36.7500") << "the CSV's own text";
  EXPECT_EQ(Ask("SELECT type FROM pragma_table_info('hrt') WHERE name = 'Lat'"), "VARCHAR(20)");
}

TEST_F(TableUpgradeTest, ATableThatCannotBeChangedGoesOnTakingTexts) {
  StoreAsTexts(extract_of(0));
  Do("ALTER TABLE hrt DROP COLUMN Lat; ALTER TABLE hrt ADD COLUMN Lat \"TEXT\"");
  TestExtract extract = extract_of(2);
  extract.rows[0].record = "2012-03-09,36.7500";
  const auto upload = Send(extract);
  EXPECT_EQ(upload->counts().stored, 2U);
  ASSERT_EQ(upload->notes().size(), 1U);
  EXPECT_THAT(upload->notes()[0], HasSubstr("cannot be changed"));
  EXPECT_EQ(Ask("SELECT Lat, typeof(Lat) FROM hrt WHERE _line = 1"), "36.7500|text");
}

TEST_F(TableUpgradeTest, AColumnOfTextThatAFormatMadeNumberIsConvertedToo) {
  TestExtract extract = extract_of(3);
  extract.columns = {{"Date", ColumnType::text}, {"Lat", ColumnType::text}};
  Send(extract);
  EXPECT_EQ(Send(extract_of(3))->notes().size(), 1U);
  EXPECT_EQ(Ask(kTypes), "real|3");
}

TEST_F(TableUpgradeTest, AKillInTheMiddleLeavesTheOldTable) {
  const TestExtract extract = LargeExtract();
  StoreAsTexts(extract);
  store_.reset();  // a connection must not cross a fork (sqlite.org/howtocorrupt.html)
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Reopen();
    auto upload = Start(extract);
    upload->on_upgrade = [](std::uint64_t rows, std::uint64_t) {
      if (rows >= 11'000) ::raise(SIGKILL);
    };
    (void)upload->run(never_);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it was not killed in the middle";
  EXPECT_GT(std::filesystem::file_size(config_.path + "-wal"), 1'000'000U)
      << "nothing of the change had reached the disk";
  EXPECT_THAT(AskAll(kTypes), ElementsAre("text|12000"));
  EXPECT_EQ(Ask("SELECT type FROM pragma_table_info('hrt') WHERE name = 'Lat'"), "TEXT");
  EXPECT_EQ(Ask("PRAGMA integrity_check"), "ok");
  Reopen();
  EXPECT_EQ(Send(extract)->notes().size(), 1U);
  EXPECT_THAT(AskAll(kTypes), ElementsAre("real|12000"));
}

TEST_F(TableUpgradeTest, AStopLeavesTheOldTableAndTheNextLoadChangesIt) {
  const TestExtract extract = extract_of(2500);
  StoreAsTexts(extract);
  Do("CREATE TABLE log (a); CREATE TRIGGER watch AFTER INSERT ON hrt "
     "BEGIN INSERT INTO log VALUES (new._id); END");
  auto upload = Start(extract_of(1, 'b', 2500));
  StopSignal stop;
  upload->on_upgrade = [&](std::uint64_t, std::uint64_t) { stop.request(); };
  const auto ran = upload->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped);
  EXPECT_THAT(AskAll(kTypes), ElementsAre("text|2500"));
  // The same upload, over the same connection.
  const auto again = upload->run(never_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(AskAll(kTypes), ElementsAre("real|2501"));
  EXPECT_EQ(Ask("SELECT count(*) FROM log"), "1") << "triggers run again";
}

/// No file of this process may grow beyond `bytes`, as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(TableUpgradeTest, AFullDiskLeavesTheOldTableAndLoadingWaits) {
  const TestExtract extract = LargeExtract();
  StoreAsTexts(extract);
  Reopen();
  auto upload = Start(extract);
  {
    const FileSizeLimit limit(1'000'000);
    const auto ran = upload->run(never_);
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().kind, ErrorKind::retry) << ran.error().message;
    EXPECT_THAT(ran.error().message, HasSubstr("table hrt, of an older version"));
    EXPECT_THAT(ran.error().message, HasSubstr("File too large"));
    EXPECT_EQ(upload->counts().stored, 0U);
  }
  EXPECT_THAT(AskAll(kTypes), ElementsAre("text|12000"));
  const auto again = upload->run(never_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(upload->counts().stored, 12'000U);
  EXPECT_THAT(AskAll(kTypes), ElementsAre("real|12000"));
}

TEST_F(TableUpgradeTest, ALockedFileIsSomethingToWaitFor) {
  StoreAsTexts(extract_of(3));
  auto other = Sqlite::open(config_.path, Sqlite::Mode::read_write, 5000).value();
  ASSERT_TRUE(other.script("BEGIN IMMEDIATE"));
  auto upload = Start(extract_of(3));
  StopSignal stop;
  stop.request();  // so that the wait for the lock is short
  const auto ran = upload->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry) << ran.error().message;
  ASSERT_TRUE(other.script("ROLLBACK"));
  EXPECT_THAT(AskAll(kTypes), ElementsAre("text|3"));
  ASSERT_TRUE(upload->run(never_));
  EXPECT_THAT(AskAll(kTypes), ElementsAre("real|3"));
}

}  // namespace
}  // namespace caravel::testing
