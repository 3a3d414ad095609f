// HTTP over real sockets, against a server that misbehaves by script.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "base/file.h"
#include "tests/support/extract_fixture.h"
#include "tests/support/fault_server.h"
#include "uploader/store.h"

namespace caravel::testing {
namespace {

using uploader::Documents;
using uploader::StoreConfig;

constexpr const char* kStored =
    R"([{"ok":true,"id":"hrt:20120309T000000:V.1:000000","rev":"1-x"}])";

StoreConfig config_for(const std::string& url) {
  StoreConfig config;
  config.name = "couch";
  config.type = uploader::StoreType::couchdb;
  config.url = url;
  config.database = "feed";
  config.user = "caravel";
  config.password = "sesame-open";
  config.documents = Documents::rows;
  config.timeout = std::chrono::milliseconds(5000);
  return config;
}

/// What comes of the upload of one row.
Result<> upload_one(const StoreConfig& config) {
  const StopSignal never;
  auto store = uploader::make_store(config);
  return store->start(info_of(), extract_of(1).reader(), {})->run(never);
}

struct FaultCase {
  const char* name;
  FaultReply reply;
  ErrorKind kind;
  const char* says;
};

TEST(CurlTransport, EveryFaultHasItsKindAndItsWords) {
  const FaultCase cases[] = {
      {"401",
       {401, R"({"error":"unauthorized","reason":"Name or password is incorrect."})"},
       ErrorKind::fault,
       "Name or password is incorrect"},
      {"403", {403, "{}"}, ErrorKind::fault, "HTTP 403"},
      {"429", {429, "{}", "Retry-After: 3\r\n"}, ErrorKind::retry, "HTTP 429"},
      {"503", {503, "<html>busy"}, ErrorKind::retry, "HTTP 503"},
      {"redirect", {301, "", "Location: http://elsewhere/\r\n"}, ErrorKind::fault, "elsewhere"},
      {"garbage", {200, "no json at all"}, ErrorKind::retry, "cannot be understood"},
      {"cut in the head", {201, kStored, "", 20}, ErrorKind::retry, "POST"},
      {"cut in the body", {201, kStored, "", 120}, ErrorKind::retry, "POST"},
      {"closed", {201, kStored, "", 0}, ErrorKind::retry, "POST"},
      {"too long", {201, std::string(1 << 20, ' ')}, ErrorKind::retry, "longer than"},
  };
  for (const FaultCase& test : cases) {
    SCOPED_TRACE(test.name);
    FaultServer server([&](int, const std::string&) { return test.reply; });
    const auto ran = upload_one(config_for(server.url()));
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().kind, test.kind) << ran.error().message;
    EXPECT_NE(ran.error().message.find(test.says), std::string::npos) << ran.error().message;
    EXPECT_NE(ran.error().message.find("couch: POST " + server.url() + "/feed/_bulk_docs: "),
              std::string::npos)
        << ran.error().message;
    EXPECT_EQ(ran.error().message.find("sesame"), std::string::npos) << ran.error().message;
    if (std::string(test.name) == "429") {
      EXPECT_EQ(ran.error().retry_after, std::chrono::seconds(3));
    }
  }
}

TEST(CurlTransport, CredentialsAreSentBeforeTheyAreAskedFor) {
  std::string request;
  FaultServer server([&](int, const std::string& text) {
    request = text;
    return FaultReply{201, kStored};
  });
  ASSERT_TRUE(upload_one(config_for(server.url())));
  // base64 of caravel:sesame-open
  EXPECT_NE(request.find("Authorization: Basic Y2FyYXZlbDpzZXNhbWUtb3Blbg==\r\n"),
            std::string::npos);
  EXPECT_EQ(server.requests(), 1);
}

TEST(CurlTransport, AServerThatNeverAnswersTimesOut) {
  FaultServer server([](int, const std::string&) {
    FaultReply reply;
    reply.never = true;
    return reply;
  });
  StoreConfig config = config_for(server.url());
  config.timeout = std::chrono::milliseconds(300);
  const auto ran = upload_one(config);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry);
  EXPECT_NE(ran.error().message.find("timeout after 300 ms"), std::string::npos)
      << ran.error().message;
}

TEST(CurlTransport, NobodyListensIsSomethingToWaitFor) {
  std::string url;
  {
    url = FaultServer([](int, const std::string&) { return FaultReply{}; }).url();
  }
  const auto ran = upload_one(config_for(url));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry);
  EXPECT_NE(ran.error().message.find("connect"), std::string::npos) << ran.error().message;
}

TEST(CurlTransport, AStopEndsTheWaitAtOnce) {
  StopSignal stop;
  FaultServer server([&](int, const std::string&) {
    stop.request();
    FaultReply reply;
    reply.never = true;
    return reply;
  });
  StoreConfig config = config_for(server.url());
  config.timeout = std::chrono::minutes(5);
  auto store = uploader::make_store(config);
  const auto began = std::chrono::steady_clock::now();
  const auto ran = store->start(info_of(), extract_of(1).reader(), {})->run(stop);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(CurlTransport, AConnectionThatWasClosedWhileIdleIsReplacedSilently) {
  FaultServer server([](int, const std::string&) {
    FaultReply reply{200, R"({"db_name":"feed","doc_count":1})"};
    reply.close_after = true;
    return reply;
  });
  auto store = uploader::make_store(config_for(server.url()));
  for (int i = 0; i < 3; ++i) {
    const auto checked = store->check();
    ASSERT_TRUE(checked) << checked.error().message;
  }
  EXPECT_EQ(server.requests(), 6);
}

TEST(CurlTransport, ConnectionsAreKept) {
  FaultServer server([](int, const std::string&) {
    return FaultReply{200, R"({"db_name":"feed","doc_count":1})"};
  });
  auto store = uploader::make_store(config_for(server.url()));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->check());
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, TlsIsVerified) {
  const TestCertificate certificate = make_certificate();
  FaultServer server(
      [](int, const std::string&) {
        return FaultReply{201, kStored};
      },
      &certificate);
  StoreConfig config = config_for(server.url());
  const auto refused = upload_one(config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::fault);
  EXPECT_NE(refused.error().message.find("certificate"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(server.requests(), 0);

  std::string path = (std::filesystem::temp_directory_path() / "caravel-ca-XXXXXX").string();
  const UniqueFd file(::mkstemp(path.data()));
  ASSERT_TRUE(write_all(file.get(), certificate.certificate_pem));
  config.ca_file = path;
  const auto trusted = upload_one(config);
  EXPECT_TRUE(trusted) << trusted.error().message;
  // The certificate is for 127.0.0.1, not for a name that leads there.
  config.url = "https://localhost" + server.url().substr(std::string("https://127.0.0.1").size());
  EXPECT_FALSE(upload_one(config));
  std::remove(path.c_str());
}

TEST(CurlTransport, OtherProtocolsAreNotSpoken) {
  for (const char* url : {"file:///etc", "ftp://127.0.0.1", "gopher://127.0.0.1"}) {
    SCOPED_TRACE(url);
    const auto ran = upload_one(config_for(url));
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().kind, ErrorKind::fault) << ran.error().message;
  }
}

}  // namespace
}  // namespace caravel::testing
