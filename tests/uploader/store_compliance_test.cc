// What every store must do, run over each of them as it is: CouchDB's protocol and PostgreSQL
// against real servers, SQLite against a real file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/extract_fixture.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pouch_server.h"
#include "tests/support/temp_dir.h"
#include "uploader/couchdb/store.h"
#include "uploader/http/curl_transport.h"
#include "uploader/postgresql/store.h"
#include "uploader/sqlite/store.h"
#include "uploader/verdict.h"

namespace caravel::testing {
namespace {

using formatter::ColumnType;
using nlohmann::json;
using uploader::Store;
using uploader::StoredDocument;
using uploader::StoreSettings;
using uploader::Upload;
using uploader::UploadOptions;

/// One of the stores under test: where a test finds it, how it is made, how its data is lost.
class TestedStore {
 public:
  virtual ~TestedStore() = default;
  virtual std::unique_ptr<Store> make(const StoreSettings& settings) = 0;
  virtual void wipe() = 0;
};

class TestedCouchdb : public TestedStore {
 public:
  TestedCouchdb() {
    static int databases = 0;
    config_.server.url = shared_pouch_server().url();
    config_.database = fmt::format("compliance{}", ++databases);
  }
  std::unique_ptr<Store> make(const StoreSettings& settings) override {
    static_cast<StoreSettings&>(config_) = settings;
    return uploader::make_couchdb_store(config_, uploader::make_curl_transport({}));
  }
  void wipe() override { shared_pouch_server().request("DELETE", "/" + config_.database); }

 private:
  uploader::CouchdbConfig config_;
};

class TestedSqlite : public TestedStore {
 public:
  TestedSqlite() { config_.path = directory_.path("made/rows.db"); }
  std::unique_ptr<Store> make(const StoreSettings& settings) override {
    static_cast<StoreSettings&>(config_) = settings;
    return uploader::make_sqlite_store(config_);
  }
  void wipe() override { std::filesystem::remove_all(directory_.path("made")); }

 private:
  caravel::test::TempDir directory_;
  uploader::SqliteConfig config_;
};

class TestedPostgresql : public TestedStore {
 public:
  TestedPostgresql() {
    static int schemas = 0;
    config_.login = uploader::read_url(shared_postgres_server().url()).value();
    config_.schema = fmt::format("compliance{}", ++schemas);
  }
  std::unique_ptr<Store> make(const StoreSettings& settings) override {
    static_cast<StoreSettings&>(config_) = settings;
    return uploader::make_postgresql_store(config_);
  }
  void wipe() override {
    shared_postgres_server().sql(fmt::format("DROP SCHEMA {} CASCADE", config_.schema));
  }

 private:
  uploader::PostgresqlConfig config_;
};

/// A store that is added gets a line here, and everything below holds for it too.
struct StoreCase {
  const char* name;
  std::unique_ptr<TestedStore> (*make)();
  bool keeps_digits = false;  // of numbers that a double has no room for
};
constexpr StoreCase kStores[] = {
    {"CouchDb", []() -> std::unique_ptr<TestedStore> { return std::make_unique<TestedCouchdb>(); }},
    {"Sqlite", []() -> std::unique_ptr<TestedStore> { return std::make_unique<TestedSqlite>(); }},
    {"Postgresql",
     []() -> std::unique_ptr<TestedStore> { return std::make_unique<TestedPostgresql>(); }, true},
};

class StoreCompliance : public ::testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override {
    tested_ = GetParam().make();
    settings_.name = "store";
    settings_.batch_rows = 10;  // several batches from few rows
    Open();
  }
  void Open() { store_ = tested_->make(settings_); }

  /// Uploads all of `extract`; fails the test if that fails.
  std::unique_ptr<Upload> Send(const TestExtract& extract, UploadOptions options = {},
                               uploader::ExtractInfo info = info_of()) {
    auto upload = store_->start(std::move(info), extract.reader(), options);
    const auto ran = upload->run(never_);
    EXPECT_TRUE(ran) << ran.error().message;
    EXPECT_EQ(upload->counts().acknowledged(upload->refused().size()), extract.rows.size());
    return upload;
  }

  StoredDocument Find(const std::string& id) {
    auto found = store_->find(id);
    EXPECT_TRUE(found) << found.error().message;
    if (!found || !*found) {
      ADD_FAILURE() << id << " is not stored";
      return {};
    }
    return std::move(**found);
  }

  std::uint64_t RowsOf(char digit) {
    std::uint64_t count = 0;
    const auto read = store_->for_each_row_of("hrt", std::string(16, digit),
                                              [&](const StoredDocument&) { ++count; });
    EXPECT_TRUE(read) << read.error().message;
    return count;
  }

  void Wipe() {
    store_.reset();
    tested_->wipe();
    Open();
  }

  std::string FeedId(char digit) { return "feed:hrt:" + std::string(64, digit); }

  std::unique_ptr<TestedStore> tested_;
  StoreSettings settings_;
  std::unique_ptr<Store> store_;
  StopSignal never_;
};

TEST_P(StoreCompliance, StoresEveryRowAndThenTheExtract) {
  TestExtract extract = extract_of(35);
  extract.dropped = 4;
  const auto upload = Send(extract);
  EXPECT_EQ(upload->counts().stored, 35U);
  EXPECT_EQ(upload->counts().already_there, 0U);
  EXPECT_EQ(RowsOf('a'), 35U);
  const StoredDocument row = Find(id_of(extract, 34));
  EXPECT_EQ(row.extract, std::string(16, 'a'));
  EXPECT_EQ(row.line, 35U);
  EXPECT_EQ(row.sum.size(), 16U);
  EXPECT_EQ(json::parse(row.text)["Date"], "2012-03-09");
  const StoredDocument feed = Find(FeedId('a'));
  EXPECT_EQ(feed.extract, std::string(16, 'a'));
  const json document = json::parse(feed.text);
  EXPECT_EQ(document["doc_type"], "Feed");
  EXPECT_EQ(document["status"], "new");
  EXPECT_EQ(document["name"], "a.log");
  EXPECT_EQ(document["host"], "loader");
  EXPECT_EQ(document["lines"], 39);
  EXPECT_EQ(document["rows"], 35);
  EXPECT_EQ(document["dropped"], 4);
  EXPECT_EQ(document["rejected"], 0);
  EXPECT_EQ(document["timestamp"], "2012-03-09T15:00:00Z");
  EXPECT_FALSE(document.contains("year_guessed"));
}

TEST_P(StoreCompliance, ReportsProgressAsRowsAreAcknowledged) {
  auto upload = store_->start(info_of(), extract_of(250).reader(), {});
  std::vector<std::uint64_t> seen;
  upload->on_progress = [&](std::uint64_t rows) { seen.push_back(rows); };
  ASSERT_TRUE(upload->run(never_));
  ASSERT_GT(seen.size(), 1U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 250U);
}

TEST_P(StoreCompliance, AnExtractWithoutRowsIsStillReported) {
  Send(extract_of(0));
  EXPECT_EQ(json::parse(Find(FeedId('a')).text)["rows"], 0);
}

TEST_P(StoreCompliance, AReplayFindsItsOwnRows) {
  const TestExtract extract = extract_of(35);
  Send(extract);
  const auto again = Send(extract, {}, info_of("again.log"));
  EXPECT_EQ(again->counts().stored, 35U);
  EXPECT_EQ(again->counts().differs, 0U);
  EXPECT_EQ(RowsOf('a'), 35U);
  // The feed document keeps the name of the first upload.
  EXPECT_EQ(json::parse(Find(FeedId('a')).text)["name"], "a.log");
}

TEST_P(StoreCompliance, ARowThatTwoExtractsBringIsStoredOnceAndKeepsItsCredit) {
  Send(extract_of(20, 'a', 0));
  const auto second = Send(extract_of(20, 'b', 15));
  EXPECT_EQ(second->counts().stored, 15U);
  EXPECT_EQ(second->counts().already_there, 5U);
  EXPECT_EQ(second->counts().differs, 0U);
  EXPECT_EQ(RowsOf('a'), 20U);
  EXPECT_EQ(RowsOf('b'), 15U);
}

TEST_P(StoreCompliance, ALineThatIsRepeatedInAnExtractIsStoredOnce) {
  TestExtract extract = extract_of(12);
  extract.rows.insert(extract.rows.begin() + 5, extract.rows[2]);  // within a batch
  extract.rows.push_back(extract.rows[0]);                         // across batches
  for (const char* round : {"first", "replay"}) {
    SCOPED_TRACE(round);
    const auto upload = Send(extract);
    EXPECT_EQ(upload->counts().stored, 12U);
    EXPECT_EQ(upload->counts().already_there, 2U);
    EXPECT_EQ(upload->counts().differs, 0U);
    EXPECT_EQ(RowsOf('a'), 12U);
  }
}

TEST_P(StoreCompliance, ARowWithAnotherSumIsKeptAndReported) {
  TestExtract extract = extract_of(25);
  Send(extract);
  const std::string before = Find(id_of(extract, 7)).sum;
  extract.rows[7].record = "2012-03-09,1.5";
  const auto upload = Send(extract);
  EXPECT_EQ(upload->counts().stored, 24U);
  EXPECT_EQ(upload->counts().already_there, 1U);
  EXPECT_EQ(upload->counts().differs, 1U);
  EXPECT_EQ(Find(id_of(extract, 7)).sum, before);
}

TEST_P(StoreCompliance, ReprocessingReplacesRowsWithAnotherSum) {
  TestExtract extract = extract_of(25);
  Send(extract);
  const std::string before = Find(id_of(extract, 7)).sum;
  extract.rows[7].record = "2012-03-10,1.5";
  extract.dropped = 3;
  UploadOptions options;
  options.reprocess = true;
  const auto upload = Send(extract, options, info_of("other.log"));
  EXPECT_EQ(upload->counts().stored, 25U);
  EXPECT_EQ(upload->counts().replaced, 1U);
  EXPECT_EQ(upload->counts().differs, 0U);
  EXPECT_NE(Find(id_of(extract, 7)).sum, before);
  EXPECT_EQ(json::parse(Find(id_of(extract, 7)).text)["Date"], "2012-03-10");
  EXPECT_EQ(RowsOf('a'), 25U);
  const json feed = json::parse(Find(FeedId('a')).text);
  EXPECT_EQ(feed["name"], "a.log");
  EXPECT_EQ(feed["dropped"], 3);
}

TEST_P(StoreCompliance, AWipedStoreIsFilledAgain) {
  const TestExtract extract = extract_of(15);
  Send(extract);
  Wipe();
  EXPECT_EQ(Send(extract)->counts().stored, 15U);
  EXPECT_EQ(RowsOf('a'), 15U);
}

TEST_P(StoreCompliance, ARowThatIsNoTextIsRefusedAlone) {
  TestExtract extract = extract_of(12);
  extract.rows[3].record = "2012-03-09,\xff";
  extract.rows[4].record = "only one field";
  const auto upload = Send(extract);
  EXPECT_EQ(upload->counts().stored, 10U);
  ASSERT_EQ(upload->refused().size(), 2U);
  EXPECT_EQ(upload->refused()[0].line, 4U);
  EXPECT_EQ(upload->refused()[0].offset, 300U);
  EXPECT_EQ(json::parse(Find(FeedId('a')).text)["rejected"], 2);
}

TEST_P(StoreCompliance, RowsCarryTheirUtcTime) {
  auto info = info_of();
  info.timezone = "America/New_York";
  const TestExtract extract = extract_of(1);
  Send(extract, {}, info);
  const std::string text = Find(id_of(extract, 0)).text;
  EXPECT_NE(text.find("2012-03-09T00:00:00\""), std::string::npos) << text;
  EXPECT_NE(text.find("2012-03-09T05:00:00Z"), std::string::npos) << text;
}

TEST_P(StoreCompliance, AnUnknownTimeZoneIsAUsageError) {
  auto info = info_of();
  info.timezone = "Mars/Olympus";
  const auto ran = store_->start(info, extract_of(1).reader(), {})->run(never_);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::usage);
}

TEST_P(StoreCompliance, ColumnsWithAwkwardNamesAreStored) {
  TestExtract extract = extract_of(0);
  extract.columns = {{"_id", ColumnType::text},     {"time", ColumnType::text},
                     {"", ColumnType::text},        {"a\"b", ColumnType::text},
                     {"caravel", ColumnType::text}, {"_Time", ColumnType::text},
                     {"A", ColumnType::text},       {"a", ColumnType::text}};
  extract.rows.push_back({"20120309T094800:V:1", "v1,v2,v3,v4,v5,v6,v7,v8", 0});
  Send(extract);
  const std::string text = Find("hrt:20120309T094800:V:1").text;
  for (int i = 1; i <= 8; ++i) {
    EXPECT_NE(text.find(fmt::format("\"v{}\"", i)), std::string::npos) << text;
  }
}

TEST_P(StoreCompliance, NumbersAreNumbersWhereTheirDigitsSurvive) {
  const struct {
    ColumnType type;
    const char* field;
    json stored;
    json with_all_digits{};  // where the store keeps them, if that differs
  } cases[] = {
      {ColumnType::number, "1470", 1470},
      {ColumnType::number, "36.7500", 36.75},
      {ColumnType::number, "-76.091438594", -76.091438594},
      // The column is a number: zeros in front are no part of one.
      {ColumnType::number, "007", "007", 7},
      {ColumnType::automatic, "0.12345678901234568", 0.12345678901234568},
      {ColumnType::automatic, "05.12", "05.12"},
      {ColumnType::automatic, "-0", "-0"},
      {ColumnType::automatic, "1e400", "1e400"},
      {ColumnType::automatic, "9223372036854775808", "9223372036854775808", 9223372036854775808U},
      {ColumnType::automatic, "true", "true"},
      {ColumnType::json, "1E5", 1e5},
      {ColumnType::json, "\"\"\"12\"\"\"", "12"},
      {ColumnType::json, "plain", "plain"},
      {ColumnType::text, "12", "12"},
  };
  TestExtract extract = extract_of(0);
  extract.columns.clear();
  std::string record;
  for (const auto& test : cases) {
    record += fmt::format("{}{}", record.empty() ? "" : ",", test.field);
    extract.columns.push_back({fmt::format("c{}", extract.columns.size()), test.type});
  }
  extract.rows.push_back({"20120309T094800:V:1", record, 0});
  Send(extract);
  const json document = json::parse(Find(id_of(extract, 0)).text);
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(cases[i].field);
    const bool other = GetParam().keeps_digits && !cases[i].with_all_digits.is_null();
    EXPECT_EQ(document[fmt::format("c{}", i)], other ? cases[i].with_all_digits : cases[i].stored);
  }
}

TEST_P(StoreCompliance, WhatIsNotThereIsNotFound) {
  EXPECT_FALSE(store_->find("hrt:nothing").value().has_value());
  Send(extract_of(1));
  EXPECT_FALSE(store_->find("hrt:nothing").value().has_value());
  EXPECT_FALSE(store_->find(FeedId('f')).value().has_value());
}

TEST_P(StoreCompliance, OnlyRowsThatAreStillCreditedAreRemoved) {
  const TestExtract first = extract_of(12, 'a', 0);
  const TestExtract second = extract_of(5, 'b', 12);
  Send(first);
  Send(second);
  const auto removed =
      store_->remove_rows("hrt", std::string(16, 'a'),
                          {id_of(first, 0), id_of(first, 11), id_of(second, 0), "hrt:nothing"});
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 2U);
  EXPECT_EQ(RowsOf('a'), 10U);
  EXPECT_EQ(RowsOf('b'), 5U);
  // Rows that were removed can be stored again.
  EXPECT_EQ(Send(first)->counts().stored, 12U);
  EXPECT_EQ(RowsOf('a'), 12U);
}

TEST_P(StoreCompliance, SaysWhatItLacksOfAnExtract) {
  TestExtract extract = extract_of(35);
  extract.rows.push_back(extract.rows[0]);  // one id twice is asked for once
  const auto missing = [&] { return store_->missing("hrt", extract.reader(), never_); };
  Send(extract_of(1, 'b', 40));  // the database is there, and nothing of this extract
  auto before = missing();
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->rows, before->asked);
  EXPECT_TRUE(before->feed_document);
  EXPECT_EQ(before->examples.size(), 3U);

  Send(extract);
  auto whole = missing();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_FALSE(whole->any());
  EXPECT_GE(whole->asked, 35U);

  ASSERT_TRUE(
      store_->remove_rows("hrt", std::string(16, 'a'), {id_of(extract, 7), id_of(extract, 34)}));
  auto after = missing();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->rows, 2U);
  EXPECT_FALSE(after->feed_document);
  EXPECT_THAT(after->examples,
              ::testing::UnorderedElementsAre(id_of(extract, 7), id_of(extract, 34)));
  Send(extract);
  EXPECT_FALSE(missing()->any());
}

TEST_P(StoreCompliance, AStopEndsTheQuestionWhatIsMissing) {
  const TestExtract extract = extract_of(2500);
  Send(extract);
  StopSignal stop;
  stop.request();
  const auto asked = store_->missing("hrt", extract.reader(), stop);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind, ErrorKind::stopped);
}

TEST_P(StoreCompliance, FeedDocumentsOfOneFeedAreListed) {
  std::vector<std::string> ids;
  const auto list = [&] {
    ids.clear();
    return store_->for_each_feed_document("hrt", [&](const StoredDocument& document) {
      ids.push_back(document.id);
      EXPECT_EQ(json::parse(document.text).value("doc_type", ""), "Feed");
    });
  };
  // Nothing was ever stored there. A database of CouchDB is then missing, which is an error.
  if (list()) {
    EXPECT_EQ(ids, std::vector<std::string>());
  }
  for (const char digit : {'c', 'a', 'b'}) Send(extract_of(2, digit));
  uploader::ExtractInfo other = info_of();
  other.feed = "hrt2";
  Send(extract_of(2), {}, other);
  ASSERT_TRUE(list());
  EXPECT_EQ(ids, (std::vector<std::string>{FeedId('a'), FeedId('b'), FeedId('c')}));
}

TEST_P(StoreCompliance, WithoutFeedDocumentsOnlyRowsAreStored) {
  settings_.documents = uploader::Documents::rows;
  Open();
  const TestExtract extract = extract_of(3);
  EXPECT_EQ(Send(extract)->counts().stored, 3U);
  EXPECT_FALSE(store_->find(FeedId('a')).value().has_value());
  EXPECT_FALSE(store_->missing("hrt", extract.reader(), never_)->any());
}

TEST_P(StoreCompliance, TheSmallestBatchesStillMoveOn) {
  settings_.batch_rows = 1;
  settings_.batch_bytes = 1;
  Open();
  EXPECT_EQ(Send(extract_of(5))->counts().stored, 5U);
}

/// Extracts that overlap in any way, and the rule of verdict.h applied to one row after the other.
TEST_P(StoreCompliance, AnySequenceOfExtractsIsCountedAsOneRowAfterTheOtherWouldBe) {
  struct Stored {
    char extract;
    std::size_t line;
    std::string record;
  };
  std::map<std::string, Stored> model;  // by id
  std::mt19937 random(5);
  const auto below = [&](std::size_t most) { return random() % most; };
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    const char digit = "abcdef"[below(6)];
    TestExtract extract = extract_of(1 + below(60), digit, below(80));
    UploadOptions options;
    options.reprocess = below(4) == 0;
    options.loaded_before = below(3) == 0;
    if (below(2) == 0) {
      extract.rows[below(extract.rows.size())].record = fmt::format("2012-03-09,{}", below(9));
    }
    if (below(2) == 0) extract.rows.push_back(extract.rows[below(extract.rows.size())]);
    uploader::UploadCounts expected;
    for (std::size_t i = 0; i < extract.rows.size(); ++i) {
      const std::string& record = extract.rows[i].record;
      const auto [there, is_new] =
          model.try_emplace(id_of(extract, i), Stored{digit, i + 1, record});
      uploader::Verdict verdict = uploader::Verdict::stored;
      if (!is_new) {
        const Stored& other = there->second;
        verdict = uploader::verdict_on_taken_id(
            {std::string_view(&digit, 1), i + 1, record},
            {std::string_view(&other.extract, 1), other.line, other.record}, options);
        if (verdict == uploader::Verdict::replace) {
          there->second = {digit, i + 1, record};
          verdict = uploader::Verdict::replaced;
        }
      }
      uploader::count(verdict, 1, expected);
    }
    const auto upload = Send(extract, options);
    EXPECT_EQ(upload->counts().stored, expected.stored);
    EXPECT_EQ(upload->counts().already_there, expected.already_there);
    EXPECT_EQ(upload->counts().differs, expected.differs);
    EXPECT_EQ(upload->counts().replaced, expected.replaced);
    EXPECT_TRUE(upload->refused().empty());
  }
  std::map<char, std::size_t> rows;
  for (const auto& [id, row] : model) ++rows[row.extract];
  for (const char digit : {'a', 'b', 'c', 'd', 'e', 'f'}) EXPECT_EQ(RowsOf(digit), rows[digit]);
}

TEST_P(StoreCompliance, AStopEndsTheUploadWithoutLosingItsPlace) {
  const TestExtract extract = extract_of(300);
  auto upload = store_->start(info_of(), extract.reader(), {});
  StopSignal stop;
  upload->on_progress = [&](std::uint64_t) { stop.request(); };
  const auto ran = upload->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped);
  EXPECT_LT(upload->counts().stored, 300U);
  upload->on_progress = nullptr;
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(upload->counts().stored, 300U);
  EXPECT_EQ(RowsOf('a'), 300U);
}

TEST_P(StoreCompliance, CheckChangesNothing) {
  const auto before = store_->check();
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_NE(before->find("will be created"), std::string::npos) << *before;
  EXPECT_NE(store_->check()->find("will be created"), std::string::npos);
  Send(extract_of(3));
  const auto after = store_->check();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->find("will be created"), std::string::npos) << *after;
}

TEST_P(StoreCompliance, CheckReportsThatThePlaceOfRowsHasVanished) {
  ASSERT_TRUE(store_->check(true));
  const auto vanished = store_->check(false);  // rows were stored before, and nothing is there
  ASSERT_FALSE(vanished);
  EXPECT_EQ(vanished.error().kind, ErrorKind::fault);
  EXPECT_NE(store_->check(true)->find("will be created"), std::string::npos) << "changes nothing";
  Send(extract_of(3));
  EXPECT_TRUE(store_->check(false));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreCompliance, ::testing::ValuesIn(kStores),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace caravel::testing
