// Requests and documents that are too large for the server: the culprit is found at the price of
// few requests, and what was learned is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "tests/support/couch_fixture.h"
#include "uploader/couchdb/learned.h"

namespace caravel::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using uploader::HttpReply;

class CouchLimitsTest : public CouchTest {
 protected:
  CouchLimitsTest() { config_.connections = 1; }
  /// Refuses every request that holds one of `ids`, and names the first of them.
  void NameTooLarge(std::set<std::string> ids) {
    couch_->intercept = [ids = std::move(ids)](const SentRequest& request) {
      if (!is_bulk(request)) return pass();
      const json body = json::parse(request.body);
      for (const json& document : body["docs"]) {
        const std::string id = document["_id"];
        if (!ids.contains(id)) continue;
        const json words = {{"error", "document_too_large"}, {"reason", id}};
        return std::optional(reply_of(413, words.dump()));
      }
      return pass();
    };
  }
  static TestExtract WithLargeRows(std::initializer_list<std::size_t> rows, std::size_t count) {
    TestExtract extract = extract_of(count);
    std::size_t more = 0;
    for (const std::size_t row : rows) {
      extract.rows[row].record = std::string(5000 + 10 * more++, 'x') + ",1.5";
    }
    return extract;
  }
};

TEST_F(CouchLimitsTest, ADocumentThatTheServerNamesIsTakenOutAtOnce) {
  const TestExtract extract = WithLargeRows({37}, 100);
  Start(extract);
  NameTooLarge({id_of(extract, 37)});
  ExpectStored(99);
  ASSERT_EQ(upload_->refused().size(), 1U);
  EXPECT_EQ(upload_->refused()[0].line, 38U);
  EXPECT_THAT(upload_->refused()[0].reason, HasSubstr("document_too_large"));
  EXPECT_EQ(couch_->count("POST", "_bulk_docs"), 2U) << "nothing is halved";
}

TEST_F(CouchLimitsTest, ManyNamedDocumentsCostFewRequests) {
  // The smallest first: the others are sent alone. The largest first: each has its own request.
  for (const bool ascending : {true, false}) {
    SCOPED_TRACE(ascending);
    store_.reset();
    const TestExtract extract = ascending ? WithLargeRows({10, 20, 30, 40, 50, 60}, 100)
                                          : WithLargeRows({60, 50, 40, 30, 20, 10}, 100);
    Start(extract);
    std::set<std::string> ids;
    for (const std::size_t row : {10U, 20U, 30U, 40U, 50U, 60U}) ids.insert(id_of(extract, row));
    NameTooLarge(ids);
    ExpectStored(94);
    EXPECT_EQ(upload_->refused().size(), 6U);
    EXPECT_LE(couch_->count("POST", "_bulk_docs"), 7U);
  }
}

TEST_F(CouchLimitsTest, HundredsOfNamedDocumentsStayBounded) {
  TestExtract extract = extract_of(100);
  std::set<std::string> ids;
  for (std::size_t row = 0; row < 50; ++row) {
    extract.rows[2 * row].record = std::string(9000 - 10 * row, 'x') + ",1.5";
    ids.insert(id_of(extract, 2 * row));
  }
  Start(extract);
  NameTooLarge(ids);
  ExpectStored(50);
  EXPECT_EQ(upload_->refused().size(), 50U);
  std::size_t sent = 0;
  for (const SentRequest& request : couch_->requests) sent += request.body.size();
  EXPECT_LT(sent, 20 * extract.csv().size()) << "not the whole batch for each of them";
}

TEST_F(CouchLimitsTest, ANameThatIsNoRowOfTheRequestIsNotBelieved) {
  for (const char* name : {"hrt:somebody-elses", "", "x"}) {
    SCOPED_TRACE(name);
    store_.reset();
    const TestExtract extract = extract_of(100);
    Start(extract);
    couch_->intercept = [&](const SentRequest& request) {
      const bool bad =
          is_bulk(request) && request.body.find(id_of(extract, 37)) != std::string::npos;
      const json words = {{"error", "document_too_large"}, {"reason", name}};
      return bad ? std::optional(reply_of(413, words.dump())) : pass();
    };
    ExpectStored(99);
    ASSERT_EQ(upload_->refused().size(), 1U);
    EXPECT_EQ(upload_->refused()[0].line, 38U);
  }
}

TEST_F(CouchLimitsTest, ARowThatIsRefusedAloneIsSentAgain) {
  for (const int status : {413, 400}) {
    SCOPED_TRACE(status);
    store_.reset();
    Start(extract_of(1));
    int wrong = 0;
    couch_->intercept = [&](const SentRequest& request) {
      if (!is_bulk(request) || ++wrong > 3) return pass();
      return std::optional(reply_of(status, R"({"error":"e","reason":"a server that starts"})"));
    };
    ExpectStored(1);
    EXPECT_TRUE(upload_->refused().empty());
  }
}

TEST_F(CouchLimitsTest, AServerThatRefusesEachRowIsNotAskedAgainAndAgain) {
  constexpr std::size_t kRows = 64;
  for (const int status : {413, 400}) {
    SCOPED_TRACE(status);
    store_.reset();
    Start(extract_of(kRows));
    std::size_t asked = 0;
    couch_->intercept = [&](const SentRequest& request) {
      if (!is_bulk(request)) return pass();
      ++asked;
      return std::optional(reply_of(status, R"({"error":"e","reason":"no"})"));
    };
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::refused);
    EXPECT_THAT(error.message, HasSubstr("it refuses every row"));
    EXPECT_LT(asked, 2 * kRows);
    // Once it takes them, nothing is missing, and nothing is a reject.
    couch_->intercept = nullptr;
    ExpectStored(kRows);
    EXPECT_TRUE(upload_->refused().empty());
  }
}

TEST_F(CouchLimitsTest, ALimitOfRequestsIsLearnedForTheNextBatchesAndExtracts) {
  Start(extract_of(1000));
  std::size_t refused = 0;
  couch_->intercept = [&](const SentRequest& request) {
    // As a proxy says it.
    if (!is_bulk(request) || request.body.size() < 10'000) return pass();
    ++refused;
    return std::optional(reply_of(413, "<html>413 Request Entity Too Large</html>"));
  };
  ExpectStored(1000);
  EXPECT_LE(refused, 2U);
  EXPECT_TRUE(upload_->refused().empty());
  Start(extract_of(500, 'b', 2000));
  ExpectStored(500);
  EXPECT_LE(refused, 3U) << "the next extract need not learn it again";
}

TEST_F(CouchLimitsTest, ALimitOfDocumentsIsLearnedToo) {
  Start(extract_of(1000));
  std::size_t refused = 0;
  couch_->intercept = [&](const SentRequest& request) {
    if (!is_bulk(request) || json::parse(request.body)["docs"].size() <= 30) return pass();
    ++refused;
    return std::optional(
        reply_of(413, R"({"error":"max_bulk_docs_count_exceeded","reason":"30"})"));
  };
  ExpectStored(1000);
  EXPECT_LE(refused, 2U);
}

TEST_F(CouchLimitsTest, ALimitThatWasLiftedIsFoundOut) {
  FakeCouch couch;
  const uploader::CouchDatabase database(config_, couch);
  uploader::Learned learned(database);
  EXPECT_GT(learned.most_bytes(), 1U << 30);
  for (int i = 0; i < 30; ++i) learned.too_many_bytes(learned.most_bytes());
  learned.too_many_bytes(1000);
  EXPECT_EQ(learned.most_bytes(), 500U);
  for (int i = 0; i < 10'000; ++i) learned.request_passed();
  EXPECT_GT(learned.most_bytes(), 1U << 30);
}

TEST_F(CouchLimitsTest, TwentyCopiesOfOneRefusedLineDoNotSpeakForAll) {
  // A batch of rows that are stored, and one that is the same refused line again and again.
  config_.batch_rows = 25;
  TestExtract extract = extract_of(25);
  const TestRow bad = extract_of(1, 'a', 100).rows[0];
  for (int i = 0; i < 25; ++i) extract.rows.push_back(bad);
  Start(extract);
  couch_->validate = [&](const json& document) {
    return document["_id"] == "hrt:" + bad.tail ? "no such vehicle" : "";
  };
  ExpectStored(25);
  EXPECT_EQ(upload_->refused().size(), 25U);
}

}  // namespace
}  // namespace caravel::testing
