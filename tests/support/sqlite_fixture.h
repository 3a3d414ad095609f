// A SQLite store in a directory of its own, and a second connection that looks at what it stored.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.h"
#include "tests/support/extract_fixture.h"
#include "tests/support/temp_dir.h"
#include "uploader/sqlite/store.h"

namespace caravel::testing {

class SqliteFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.name = "local";
    config_.path = directory_.path("rows.db");
    config_.batch_rows = 10;
    Reopen();
  }
  void Reopen() {
    store_.reset();
    store_ = uploader::make_sqlite_store(config_);
  }
  std::unique_ptr<uploader::Upload> Start(const TestExtract& extract,
                                          uploader::UploadOptions options = {}) {
    return store_->start(info_of(), extract.reader(), options);
  }
  /// Uploads all of `extract`; fails the test if that fails.
  std::unique_ptr<uploader::Upload> Send(const TestExtract& extract,
                                         uploader::UploadOptions options = {}) {
    auto upload = Start(extract, options);
    const auto ran = upload->run(never_);
    EXPECT_TRUE(ran) << ran.error().message;
    return upload;
  }
  /// All rows of the answer, columns joined by "|"; NULL is "(none)". An error is its only row.
  std::vector<std::string> AskAll(const std::string& sql) {
    auto file = Sqlite::open(config_.path, Sqlite::Mode::read_write, 5000);
    if (!file) return {file.error().message};
    std::vector<std::string> rows;
    const auto read = file->each(sql, [&](const Statement& row) {
      rows.emplace_back();
      for (int i = 0; i < row.columns(); ++i) {
        if (i > 0) rows.back() += "|";
        rows.back() += row.is_null(i) ? "(none)" : row.text(i);
      }
    });
    if (!read) return {read.error().message};
    return rows;
  }
  /// The first row.
  std::string Ask(const std::string& sql) {
    const auto rows = AskAll(sql);
    return rows.empty() ? "(none)" : rows.front();
  }
  /// Runs statements of a person in the file.
  void Do(const std::string& sql) {
    auto file = Sqlite::open(config_.path, Sqlite::Mode::create, 5000).value();
    const auto done = file.script(sql);
    ASSERT_TRUE(done) << done.error().message;
  }

  caravel::test::TempDir directory_;
  uploader::SqliteConfig config_;
  std::unique_ptr<uploader::Store> store_;
  StopSignal never_;
};

}  // namespace caravel::testing
