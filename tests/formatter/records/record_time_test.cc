// The time of csv and jsonl rows, as formats can describe it.
#include "formatter/records/record_time.h"

#include <gmock/gmock.h>

#include "formatter/records/json_object.h"
#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What a csv with the columns a, b, c and one row makes of `keys`: the row's time as its id has
/// it, or the reason of the reject.
std::string TimeOf(const std::string& keys, const std::string& row) {
  const auto format =
      test::CompileYaml("format: x\nreader: csv\nidentity: position\n" + keys + "\n");
  if (!format) return format.error().message;
  FormatRequest request;
  request.format = &*format;
  request.years = YearTable::fixed(std::chrono::year(2012));
  const auto run = test::Format("a,b,c\n" + row + "\n", request);
  if (run.id_tails.size() == 1) return run.id_tails[0].substr(0, run.id_tails[0].find(':'));
  return run.reasons;
}

TEST(RecordTime, IsIso8601OrAnEpochByDefault) {
  const struct {
    const char* text;
    const char* time;
  } cases[] = {
      // Frozen: what was taken before there were layouts.
      {"2012-03-09T09:48:00", "20120309T094800"},
      {"2012-03-09 09:48:00.125", "20120309T094800.125"},
      {"2012-03-09T09:48:00+01:00", "20120309T084800Z"},
      {"2012-03-09T09:48:00.5Z", "20120309T094800.5Z"},
      {"2012-03-09T23:59:60", "20120309T235960"},
      {"2012-03-09T23:59:60Z", "20120310T000000Z"},
      {"1331286480", "20120309T094800Z"},
      {"1331286480.25", "20120309T094800.25Z"},
      // The other forms of ISO 8601.
      {"2025-03-03 10:00:00.123+02", "20250303T080000.123Z"},
      {"2025-03-03 10:00:00+00", "20250303T100000Z"},
      {"2025-03-03T10:00:00-03", "20250303T130000Z"},
      {"2025-03-03T10:00Z", "20250303T100000Z"},
      {"20250303T100000Z", "20250303T100000Z"},
      {"2025-03-03t10:00:00z", "20250303T100000Z"},
      {"2025-062T10:00:00", "20250303T100000"},
      {"2025-W10-1T10:00:00", "20250303T100000"},
      {"2025-03-03 10:00:00 +0200", "20250303T080000Z"},
      {"20161231T235960Z", "20161231T235960Z"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(TimeOf("time: a", std::string(c.text) + ",,"), c.time);
  }
  for (const char* text : {"2012-03-09T09:48:00 or so", "2012-03-09", "today", "", "-1"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(TimeOf("time: a", std::string(text) + ",,"),
                HasSubstr("'a' is no ISO 8601 time and no epoch: '" + std::string(text) + "'"));
  }
}

TEST(RecordTime, IsWhatTheFormatSays) {
  const struct {
    const char* keys;
    const char* row;
    const char* time;
  } cases[] = {
      {"time: {column: b, format: '%d.%m.%y %H:%M'}", ",09.03.12 09:48,", "20120309T094800"},
      {"time: {column: b, format: '%m/%d/%Y %I:%M:%S %p'}", ",3/9/2012 9:48:00 PM,",
       "20120309T214800"},
      {"time: {column: b, format: epoch(s)}", ",1331286480.5,", "20120309T094800.5Z"},
      {"time: {column: b, format: epoch(ms)}", ",1331286480007,", "20120309T094800.007Z"},
      {"time: {column: b, format: epoch(us)}", ",1331286480000007,", "20120309T094800.000007Z"},
      {"time: {column: b, format: epoch(ns)}", ",1331286480000000007,",
       "20120309T094800.000000007Z"},
      {"time: {column: b, format: ['%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d %H:%M:%S', epoch(ms)]}",
       ",2012-03-09 09:48:00,", "20120309T094800"},
      {"time: {column: b, format: ['%Y-%m-%d', epoch(ms)]}", ",1331286480007,",
       "20120309T094800.007Z"},
      {"time: {column: b, format: '%F'}", ",2012-03-09,", "20120309T000000"},
      {"time: {column: b, format: '%b %e %T'}", ",Mar  9 09:48:00,", "20120309T094800"},
      {"time: {column: b, format: '%F %T'}", ",2016-12-31 23:59:60,", "20161231T235960"},
      {"time: {column: b, format: '%F %T %z'}", ",2016-12-31 23:59:60 +0000,", "20161231T235960Z"},
      {"time: [a, b]", "2012-03-09,09:48:00,", "20120309T094800"},
      {"time: [a, b, c]", "2012-03-09,09:48:00,+01:00", "20120309T084800Z"},
      {"time: {columns: [a, b], format: '%d/%m/%Y %H:%M:%S'}", "09/03/2012,09:48:00,",
       "20120309T094800"},
      {"time: {columns: [a, b, c], format: '%d/%m/%Y %H:%M %Z'}\nzones: {EST: -05:00}",
       "09/03/2012,09:48,EST", "20120309T144800Z"},
      {"time: a\nzone: Europe/Berlin", "2012-07-09T09:48:00,,", "20120709T074800Z"},
      {"time: a\nzone: Europe/Berlin", "2012-07-09T09:48:00+00:00,,", "20120709T094800Z"},
      {"time: a\nzone: Europe/Berlin", "1331286480,,", "20120309T094800Z"},
      {"time: {column: a, format: '%F %R'}\nzone: Europe/Berlin", "2012-07-09 09:48,,",
       "20120709T074800Z"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.keys) + " on " + c.row);
    EXPECT_EQ(TimeOf(c.keys, c.row), c.time);
  }
}

TEST(RecordTime, SaysWhatItWantedAndWhatItFound) {
  EXPECT_THAT(TimeOf("time: {column: b, format: '%d.%m.%y %H:%M'}", ",9/3/12,"),
              HasSubstr("'b' is no time as '%d.%m.%y %H:%M': '9/3/12': wanted '.' at byte 1"));
  EXPECT_THAT(TimeOf("time: {column: b, format: '%d.%m.%y'}", ",9.3.12 x,"),
              HasSubstr("wanted the end at byte 6"));
  EXPECT_THAT(TimeOf("time: {column: b, format: '%d.%m.%y'}", ",30.2.12,"),
              HasSubstr("no calendar has that day"));
  EXPECT_THAT(TimeOf("time: {column: b, format: '%d.%m.'}", ",30.2.,"),
              HasSubstr("no calendar has that day"));
  EXPECT_THAT(TimeOf("time: {column: b, format: ['%d.%m.%y', epoch(ms)]}", ",x,"),
              HasSubstr("as '%d.%m.%y' or 'epoch(ms)': 'x': wanted a day 01-31 (%d) at byte 0"));
  EXPECT_THAT(TimeOf("time: b\nzone: Europe/Berlin", ",2025-03-30T02:30:00,"),
              HasSubstr("the clocks of Europe/Berlin skipped 2025-03-30T02:30:00"));
  EXPECT_THAT(TimeOf("time: [a, z]", ",,"), HasSubstr("there is no column 'z', the row's time"));
  const std::string reason =
      TimeOf("time: {column: b, format: '%d.%m.%y'}", "," + std::string(500, 'x') + "\x1b,");
  EXPECT_LT(reason.size(), 300U);
  EXPECT_EQ(reason.find('\x1b'), std::string::npos);
}

TEST(RecordTime, OfAnExtractTellsWhichYearWasTaken) {
  const auto format = test::CompileYaml(
      "format: x\nreader: csv\nidentity: position\ntime: {column: a, format: '%d.%m. %H:%M'}\n");
  ASSERT_TRUE(format);
  EXPECT_TRUE(format->needs_year());
  FormatRequest request;
  request.format = &*format;
  request.years = YearTable::fixed(std::chrono::year(2012));
  const auto run = test::Format("a\n08.03. 10:00\n09.03. 10:00\nx\n", request);
  using namespace std::chrono;
  EXPECT_EQ(run.result.last_date, year(2012) / March / 9);
  EXPECT_EQ(run.id_tails.size(), 2U);
}

TEST(RecordTime, OfJsonMayLieInNestedObjects) {
  const auto format = test::CompileYaml(
      "format: x\nreader: jsonl\nidentity: position\ntime: {column: t.$date, format: epoch(ms)}\n");
  ASSERT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  const auto run = test::Format(
      R"({"t":{"$date":1331286480007},"x":1}
{"t":{"$date":"1331286480008"},"x":1}
{"t":{"$date":7,"$date":8}}
{"t":7}
{"x":1}
{"t.$date":1331286480009,"t":{"$date":1}}
{"t":{"a":{"$date":1}}}
)",
      request);
  std::vector<std::string> times;
  for (const auto& tail : run.id_tails) times.push_back(tail.substr(0, tail.find(':')));
  EXPECT_THAT(times,
              ElementsAre("20120309T094800.007Z", "20120309T094800.008Z", "20120309T094800.009Z"));
  EXPECT_EQ(run.result.counts.rejected, 4U);
}

TEST(MemberText, FollowsAPathWhereNoMemberHasTheName) {
  JsonObjectReader reader(100);
  const auto text = [&](std::string_view json, std::string_view name) {
    const auto members = reader.read(json);
    EXPECT_TRUE(members);
    return member_text(reader, *members, name);
  };
  EXPECT_EQ(text(R"({"a":{"b":{"c":"x"}}})", "a.b.c"), "x");
  EXPECT_EQ(text(R"({"a.b":{"c":"x"}})", "a.b.c"), "x");
  EXPECT_EQ(text(R"({"a":{"b.c":12345678901234567890.10}})", "a.b.c"), "12345678901234567890.10");
  EXPECT_EQ(text(R"({"a":{"b":1},"a.b":2})", "a.b"), "2");
  EXPECT_EQ(text(R"({"a":[{"b":1}]})", "a.b"), "");
  EXPECT_EQ(text(R"({"a":"{\"b\":1}"})", "a.b"), "") << "a string is no object";
  EXPECT_EQ(text(R"({"a":1})", "a.b"), "");
  EXPECT_EQ(text(R"({"":{"":1}})", "."), "1");
}

}  // namespace
}  // namespace caravel::formatter
