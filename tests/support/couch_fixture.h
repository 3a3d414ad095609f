// An upload into a CouchDB in memory that can be told to fail.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/support/extract_fixture.h"
#include "tests/support/fake_couch.h"
#include "uploader/couchdb/store.h"

namespace caravel::testing {

/// For an intercept: the request goes on.
inline std::optional<uploader::HttpReply> pass() { return std::nullopt; }

inline bool is_bulk(const SentRequest& request) { return request.url.ends_with("/_bulk_docs"); }

class CouchTest : public ::testing::Test {
 protected:
  CouchTest() {
    config_.name = "couch";
    config_.server.url = "http://db";
    config_.database = "feed";
    config_.batch_rows = 100;
  }

  /// An upload of `extract`; the store and its server live until the next Start().
  uploader::Upload& Start(const TestExtract& extract, uploader::UploadOptions options = {},
                          uploader::ExtractInfo info = info_of()) {
    upload_.reset();
    if (!store_) {
      auto couch = std::make_unique<FakeCouch>();
      couch_ = couch.get();
      store_ = uploader::make_couchdb_store(config_, std::move(couch));
    }
    upload_ = store_->start(std::move(info), extract.reader(), options);
    return *upload_;
  }
  Result<> Run() { return upload_->run(never_); }
  void ExpectStored(std::uint64_t rows) {
    const auto ran = Run();
    ASSERT_TRUE(ran) << ran.error().message;
    EXPECT_EQ(upload_->counts().stored, rows);
  }
  Error ExpectFailure() {
    const auto ran = Run();
    EXPECT_FALSE(ran);
    return ran ? Error{} : ran.error();
  }
  bool FeedDocumentThere(char digit = 'a') {
    return couch_->documents.contains("feed:hrt:" + std::string(64, digit));
  }

  uploader::CouchdbConfig config_;
  StopSignal never_;
  FakeCouch* couch_ = nullptr;
  std::unique_ptr<uploader::Store> store_;
  std::unique_ptr<uploader::Upload> upload_;
};

}  // namespace caravel::testing
