// What only the SQLite store does.
#include <gtest/gtest.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/sqlite/sqlite.h"
#include "tests/support/sqlite_fixture.h"

namespace caravel::testing {
namespace {

using formatter::ColumnType;

class SqliteStoreTest : public SqliteFixture {};

TEST_F(SqliteStoreTest, ValuesKeepTheCsvsDigits) {
  TestExtract extract = extract_of(0);
  extract.rows = {{"20120309T094800:V:1", "2012-03-09,036.750", 0},
                  {"20120309T094801:V:2", ",1", 0}};
  ASSERT_TRUE(Start(extract)->run(never_));
  EXPECT_EQ(Ask("SELECT \"Lat\", typeof(\"Lat\") FROM hrt WHERE _line = 1"), "036.750|text");
  EXPECT_EQ(Ask("SELECT \"Date\" FROM hrt WHERE _line = 2"), "(none)");
  EXPECT_EQ(Ask("SELECT _time FROM hrt WHERE _line = 1"), "2012-03-09T09:48:00");
  EXPECT_EQ(Ask("SELECT _kind FROM hrt WHERE _line = 1"), "location");
}

TEST_F(SqliteStoreTest, TablesGainColumnsAndLoseNone) {
  ASSERT_TRUE(Start(extract_of(2))->run(never_));
  TestExtract other = extract_of(0, 'b');
  other.columns = {{"lat", ColumnType::text}, {"New", ColumnType::text}};
  other.rows = {{"20120310T094800:V:1", "1,2", 0}};
  ASSERT_TRUE(Start(other)->run(never_));
  EXPECT_EQ(Ask("SELECT count(*) FROM pragma_table_info('hrt')"), "9");
  EXPECT_EQ(Ask("SELECT \"New\" FROM hrt WHERE _id LIKE '%0310%'"), "2");
}

TEST_F(SqliteStoreTest, MoreColumnsThanATableTakesAreTheFilesFault) {
  TestExtract extract = extract_of(0);
  extract.columns.clear();
  for (int i = 0; i < 2001; ++i) extract.columns.push_back({fmt::format("c{}", i), {}});
  const auto ran = Start(extract)->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::content);
}

TEST_F(SqliteStoreTest, AWriterThatHoldsTheFileIsSomethingToWaitFor) {
  ASSERT_TRUE(Start(extract_of(1))->run(never_));
  auto other = Sqlite::open(config_.path, Sqlite::Mode::read_write, 5000).value();
  config_.batch_rows = 1;
  Reopen();
  auto upload = Start(extract_of(25, 'b', 100));
  // The file is locked only once the upload has begun, so that its second transaction finds it
  // locked.
  bool held = false;
  upload->on_progress = [&](std::uint64_t) {
    if (!held) {
      ASSERT_TRUE(other.script("BEGIN IMMEDIATE"));
    }
    held = true;
  };
  const auto ran = upload->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry) << ran.error().message;
  EXPECT_EQ(upload->counts().stored, 10U);
  ASSERT_TRUE(other.script("COMMIT"));
  const auto again = upload->run(never_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(upload->counts().stored, 25U);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "26");
}

TEST_F(SqliteStoreTest, AFileThatVanishesInTheMiddleIsReportedAndEverythingStoredAgain) {
  auto upload = Start(extract_of(250));
  upload->on_progress = [&](std::uint64_t) { std::filesystem::remove(config_.path); };
  const auto ran = upload->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::fault);
  EXPECT_TRUE(upload->must_restart());
  EXPECT_FALSE(upload->run(never_)) << "the rows that went with the file would be missing";
}

TEST_F(SqliteStoreTest, AFileThatVanishedIsMadeAnewAndThatIsSaid) {
  const TestExtract extract = extract_of(15);
  uploader::UploadOptions options;
  options.may_create = false;  // rows were stored there before
  auto upload = store_->start(info_of(), extract.reader(), options);
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), "15");
  ASSERT_EQ(upload->notes().size(), 1U);
  EXPECT_NE(upload->notes()[0].find("vanished"), std::string::npos) << upload->notes()[0];
}

TEST_F(SqliteStoreTest, WhatIsNoDatabaseIsAFault) {
  ASSERT_TRUE(publish_file(config_.path, std::string(5000, 'x')));
  const auto ran = Start(extract_of(1))->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::fault) << ran.error().message;
  EXPECT_NE(ran.error().message.find(config_.path), std::string::npos) << ran.error().message;
  EXPECT_FALSE(store_->check());
}

TEST_F(SqliteStoreTest, TheFeedsRowIsCommittedWithTheLastRows) {
  auto upload = Start(extract_of(250));
  std::vector<std::string> feeds;
  upload->on_progress = [&](std::uint64_t) { feeds.push_back(Ask("SELECT count(*) FROM _feeds")); };
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(feeds, (std::vector<std::string>{"0", "0", "1"}));
}

TEST_F(SqliteStoreTest, CommitsAreDurable) {
  ASSERT_TRUE(Start(extract_of(1))->run(never_));
  EXPECT_EQ(Ask("PRAGMA journal_mode"), "wal");
}

}  // namespace
}  // namespace caravel::testing
