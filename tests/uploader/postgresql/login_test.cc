// Who the server is, who we are, and what a server says that lets nobody in: a real one, with TLS.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include "tests/support/extract_fixture.h"
#include "tests/support/fault_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_dir.h"
#include "uploader/postgresql/store.h"

namespace caravel::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "s3cret-of-nobody";

class PostgresLogin : public ::testing::Test {
 protected:
  PostgresLogin() {
    server_.add_file("server.crt", certificate_.certificate_pem, 0600);
    server_.add_file("server.key", certificate_.key_pem, 0600);
    server_.sql("ALTER SYSTEM SET ssl = on");
    server_.sql(std::string("CREATE ROLE loader LOGIN PASSWORD '") + kPassword + "'");
    server_.sql("CREATE SCHEMA rows AUTHORIZATION loader");
    server_.add_file("pg_hba.conf",
                     "hostssl all loader 127.0.0.1/32 scram-sha-256\n"
                     "host all postgres 127.0.0.1/32 trust\n",
                     0600);
    server_.sql("SELECT pg_reload_conf()");
    directory_.write_file("ca.pem", certificate_.certificate_pem);
    directory_.write_file("password", std::string(kPassword) + "\n");
    config_.name = "pg";
    config_.schema = "rows";
  }

  /// What the store's check says, or its error.
  Result<std::string> Check(const std::string& query = "") {
    auto login = uploader::read_url(
        fmt::format("postgresql://127.0.0.1:{}/postgres?user=loader{}", server_.port(), query));
    login->ca_file = config_.login.ca_file;
    login->password = config_.login.password;
    login->password_file = config_.login.password_file;
    config_.login = *login;
    return uploader::make_postgresql_store(config_)->check();
  }

  TestCertificate certificate_ = make_certificate();
  PostgresServer server_;
  test::TempDir directory_;
  uploader::PostgresqlConfig config_;
};

TEST_F(PostgresLogin, TheServersCertificateIsVerifiedAndThePasswordComesFromAFile) {
  config_.login.ca_file = directory_.path("ca.pem");
  config_.login.password_file = directory_.path("password");
  const auto in = Check("&sslmode=verify-full");
  ASSERT_TRUE(in) << in.error().message;
  EXPECT_THAT(*in, HasSubstr("lets loader in, TLSv1.3"));

  // Another certificate; another name than the one that it is for.
  directory_.write_file("ca.pem", make_certificate().certificate_pem);
  const auto stranger = Check("&sslmode=verify-full");
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().kind, ErrorKind::fault) << stranger.error().message;
  EXPECT_THAT(stranger.error().message, HasSubstr("certificate verify failed"));
  directory_.write_file("ca.pem", certificate_.certificate_pem);
  const auto misnamed = Check("&sslmode=verify-full&host=localhost&hostaddr=127.0.0.1");
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(misnamed.error().kind, ErrorKind::fault);
  EXPECT_THAT(misnamed.error().message, HasSubstr("does not match host name"));

  // A password that was changed is read again; a wrong one is a fault, and shows nowhere.
  config_.login.password = "0ld-s3cret";
  EXPECT_TRUE(Check("&sslmode=verify-full"));
  directory_.write_file("password", "wr0ng-s3cret");
  const auto wrong = Check("&sslmode=verify-full");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::fault);
  EXPECT_THAT(wrong.error().message, HasSubstr("password authentication failed"));
  EXPECT_THAT(wrong.error().message, Not(HasSubstr("s3cret")));
}

TEST_F(PostgresLogin, WhatKeepsUsOutIsWaitedForOrAFault) {
  config_.login.password = kPassword;
  ASSERT_TRUE(Check());
  EXPECT_EQ(Check("&sslmode=disable").error().kind, ErrorKind::fault);
  EXPECT_EQ(Check("&dbname=none").error().kind, ErrorKind::fault);
  server_.sql("ALTER ROLE loader CONNECTION LIMIT 0");
  const auto full = Check();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorKind::retry);
  EXPECT_THAT(full.error().message, HasSubstr("too many connections"));
  server_.sql("ALTER ROLE loader CONNECTION LIMIT -1");
  server_.sql("ALTER ROLE loader SET default_transaction_read_only = on");
  const auto standby = Check();
  ASSERT_FALSE(standby);
  EXPECT_EQ(standby.error().kind, ErrorKind::retry);
  EXPECT_THAT(standby.error().message, HasSubstr("read-only"));
  server_.stop();
  EXPECT_EQ(Check().error().kind, ErrorKind::retry);
}

}  // namespace
}  // namespace caravel::testing
