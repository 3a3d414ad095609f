#include "formatter/records/logfmt.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

/// "name|text|cell|json" of each pair, or the reason.
std::string Pairs(std::string_view line) {
  const auto members = read_logfmt(line, 10);
  if (!members) return members.error().message;
  std::string all;
  for (const JsonMember& member : *members) {
    all += (all.empty() ? "" : " ; ") + member.name + "|" + member.text + "|" + member.cell + "|" +
           member.json;
  }
  return all;
}

TEST(Logfmt, IsKeysAndValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"a=1", R"(a|1|1|"a":1)"},
      {"a=1 b=x", R"(a|1|1|"a":1 ; b|x|x|"b":"x")"},
      {"a=1 \t b=x", R"(a|1|1|"a":1 ; b|x|x|"b":"x")"},
      {"a.b-c/d=x", R"(a.b-c/d|x|x|"a.b-c/d":"x")"},
      // Digits stay as they stand, and what is no JSON number is a string.
      {"a=1.50", R"(a|1.50|1.50|"a":1.50)"},
      {"a=-1e5", R"(a|-1e5|-1e5|"a":-1e5)"},
      {"a=007", R"(a|007|007|"a":"007")"},
      {"a=1.5s", R"(a|1.5s|1.5s|"a":"1.5s")"},
      {"a=12345678901234567890", R"(a|12345678901234567890|12345678901234567890|)"
                                 R"("a":12345678901234567890)"},
      {"a=true b=false", R"(a|true|true|"a":true ; b|false|false|"b":false)"},
      // A string that would read as something else keeps its quotes.
      {"a=null", R"(a|null|"null"|"a":"null")"},
      {"a=[1]", R"(a|[1]|"[1]"|"a":"[1]")"},
      {R"(a="1")", R"(a|1|"1"|"a":"1")"},
      {R"(a="true")", R"(a|true|"true"|"a":"true")"},
      // Nothing.
      {"a=", R"(a|||"a":"")"},
      {"a= b=1", R"(a|||"a":"" ; b|1|1|"b":1)"},
      {R"(a="")", R"(a||""|"a":"")"},
      // Quotes and escapes.
      {R"(a="x y")", R"(a|x y|x y|"a":"x y")"},
      {R"(a="x=\"y\" \\ ü")", R"(a|x="y" \ ü|x="y" \ ü|"a":"x=\"y\" \\ ü")"},
      {R"(a="1\n2\t3\u00e9")", "a|1\n2\t3é|1\n2\t3é|\"a\":\"1\\n2\\t3é\""},
      {R"(a="\x1b \"q\" \\")", R"(a|\x1b "q" \|\x1b "q" \|"a":"\\x1b \"q\" \\")"},
      // Only blanks end a bare value.
      {"a=b=c", R"(a|b=c|b=c|"a":"b=c")"},
      {"u=http://h/?q=1&r=2", R"(u|http://h/?q=1&r=2|http://h/?q=1&r=2|"u":"http://h/?q=1&r=2")"},
      {"", ""},
      // What is none.
      {"word", "expected = at byte 4"},
      {"a=1 word", "expected = at byte 8"},
      {"two words", "expected = at byte 3"},
      {"=1", "expected a key at byte 0"},
      {"a=1 \"b\"=2", "expected a key at byte 4"},
      {"a=\"x", "no end of the string at byte 2"},
      {R"(a="x\")", "no end of the string at byte 2"},
      {"a=\"x\"y", "expected a blank at byte 5"},
      {"a=x\"y\"", "a quote inside a value at byte 3"},
      {"a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1 j=1 k=1", "over 10 pairs"},
  };
  for (const auto& [line, pairs] : cases) {
    SCOPED_TRACE(line);
    EXPECT_EQ(Pairs(line), pairs);
  }
}

TEST(LogfmtRecords, BecomeRowsOfTheFirstLinesKeys) {
  const auto format =
      test::CompileYaml("format: f\nreader: logfmt\nidentity: line\ntime: ts\nkey: who\n");
  ASSERT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  const auto run = test::Format(
      "ts=2012-03-09T09:48:00Z who=ann n=1\nwho=bob ts=1331286481 m=\"x, y\"\nwho=bob\n"
      "ts=2012-03-09T09:48:00Z n=1 n=2\nhello there\n",
      request);
  EXPECT_EQ(run.csv,
            "ts,who,n,more\n2012-03-09T09:48:00Z,ann,1,\n"
            "1331286481,bob,,\"{\"\"m\"\":\"\"x, y\"\"}\"\n");
  EXPECT_EQ(run.counts(), "5 = 2 rows + 0 dropped + 3 rejected");
  ASSERT_EQ(run.id_tails.size(), 2U);
  EXPECT_THAT(run.id_tails[1], testing::StartsWith("20120309T094801Z:bob:"));
  EXPECT_THAT(run.reasons, testing::HasSubstr("the member 'n' stands twice"));
  EXPECT_THAT(run.reasons, testing::HasSubstr("expected = at byte 5"));
}

}  // namespace
}  // namespace caravel::formatter
