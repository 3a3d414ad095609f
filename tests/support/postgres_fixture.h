// A schema of a real PostgreSQL server for the tests of its store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <fmt/format.h>

#include "tests/support/extract_fixture.h"
#include "tests/support/postgres_server.h"
#include "uploader/postgresql/store.h"

namespace caravel::testing {

class PostgresTest : public ::testing::Test {
 protected:
  PostgresTest() {
    static int schemas = 0;
    config_.name = "pg";
    config_.batch_rows = 10;
    config_.schema = fmt::format("schema{}", ++schemas);
    config_.login = uploader::read_url(shared_postgres_server().url()).value();
    Open();
  }
  void Open() { store_ = uploader::make_postgresql_store(config_); }

  /// Statements in which @ stands for the schema with its point.
  std::string Sql(std::string statements) const {
    for (std::size_t at = 0; (at = statements.find('@', at)) != std::string::npos;) {
      statements.replace(at, 1, config_.schema + ".");
    }
    return shared_postgres_server().sql(statements);
  }

  std::unique_ptr<uploader::Upload> Start(const TestExtract& extract,
                                          uploader::UploadOptions options = {},
                                          uploader::ExtractInfo info = info_of()) {
    return store_->start(std::move(info), extract.reader(), options);
  }

  std::unique_ptr<uploader::Upload> Send(const TestExtract& extract,
                                         uploader::UploadOptions options = {},
                                         uploader::ExtractInfo info = info_of()) {
    auto upload = Start(extract, options, std::move(info));
    const auto ran = upload->run(never_);
    EXPECT_TRUE(ran) << ran.error().message;
    return upload;
  }

  /// Runs an upload that must fail; its error.
  Error Fails(uploader::Upload& upload) {
    const auto ran = upload.run(never_);
    EXPECT_FALSE(ran);
    return ran ? Error{} : ran.error();
  }

  uploader::PostgresqlConfig config_;
  std::unique_ptr<uploader::Store> store_;
  StopSignal never_;
};

}  // namespace caravel::testing
