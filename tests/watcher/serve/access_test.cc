// Who may ask: heads of requests, and what is answered to them.
#include "watcher/serve/access.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/config_fixture.h"

namespace caravel::watcher {
namespace {

using testing::HasSubstr;
using testing::Not;

RequestHead Get(const std::string& target, const std::string& host = "localhost:8099") {
  return {.method = "GET", .target = target, .host = host, .hosts = 1};
}

unsigned StatusOf(const Access& access, const RequestHead& head) {
  const auto refusal = access.judge(head);
  return refusal ? refusal->status : 200;
}

TEST(Access, OnlyGetAndHeadWithoutABodyAndWithOneHost) {
  const Access access(ListenPlace{}, {});
  EXPECT_EQ(StatusOf(access, Get("/")), 200U);
  RequestHead head = Get("/");
  head.method = "HEAD";
  EXPECT_EQ(StatusOf(access, head), 200U);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", ""}) {
    SCOPED_TRACE(method);
    head.method = method;
    EXPECT_EQ(StatusOf(access, head), 405U);
  }
  head = Get("/");
  head.has_body = true;
  EXPECT_EQ(StatusOf(access, head), 413U);
  head = Get("/", "");
  head.hosts = 0;
  EXPECT_EQ(StatusOf(access, head), 400U);
  head.http_1_0 = true;
  EXPECT_EQ(StatusOf(access, head), 200U);
  head.hosts = 2;
  EXPECT_EQ(StatusOf(access, head), 400U);
  EXPECT_EQ(StatusOf(access, Get("http://localhost/")), 400U);
  EXPECT_EQ(StatusOf(access, Get("*")), 400U);
}

TEST(Access, ANameThatAStrangerCanPointHereIsRefused) {
  const Access access(ListenPlace{}, {});
  for (const char* host :
       {"localhost", "LocalHost:8099", "127.0.0.1", "127.1.2.3:1", "[::1]", "[::1]:8099"}) {
    EXPECT_EQ(StatusOf(access, Get("/", host)), 200U) << host;
  }
  for (const char* host :
       {"evil.example", "evil.example:8099", "localhost.evil.example", "127.0.0.1.evil.example",
        "127.0.0.1:80:evil", "10.0.0.1", "[::2]", "[::1].evil", "", "127.", "localhost:x"}) {
    EXPECT_EQ(StatusOf(access, Get("/", host)), 421U) << host;
  }
  // Where no browser can lead a name, or a token is asked for, the name says nothing.
  EXPECT_EQ(StatusOf(Access(ListenPlace{"", 0, "/s"}, {}), Get("/", "evil.example")), 200U);
}

TEST(Access, WithATokenEverythingButHealthNeedsIt) {
  const Access access(ListenPlace{"0.0.0.0", 8099, ""},
                      {hash_of_token("another-token-of-somebody"),
                       hash_of_token("0123456789abcdef"), hash_of_token("a-third-one-of-another")});
  const auto with = [](const std::string& authorization) {
    RequestHead head = Get("/metrics", "loader.example.org");
    head.authorization = authorization;
    return head;
  };
  EXPECT_EQ(StatusOf(access, Get("/healthz", "loader.example.org")), 200U);
  EXPECT_EQ(StatusOf(access, Get("/healthz?x", "loader.example.org")), 200U);
  EXPECT_EQ(StatusOf(access, with("Bearer 0123456789abcdef")), 200U);
  EXPECT_EQ(StatusOf(access, with("Bearer another-token-of-somebody")), 200U);
  EXPECT_EQ(StatusOf(access, with("Bearer a-third-one-of-another")), 200U);
  EXPECT_EQ(StatusOf(access, with("bearer  0123456789abcdef")), 200U);
  // "anybody:0123456789abcdef", as a browser sends a login.
  EXPECT_EQ(StatusOf(access, with("Basic YW55Ym9keTowMTIzNDU2Nzg5YWJjZGVm")), 200U);
  for (const char* wrong :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeX", "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcde", "Basic", "Basic !!!!", "Basic YW55Ym9keTp4",
        "Basic MDEyMzQ1Njc4OWFiY2RlZg==", "0123456789abcdef"}) {
    EXPECT_EQ(StatusOf(access, with(wrong)), 401U) << wrong;
  }
  EXPECT_EQ(StatusOf(access, Get("/", "loader.example.org")), 401U);
  EXPECT_EQ(StatusOf(access, Get("/readyz", "loader.example.org")), 401U);
}

TEST(Access, PathsEndAtTheQuery) {
  EXPECT_EQ(path_of("/metrics?x=/y"), "/metrics");
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("metrics"), "");
  EXPECT_EQ(path_of(""), "");
}

class TokenFile : public testing::Test {
 protected:
  Result<std::string> Read(const std::string& content, mode_t mode = 0600) {
    std::ofstream(path_) << content;
    EXPECT_EQ(::chmod(path_.c_str(), mode), 0);
    return read_token(path_);
  }
  std::string Refused(const std::string& content, mode_t mode = 0600) {
    const auto token = Read(content, mode);
    EXPECT_FALSE(token.has_value());
    if (token) return "(no error)";
    EXPECT_EQ(token.error().kind, ErrorKind::usage);
    EXPECT_THAT(token.error().message, HasSubstr("token_file " + path_));
    return token.error().message;
  }

  testing_support::Folder folder_;
  const std::string path_ = folder_ / "token";
};

TEST_F(TokenFile, ItsFirstLineIsTheToken) {
  EXPECT_EQ(Read("0123456789abcdef\n").value(), "0123456789abcdef");
  EXPECT_EQ(Read("0123456789abcdef\r\nmore", 0640).value(), "0123456789abcdef");
}

TEST_F(TokenFile, WhatGuardsNothingIsRefusedWithoutBeingQuoted) {
  EXPECT_THAT(Refused("0123456789abcdef\n", 0644), HasSubstr("chmod 0600"));
  EXPECT_THAT(Refused("short-secret\n"), Not(HasSubstr("short-secret")));
  EXPECT_THAT(Refused(""), HasSubstr("at least 16"));
  EXPECT_THAT(Refused("0123456789 abcdef\n"), Not(HasSubstr("0123456789")));
  EXPECT_THAT(read_token(folder_ / "none").error().message, HasSubstr("No such file"));
  EXPECT_THAT(read_token(folder_ / "").error().message, HasSubstr("not a regular file"));
}

TEST(Access, ATokenIsHashedAsSha256sumDoes) {
  const Access access(ListenPlace{"0.0.0.0", 8099, ""}, {hash_of_token("abc")});
  RequestHead head = Get("/", "h");
  head.authorization = "Bearer abc";
  EXPECT_EQ(StatusOf(access, head), 200U);
  // FIPS 180-2, the example "abc".
  EXPECT_EQ(hash_of_token("abc")[0], 0xbaU);
  EXPECT_EQ(hash_of_token("abc")[31], 0xadU);
}

class TokensFile : public testing::Test {
 protected:
  Result<std::vector<TokenHash>> Read(const std::string& content, mode_t mode = 0600) {
    std::ofstream(path_) << content;
    EXPECT_EQ(::chmod(path_.c_str(), mode), 0);
    return read_tokens(path_);
  }
  std::string Refused(const std::string& content, mode_t mode = 0600) {
    const auto tokens = Read(content, mode);
    if (tokens) return "(no error)";
    EXPECT_EQ(tokens.error().kind, ErrorKind::usage);
    EXPECT_THAT(tokens.error().message, HasSubstr("tokens_file " + path_));
    return tokens.error().message;
  }

  testing_support::Folder folder_;
  const std::string path_ = folder_ / "tokens";
};

constexpr const char* kHashOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_F(TokensFile, HasALineForEachToken) {
  const std::string hash = kHashOfAbc;
  const auto tokens =
      Read("# who may look\n\ngrafana:" + hash + "\r\nops.2:" + std::string(64, '0'));
  ASSERT_TRUE(tokens.has_value());
  ASSERT_EQ(tokens->size(), 2U);
  EXPECT_EQ(tokens->front(), hash_of_token("abc"));
}

TEST_F(TokensFile, WhatIsNoHashIsRefusedWithoutBeingQuoted) {
  const std::string hash = kHashOfAbc;
  // A token itself, which somebody took for what belongs there.
  const std::string said = Refused("ok:" + hash + "\ngrafana:c2VjcmV0LXRva2Vu\n");
  EXPECT_THAT(said, HasSubstr(":2: is not NAME:HASH"));
  EXPECT_THAT(said, Not(HasSubstr("c2Vj")));
  for (const std::string& bad : {hash, ":" + hash, "a b:" + hash, "a:" + hash + "0",
                                 "a:" + hash.substr(1), "a:BA" + hash.substr(2), "a: " + hash}) {
    EXPECT_THAT(Refused(bad), HasSubstr(":1: is not NAME:HASH")) << bad;
  }
  EXPECT_THAT(Refused("# none\n"), HasSubstr("names no token"));
  EXPECT_THAT(Refused("a:" + hash, 0644), HasSubstr("chmod 0600"));
}

}  // namespace
}  // namespace caravel::watcher
