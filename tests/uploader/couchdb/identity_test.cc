// A database that is deleted and made again while an extract is sent to it: whatever the moment,
// and whatever the server tells, no row is counted that is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "tests/support/couch_fixture.h"

namespace caravel::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using uploader::Documents;
using uploader::HttpReply;

class CouchIdentityTest : public CouchTest {
 protected:
  [[nodiscard]] std::size_t Rows() const {
    return static_cast<std::size_t>(
        std::count_if(couch_->documents.begin(), couch_->documents.end(),
                      [](const auto& entry) { return entry.second["doc_type"] == "Row"; }));
  }
  /// Runs the upload as the pipeline does, and starts another where the first cannot go on. Returns
  /// how often that was.
  int RunToTheEnd(const TestExtract& extract, const uploader::ExtractInfo& info) {
    int restarts = 0;
    for (int tries = 0; tries < 20; ++tries) {
      const auto ran = Run();
      if (ran) return restarts;
      EXPECT_EQ(ran.error().kind, ErrorKind::retry) << ran.error().message;
      if (!upload_->must_restart()) continue;
      ++restarts;
      upload_.reset();
      upload_ = store_->start(info, extract.reader(), {});
    }
    ADD_FAILURE() << "no end";
    return restarts;
  }
};

/// A reply that CouchDB 3.5 gives to requests in flight while the database goes.
const char* const kGone = R"([{"error":"internal_server_error","reason":"No DB shards"}])";

TEST_F(CouchIdentityTest, EverythingIsSentAgainWheneverTheDatabaseIsMadeAnew) {
  const TestExtract extract = extract_of(450);
  for (const char* identity : {"1700000000000001", "0", ""}) {
    for (const Documents documents : {Documents::both, Documents::rows}) {
      // Before each request in turn, until one run needs no more of them.
      for (std::size_t moment = 1; moment < 30; ++moment) {
        SCOPED_TRACE(fmt::format("identity '{}', before request {}", identity, moment));
        config_.documents = documents;
        config_.connections = 1;
        store_.reset();
        Start(extract);
        couch_->instance_start_time = identity;
        std::size_t requests = 0;
        bool behind_the_last_look = false;
        couch_->intercept = [&](const SentRequest& request) {
          if (++requests != moment) return pass();
          behind_the_last_look = couch_->count("POST", "_bulk_get") > 0 &&
                                 request.url.find("_bulk_get") == std::string::npos;
          couch_->make_anew();
          return is_bulk(request) ? std::optional(reply_of(500, kGone)) : pass();
        };
        RunToTheEnd(extract, info_of());
        EXPECT_EQ(upload_->counts().stored, 450U);
        // A server that tells nothing is asked for rows before the feed document. Only what happens
        // behind that stays unseen.
        if (std::string(identity).size() > 1 || !behind_the_last_look) {
          EXPECT_EQ(Rows(), 450U);
          EXPECT_EQ(FeedDocumentThere(), documents == Documents::both);
        }
        if (requests < moment) break;
      }
    }
  }
}

TEST_F(CouchIdentityTest, ADatabaseThatIsMadeAnewIsNamedInTheError) {
  config_.connections = 1;
  Start(extract_of(250));
  int bulks = 0;
  couch_->intercept = [&](const SentRequest& request) {
    if (is_bulk(request) && ++bulks == 2) couch_->make_anew();
    return pass();
  };
  const Error error = ExpectFailure();
  EXPECT_EQ(error.kind, ErrorKind::retry);
  EXPECT_TRUE(upload_->must_restart());
  EXPECT_THAT(error.message, HasSubstr("the database 'feed' was deleted and made again"));
  EXPECT_THAT(error.message, HasSubstr("1700000001000001, before 1700000000000001"));
  EXPECT_FALSE(FeedDocumentThere()) << "nobody may believe that all rows are there";
  EXPECT_FALSE(error.retry_after);
}

TEST_F(CouchIdentityTest, WhoeverMakesItAnewAllTheTimeIsWaitedForLongerAndLonger) {
  const TestExtract extract = extract_of(150);
  Start(extract);
  couch_->intercept = [&](const SentRequest& request) {
    if (is_bulk(request)) couch_->make_anew();
    return pass();
  };
  std::chrono::seconds last{0};
  for (int i = 0; i < 12; ++i) {
    const Error error = ExpectFailure();
    ASSERT_TRUE(upload_->must_restart());
    if (i > 0) {
      ASSERT_TRUE(error.retry_after);
      EXPECT_TRUE(*error.retry_after > last || *error.retry_after == std::chrono::seconds(300));
      last = *error.retry_after;
    }
    upload_.reset();
    upload_ = store_->start(info_of(), extract.reader(), {});
  }
  couch_->intercept = nullptr;
  ExpectStored(150);
}

TEST_F(CouchIdentityTest, ARowThatSomebodyDeletesMeanwhileIsNoLostDatabase) {
  const TestExtract extract = extract_of(250);
  Start(extract);
  couch_->instance_start_time = "";
  // Deleted and not lost: _all_docs tells it from a row that never was.
  couch_->intercept = [&](const SentRequest& request) -> std::optional<HttpReply> {
    if (request.url.find("_bulk_get") != std::string::npos) {
      for (const auto& row : extract.rows) couch_->documents.erase("hrt:" + row.tail);
    }
    if (request.url.find("_all_docs") == std::string::npos) return pass();
    json rows = json::array();
    const json body = json::parse(request.body);
    for (const json& key : body["keys"]) {
      rows.push_back({{"id", key},
                      {"key", key},
                      {"value", {{"rev", "2-x"}, {"deleted", true}}},
                      {"doc", nullptr}});
    }
    return reply_of(200, json{{"rows", rows}}.dump());
  };
  ExpectStored(250);
  EXPECT_FALSE(upload_->must_restart());
}

TEST_F(CouchIdentityTest, AServerThatForgetsWhoItIsIsNotBelieved) {
  for (const int status : {200, 302, 404}) {
    SCOPED_TRACE(status);
    store_.reset();
    Start(extract_of(250));
    int looks = 0;
    couch_->intercept = [&](const SentRequest& request) -> std::optional<HttpReply> {
      const bool look = request.method == "GET" && request.url.ends_with("/feed");
      if (!look || ++looks == 1) return pass();
      return reply_of(status, "<html>Log in to go on</html>");
    };
    ExpectFailure();
    EXPECT_FALSE(FeedDocumentThere());
    couch_->intercept = nullptr;
    if (upload_->must_restart()) Start(extract_of(250));
    ExpectStored(250);
  }
}

TEST_F(CouchIdentityTest, TheCsvAloneIsSentAgainToo) {
  config_.documents = Documents::feed;
  auto info = info_of();
  info.attach_csv = true;
  const TestExtract extract = extract_of(30);
  Start(extract, {}, info);
  int puts = 0;
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (request.method == "PUT" && ++puts == 1) couch_->make_anew();
    return pass();
  };
  EXPECT_EQ(RunToTheEnd(extract, info), 1);
  EXPECT_TRUE(FeedDocumentThere());
  EXPECT_EQ(upload_->counts().stored, 30U);
}

TEST_F(CouchIdentityTest, ALookThatFailsAtTheEndRepeatsNothing) {
  for (const Documents documents : {Documents::both, Documents::feed}) {
    config_.documents = documents;
    store_.reset();
    auto info = info_of();
    info.attach_csv = true;
    Start(extract_of(30), {}, info);
    int puts = 0;
    couch_->intercept = [&](const SentRequest& request) {
      if (request.method == "PUT") ++puts;
      const bool last_look = request.method == "GET" && puts == 1;
      return last_look ? std::optional(reply_of(503)) : pass();
    };
    EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
    couch_->intercept = nullptr;
    ExpectStored(30);
    EXPECT_EQ(upload_->counts().already_there, 0U) << "counted once";
    EXPECT_EQ(puts, 1);
  }
}

TEST_F(CouchIdentityTest, AFeedDocumentWhoseReplyWasLostIsOurs) {
  config_.documents = Documents::feed;
  auto info = info_of();
  info.attach_csv = true;
  Start(extract_of(30), {}, info);
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (request.method != "PUT") return pass();
    couch_->documents.begin()->second["_attachments"] = {{"feed", {{"stub", true}}}};
    couch_->intercept_reply = nullptr;
    return std::optional(no_reply(ErrorKind::retry, "timeout after 30 s"));
  };
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  ExpectStored(30);
  EXPECT_EQ(upload_->counts().already_there, 0U);
}

}  // namespace
}  // namespace caravel::testing
