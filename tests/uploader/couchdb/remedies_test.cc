// What CouchDB says, and what a person is told to do about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/couch_fixture.h"
#include "uploader/couchdb/remedies.h"

namespace caravel::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using uploader::Asked;
using uploader::ErrorWords;

struct RemedyCase {
  const char* what;
  int status;
  ErrorWords words;
  Asked asked;
  const char* says;
  const char* says_not;
};

TEST(Remedies, EachOfCouchDbsWordsHasItsOwn) {
  const RemedyCase cases[] = {
      {"an ordinary user makes a database",
       401,
       {"unauthorized", "You are not a server admin."},
       Asked::creation,
       "let an admin create 'feed'",
       "password"},
      {"the same, from a proxy or an older server",
       403,
       {"forbidden", "You may not"},
       Asked::creation,
       "let an admin create 'feed'",
       "password"},
      {"something else that only an admin may do",
       401,
       {"unauthorized", "You are not a db or server admin."},
       Asked::database,
       "the user 'joe' is no admin",
       "password"},
      {"a wrong password",
       401,
       {"unauthorized", "Name or password is incorrect."},
       Asked::database,
       "the user 'joe' and its password (/etc/p)",
       "_security"},
      {"no login where one is wanted",
       401,
       {"unauthorized", "Authentication required."},
       Asked::database,
       "password (/etc/p)",
       "_security"},
      {"too many wrong passwords",
       403,
       {"forbidden", "Account is temporarily locked due to multiple authentication failures"},
       Asked::database,
       "put the right one into /etc/p",
       "_security"},
      {"the same while the feed document is stored",
       403,
       {"forbidden", "Account is temporarily locked due to multiple authentication failures"},
       Asked::document,
       "put the right one into /etc/p",
       "validation function"},
      {"no member",
       403,
       {"forbidden", "You are not allowed to access this db."},
       Asked::database,
       "_security",
       "password"},
      {"no member, in another version's words",
       401,
       {"unauthorized", "You are not authorized to access this db."},
       Asked::document,
       "_security",
       "password"},
      {"a rule that refuses the feed document",
       403,
       {"forbidden", "no Feed here"},
       Asked::document,
       "a validation function of the database 'feed' refuses",
       "_security"},
      {"anything else that is forbidden",
       403,
       {"forbidden", "read only"},
       Asked::database,
       "_security",
       "password"},
      {"a firewall", 403, {"", ""}, Asked::database, "proxy or a firewall", "_security"},
      {"a full partition",
       403,
       {"partition_overflow", "Partition limit exceeded"},
       Asked::document,
       "partitioned",
       "_security"},
      {"a missing database",
       404,
       {"not_found", "Database does not exist."},
       Asked::database,
       "the database 'feed' is missing",
       "proxy"},
      {"a wrong path", 404, {"", ""}, Asked::database, "root", "is missing"},
      {"another server", 405, {"", ""}, Asked::database, "root", "password"},
      {"a proxy that wants a login", 407, {"", ""}, Asked::server, "proxy", "_security"},
      {"a rule that breaks",
       500,
       {"TypeError", "foo is undefined"},
       Asked::document,
       "is broken",
       "_security"},
      {"a rule that throws a text",
       500,
       {"unknown_error", "no"},
       Asked::database,
       "{forbidden: …}",
       "_security"},
  };
  for (const RemedyCase& test : cases) {
    SCOPED_TRACE(test.what);
    const std::string told =
        uploader::remedy(test.status, test.words, test.asked, {"joe", "feed", "/etc/p"});
    EXPECT_TRUE(told.starts_with("; ")) << told;
    EXPECT_THAT(told, HasSubstr(test.says));
    EXPECT_THAT(told, Not(HasSubstr(test.says_not)));
  }
  for (const int status : {200, 409, 413, 429, 500, 503}) {
    EXPECT_EQ(uploader::remedy(status, {"internal_server_error", "x"}, Asked::database, {}), "");
  }
}

TEST(Remedies, WithoutAUserOneIsAskedFor) {
  const uploader::RemedyContext nobody{"", "feed", ""};
  EXPECT_THAT(uploader::remedy(401, {"unauthorized", "x"}, Asked::database, nobody),
              HasSubstr("set user and password_file"));
  EXPECT_THAT(uploader::remedy(401, {"unauthorized", "You are not a server admin."},
                               Asked::creation, nobody),
              HasSubstr("no user is configured"));
}

class CouchCheckTest : public CouchTest {
 protected:
  void SetUp() override {
    config_.server.client.user = "joe";
    Start(extract_of(1));
  }
};

TEST_F(CouchCheckTest, ADatabaseThatWeMayNotMakeWillNotBeMade) {
  couch_->database_there = false;
  ASSERT_TRUE(store_->check());
  EXPECT_THAT(*store_->check(), HasSubstr("will be created"));
  couch_->roles = {"editor"};
  const auto checked = store_->check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::fault);
  EXPECT_THAT(checked.error().message, HasSubstr("let an admin create 'feed'"));
  EXPECT_FALSE(couch_->database_there) << "a check changes nothing";
  EXPECT_EQ(couch_->count("PUT", ""), 0U);
  couch_->database_there = true;
  EXPECT_TRUE(store_->check()) << "a member needs no more";
}

TEST_F(CouchCheckTest, AServerThatDoesNotSayWhoWeAreMayLetAnybody) {
  couch_->database_there = false;
  for (const char* session :
       {"", "<html>", "[]", "{}", R"({"userCtx":7})", R"({"userCtx":{"roles":"all"}})"}) {
    SCOPED_TRACE(session);
    couch_->intercept = [&](const SentRequest& request) {
      return request.url.ends_with("/_session") ? std::optional(reply_of(200, session)) : pass();
    };
    const auto checked = store_->check();
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_THAT(*checked, HasSubstr("will be created"));
  }
}

TEST_F(CouchCheckTest, TheAdviceIsTheSameWhenTheServerItselfRefuses) {
  couch_->database_there = false;
  couch_->intercept = [](const SentRequest& request) {
    const bool creates = request.method == "PUT" && request.url.ends_with("/feed");
    return creates ? std::optional(reply_of(
                         401, R"({"error":"unauthorized","reason":"You are not a server admin."})"))
                   : pass();
  };
  const Error error = ExpectFailure();
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_THAT(error.message, HasSubstr("let an admin create 'feed'"));
}

TEST_F(CouchCheckTest, ARuleThatRefusesTheFeedDocumentIsNamedAsSuch) {
  couch_->intercept = [](const SentRequest& request) {
    return request.method == "PUT"
               ? std::optional(reply_of(403, R"({"error":"forbidden","reason":"rows only"})"))
               : pass();
  };
  const Error error = ExpectFailure();
  EXPECT_EQ(error.kind, ErrorKind::refused) << "the others need not wait";
  EXPECT_THAT(error.message, HasSubstr("a validation function of the database 'feed' refuses"));
  EXPECT_THAT(error.message, HasSubstr("rows only"));
}

}  // namespace
}  // namespace caravel::testing
