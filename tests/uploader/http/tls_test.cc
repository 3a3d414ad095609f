// Who is at the other end, and what stands in between: certificates, proxies, logins, and servers
// that take their time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/ssl.h>

#include <atomic>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "tests/support/fault_server.h"
#include "tests/support/one_row.h"
#include "tests/support/temp_dir.h"
#include "uploader/credentials.h"

namespace caravel::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using uploader::CouchdbConfig;

FaultReply stored(int, const std::string&) { return {201, kStored}; }

/// Sets an environment variable, as long as the object lives.
class WithVariable {
 public:
  WithVariable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~WithVariable() { ::unsetenv(name_); }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;

 private:
  const char* name_;
};

class Tls : public ::testing::Test {
 protected:
  /// The error of an upload to `server` by somebody who trusts `authority`.
  Error Refused(const FaultServer& server, const TestCertificate& authority) {
    const auto ran = upload_one(Config(server.url(), authority));
    EXPECT_FALSE(ran);
    return ran ? Error{} : ran.error();
  }
  CouchdbConfig Config(const std::string& url, const TestCertificate& authority) {
    directory_.write_file("ca.pem", authority.certificate_pem);
    CouchdbConfig config = config_for(url);
    config.server.client.ca_file = directory_.path("ca.pem");
    return config;
  }
  test::TempDir directory_;
};

TEST_F(Tls, ACertificateThatIsTrustedIsTaken) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(stored, &certificate);
  const auto ran = upload_one(Config(server.url(), certificate));
  EXPECT_TRUE(ran) << ran.error().message;
}

TEST_F(Tls, NoRowAndNoPasswordGoToAServerThatCannotProveItself) {
  const TestCertificate good = make_certificate();
  const TestCertificate expired = make_certificate({.valid_from = -7200, .valid_until = -3600});
  const TestCertificate early = make_certificate({.valid_from = 3600, .valid_until = 7200});
  const TestCertificate elsewhere = make_certificate({.name = "DNS:couch.example.org"});
  const TestCertificate stranger = make_certificate();
  const struct {
    const char* what;
    const TestCertificate& server;
    const TestCertificate& trusted;
    const char* says;
  } cases[] = {
      {"signed by itself, or by an authority that was replaced", stranger, good, "self-signed"},
      {"expired", expired, expired, "expired"},
      {"not yet valid", early, early, "not yet valid"},
      {"for another host", elsewhere, elsewhere, "127.0.0.1"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    FaultServer server(stored, &test.server);
    const Error error = Refused(server, test.trusted);
    EXPECT_EQ(error.kind, ErrorKind::fault);
    EXPECT_THAT(error.message, HasSubstr(test.says));
    EXPECT_THAT(error.message, Not(HasSubstr("sesame")));
    EXPECT_EQ(server.requests(), 0);
  }
}

TEST_F(Tls, WithoutACaFileTheSystemsAuthoritiesDecide) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(stored, &certificate);
  const auto ran = upload_one(config_for(server.url()));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::fault);
  EXPECT_THAT(ran.error().message, HasSubstr("certificate"));
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(Tls, AChangeOfTheCaFileCountsAtTheNextConnection) {
  const TestCertificate first = make_certificate();
  const TestCertificate second = make_certificate();
  // Closes each connection, so that each request has one of its own.
  FaultServer server(
      [](int, const std::string&) {
        FaultReply reply{200, R"({"db_name":"feed","doc_count":1})"};
        reply.close_after = true;
        return reply;
      },
      &second);
  const auto store = store_for(Config(server.url(), first));
  EXPECT_FALSE(store->check());
  directory_.write_file("ca.pem", second.certificate_pem);
  const auto mended = store->check();
  EXPECT_TRUE(mended) << mended.error().message;
  // And the other way round: an authority that is trusted no more.
  directory_.write_file("ca.pem", first.certificate_pem);
  EXPECT_FALSE(store->check());
}

TEST_F(Tls, OldVersionsAreNotSpoken) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(stored, FaultOptions{.tls = &certificate, .newest_tls = TLS1_1_VERSION});
  const Error error = Refused(server, certificate);
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(Tls, AServerThatSpeaksPlainHttpGetsNothing) {
  FaultServer plain(stored);
  const std::string url = "https" + plain.url().substr(4);
  const auto ran = upload_one(config_for(url));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::fault);
  EXPECT_EQ(plain.requests(), 0);
}

TEST_F(Tls, ARedirectToPlainHttpIsNotFollowed) {
  FaultServer plain(stored);
  const TestCertificate certificate = make_certificate();
  FaultServer server(
      [&](int, const std::string&) {
        return FaultReply{301, "", fmt::format("Location: {}/feed\r\n", plain.url())};
      },
      &certificate);
  const Error error = Refused(server, certificate);
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_THAT(error.message, HasSubstr(plain.url()));
  EXPECT_EQ(plain.requests(), 0);
}

TEST_F(Tls, AHandshakeThatIsCutOffMayPass) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(stored, FaultOptions{.tls = &certificate, .hangs_up = true});
  EXPECT_EQ(Refused(server, certificate).kind, ErrorKind::retry);
}

TEST_F(Tls, AProxyThatOpensNoTunnelIsWaitedFor) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(stored, &certificate);
  for (const int status : {403, 407, 502, 503}) {
    SCOPED_TRACE(status);
    std::string seen;
    FaultServer proxy([&](int, const std::string& request) {
      seen = request;
      return FaultReply{status, "<html>no</html>"};
    });
    const WithVariable variable("https_proxy", proxy.url());
    const Error error = Refused(server, certificate);
    EXPECT_EQ(error.kind, ErrorKind::retry);
    EXPECT_THAT(error.message, HasSubstr(std::to_string(status)));
    EXPECT_THAT(seen, HasSubstr("CONNECT 127.0.0.1:"));
    EXPECT_THAT(seen, Not(HasSubstr("Authorization: Basic Y2F"))) << "the store's, not the proxy's";
    EXPECT_EQ(server.requests(), 0);
  }
}

TEST(Waiting, TheServerSaysHowLongInBothForms) {
  const struct {
    const char* header;
    std::optional<std::chrono::seconds> wait;
  } cases[] = {
      {"Retry-After: 7\r\n", std::chrono::seconds(7)},
      {"retry-after:7\r\n", std::chrono::seconds(7)},
      {"Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n", std::chrono::hours(1)},
      {"Retry-After: Friday, 06-Nov-98 08:49:37 GMT\r\n", std::chrono::seconds(0)},
      {"Retry-After: Sun Nov  6 08:49:37 1994\r\n", std::chrono::seconds(0)},
      {"Retry-After: 99999999999999999999\r\n", std::chrono::hours(1)},
      {"Retry-After: soon\r\n", std::nullopt},
      {"Retry-After: -7\r\n", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& test : cases) {
    for (const int status : {429, 503}) {
      SCOPED_TRACE(fmt::format("{} {}", status, test.header));
      FaultServer server([&](int, const std::string&) {
        return FaultReply{status, "{}", test.header};
      });
      const auto ran = upload_one(config_for(server.url()));
      ASSERT_FALSE(ran);
      EXPECT_EQ(ran.error().kind, ErrorKind::retry);
      EXPECT_EQ(ran.error().retry_after, test.wait);
    }
  }
}

TEST(Waiting, AServerThatStopsReadingIsGivenUpAndThenServedAgain) {
  std::atomic<bool> slow = true;
  FaultOptions options;
  options.stops_reading = [&](const std::string& read) { return slow && read.starts_with("POST"); };
  FaultServer server([](int, const std::string& request) { return all_is_well(request); }, options);
  TestExtract extract = extract_of(8);
  for (TestRow& row : extract.rows) row.record = std::string(512 << 10, 'x') + ",1.5";
  CouchdbConfig config = config_for(server.url());
  config.batch_bytes = 64 << 20;
  config.server.client.timeout = std::chrono::seconds(2);
  auto store = store_for(config);
  const StopSignal never;
  auto upload = store->start(info_of(), extract.reader(), {});
  const auto ran = upload->run(never);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry);
  EXPECT_THAT(ran.error().message, HasSubstr("timeout after 2 s"));
  EXPECT_EQ(upload->counts().stored, 0U);
  slow = false;
  for (Result<> again = upload->run(never); !again; again = upload->run(never)) {
    ASSERT_EQ(again.error().kind, ErrorKind::retry) << again.error().message;
  }
  EXPECT_EQ(upload->counts().stored, 8U);
  EXPECT_TRUE(upload->refused().empty());
}

TEST(Login, APasswordFileThatWasMendedIsReadAgain) {
  const test::TempDir directory;
  directory.write_file("couch.password", "old\n");
  CouchdbConfig config = config_for("");
  config.server.client.password = "old";
  config.server.client.password_from = directory.path("couch.password");
  config.server.client.reread_password = [file = directory.path("couch.password")] {
    return uploader::reread_password(file);
  };
  for (const int status : {401, 403}) {
    SCOPED_TRACE(status);
    directory.write_file("couch.password", "old\n");
    FaultServer server([&](int, const std::string& request) {
      // base64 of caravel:new
      const bool good = request.find("Basic Y2FyYXZlbDpuZXc=") != std::string::npos;
      const char* const reason = status == 401 ? "Name or password is incorrect."
                                               : "Account is temporarily locked due to multiple "
                                                 "authentication failures";
      return good ? all_is_well(request)
                  : FaultReply{status, fmt::format(R"({{"error":"x","reason":"{}"}})", reason)};
    });
    config.server.url = server.url();
    const StopSignal never;
    auto store = store_for(config);
    auto upload = store->start(info_of(), extract_of(1).reader(), {});
    const auto ran = upload->run(never);
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().kind, ErrorKind::fault);
    EXPECT_THAT(ran.error().message, HasSubstr(directory.path("couch.password")));
    EXPECT_THAT(ran.error().message, Not(HasSubstr("_security")));
    // Gone, or empty, for a moment: whoever mends it may do it in steps.
    directory.write_file("couch.password", "");
    EXPECT_FALSE(upload->run(never));
    directory.write_file("couch.password", "new\n");
    const auto mended = upload->run(never);
    EXPECT_TRUE(mended) << mended.error().message;
  }
}

}  // namespace
}  // namespace caravel::testing
