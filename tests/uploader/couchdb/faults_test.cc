// What a CouchDB, or a proxy in front of it, may answer to rows, and what becomes of the rows: none
// is lost, none invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <fmt/format.h>

#include "tests/support/couch_fixture.h"

namespace caravel::testing {
namespace {

using nlohmann::json;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using uploader::Documents;
using uploader::HttpReply;
using uploader::UploadOptions;

json documents_of(const SentRequest& request) { return json::parse(request.body)["docs"]; }

class CouchFaultsTest : public CouchTest {
 protected:
  /// How many documents each of the bulk requests held that were sent since the last call.
  std::vector<std::size_t> BulkSizes() {
    std::vector<std::size_t> sizes;
    for (const SentRequest& request : couch_->requests) {
      if (is_bulk(request)) sizes.push_back(documents_of(request).size());
    }
    couch_->requests.clear();
    return sizes;
  }
  /// Row documents in the database.
  [[nodiscard]] std::size_t Rows() const {
    return static_cast<std::size_t>(
        std::count_if(couch_->documents.begin(), couch_->documents.end(),
                      [](const auto& entry) { return entry.second["doc_type"] == "Row"; }));
  }
  /// Changes the entries of the first reply to rows. Their effect on the database stays.
  void ChangeFirstReply(std::function<void(json& entries)> change) {
    couch_->intercept_reply = [this, change](const SentRequest& request) {
      if (!is_bulk(request)) return pass();
      json entries = json::array();
      for (const json& document : documents_of(request)) {
        const std::string id = document["_id"];
        entries.push_back({{"ok", true}, {"id", id}, {"rev", couch_->documents.at(id)["_rev"]}});
      }
      change(entries);
      couch_->intercept_reply = nullptr;
      return std::optional(reply_of(201, entries.dump()));
    };
  }
};

TEST_F(CouchFaultsTest, AReplyThatDoesNotSpeakOfEachRowOnceIsNotBelieved) {
  const struct {
    const char* what;
    std::function<void(json&)> change;
  } cases[] = {
      {"an entry is missing", [](json& entries) { entries.erase(1); }},
      {"an entry is for an unknown id", [](json& entries) { entries[1]["id"] = "hrt:other"; }},
      {"an entry has no id", [](json& entries) { entries[1].erase("id"); }},
      {"an id that is no text", [](json& entries) { entries[1]["id"] = 7; }},
      {"an entry too many",
       [](json& entries) {
         entries.push_back({{"ok", true}, {"id", "hrt:more"}});
       }},
      {"one twice, none missing", [](json& entries) { entries.push_back(entries[1]); }},
      {"one twice, another missing", [](json& entries) { entries[2] = entries[1]; }},
      {"ok twice, the second time refused",
       [](json& entries) {
         entries[2] = {{"id", entries[1]["id"]}, {"error", "forbidden"}, {"reason", "no"}};
       }},
      {"no entry at all", [](json& entries) { entries = json::array(); }},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    store_.reset();
    Start(extract_of(4));
    ChangeFirstReply(test.change);
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::retry);
    EXPECT_THAT(error.message, HasSubstr("cannot be understood"));
    EXPECT_EQ(upload_->counts().acknowledged(upload_->refused().size()), 0U);
    EXPECT_FALSE(FeedDocumentThere());
    ExpectStored(4);
    EXPECT_TRUE(upload_->refused().empty());
    EXPECT_EQ(Rows(), 4U);
  }
}

TEST_F(CouchFaultsTest, ARowWhoseErrorMayPassIsSentAgainAlone) {
  const TestExtract extract = extract_of(30);
  Start(extract);
  int failures = 5;
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (!is_bulk(request) || failures == 0) return pass();
    --failures;
    json entries = json::array();
    for (const json& document : documents_of(request)) {
      const std::string id = document["_id"];
      if (id == id_of(extract, 3)) {
        couch_->documents.erase(id);
        entries.push_back({{"id", id}, {"error", "internal_server_error"}, {"reason", "quorum"}});
      } else {
        entries.push_back({{"id", id}, {"ok", true}, {"rev", "1-x"}});
      }
    }
    return std::optional(reply_of(201, entries.dump()));
  };
  while (failures > 0) {
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::retry);
    EXPECT_THAT(error.message, HasSubstr("internal_server_error: quorum"));
    EXPECT_FALSE(FeedDocumentThere());
  }
  ExpectStored(30);
  EXPECT_TRUE(upload_->refused().empty());
  EXPECT_THAT(BulkSizes().back(), 1U);
}

/// How servers answer for a row on which a validation function breaks, or throws what it may not.
const struct {
  const char* what;
  json entry;
} kBrokenRules[] = {
    {"a text, CouchDB", {{"error", "unknown_error"}, {"reason", "too old"}}},
    {"a text, PouchDB", {{"reason", "too old\n\nundefined"}}},
    {"TypeError", {{"error", "TypeError"}, {"reason", "newDoc.foo is undefined"}}},
    {"ReferenceError", {{"error", "ReferenceError"}, {"reason", "foo is not defined"}}},
    {"does not compile", {{"error", "compilation_error"}, {"reason", "Expression does not eval"}}},
    {"no error object", {{"error", "unnamed_error"}, {"reason", {{"stack", "…"}}}}},
};

TEST_F(CouchFaultsTest, ABrokenRuleMakesNoRejectsAndLetsOtherExtractsPass) {
  const TestExtract extract = extract_of(30);
  for (const auto& rule : kBrokenRules) {
    for (const bool every_row : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", rule.what, every_row ? "for all" : "for one"));
      store_.reset();
      Start(extract);
      couch_->intercept_reply = [&](const SentRequest& request) {
        if (!is_bulk(request)) return pass();
        json entries = json::array();
        for (const json& document : documents_of(request)) {
          const std::string id = document["_id"];
          json entry = {{"ok", true}, {"rev", "1-x"}};
          if (every_row || id == id_of(extract, 3)) {
            couch_->documents.erase(id);
            entry = rule.entry;
          }
          entry["id"] = id;
          entries.push_back(entry);
        }
        return std::optional(reply_of(201, entries.dump()));
      };
      // It may have been changed at that very moment; then it is the store that is at fault.
      EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
      const Error error = ExpectFailure();
      EXPECT_EQ(error.kind, ErrorKind::refused) << "the others need not wait";
      EXPECT_THAT(error.message, HasSubstr("validation function"));
      EXPECT_TRUE(upload_->refused().empty());
      EXPECT_FALSE(FeedDocumentThere());
      EXPECT_EQ(BulkSizes().back(), every_row ? 30U : 1U);
      couch_->intercept_reply = nullptr;
      ExpectStored(30);
      EXPECT_TRUE(upload_->refused().empty());
    }
  }
}

TEST_F(CouchFaultsTest, ABrokenRuleThatSpoilsAWholeRequestMakesNoRejects) {
  for (const int status : {400, 500}) {
    for (const char* word : {"TypeError", "compilation_error", "unknown_error"}) {
      SCOPED_TRACE(fmt::format("{} {}", status, word));
      store_.reset();
      Start(extract_of(30));
      couch_->intercept = [&](const SentRequest& request) {
        const json words = {{"error", word}, {"reason", "foo"}};
        return is_bulk(request) ? std::optional(reply_of(status, words.dump())) : pass();
      };
      EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
      const Error error = ExpectFailure();
      EXPECT_EQ(error.kind, ErrorKind::refused);
      EXPECT_THAT(error.message, HasSubstr("validation function"));
      EXPECT_THAT(BulkSizes(), Each(30U)) << "nothing is split to find a culprit";
      EXPECT_TRUE(upload_->refused().empty());
      couch_->intercept = nullptr;
      ExpectStored(30);
    }
  }
}

TEST_F(CouchFaultsTest, AProperRefusalIsARejectWhateverItsReasonIs) {
  const TestExtract extract = extract_of(30);
  for (const json& reason : {json("too old"), json{{"code", 7}}, json(7), json()}) {
    SCOPED_TRACE(reason.dump());
    store_.reset();
    Start(extract);
    couch_->intercept_reply = [&](const SentRequest& request) {
      if (!is_bulk(request)) return pass();
      json entries = json::array();
      for (const json& document : documents_of(request)) {
        const std::string id = document["_id"];
        entries.push_back({{"id", id}, {"ok", true}, {"rev", "1-x"}});
        if (id == id_of(extract, 3)) {
          entries.back() = {{"id", id}, {"error", "forbidden"}, {"reason", reason}};
        }
      }
      return std::optional(reply_of(201, entries.dump()));
    };
    ExpectStored(29);
    ASSERT_EQ(upload_->refused().size(), 1U);
    const std::string said = upload_->refused()[0].reason;
    EXPECT_THAT(said, HasSubstr("forbidden"));
    if (!reason.is_null()) {
      EXPECT_THAT(said, HasSubstr(reason.is_string() ? "too old" : "7"));
    }
  }
}

TEST_F(CouchFaultsTest, AnErrorThatIsAnArrayIsShownByItsContent) {
  const struct {
    const char* body;
    const char* says;
  } cases[] = {
      {R"([{"error":"internal_server_error","reason":"No DB shards"}])",
       "HTTP 500 (internal_server_error: No DB shards)"},
      {R"([{"id":"a"},{"id":"b","error":"timeout","reason":"t"}])", "HTTP 500 (timeout: t)"},
      {R"([["noproc",1]])", R"(HTTP 500 ([["noproc",1]]))"},
      {R"({"error":"x","reason":{"y":1}})", R"(HTTP 500 (x: {"y":1}))"},
      {R"({"message":"busy"})", R"(HTTP 500 ({"message":"busy"}))"},
      {"{\"error\":\"x\",\"reason\":\"\\u001b[31mred\\n\"}", "HTTP 500 (x: \\x1B[31mred\\x0A)"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.body);
    store_.reset();
    Start(extract_of(3));
    couch_->intercept = [&](const SentRequest& request) {
      return is_bulk(request) ? std::optional(reply_of(500, test.body)) : pass();
    };
    EXPECT_THAT(ExpectFailure().message, HasSubstr(test.says));
  }
}

TEST_F(CouchFaultsTest, WhereEveryRowHasAnUnknownErrorTheStoreIsWaitedFor) {
  Start(extract_of(30));
  couch_->intercept = [](const SentRequest& request) {
    if (!is_bulk(request)) return pass();
    json entries = json::array();
    for (const json& document : documents_of(request)) {
      entries.push_back({{"id", document["_id"]}, {"error", "nodedown"}, {"reason", "x"}});
    }
    return std::optional(reply_of(201, entries.dump()));
  };
  for (int i = 0; i < 30; ++i) EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  couch_->intercept = nullptr;
  ExpectStored(30);
  EXPECT_TRUE(upload_->refused().empty());
}

TEST_F(CouchFaultsTest, AnUnauthorizedRowIsAFaultOfTheConfigurationAndNeverRefused) {
  const TestExtract extract = extract_of(30);
  Start(extract);
  bool may = false;
  couch_->intercept_reply = [&](const SentRequest& request) {
    if (may || !is_bulk(request)) return pass();
    json entries = json::array();
    for (const json& document : documents_of(request)) {
      const std::string id = document["_id"];
      if (id == id_of(extract, 3)) {
        couch_->documents.erase(id);
        entries.push_back({{"id", id}, {"error", "unauthorized"}, {"reason", "log in"}});
      } else {
        entries.push_back({{"id", id}, {"ok", true}, {"rev", "1-x"}});
      }
    }
    return std::optional(reply_of(201, entries.dump()));
  };
  for (int i = 0; i < 20; ++i) {
    const Error error = ExpectFailure();
    EXPECT_EQ(error.kind, ErrorKind::fault);
    EXPECT_THAT(error.message, HasSubstr("unauthorized: log in"));
  }
  EXPECT_EQ(BulkSizes().back(), 1U) << "the others were acknowledged";
  may = true;
  ExpectStored(30);
  EXPECT_TRUE(upload_->refused().empty());
}

TEST_F(CouchFaultsTest, ABadRequestThatIsNotInJsonIsNoWordOfCouchDb) {
  config_.batch_rows = 10;
  config_.connections = 1;
  for (const char* body : {"<html><h1>400 Bad Request</h1>nginx</html>", "", "Bad Request", "[]",
                           "{}", "400", R"({"message":"blocked"})"}) {
    SCOPED_TRACE(body);
    store_.reset();
    Start(extract_of(30));
    int bulks = 0;
    couch_->intercept = [&](const SentRequest& request) {
      return is_bulk(request) && ++bulks > 1 ? std::optional(reply_of(400, body)) : pass();
    };
    for (int i = 0; i < 3; ++i) {
      const Error error = ExpectFailure();
      EXPECT_EQ(error.kind, ErrorKind::fault);
      EXPECT_THAT(error.message, HasSubstr("HTTP 400"));
    }
    EXPECT_TRUE(upload_->refused().empty());
    EXPECT_THAT(BulkSizes(), ElementsAre(10, 10, 10, 10)) << "nothing is split";
    couch_->intercept = nullptr;
    ExpectStored(30);
    EXPECT_TRUE(upload_->refused().empty());
  }
}

TEST_F(CouchFaultsTest, ADatabaseThatCouldNotBeMadeIsTriedAgain) {
  for (const int status : {503, 401, 0}) {
    SCOPED_TRACE(status);
    store_.reset();
    Start(extract_of(250));
    couch_->database_there = false;
    couch_->intercept = [&](const SentRequest& request) {
      if (request.method != "PUT" || !request.url.ends_with("/feed")) return pass();
      return std::optional(status == 0 ? no_reply(ErrorKind::retry, "timeout after 30 s")
                                       : reply_of(status));
    };
    // More tries than any limit allows on how often the database is made.
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(ExpectFailure().kind, status == 401 ? ErrorKind::fault : ErrorKind::retry);
    }
    EXPECT_FALSE(couch_->database_there);
    couch_->intercept = nullptr;
    ExpectStored(250);
    EXPECT_EQ(Rows(), 250U);
  }
}

TEST_F(CouchFaultsTest, ADatabaseThatAnotherLoaderMadeMeanwhileIsAsGood) {
  Start(extract_of(250));
  couch_->database_there = false;
  couch_->intercept = [&](const SentRequest& request) {
    if (request.method == "PUT" && request.url.ends_with("/feed")) couch_->database_there = true;
    return pass();  // the server answers 412 now: the database exists
  };
  ExpectStored(250);
  EXPECT_EQ(couch_->count("PUT", "/feed"), 2U) << "the database, and the feed document";
}

TEST_F(CouchFaultsTest, ABatchThatTakesTooLongIsSentInEverSmallerOnes) {
  constexpr std::size_t kInTime = 13;
  for (const int status : {0, 408, 504}) {
    SCOPED_TRACE(status);
    store_.reset();
    config_.connections = 1;
    Start(extract_of(250));
    couch_->intercept = [&](const SentRequest& request) {
      if (!is_bulk(request) || documents_of(request).size() <= kInTime) return pass();
      HttpReply reply =
          status == 0 ? no_reply(ErrorKind::retry, "timeout after 30 s") : reply_of(status);
      reply.timed_out = status == 0;
      return std::optional(reply);
    };
    int failures = 0;
    for (Result<> ran = Run(); !ran; ran = Run()) {
      ASSERT_LT(++failures, 10) << "the same batch again and again";
      EXPECT_EQ(ran.error().kind, ErrorKind::retry);
    }
    EXPECT_EQ(failures, 3);
    EXPECT_EQ(upload_->counts().stored, 250U);
    EXPECT_EQ(Rows(), 250U);
    std::vector<std::size_t> sizes = BulkSizes();
    ASSERT_GT(sizes.size(), 4U);
    EXPECT_THAT(std::vector<std::size_t>(sizes.begin(), sizes.begin() + 4),
                ElementsAre(100, 50, 25, 12));
    sizes.erase(sizes.begin(), sizes.begin() + 4);
    EXPECT_THAT(sizes, Each(Le(kInTime))) << "later batches too";
  }
}

TEST_F(CouchFaultsTest, ARowThatAloneTakesTooLongIsWaitedForAndKept) {
  Start(extract_of(5));
  bool slow = true;
  couch_->intercept = [&](const SentRequest& request) {
    if (!slow || !is_bulk(request)) return pass();
    HttpReply reply = no_reply(ErrorKind::retry, "timeout after 30 s");
    reply.timed_out = true;
    return std::optional(reply);
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  EXPECT_EQ(BulkSizes().back(), 1U);
  slow = false;
  ExpectStored(5);
  EXPECT_TRUE(upload_->refused().empty());
}

TEST_F(CouchFaultsTest, AServerThatIsNotThereSaysNothingOfBatches) {
  Start(extract_of(100));
  bool down = true;
  couch_->intercept = [&](const SentRequest&) {
    return down ? std::optional(no_reply(ErrorKind::retry, "connection refused")) : pass();
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  down = false;
  ExpectStored(100);
  EXPECT_THAT(BulkSizes(), Each(100U));
}

TEST_F(CouchFaultsTest, QuestionsThatTakeTooLongAreAskedInSmallerNumbers) {
  Start(extract_of(100, 'a'));
  ExpectStored(100);
  Start(extract_of(100, 'b'));
  couch_->intercept = [&](const SentRequest& request) {
    if (request.url.find("_bulk_get") == std::string::npos) return pass();
    if (json::parse(request.body)["docs"].size() <= 8) return pass();
    HttpReply reply = no_reply(ErrorKind::retry, "timeout after 30 s");
    reply.timed_out = true;
    return std::optional(reply);
  };
  int failures = 0;
  for (Result<> ran = Run(); !ran; ran = Run()) ASSERT_LT(++failures, 10);
  EXPECT_EQ(upload_->counts().already_there, 100U);
}

/// What a proxy, a login page or a broken gateway may answer to the PUT of one document.
const struct {
  const char* what;
  int status;
  const char* body;
} kFalseReplies[] = {
    {"a page", 200, "<html>Log in to go on</html>"},
    {"CouchDB's words with another status", 200, R"({"ok":true,"id":"ID","rev":"1-x"})"},
    {"accepted, no body", 202, ""},
    {"accepted by a queue", 202, R"({"status":"queued"})"},
    {"no content", 204, ""},
    {"partial content", 206, R"({"ok":true,"id":"ID","rev":"1-x"})"},
    {"created, without a revision", 201, R"({"ok":true,"id":"ID"})"},
    {"created, but not ok", 201, R"({"ok":false,"id":"ID","rev":"1-x"})"},
    {"created, of another document", 201, R"({"ok":true,"id":"feed:other","rev":"1-x"})"},
    {"created, an array", 201, R"([{"ok":true,"id":"ID","rev":"1-x"}])"},
    {"a conflict in HTML", 409, "<html>Conflict</html>"},
    {"a conflict without CouchDB's word", 409, R"({"error":"busy"})"},
    {"a precondition that we never made", 412, R"({"error":"conflict"})"},
};

std::string with_id(std::string body, const std::string& id) {
  const std::size_t place = body.find("ID");
  if (place != std::string::npos) body.replace(place, 2, id);
  return body;
}

TEST_F(CouchFaultsTest, AFeedDocumentIsStoredWhenCouchItselfSaysSo) {
  const std::string id = "feed:hrt:" + std::string(64, 'a');
  for (const Documents documents : {Documents::both, Documents::feed}) {
    for (const auto& test : kFalseReplies) {
      SCOPED_TRACE(test.what);
      config_.documents = documents;
      store_.reset();
      auto info = info_of();
      info.attach_csv = documents == Documents::feed;
      Start(extract_of(4), {}, info);
      couch_->intercept = [&](const SentRequest& request) -> std::optional<HttpReply> {
        if (request.method != "PUT") return pass();
        return reply_of(test.status, with_id(test.body, id));
      };
      const Error error = ExpectFailure();
      EXPECT_EQ(error.kind, ErrorKind::retry);
      EXPECT_THAT(error.message, HasSubstr("not CouchDB's"));
      EXPECT_FALSE(FeedDocumentThere());
      couch_->intercept = nullptr;
      ExpectStored(4);
      EXPECT_TRUE(FeedDocumentThere());
    }
  }
}

TEST_F(CouchFaultsTest, AConflictIsBelievedWhenTheDocumentIsThere) {
  const std::string conflict = R"({"error":"conflict","reason":"Document update conflict."})";
  Start(extract_of(4));
  int conflicts = 0;
  couch_->intercept = [&](const SentRequest& request) -> std::optional<HttpReply> {
    if (request.method != "PUT" || ++conflicts > 2) return pass();
    return reply_of(409, conflict);
  };
  ExpectStored(4);
  EXPECT_EQ(conflicts, 3);
  EXPECT_TRUE(FeedDocumentThere());
  // There, and a page in its place when it is asked for: nobody knows, so it is tried again.
  Start(extract_of(4));
  couch_->intercept = [](const SentRequest& request) -> std::optional<HttpReply> {
    if (request.method != "GET") return pass();
    return reply_of(200, "<html>Log in to go on</html>");
  };
  EXPECT_EQ(ExpectFailure().kind, ErrorKind::retry);
  couch_->intercept = nullptr;
  ExpectStored(4);
}

TEST_F(CouchFaultsTest, AMappingIsStoredWhenCouchItselfSaysSo) {
  Start(extract_of(1));
  uploader::Mapping mapping;
  mapping.csv = "vid,bus\n1,V.1\n";
  const std::string id = uploader::mapping_id(mapping);
  for (const auto& test : kFalseReplies) {
    SCOPED_TRACE(test.what);
    couch_->intercept = [&](const SentRequest& request) -> std::optional<HttpReply> {
      if (request.method != "PUT") return pass();
      return reply_of(test.status, with_id(test.body, id));
    };
    const auto put = store_->put_mapping(mapping, true);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().kind, ErrorKind::retry);
    EXPECT_FALSE(couch_->documents.contains(id));
  }
  couch_->intercept = nullptr;
  EXPECT_TRUE(store_->put_mapping(mapping, true).value_or(false));
  EXPECT_TRUE(couch_->documents.contains(id));
  EXPECT_FALSE(store_->put_mapping(mapping, true).value_or(true)) << "it is there already";
}

}  // namespace
}  // namespace caravel::testing
