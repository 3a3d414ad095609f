#include "formatter/privacy/values.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace caravel::formatter {
namespace {

struct Case {
  const char* value;
  const char* written;
};

/// Each value is written so; a second time changes nothing, and nothing becomes longer.
template <std::size_t N>
void Expect(const std::function<std::string(std::string_view)>& rule, const Case (&cases)[N]) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.value);
    const std::string written = rule(one.value);
    EXPECT_EQ(written, one.written);
    EXPECT_EQ(rule(written), written) << "what was written is left alone";
    EXPECT_LE(written.size(), std::string_view(one.value).size());
  }
}

TEST(PrivateValues, AddressesAreCutToTheirNetwork) {
  Expect(truncated_address, {
                                {"192.0.2.17", "192.0.2.0"},
                                {"192.0.2.0", "192.0.2.0"},
                                {"255.255.255.255", "255.255.255.0"},
                                {"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
                                {"2001:DB8::17", "2001:db8::"},
                                {"::1", "::"},
                                {"::ffff:192.0.2.17", "::ffff:192.0.2.0"},
                                {"fe80::1%eth0", "-"},
                                {"192.0.2.17:443", "-"},
                                {"192.0.2.256", "-"},
                                {"192.0.2.017", "-"},
                                {"3221225985", "-"},
                                {"ann.example.org", "-"},
                                {"-", "-"},
                                {"", ""},
                            });
}

TEST(PrivateValues, TimesAreCutToTheirHour) {
  Expect(hour_of_clock,
         {{"09:48:12", "09:00:00"}, {"09:48:12,125", "09:00:00,000"}, {"23:59:60", "23:00:00"}});
  Expect(hour_of_timestamp, {{"2012-03-09T09:48:12", "2012-03-09T09:00:00"},
                             {"2012-03-09 09:48:12.5Z", "2012-03-09 09:00:00.0Z"},
                             {"2012-03-09T09:48:12.25+05:30", "2012-03-09T09:00:00.00+05:30"},
                             {"2012-03-09T09:48:12-0330", "2012-03-09T09:00:00-0330"},
                             {"20120309T094812Z", "20120309T090000Z"},
                             {"2012-W10-5t09:48z", "2012-W10-5t09:00z"},
                             {"2012-069T09:48:12,5+02", "2012-069T09:00:00,0+02"},
                             {"2012-03-09", "2012-03-09"}});
  Expect([](std::string_view value) { return hour_of_epoch(value, false); },
         {{"1331286480", "1331283600"}, {"1331286480.25", "1331283600.00"}, {"-3601", "-3600"}});
  Expect([](std::string_view value) { return hour_of_epoch(value, true); },
         {{"1331286480250", "1331283600000"}});
}

TEST(PrivateValues, QueriesAndUsersAreTakenOffUrls) {
  Expect(without_query,
         {
             {"GET /a?who=me HTTP/1.1", "GET /a HTTP/1.1"},
             {"GET /a HTTP/1.1", "GET /a HTTP/1.1"},
             {"GET /a?b c=me d HTTP/1.0", "GET /a HTTP/1.0"},
             {"GET /a?b=me", "GET /a"},
             {"GET /a%3Fwho=me HTTP/2.0", "GET /a HTTP/2.0"},
             {"/a#me", "/a"},
             {"https://me:pw@example.org/a?b=c", "https://example.org/a"},
             {"https://example.org/@me", "https://example.org/@me"},
             {"https://me@example.org", "https://example.org"},
             {"GET http://192.0.2.17:8080/a HTTP/1.1", "GET http://192.0.2.0:8080/a HTTP/1.1"},
             {"GET /ban/2001:db8:1:2::17 HTTP/1.1", "GET /ban/2001:db8:1:: HTTP/1.1"},
             {"GET /off/me@example.org/now HTTP/1.1", "GET /off/-/now HTTP/1.1"},
             {"GET /off/me%40example.org HTTP/1.1", "GET /off/- HTTP/1.1"},
             {"GET /@types/node/1.2.3 HTTP/1.1", "GET /@types/node/1.2.3 HTTP/1.1"},
             {"?me", "-"},
             {"-", "-"},
             {"", ""},
         });
}

TEST(PrivateValues, AgentsAreToldByFamily) {
  Expect(
      agent_family,
      {
          {"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox"},
          {"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "Chrome"},
          {"Mozilla/5.0 AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge"},
          {"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.1 Safari/605.1.15", "Safari"},
          {"Mozilla/5.0 (compatible; Googlebot/2.1)", "bot"},
          {"curl/7.88.1", "curl"},
          {"ann@example.org's own browser", "other"},
          {"me", "-"},
          {"-", "-"},
          {"", ""},
      });
}

TEST(PrivateValues, ScrubbingTakesAddressesMailAndQuotedText) {
  Expect(scrubbed, {
                       {"login of ann@example.org from 192.0.2.17", "login of - from -"},
                       {"from [2001:db8::17]:443 failed", "from [-]:443 failed"},
                       {"peer=10.0.0.1:5000", "peer=-"},
                       {R"(user "Ann \"A\" B" said 'no')", R"(user "-" said '-')"},
                       {R"(open "never closed by Ann)", R"(open "-)"},
                       {"it's fine", "it's fine"},
                       {"v1.2.3 of 17", "v1.2.3 of 17"},
                       {"\"\"", "\"\""},
                   });
}

}  // namespace
}  // namespace caravel::formatter
