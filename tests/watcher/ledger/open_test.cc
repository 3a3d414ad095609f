// Opening the ledger: its modes, by many, by older programs, read-only, on a full disk.
#include "tests/support/ledger_fixture.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/sqlite/sqlite.h"
#include "base/sqlite/transaction.h"
#include "watcher/ledger/sources.h"

namespace caravel::watcher {
namespace {

using testing::SizeIs;
using testing_support::Folder;

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST_F(LedgerTest, IsPrivate) {
  Claim("c1", "a.log");
  EXPECT_EQ(ModeOf(folder_ / "state"), 0700U);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    SCOPED_TRACE(suffix);
    EXPECT_EQ(ModeOf(path_ + suffix), 0600U);
  }
}

TEST_F(LedgerTest, TwoConnectionsAtOnceLoseNothing) {
  constexpr int kEach = 50;
  const auto work = [&](const std::string& prefix) {
    auto own = Ledger::open(path_);
    ASSERT_TRUE(own.has_value()) << own.error().message;
    for (int i = 0; i < kEach; ++i) {
      const auto done = own->extracts().commit_claims(
          {ClaimOf(prefix + std::to_string(i), prefix + ".log")}, kNow);
      ASSERT_TRUE(done.has_value()) << done.error().message;
    }
  };
  std::thread a(work, "a");
  std::thread b(work, "b");
  a.join();
  b.join();
  EXPECT_THAT(Ok(ledger().extracts().unfinished()), SizeIs(2 * kEach));
}

TEST(LedgerOpen, ManyMayMakeItAtOnce) {
  const Folder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto ledger = Ledger::open(folder / "ledger.db");
      ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
      const NewClaim claim{.claim = std::to_string(i), .feed = "f", .name = "n"};
      const auto done = ledger->extracts().commit_claims({claim}, kNow);
      ASSERT_TRUE(done.has_value()) << done.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Ledger::open(folder / "ledger.db").value().extracts().unfinished().value(),
              SizeIs(8));
}

Error ErrorOfOpen(const std::string& path, Ledger::Mode mode = Ledger::Mode::read_write) {
  auto ledger = Ledger::open(path, mode);
  EXPECT_FALSE(ledger.has_value());
  return ledger ? Error{} : ledger.error();
}

void RunSql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  sqlite3_close(database);
}

TEST(LedgerOpen, ANewerSchemaIsLeftAlone) {
  const Folder folder;
  const std::string path = folder / "ledger.db";
  { ASSERT_TRUE(Ledger::open(path).has_value()); }
  RunSql(path, "PRAGMA user_version=9");
  for (const auto mode : {Ledger::Mode::read_write, Ledger::Mode::read_only}) {
    const Error error = ErrorOfOpen(path, mode);
    EXPECT_EQ(error.kind, ErrorKind::usage);
    EXPECT_EQ(error.message,
              "ledger: " + path + ": written by a newer caravel (schema 9; this one knows 8)");
  }
}

TEST(LedgerOpen, AnOlderSchemaIsBroughtUpToDateAndKeepsItsRows) {
  const Folder folder;
  const std::string path = folder / "ledger.db";
  {
    auto ledger = Ledger::open(path);
    ASSERT_TRUE(ledger.has_value());
    NewClaim claim;
    claim.claim = "c1";
    ASSERT_TRUE(ledger->extracts().commit_claims({claim}, Time{}).has_value());
  }
  RunSql(path,
         "DROP TABLE manifests; DROP TABLE sources; DROP TABLE gaps; DROP TABLE news; DROP TABLE "
         "directories; DROP TABLE retries; DROP TABLE closed_gaps; "
         "DROP TABLE remembered; DROP TABLE daily; DROP TABLE wishes; DROP TABLE batches; "
         "DROP TABLE overfull; "
         "DROP INDEX extracts_to_archive; DROP INDEX extracts_failed_open; "
         "ALTER TABLE extracts DROP COLUMN settled; ALTER TABLE extracts DROP COLUMN settled_at; "
         "ALTER TABLE extracts DROP COLUMN settled_why; "
         "CREATE INDEX extracts_not_archived ON extracts (id); PRAGMA user_version=1");
  EXPECT_EQ(ErrorOfOpen(path, Ledger::Mode::read_only).kind, ErrorKind::fault);
  auto ledger = Ledger::open(path);
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  EXPECT_THAT(ledger->extracts().unfinished().value(), SizeIs(1));
  EXPECT_THAT(ledger->sources().all().value(), SizeIs(0));
}

TEST(LedgerOpen, AnotherProgramsDatabaseIsLeftAlone) {
  const Folder folder;
  const std::string path = folder / "rows.db";
  RunSql(path, "CREATE TABLE hrt (a); PRAGMA user_version=1");
  const Error error = ErrorOfOpen(path);
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_EQ(error.message, "ledger: " + path + ": this SQLite file is no ledger of caravel");
  EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
}

TEST(LedgerOpen, NobodyOpensItWhileARebuildIsToBeFinished) {
  Folder folder;
  const std::string path = folder / "ledger.db";
  { ASSERT_TRUE(Ledger::open(path).has_value()); }
  const std::string rebuilt = folder.write("ledger.db.rebuilt", "");
  for (const auto mode : {Ledger::Mode::read_write, Ledger::Mode::read_only}) {
    EXPECT_EQ(ErrorOfOpen(path, mode).kind, ErrorKind::fault);
  }
  std::filesystem::remove(rebuilt);
  EXPECT_TRUE(Ledger::open(path).has_value());
}

TEST_F(LedgerTest, ADamagedPageIsFoundThoughNobodyReadsIt) {
  for (int i = 0; i < 50; ++i) Claim("c" + std::to_string(i), std::to_string(i) + ".log");
  Ok(ledger().check_pages());
  ledger_.reset();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-4096, std::ios::end);
    file << std::string(4096, 'x');
  }
  Reopen();
  const std::string fault = FaultOf(ledger().check_pages());
  EXPECT_TRUE(fault.starts_with("ledger: check: the file is damaged: ")) << fault;
}

TEST(LedgerOpen, ADamagedFileIsAFault) {
  Folder folder;
  const std::string path = folder.write("ledger.db", std::string(4096, 'x'));
  const Error error = ErrorOfOpen(path);
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_TRUE(error.message.starts_with("ledger: " + path +
                                        ": the file is damaged: file is not a database; "))
      << error.message;
  EXPECT_TRUE(error.message.find("`caravel ledger rebuild`") != std::string::npos);
}

TEST(LedgerOpen, ReadOnlyMakesAndChangesNothing) {
  const Folder folder;
  const std::string path = folder / "ledger.db";
  const Error error = ErrorOfOpen(path, Ledger::Mode::read_only);
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_EQ(error.message,
            "ledger: " + path + ": there is none yet; caravel watch or sweep makes it");
  EXPECT_FALSE(std::filesystem::exists(path));

  auto writer = Ledger::open(path);
  ASSERT_TRUE(writer.has_value());
  auto reader = Ledger::open(path, Ledger::Mode::read_only);
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  const NewClaim claim{.claim = "c", .feed = "f", .name = "n"};
  const auto refused = reader->extracts().commit_claims({claim}, kNow);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::fault);
  EXPECT_EQ(refused.error().message, "ledger: claim: attempt to write a readonly database");
  ASSERT_TRUE(writer->extracts().commit_claims({claim}, kNow).has_value());
  EXPECT_THAT(reader->extracts().unfinished().value(), SizeIs(1));
}

TEST(LedgerOpen, AFullDiskIsWorthARetry) {
  const Folder folder;
  auto database = [&] {
    const std::string path = folder / "full.db";
    RunSql(path, "CREATE TABLE t (x)");
    return Sqlite::open(path, Sqlite::Mode::read_write, 0);
  }();
  ASSERT_TRUE(database.has_value());
  ASSERT_TRUE(database->script("PRAGMA max_page_count=3").has_value());
  const auto full = database->run("INSERT INTO t VALUES (?)", std::string(100'000, 'x'));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().kind, ErrorKind::retry);
  EXPECT_EQ(full.error().message, "database or disk is full");
}

TEST(LedgerOpen, AnotherWriterIsWorthARetry) {
  const Folder folder;
  const std::string path = folder / "busy.db";
  RunSql(path, "CREATE TABLE t (x)");
  auto a = Sqlite::open(path, Sqlite::Mode::read_write, 0);
  auto b = Sqlite::open(path, Sqlite::Mode::read_write, 0);
  ASSERT_TRUE(a.has_value() && b.has_value());
  const auto held = Transaction::begin(*a);
  ASSERT_TRUE(held.has_value());
  const auto refused = Transaction::begin(*b);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::retry);
}

}  // namespace
}  // namespace caravel::watcher
