// HTTP over real sockets, against a server that misbehaves by script.
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "tests/support/extract_fixture.h"
#include "tests/support/fault_server.h"
#include "tests/support/one_row.h"
#include "tests/support/temp_dir.h"
#include "uploader/couchdb/store.h"
#include "uploader/http/curl_transport.h"

namespace caravel::testing {
namespace {

using uploader::CouchdbConfig;
using uploader::Documents;

/// Sets $HOME to another directory, as long as the object lives.
class WithHome {
 public:
  explicit WithHome(const std::string& path) {
    if (const char* home = std::getenv("HOME")) before_ = home;
    ::setenv("HOME", path.c_str(), 1);
  }
  ~WithHome() { before_ ? ::setenv("HOME", before_->c_str(), 1) : ::unsetenv("HOME"); }
  WithHome(const WithHome&) = delete;
  WithHome& operator=(const WithHome&) = delete;

 private:
  std::optional<std::string> before_;
};

/// A port whose queue of connections is full: a further connection is never accepted.
class FullListener {
 public:
  FullListener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0 || ::listen(listener_.get(), 0) != 0) {
      throw std::runtime_error("listen");
    }
    url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(waiting_.back().get(), any, size);
    }
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<UniqueFd> waiting_;
  std::string url_;
};

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
    FaultServer server([&](int, const std::string& request) {
      return request.starts_with("GET") ? FaultReply{} : test.reply;
    });
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
  // A look at the database, the row, a look at the database.
  EXPECT_EQ(server.requests(), 3);
}

TEST(CurlTransport, NetrcHasThePasswordOfTheUserThatIsConfigured) {
  const test::TempDir home;
  home.write_file(".netrc",
                  "machine elsewhere login caravel password not-this\n"
                  "machine 127.0.0.1 login first password not-that\n"
                  "machine 127.0.0.1 login caravel password sesame-open\n"
                  "machine 127.0.0.1 login joe@bus/1 password at-sign\n");
  const WithHome with_home(home.path());
  std::string request;
  FaultServer server([&](int, const std::string& text) {
    request = text;
    return FaultReply{201, kStored};
  });
  CouchdbConfig config = config_for(server.url());
  config.server.client.password.clear();
  config.server.client.use_netrc = true;
  ASSERT_TRUE(upload_one(config));
  // base64 of caravel:sesame-open
  EXPECT_NE(request.find("Authorization: Basic Y2FyYXZlbDpzZXNhbWUtb3Blbg==\r\n"),
            std::string::npos)
      << request;
  config.server.client.user = "joe@bus/1";
  ASSERT_TRUE(upload_one(config));
  // base64 of joe@bus/1:at-sign
  EXPECT_NE(request.find("Authorization: Basic am9lQGJ1cy8xOmF0LXNpZ24=\r\n"), std::string::npos)
      << request;
  config.server.client.user.clear();
  ASSERT_TRUE(upload_one(config));
  // base64 of first:not-that
  EXPECT_NE(request.find("Authorization: Basic Zmlyc3Q6bm90LXRoYXQ=\r\n"), std::string::npos)
      << request;
}

TEST(CurlTransport, AServerThatNeverAnswersTimesOut) {
  FaultServer server([](int, const std::string&) {
    FaultReply reply;
    reply.never = true;
    return reply;
  });
  CouchdbConfig config = config_for(server.url());
  config.server.client.timeout = std::chrono::milliseconds(300);
  const auto ran = upload_one(config);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::retry);
  EXPECT_NE(ran.error().message.find("timeout after 300 ms"), std::string::npos)
      << ran.error().message;
}

TEST(CurlTransport, ABatchThatIsNotAnsweredInTimeIsSentInSmallerOnes) {
  std::atomic<int> unanswered = 0;
  FaultServer server([&](int, const std::string& request) {
    // A row has one "_id" in a request that stores it, and none in a question.
    std::size_t rows = 0;
    for (std::size_t at = 0; (at = request.find("\"_id\"", at)) != std::string::npos; ++at) ++rows;
    FaultReply reply = all_is_well(request);
    reply.never = rows > 30;
    if (reply.never) ++unanswered;
    return reply;
  });
  CouchdbConfig config = config_for(server.url());
  config.server.client.timeout = std::chrono::milliseconds(300);
  config.connections = 1;
  config.batch_rows = 100;
  const StopSignal never;
  auto store = store_for(config);
  auto upload = store->start(info_of(), extract_of(250).reader(), {});
  for (Result<> ran = upload->run(never); !ran; ran = upload->run(never)) {
    EXPECT_EQ(ran.error().kind, ErrorKind::retry);
    ASSERT_LE(unanswered, 2) << ran.error().message;
  }
  EXPECT_EQ(unanswered, 2);
  EXPECT_EQ(upload->counts().stored, 250U);
}

TEST(CurlTransport, OnlyARequestThatWasSentCanTakeTooLong) {
  const StopSignal never;
  uploader::CurlOptions options;
  options.timeout = std::chrono::milliseconds(200);
  const auto transport = uploader::make_curl_transport(options);
  const auto reply_from = [&](const std::string& url) {
    uploader::HttpRequest request;
    request.method = "GET";
    request.url = url;
    transport->start(request);
    auto reply = transport->wait(never);
    EXPECT_TRUE(reply);
    return reply ? *reply : uploader::HttpReply{};
  };
  FaultServer silent([](int, const std::string&) {
    FaultReply reply;
    reply.never = true;
    return reply;
  });
  const uploader::HttpReply unanswered = reply_from(silent.url());
  EXPECT_TRUE(unanswered.failure);
  EXPECT_TRUE(unanswered.timed_out);

  const FullListener full;
  const uploader::HttpReply unconnected = reply_from(full.url());
  ASSERT_TRUE(unconnected.failure);
  EXPECT_EQ(unconnected.failure->message, "timeout: no connection within 200 ms");
  EXPECT_FALSE(unconnected.timed_out);
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
  CouchdbConfig config = config_for(server.url());
  config.server.client.timeout = std::chrono::minutes(5);
  auto store = store_for(config);
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
  auto store = store_for(config_for(server.url()));
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
  auto store = store_for(config_for(server.url()));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->check());
  EXPECT_EQ(server.connections(), 1);
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
