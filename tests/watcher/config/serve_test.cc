#include "watcher/config/serve.h"

#include <gmock/gmock.h>

#include "tests/support/config_text.h"

namespace caravel::watcher {
namespace {

using testing::HasSubstr;

TEST(ServeConfig, PlacesAreReadAndSaidTheSameWay) {
  const struct {
    const char* text;
    const char* said;
    bool local;
  } cases[] = {
      {"127.0.0.1:8099", "http://127.0.0.1:8099", true},
      {"127.9.9.9:0", "http://127.9.9.9:0", true},
      {"localhost:80", "http://127.0.0.1:80", true},
      {"[::1]:8099", "http://[::1]:8099", true},
      {"0.0.0.0:65535", "http://0.0.0.0:65535", false},
      {"[::]:8099", "http://[::]:8099", false},
      {"10.1.2.3:8099", "http://10.1.2.3:8099", false},
      {"unix:/run/caravel.sock", "unix:/run/caravel.sock", true},
      {"unix:serve.sock", "unix:/etc/caravel/serve.sock", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto place = parse_listen(c.text, "/etc/caravel");
    ASSERT_TRUE(place.has_value()) << place.error().message;
    EXPECT_EQ(text_of(*place), c.said);
    EXPECT_EQ(place->is_local(), c.local);
  }
}

TEST(ServeConfig, WhatIsNoPlaceIsRefused) {
  for (const char* text :
       {"", "8099", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
        "example.org:80", "::1:80", "[127.0.0.1]:80", "127.0.0.1.example.org:80", "unix:"}) {
    SCOPED_TRACE(text);
    const auto place = parse_listen(text, "/etc/caravel");
    ASSERT_FALSE(place.has_value());
    EXPECT_EQ(place.error().kind, ErrorKind::usage);
  }
  EXPECT_FALSE(parse_listen("unix:/" + std::string(120, 'x'), "/").has_value());
}

TEST(ServeConfig, OtherPlacesThanThisHostNeedAToken) {
  EXPECT_THAT(ErrorOf("serve: {listen: '0.0.0.0:8099'}"),
              HasSubstr("c.yaml:1: serve.listen: http://0.0.0.0:8099 can be reached from other "
                        "hosts: say token_file: FILE too"));
  EXPECT_THAT(ErrorOf("serve: {listen: '[::]:8099'}"), HasSubstr("token_file"));
  EXPECT_EQ(Parsed("serve: {listen: '0.0.0.0:8099', token_file: t}").serve.token_file,
            "/etc/caravel/t");
  EXPECT_EQ(Parsed("serve: {listen: '0.0.0.0:8099', tokens_file: t}").serve.tokens_file,
            "/etc/caravel/t");
  EXPECT_THAT(ErrorOf("serve: {token: secret}"), HasSubstr("unknown key"));
  EXPECT_THAT(ErrorOf("serve: {listen: 'nowhere'}"), HasSubstr("neither ADDRESS:PORT nor unix:"));
}

}  // namespace
}  // namespace caravel::watcher
