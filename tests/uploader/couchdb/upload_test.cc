// The upload into CouchDB against a server in memory that can be told to fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "tests/support/couch_fixture.h"

namespace caravel::testing {
namespace {

using nlohmann::json;
using uploader::Documents;
using uploader::HttpReply;
using uploader::UploadOptions;

class CouchUploadTest : public CouchTest {};

TEST_F(CouchUploadTest, KeepsAsManyRequestsInFlightAsThereAreConnections) {
  config_.connections = 3;
  Start(extract_of(1000));
  ExpectStored(1000);
  EXPECT_EQ(couch_->most_in_flight, 3U);
  EXPECT_EQ(couch_->count("POST", "_bulk_docs"), 10U);
}

TEST_F(CouchUploadTest, TheFeedDocumentComesAfterTheLastRow) {
  Start(extract_of(250));
  couch_->intercept = [&](const SentRequest& request) {
    if (request.method == "PUT") {
      EXPECT_EQ(couch_->documents.size(), 250U);
    }
    return pass();
  };
  ExpectStored(250);
  EXPECT_TRUE(FeedDocumentThere());
}

TEST_F(CouchUploadTest, BatchesEndAtTheirBytesToo) {
  config_.batch_bytes = 2000;
  Start(extract_of(100));
  ExpectStored(100);
  for (const SentRequest& request : couch_->requests) EXPECT_LT(request.body.size(), 2500U);
}

TEST_F(CouchUploadTest, ARequestThatIsTooLargeIsSplitUntilItsCulpritIsAlone) {
  for (const int status : {413, 400}) {
    SCOPED_TRACE(status);
    store_.reset();
    const TestExtract extract = extract_of(100);
    Start(extract);
    couch_->intercept = [&](const SentRequest& request) {
      const bool bad =
          is_bulk(request) && request.body.find(id_of(extract, 37)) != std::string::npos;
      return bad ? std::optional(reply_of(status, R"({"error":"e","reason":"culprit"})")) : pass();
    };
    ExpectStored(99);
    ASSERT_EQ(upload_->refused().size(), 1U);
    EXPECT_EQ(upload_->refused()[0].line, 38U);
    EXPECT_EQ(upload_->refused()[0].offset, 3700U);
    EXPECT_NE(upload_->refused()[0].reason.find("culprit"), std::string::npos);
    EXPECT_EQ(couch_->documents.at("feed:hrt:" + std::string(64, 'a')).at("rejected"), 1);
    EXPECT_EQ(couch_->documents.at("feed:hrt:" + std::string(64, 'a')).at("rows"), 100);
  }
}

TEST_F(CouchUploadTest, AForbiddenRowIsRefusedWithTheServersReason) {
  const TestExtract extract = extract_of(30);
  Start(extract);
  couch_->validate = [&](const json& document) {
    return document["_id"] == id_of(extract, 3) ? "no such vehicle" : "";
  };
  ExpectStored(29);
  ASSERT_EQ(upload_->refused().size(), 1U);
  EXPECT_NE(upload_->refused()[0].reason.find("no such vehicle"), std::string::npos);
}

TEST_F(CouchUploadTest, ARepetitionOfARefusedRowIsRefusedToo) {
  TestExtract extract = extract_of(30);
  extract.rows.push_back(extract.rows[3]);
  Start(extract);
  couch_->validate = [&](const json& document) {
    return document["_id"] == id_of(extract, 3) ? "no" : "";
  };
  ExpectStored(29);
  EXPECT_EQ(upload_->refused().size(), 2U);
  EXPECT_EQ(upload_->counts().already_there, 0U);
}

TEST_F(CouchUploadTest, AStoreThatRefusesEverythingIsAtFaultItself) {
  Start(extract_of(50));
  couch_->validate = [](const json&) { return "read only"; };
  for (int i = 0; i < 2; ++i) {
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::refused);
    EXPECT_NE(error.message.find("read only"), std::string::npos) << error.message;
    EXPECT_TRUE(upload_->refused().empty());
  }
  couch_->validate = nullptr;
  ExpectStored(50);
  EXPECT_TRUE(upload_->refused().empty());
}

TEST_F(CouchUploadTest, MoreRefusalsThanAllowedAreTheStoresFault) {
  UploadOptions options;
  options.max_refused = 10;
  Start(extract_of(100), options);
  couch_->validate = [](const json& document) {
    return document["caravel"]["line"].get<int>() <= 11 ? "too early" : "";
  };
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::refused);
  EXPECT_EQ(upload_->counts().acknowledged(upload_->refused().size()), 0U);
  EXPECT_FALSE(FeedDocumentThere());
  couch_->validate = [](const json& document) {
    return document["caravel"]["line"].get<int>() <= 10 ? "too early" : "";
  };
  ExpectStored(90);
  EXPECT_EQ(upload_->refused().size(), 10U);
}

struct StatusCase {
  int status;
  ErrorKind kind;
  const char* says;
};

TEST_F(CouchUploadTest, AStatusSaysWhatToDo) {
  const StatusCase cases[] = {
      {401, ErrorKind::fault, "user"},     {403, ErrorKind::fault, "_security"},
      {405, ErrorKind::fault, "CouchDB"},  {415, ErrorKind::fault, "CouchDB"},
      {302, ErrorKind::fault, "redirect"}, {407, ErrorKind::fault, "HTTP 407"},
      {408, ErrorKind::retry, "HTTP 408"}, {429, ErrorKind::retry, "HTTP 429"},
      {500, ErrorKind::retry, "HTTP 500"}, {503, ErrorKind::retry, "HTTP 503"},
  };
  for (const StatusCase& test : cases) {
    SCOPED_TRACE(test.status);
    store_.reset();
    Start(extract_of(10));
    couch_->intercept = [&](const SentRequest& request) {
      if (!is_bulk(request)) return pass();
      HttpReply reply = reply_of(test.status, R"({"error":"some","reason":"words"})");
      reply.retry_after = "7";
      return std::optional(reply);
    };
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, test.kind);
    EXPECT_NE(error.message.find(test.says), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("couch: POST http://db/feed/_bulk_docs: HTTP "), std::string::npos)
        << error.message;
    EXPECT_NE(error.message.find("words"), std::string::npos);
    EXPECT_EQ(error.retry_after.has_value(), test.kind == ErrorKind::retry);
    couch_->intercept = nullptr;
    ExpectStored(10);
  }
}

TEST_F(CouchUploadTest, AReplyThatMakesNoSenseIsNotBelieved) {
  const char* const replies[] = {
      "",
      "<html>log in here</html>",
      "{}",
      "[]",
      R"([{"ok":true,"id":"hrt:other","rev":"1-x"}])",
      R"([{"id":"hrt:20120309T000000:V.1:000000"}])",
      R"([{"id":"hrt:20120309T000000:V.1:000000","error":"internal_server_error"}])",
      R"([1])",
      R"([{"ok":true,"id":"hrt:20120309T000000:V.1:000000","rev":"1-x"},{"ok":true,"id":"b"}])",
  };
  for (const char* text : replies) {
    SCOPED_TRACE(text);
    store_.reset();
    Start(extract_of(1));
    couch_->intercept = [&](const SentRequest&) { return std::optional(reply_of(201, text)); };
    EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
    EXPECT_EQ(upload_->counts().stored, 0U);
    couch_->intercept = nullptr;
    ExpectStored(1);
  }
}

TEST_F(CouchUploadTest, EntriesAreMatchedByIdNotByPlace) {
  const TestExtract extract = extract_of(30);
  Start(extract);
  couch_->validate = [&](const json& document) {
    return document["_id"] == id_of(extract, 3) ? "no" : "";
  };
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (!is_bulk(request)) return pass();
    json entries = json::array();
    const json body = json::parse(request.body);
    for (const json& document : body["docs"]) {
      const bool bad = document["_id"] == id_of(extract, 3);
      entries.insert(entries.begin(), bad ? json{{"id", document["_id"]}, {"error", "forbidden"}}
                                          : json{{"id", document["_id"]}, {"ok", true}});
    }
    return std::optional(reply_of(201, entries.dump()));
  };
  ExpectStored(29);
  ASSERT_EQ(upload_->refused().size(), 1U);
  EXPECT_EQ(upload_->refused()[0].line, 4U);
}

TEST_F(CouchUploadTest, ALostReplyCostsNothing) {
  Start(extract_of(250));
  bool lost = false;
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (lost || !is_bulk(request)) return pass();
    lost = true;
    return std::optional(no_reply(ErrorKind::retry, "timeout after 30 s"));
  };
  const Error error = ExpectFailure();
  EXPECT_EQ(error.message, "couch: POST http://db/feed/_bulk_docs: timeout after 30 s");
  ExpectStored(250);
  EXPECT_EQ(upload_->counts().already_there, 0U);
}

TEST_F(CouchUploadTest, AnOutageInTheMiddleSendsOnlyWhatIsNotAcknowledged) {
  config_.connections = 1;
  Start(extract_of(1000));
  int bulks = 0;
  couch_->intercept = [&](const SentRequest& request) {
    const bool out = is_bulk(request) && ++bulks == 5;
    return out ? std::optional(reply_of(503)) : pass();
  };
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  EXPECT_EQ(upload_->counts().stored, 400U);
  ExpectStored(1000);
  EXPECT_EQ(couch_->count("POST", "_bulk_docs"), 11U);
}

TEST_F(CouchUploadTest, ConflictsAreAskedAboutInBoundedNumbers) {
  config_.batch_rows = 3000;
  Start(extract_of(2500, 'a'));
  ExpectStored(2500);
  Start(extract_of(2500, 'b'));
  ExpectStored(0);
  EXPECT_EQ(upload_->counts().already_there, 2500U);
  // Three questions for the batch, and one for a row that each of them found.
  EXPECT_EQ(couch_->count("POST", "_bulk_get"), 4U);
  for (const SentRequest& request : couch_->requests) {
    if (is_bulk(request) || request.method != "POST") continue;
    EXPECT_LE(json::parse(request.body)["docs"].size(), 1000U);
  }
}

TEST_F(CouchUploadTest, AnAnswerThatIsTooLongIsAskedForInHalves) {
  Start(extract_of(64, 'a'));
  ExpectStored(64);
  Start(extract_of(64, 'b'));
  couch_->intercept = [&](const SentRequest& request) {
    if (request.url.find("_bulk_get") == std::string::npos) return pass();
    if (json::parse(request.body)["docs"].size() <= 8) return pass();
    HttpReply reply = no_reply(ErrorKind::retry, "too long");
    reply.too_long = true;
    return std::optional(reply);
  };
  ExpectStored(0);
  EXPECT_EQ(upload_->counts().already_there, 64U);
}

TEST_F(CouchUploadTest, ARowThatIsDeletedBetweenConflictAndQuestionIsStored) {
  const TestExtract extract = extract_of(30);
  Start(extract);
  ExpectStored(30);
  Start(extract_of(30, 'b'));
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (!is_bulk(request)) return pass();
    couch_->documents.erase(id_of(extract, 5));
    couch_->intercept_reply = nullptr;
    return pass();
  };
  ExpectStored(1);
  EXPECT_EQ(upload_->counts().already_there, 29U);
  EXPECT_TRUE(couch_->documents.contains(id_of(extract, 5)));
}

TEST_F(CouchUploadTest, AReplacementThatMeetsANewerRevisionLooksAgain) {
  TestExtract extract = extract_of(30);
  Start(extract);
  ExpectStored(30);
  extract.rows[5].record = "2012-03-09,7";
  UploadOptions options;
  options.reprocess = true;
  Start(extract, options);
  int replacements = 0;
  couch_->intercept = [&](const SentRequest& request) {
    // Another loader writes the row, once, between the upload's look at it and its replacement.
    if (is_bulk(request) && request.body.find("_rev") != std::string::npos && ++replacements == 1) {
      couch_->documents[id_of(extract, 5)]["_rev"] = "99-other";
    }
    return pass();
  };
  ExpectStored(30);
  EXPECT_EQ(upload_->counts().replaced, 1U);
  EXPECT_EQ(replacements, 2);
  EXPECT_EQ(couch_->documents[id_of(extract, 5)]["Lat"], 7);
}

TEST_F(CouchUploadTest, NoIdIsTwiceInOneBody) {
  TestExtract extract = extract_of(20);
  for (int i = 0; i < 20; ++i) extract.rows.push_back(extract.rows[static_cast<std::size_t>(i)]);
  Start(extract);
  ExpectStored(20);
  EXPECT_EQ(upload_->counts().already_there, 20U);
  for (const SentRequest& request : couch_->requests) {
    if (!is_bulk(request)) continue;
    std::set<std::string> ids;
    const json body = json::parse(request.body);
    for (const json& document : body["docs"]) {
      EXPECT_TRUE(ids.insert(document["_id"]).second) << document["_id"];
    }
  }
}

TEST_F(CouchUploadTest, AMissingDatabaseIsMadeOnlyWhereThatIsAllowed) {
  struct Case {
    bool create_database;
    bool may_create;
    bool made;
  };
  for (const Case& test :
       {Case{true, true, true}, Case{false, true, false}, Case{true, false, false}}) {
    SCOPED_TRACE(fmt::format("{} {}", test.create_database, test.may_create));
    config_.create_database = test.create_database;
    store_.reset();
    UploadOptions options;
    options.may_create = test.may_create;
    Start(extract_of(250), options);
    couch_->database_there = false;
    if (test.made) {
      ExpectStored(250);
      continue;
    }
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::fault);
    EXPECT_NE(error.message.find("database 'feed'"), std::string::npos) << error.message;
    EXPECT_FALSE(couch_->database_there);
    EXPECT_FALSE(upload_->must_restart());
  }
}

TEST_F(CouchUploadTest, ADatabaseThatVanishesInTheMiddleIsReportedAndEverythingSentAgain) {
  config_.connections = 1;
  Start(extract_of(250));
  int bulks = 0;
  couch_->intercept = [&](const SentRequest& request) {
    if (is_bulk(request) && ++bulks == 2) {
      couch_->database_there = false;
      couch_->documents.clear();
    }
    return pass();
  };
  const Error error = ExpectFailure();
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_TRUE(upload_->must_restart());
  EXPECT_FALSE(couch_->database_there);
}

TEST_F(CouchUploadTest, BodiesArePackedWhenAsked) {
  config_.gzip = true;
  Start(extract_of(30));
  ExpectStored(30);
  const auto bulk = std::find_if(couch_->requests.begin(), couch_->requests.end(), is_bulk);
  const auto& headers = bulk->headers;
  EXPECT_NE(std::find(headers.begin(), headers.end(), "Content-Encoding: gzip"), headers.end());
}

TEST_F(CouchUploadTest, TheCsvIsAttachedInTheSameRequest) {
  const TestExtract extract = extract_of(300);
  auto info = info_of();
  info.attach_csv = true;
  Start(extract, {}, info);
  ExpectStored(300);
  EXPECT_EQ(couch_->attachments.at("feed:hrt:" + std::string(64, 'a')), extract.csv());
  EXPECT_EQ(couch_->count("PUT", "/feed/"), 1U);
}

TEST_F(CouchUploadTest, ARefusedAttachmentIsLeftOutAndReported) {
  auto info = info_of();
  info.attach_csv = true;
  Start(extract_of(30), {}, info);
  couch_->intercept = [&](const SentRequest& request) {
    const bool multipart =
        !request.headers.empty() && request.headers[0].find("multipart") != std::string::npos;
    return multipart ? std::optional(reply_of(413, R"({"error":"too_large"})")) : pass();
  };
  ExpectStored(30);
  EXPECT_TRUE(FeedDocumentThere());
  ASSERT_EQ(upload_->notes().size(), 1U);
  EXPECT_NE(upload_->notes()[0].find("attachment refused"), std::string::npos);
}

TEST_F(CouchUploadTest, FeedDocumentsAloneHoldTheRowsInTheirAttachment) {
  config_.documents = Documents::feed;
  auto info = info_of();
  Start(extract_of(30), {}, info);
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::usage);
  info.attach_csv = true;
  Start(extract_of(30), {}, info);
  ExpectStored(30);
  EXPECT_EQ(couch_->documents.size(), 1U);
  // At the second upload the rows are there already.
  couch_->documents.begin()->second["_attachments"] = {{"feed", {{"stub", true}}}};
  UploadOptions options;
  options.loaded_before = true;
  Start(extract_of(30), options, info);
  ExpectStored(0);
  EXPECT_EQ(upload_->counts().already_there, 30U);
}

TEST_F(CouchUploadTest, FeedDocumentsAloneNeverLoseTheirAttachment) {
  config_.documents = Documents::feed;
  auto info = info_of();
  info.attach_csv = true;
  Start(extract_of(30), {}, info);
  couch_->intercept = [](const SentRequest& request) {
    return request.method == "PUT" ? std::optional(reply_of(413)) : pass();
  };
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::fault);
  EXPECT_EQ(upload_->counts().stored, 0U);
}

TEST_F(CouchUploadTest, AFeedDocumentOfOthersKeepsItsStatusAndFields) {
  Start(extract_of(3));
  ExpectStored(3);
  json& feed = couch_->documents["feed:hrt:" + std::string(64, 'a')];
  feed["status"] = "imported";
  feed["theirs"] = 1;
  TestExtract extract = extract_of(3);
  extract.dropped = 9;
  Start(extract);
  ExpectStored(3);
  EXPECT_EQ(feed["dropped"], 0);
  UploadOptions options;
  options.reprocess = true;
  Start(extract, options);
  ExpectStored(3);
  EXPECT_EQ(feed["dropped"], 9);
  EXPECT_EQ(feed["status"], "imported");
  EXPECT_EQ(feed["theirs"], 1);
}

TEST_F(CouchUploadTest, AStopLeavesNothingInFlight) {
  Start(extract_of(500));
  StopSignal stop;
  couch_->intercept = [&](const SentRequest&) {
    stop.request();
    return pass();
  };
  const auto ran = upload_->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped);
  EXPECT_FALSE(FeedDocumentThere());
  couch_->intercept = nullptr;
  ExpectStored(500);
}

}  // namespace
}  // namespace caravel::testing
