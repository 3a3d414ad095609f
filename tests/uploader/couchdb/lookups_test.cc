// Which of some ids are there: asked about in the cheapest way that the server knows, in bounded
// numbers, and never believed too easily.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/support/couch_fixture.h"
#include "uploader/couchdb/documents/found.h"
#include "uploader/couchdb/witnesses.h"

namespace caravel::testing {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using uploader::HttpReply;
using uploader::UploadOptions;

bool is_bulk_get(const SentRequest& request) { return request.url.ends_with("/_bulk_get"); }

class CouchLookupsTest : public CouchTest {
 protected:
  /// Stores `count` rows, and forgets the requests for that.
  void Store(std::size_t count) {
    Start(extract_of(count));
    ExpectStored(count);
    couch_->requests.clear();
  }
};

TEST_F(CouchLookupsTest, ASecondLoadAsksOnceForEachBatchAndSendsNoRowAgain) {
  config_.batch_rows = 1000;
  Store(3000);
  UploadOptions options;
  options.loaded_before = true;
  Start(extract_of(3000), options);
  ExpectStored(0);
  EXPECT_EQ(upload_->counts().already_there, 3000U);
  EXPECT_EQ(couch_->count("POST", "_bulk_docs"), 0U);
  // Three batches, and one look at the witnesses.
  EXPECT_EQ(couch_->count("POST", "_bulk_get"), 4U);
  EXPECT_EQ(couch_->count("POST", "_all_docs"), 0U);
}

TEST_F(CouchLookupsTest, AfterACrashRowsAreAskedAboutUntilTheFirstThatIsMissing) {
  config_.connections = 1;
  Store(500);
  Start(extract_of(1000));
  ExpectStored(1000);
  // One batch was sent to find out that its rows are there, and the next ones were asked about.
  // Each batch is built before the one before it is answered.
  EXPECT_LE(couch_->count("POST", "_bulk_docs"), 9U);
  EXPECT_EQ(couch_->documents.size(), 1001U);
  std::size_t sent = 0;
  for (const SentRequest& request : couch_->requests) {
    if (is_bulk(request)) sent += json::parse(request.body)["docs"].size();
  }
  EXPECT_LE(sent, 700U);
}

TEST_F(CouchLookupsTest, WhereTheServerDoesNotKnowBulkGetItIsAllDocs) {
  for (const int status : {400, 404, 405, 415, 501}) {
    SCOPED_TRACE(status);
    store_.reset();
    Start(extract_of(300));
    couch_->intercept = [&](const SentRequest& request) {
      return is_bulk_get(request) ? std::optional(reply_of(status, R"({"error":"not_found"})"))
                                  : pass();
    };
    ExpectStored(300);
    couch_->requests.clear();
    Start(extract_of(300, 'b'));
    ExpectStored(0);
    EXPECT_EQ(upload_->counts().already_there, 300U);
    EXPECT_FALSE(upload_->must_restart());
    EXPECT_EQ(couch_->count("POST", "_bulk_get"), 0U) << "it is not asked for again";
  }
}

TEST_F(CouchLookupsTest, OneBadAnswerIsNoVerdictForEver) {
  config_.connections = 1;
  Store(300);
  bool bad = true;
  couch_->intercept = [&](const SentRequest& request) {
    return is_bulk_get(request) && std::exchange(bad, false)
               ? std::optional(reply_of(400, R"({"error":"bad_request"})"))
               : pass();
  };
  for (int i = 0; i < 60; ++i) {
    Start(extract_of(300, 'b'));
    ExpectStored(0);
  }
  EXPECT_LE(couch_->count("POST", "_all_docs"), 100U);
  EXPECT_GE(couch_->count("POST", "_bulk_get"), 100U);
}

TEST_F(CouchLookupsTest, ASilentRefusalOfBulkGetIsAReasonForTheOtherWay) {
  for (const char* body : {"", "<html>log in</html>", "[]", R"({"results":[]})"}) {
    SCOPED_TRACE(body);
    store_.reset();
    Store(300);
    Start(extract_of(300, 'b'));
    couch_->intercept = [&](const SentRequest& request) {
      return is_bulk_get(request) ? std::optional(reply_of(200, body)) : pass();
    };
    ExpectStored(0);
    EXPECT_EQ(upload_->counts().already_there, 300U);
    // And where neither way works: an error, and no third request.
    couch_->requests.clear();
    Start(extract_of(300, 'b'));
    couch_->intercept = [&](const SentRequest& request) {
      const bool asks = is_bulk_get(request) || request.url.find("_all_docs") != std::string::npos;
      return asks ? std::optional(reply_of(200, body)) : pass();
    };
    EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
    EXPECT_LE(couch_->count("POST", "_bulk_get") + couch_->count("POST", "_all_docs"), 4U);
  }
}

TEST_F(CouchLookupsTest, AReplyThatIsNotOneAnswerForEachIdIsNotBelieved) {
  const char* const replies[] = {
      "",
      "<html>log in</html>",
      "[]",
      "{}",
      R"({"results":{}})",
      R"({"results":[1]})",
      R"({"results":[]})",
      R"({"results":[{"id":"ID"}]})",
      R"({"results":[{"id":"other","docs":[]}]})",
      R"({"results":[{"id":"ID","docs":[]},{"id":"ID","docs":[]}]})",
      R"({"results":[{"id":"ID","docs":[{"error":{"error":"internal_server_error"}}]}]})",
      R"({"results":[{"id":"ID","docs":[{"error":"timeout"}]}]})",
      R"({"results":[{"id":"ID","docs":[{"error":7}]}]})",
      R"({"results":[{"id":"ID","docs":[{"ok":{"_id":"other","_rev":"1-x"}}]}]})",
      R"({"results":[{"id":"ID","docs":[{"ok":{"_id":"ID"}}]}]})",
      R"({"results":[{"id":"ID","docs":[{"ok":7}]}]})",
  };
  for (std::string text : replies) {
    SCOPED_TRACE(text);
    for (std::size_t at = 0; (at = text.find("\"ID\"", at)) != std::string::npos;) {
      text.replace(at, 4, "\"hrt:a\"");
    }
    const auto read = uploader::read_bulk_get_reply(text, {"hrt:a"});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::retry);
  }
}

TEST_F(CouchLookupsTest, WhatIsMissingOrDeletedIsNotThere) {
  const char* const replies[] = {
      R"({"results":[{"id":"a","docs":[]}]})",
      R"({"results":[{"id":"a","docs":[{}]}]})",
      R"({"results":[{"id":"a","docs":[{"error":"not_found","reason":"missing"}]}]})",
      R"({"results":[{"id":"a","docs":[{"error":{"id":"a","error":"not_found"}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"2-x","_deleted":true}}]}]})",
  };
  for (const char* text : replies) {
    SCOPED_TRACE(text);
    const auto read = uploader::read_bulk_get_reply(text, {"a"});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read->front().exists);
  }
}

TEST_F(CouchLookupsTest, OfConflictingRevisionsTheOneCountsThatCouchShows) {
  const auto leaf = [](const char* rev, const char* sum, bool deleted = false) {
    json document = {{"_id", "a"}, {"_rev", rev}, {"caravel", {{"sum", sum}}}};
    if (deleted) document["_deleted"] = true;
    return json{{"ok", document}};
  };
  json leaves = {leaf("2-aa", "second"), leaf("10-aa", "tenth"), leaf("10-ab", "winner"),
                 leaf("11-zz", "deleted", true), leaf("9-zz", "ninth")};
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const json reply = {{"results", {{{"id", "a"}, {"docs", leaves}}}}};
    const auto read = uploader::read_bulk_get_reply(reply.dump(), {"a"});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->front().exists);
    EXPECT_EQ(read->front().sum, "winner");
    std::rotate(leaves.begin(), leaves.begin() + 1, leaves.end());
  }
}

TEST_F(CouchLookupsTest, NoRowOfAFeedIsMissedWhileOthersAreDeleted) {
  Store(2500);
  // The last row of the first page goes before the second page is asked for.
  int pages = 0;
  couch_->intercept = [&](const SentRequest& request) {
    if (request.url.find("startkey") != std::string::npos && ++pages == 2) {
      couch_->documents.erase(id_of(extract_of(2500), 999));
    }
    return pass();
  };
  std::size_t visited = 0;
  const auto read = store_->for_each_row_of("hrt", std::string(16, 'a'),
                                            [&](const uploader::StoredDocument&) { ++visited; });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(visited, 2500U);
}

TEST_F(CouchLookupsTest, StaleRowsOfAnySizeAreVisitedAndRemoved) {
  const TestExtract extract = extract_of(64);
  Store(64);
  couch_->intercept = [&](const SentRequest& request) {
    // What a reply limit does to large documents: row 7 alone is larger than any of ours.
    if (!is_bulk_get(request)) return pass();
    const json body = json::parse(request.body);
    const bool huge = request.body.find(id_of(extract, 7)) != std::string::npos;
    if (body["docs"].size() <= 8 && !huge) return pass();
    HttpReply reply = no_reply(ErrorKind::retry, "the reply is longer than 9437184 bytes");
    reply.too_long = true;
    return std::optional(reply);
  };
  std::vector<std::string> visited;
  const auto read = store_->for_each_row_of(
      "hrt", std::string(16, 'a'),
      [&](const uploader::StoredDocument& row) { visited.push_back(row.id); });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(visited.size(), 63U);
  const auto removed = store_->remove_rows("hrt", std::string(16, 'a'), visited);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 63U);
}

TEST(Witnesses, AreBoundedAndSpreadOverAll) {
  uploader::Witnesses witnesses;
  for (int i = 0; i < 100'000; ++i) witnesses.add({fmt::format("{:06}", i)});
  const auto ids = witnesses.ids();
  EXPECT_LE(ids.size(), uploader::Witnesses::kMost);
  EXPECT_GE(ids.size(), uploader::Witnesses::kMost / 4);
  EXPECT_EQ(ids.front(), "000000");
  EXPECT_GE(ids.back(), "099000");
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

}  // namespace
}  // namespace caravel::testing
