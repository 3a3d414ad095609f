// What can be read of a ledger whatever is damaged of it, and that nothing else is.
#include "watcher/ledger/salvage/salvage.h"

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/ledger_fixture.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/stores.h"
#include "watcher/ledger/upkeep/folding.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kPage = 4096;
constexpr int kExtracts = 100;

class SalvageTest : public LedgerTest {
 protected:
  /// A hundred extracts, every tenth failed, each third with a manifest; one store.
  void Fill() {
    for (int i = 0; i < kExtracts; ++i) {
      const std::string claim = fmt::format("c{:04}", i);
      const std::string sha256 = fmt::format("{:064x}", i + 1);
      Claim(claim, fmt::format("{:04}.log", i));
      if (i % 10 == 0) {
        Ok(ledger().extracts().finish_failed(claim, "damaged gzip data", 0, kNow));
        continue;
      }
      Format(claim, sha256);
      Finish(claim);
      Ok(ledger().extracts().set_done_path(claim, "/spool/done/" + claim));
      if (i % 3 == 0) AddManifest(i, sha256);
    }
    Ok(ledger().stores().first_row_stored("local", "/rows.db", kNow));
  }
  void AddManifest(int i, const std::string& sha256) {
    Manifest manifest;
    manifest.host = "host";
    // Longer than a page keeps of a row: the rest lies on pages of its own.
    manifest.log = "/var/log/" + std::string(i % 2 == 0 ? 3000 : 10, 'x');
    manifest.run = "0123abcd";
    manifest.sequence = static_cast<std::uint64_t>(i + 1);
    manifest.first_line = std::string(32, '0');
    manifest.last = manifest.bytes = 10;
    manifest.lines = 1;
    manifest.sha256 = sha256;
    Ok(ledger().manifests().add("hrt", fmt::format("{:04}.log", i), manifest, kNow));
  }
  /// The bytes of the file and its log while the ledger is open: most of it is in the log then.
  void CopyTo(const std::string& path) {
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + suffix, path + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  static std::string BytesOf(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string Write(const std::string& bytes) { return folder_.write("damaged.db", bytes); }
  /// The whole ledger as one file.
  std::string Closed() {
    ledger_.reset();
    return BytesOf(path_);
  }

  Salvaged SalvageOf(const std::string& path) {
    const std::string fresh = folder_ / "fresh.db";
    std::filesystem::remove(fresh);
    { EXPECT_TRUE(Ledger::open(fresh)); }
    auto database = Sqlite::open(fresh, Sqlite::Mode::read_write, 0);
    EXPECT_TRUE(database);
    // Nothing here has to last: it is quicker if nothing waits for the disk.
    EXPECT_TRUE(database->script("PRAGMA synchronous=OFF; BEGIN"));
    const auto salvaged = salvage_ledger(path, *database);
    EXPECT_TRUE(salvaged) << salvaged.error().message;
    EXPECT_TRUE(database->script("COMMIT"));
    rows_ = RowsOf(*database);
    return salvaged.value_or(Salvaged{});
  }
  using Rows = std::set<std::string>;
  static Rows RowsOf(Sqlite& database) {
    Rows rows;
    for (const char* table : {"extracts", "known_times", "manifests", "stores"}) {
      EXPECT_TRUE(database.each(fmt::format("SELECT * FROM {}", table), [&](const Statement& row) {
        std::string text = table;
        for (int i = 0; i < row.columns(); ++i) text += "|" + row.text(i);
        rows.insert(text);
      }));
    }
    return rows;
  }
  Rows AllRows() {
    auto database = Sqlite::open(path_, Sqlite::Mode::read_only, 0);
    EXPECT_TRUE(database);
    return RowsOf(*database);
  }

  Rows rows_;
};

TEST_F(SalvageTest, AllRowsOfASoundFileAreRead) {
  Fill();
  const Rows all = AllRows();
  ASSERT_EQ(all.size(), 100U + 90 + 30 + 1);
  const Salvaged salvaged = SalvageOf(Write(Closed()));
  EXPECT_EQ(rows_, all);
  EXPECT_EQ(salvaged.extracts, 100U);
  EXPECT_EQ(salvaged.years, 90U);
  EXPECT_EQ(salvaged.manifests, 30U);
  EXPECT_EQ(salvaged.damaged_pages, 0U);
}

TEST_F(SalvageTest, NoRowNeedsTheHeaderOrTheFirstPage) {
  Fill();
  const Rows all = AllRows();
  const std::string bytes = Closed();
  for (const std::size_t size : {std::size_t{60}, std::size_t{100}, kPage}) {
    SCOPED_TRACE(size);
    SalvageOf(Write(std::string(size, '?') + bytes.substr(size)));
    EXPECT_EQ(rows_, all);
  }
}

TEST_F(SalvageTest, WhatIsCommittedIntoTheLogCounts) {
  Fill();
  const Rows all = AllRows();
  const std::string copy = folder_ / "copy.db";
  CopyTo(copy);
  ASSERT_GT(std::filesystem::file_size(copy + "-wal"), kPage);
  std::string bytes = BytesOf(copy);
  bytes.replace(0, std::min<std::size_t>(bytes.size(), 60), 60, '?');
  folder_.write("copy.db", bytes);
  SalvageOf(copy);
  EXPECT_EQ(rows_, all);
}

TEST_F(SalvageTest, ALogThatIsCutOffEndsAtItsLastWholeCommit) {
  for (int i = 0; i < 30; ++i) Claim(fmt::format("c{}", i), fmt::format("{}.log", i));
  const std::string copy = folder_ / "copy.db";
  CopyTo(copy);
  std::filesystem::resize_file(copy + "-wal", std::filesystem::file_size(copy + "-wal") * 2 / 3);
  const Salvaged salvaged = SalvageOf(copy);
  EXPECT_LT(salvaged.extracts, 30U);
  EXPECT_GT(salvaged.extracts, 10U);
}

TEST_F(SalvageTest, PagesOfRubbishTakeTheirOwnRowsOnlyAndInventNone) {
  Fill();
  const Rows all = AllRows();
  const std::string bytes = Closed();
  std::mt19937 random(8);  // NOLINT: the same pages each time
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    std::string damaged = bytes;
    for (int i = 0; i <= round % 5; ++i) {
      const std::size_t page = random() % (damaged.size() / kPage);
      for (std::size_t at = 0; at < kPage; ++at) {
        damaged[page * kPage + at] = static_cast<char>(random());
      }
    }
    SalvageOf(Write(damaged));
    EXPECT_TRUE(std::ranges::includes(all, rows_));
    // A page of `extracts` holds a dozen rows, one of the smaller tables some forty.
    EXPECT_GE(rows_.size() + static_cast<std::size_t>(round % 5 + 1) * 60, all.size());
  }
}

TEST_F(SalvageTest, NoDamageEndsIt) {
  Fill();
  const std::string bytes = Closed();
  std::mt19937 random(9);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(round);
    std::string damaged = bytes.substr(0, random() % bytes.size() + 1);
    for (int i = 0; i < 400; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    SalvageOf(Write(damaged));
  }
  SalvageOf(Write(""));
  EXPECT_TRUE(rows_.empty());
}

TEST_F(SalvageTest, OfTwoCopiesOfARowTheFurtherOneCounts) {
  Claim("c1", "a.log");
  const std::string fresh = folder_ / "fresh.db";
  { ASSERT_TRUE(Ledger::open(fresh)); }
  ledger_.reset();
  const std::string before = BytesOf(path_);
  Reopen();
  Format("c1");
  Finish("c1");
  // The older pages stand behind the newer ones, as on pages that SQLite has freed.
  const std::string after = Closed();
  for (const std::string& bytes : {after + before, before + after}) {
    const Salvaged salvaged = SalvageOf(Write(bytes));
    EXPECT_EQ(salvaged.extracts, 1U);
    EXPECT_THAT(rows_, testing::Contains(testing::HasSubstr("|done|")));
  }
}

TEST_F(SalvageTest, WhatWasFoldedIsCountedOnceThoughOldPagesStillHaveIt) {
  Fill();
  const LineCounts before = Ok(ledger().history().summaries()).at("hrt").counts;
  Folding folding(ledger());
  const FoldBounds bounds{kNow + std::chrono::hours(1), Time{}};
  const auto gone = [](const Extract& extract) { return extract.id % 2 == 0; };
  while (Ok(folding.step(bounds, gone)).more) {
  }
  EXPECT_EQ(Ok(ledger().history().summaries()).at("hrt").counts, before);
  const std::string path = Write(Closed());
  const auto salvage = [&](const std::string& damaged) {
    auto fresh = Ledger::open(folder_ / "fresh.db");
    Ok(salvage_ledger(damaged, fresh->database()));
    const LineCounts counts = Ok(fresh->history().summaries()).at("hrt").counts;
    EXPECT_THAT(Ok(fresh->history().find_sha256(fmt::format("{:064x}", 4))), testing::SizeIs(1));
    fresh = tl::unexpected(Error{});
    std::filesystem::remove(folder_ / "fresh.db");
    return counts;
  };
  EXPECT_EQ(salvage(path), before);
  // The day's own row is lost: what is remembered makes it anew.
  Reopen();
  Ok(ledger().database().run("DELETE FROM daily"));
  EXPECT_EQ(salvage(Write(Closed())), before);
}

}  // namespace
}  // namespace caravel::watcher
