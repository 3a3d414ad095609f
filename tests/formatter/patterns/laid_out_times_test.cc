// Captures of times with a layout: what they match, what columns and ids make of them.
#include <gmock/gmock.h>

#include "formatter/patterns/capture_types.h"
#include "tests/formatter/format_run.h"
#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::Check;
using test::FormatRun;
using test::Matches;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LaidOutTimes, MatchWhatTheirLayoutSays) {
  Check({
      {"{d:month-day(%b %e)}", "Mar  9", "Mar  9"},
      {"{d:month-day(%b %e)}", "Mar 19", "Mar 19"},
      {"{d:month-day(%b %e)} x", "Feb 29 x", "Feb 29"},
      {"{d:month-day(%b %e)}", "Feb 30", {}},
      {"{d:month-day(%d.%m.)}", "09.03.", "09.03."},
      {"{d:date(%a %b %e %Y)}", "Fri Mar  9 2012", "Fri Mar  9 2012"},
      {"{d:date(%d.%m.%y)}", "09.03.12", "09.03.12"},
      {"{d:date(%d.%m.%y)}", "30.02.12", {}},
      {"{t:time(%I:%M %p)} x", "09:48 PM x", "09:48 PM"},
      {"{t:time(%H:%M)}", "24:00", {}},
      {"{t:timestamp(%d/%b/%Y:%H:%M:%S %z)}", "09/Mar/2012:09:48:00 +0100",
       "09/Mar/2012:09:48:00 +0100"},
      {"[{t:timestamp(%a %b %d %T.%f %Y)}]", "[Wed Mar 05 10:18:36.123456 2025]",
       "Wed Mar 05 10:18:36.123456 2025"},
      {"{stamp(%b %e %H:%M:%S)} {w:word}", "Mar  9 09:48:00 host", "host"},
      {"{t:stamp(%b %e %H:%M:%S)} host", "Mar  9 09:48:00 host", "Mar  9 09:48:00"},
      {"{t:timestamp(%F %T %Z)}", "2025-03-30 01:30:00 Europe/Berlin",
       "2025-03-30 01:30:00 Europe/Berlin"},
      {"{t:timestamp(%F %T %Z)}", "2025-03-30 02:30:00 Europe/Berlin", {}},
      {"{o:offset(%Z)}]", "UTC]", "UTC"},
      {"{e:epoch(us)}", "1331286480250123", "1331286480250123"},
      {"{e:epoch(us)}", "133128648025012345", {}},
      {"{e:epoch(ns)}", "1331286480250123456", "1331286480250123456"},
      {"{e:epoch(ns)}", "13312864802501234567", {}},
      {"{e:epoch(s)}", "1331286480", "1331286480"},
  });
  EXPECT_TRUE(Matches("{month-day(%b %e)} {time}", "Mar   9  09:48:00", true));
  EXPECT_TRUE(Matches("{date(%d %b %Y)}", "09  Mar\t2012", true));
  EXPECT_FALSE(Matches("{month-day(%b %e)} {time}", "Mar   9  09:48:00", false));
}

TEST(Timestamp, HasAllFormsOfIso8601) {
  Check({
      {"{t:timestamp} x", "2012-03-09T09:48:00+02 x", "2012-03-09T09:48:00+02"},
      {"{t:timestamp} x", "2012-03-09T09:48Z x", "2012-03-09T09:48Z"},
      {"{t:timestamp} x", "20120309T094800Z x", "20120309T094800Z"},
      {"{t:timestamp} x", "2012-03-09t09:48:00z x", "2012-03-09t09:48:00z"},
      {"{t:timestamp} x", "2012-W10-5T09:48:00 x", "2012-W10-5T09:48:00"},
      {"{t:timestamp} x", "2012-069T09:48:00,5 x", "2012-069T09:48:00,5"},
      {"{t:timestamp} +0100", "2012-03-09 09:48:00 +0100", "2012-03-09 09:48:00"},
      {"{t:timestamp}{rest}", "2012-03-09T09:48:61", {}},
  });
  // What stood behind a time before `z` was a zone still does.
  Check({{"{t:timestamp}z", "2012-03-09T09:48:00z", "2012-03-09T09:48:00"},
         {"{t:timestamp}z", "2012-03-09T09:48:00Zz", "2012-03-09T09:48:00Z"}});
}

FormatRun Formatted(const std::string& yaml, std::string_view extract) {
  const auto format = test::CompileYaml(yaml);
  EXPECT_TRUE(format) << format.error().message;
  if (!format) return {};
  FormatRequest request;
  request.format = &*format;
  request.years = YearTable::fixed(std::chrono::year(2012));
  return test::Format(extract, request);
}

/// The record and the id's time of the one row that a pattern makes of a line; else the reason.
std::string Row(const std::string& time, const std::string& pattern, const std::string& line,
                const std::string& more = "") {
  const FormatRun run =
      Formatted("format: x\ntime: " + time + "\n" + more +
                    "\ncolumns: [T]\nkinds: [{kind: k, line: \"" + pattern + "\"}]\n",
                line + "\n");
  if (run.id_tails.size() != 1) return run.reasons;
  return run.records[0] + " " + run.id_tails[0].substr(0, run.id_tails[0].find(':'));
}

TEST(LaidOutTimes, AreIso8601InColumnsAndCompactInIds) {
  const struct {
    const char* time;
    const char* pattern;
    const char* line;
    const char* row;
  } cases[] = {
      {"T", "{T:timestamp(%b %e %T)} x", "Mar  9 09:48:00 x",
       "2012-03-09T09:48:00 20120309T094800"},
      {"T", "{T:timestamp(%d/%b/%Y:%T %z)}", "09/Mar/2012:09:48:00 +0100",
       "2012-03-09T09:48:00+01:00 20120309T084800Z"},
      {"T", "{T:timestamp(%F %T,%f)}", "2012-03-09 09:48:00,125",
       "2012-03-09T09:48:00.125 20120309T094800.125"},
      {"T", "{T:timestamp(%F %T %Z)}", "2012-07-09 09:48:00 Europe/Berlin",
       "2012-07-09T09:48:00+02:00 20120709T074800Z"},
      {"T", "{T:timestamp(%s.%f)}", "1331286480.5", "2012-03-09T09:48:00.5Z 20120309T094800.5Z"},
      {"T", "{T:timestamp(%F %T)}", "2012-03-09 23:59:60", "2012-03-09T23:59:60 20120309T235960"},
      {"T", "{T:timestamp(%Y-%j %T)}", "2012-069 09:48:00", "2012-03-09T09:48:00 20120309T094800"},
      {"T", "{T:epoch(us)}", "1331286480250123", "1331286480250123 20120309T094800.250123Z"},
      {"T", "{T:epoch(ns)}", "1331286480000000001",
       "1331286480000000001 20120309T094800.000000001Z"},
      {"[D, T]", "{D:month-day(%b %e)} {T:time}", "Mar  9 09:48:00", "09:48:00 20120309T094800"},
      {"[D, T]", "{D:date} {T:time(%I:%M %p)}", "2012-03-09 09:48 PM", "21:48:00 20120309T214800"},
      {"[D, T, O]", "{D:date} {T:time(fraction)} {O:offset(%Z)}", "2012-07-09 09:48:00,5 EST5EDT",
       "\"09:48:00,5\" 20120709T134800.5Z"},
      {"[D, T, O]", "{D:date} {T:time(%R)} {O:offset}", "2012-07-09 09:48 +02",
       "09:48:00 20120709T074800Z"},
      // ISO 8601 in other forms stays as it came.
      {"T", "{T:timestamp} x", "20120309T094800Z x", "20120309T094800Z 20120309T094800Z"},
      {"T", "{T:timestamp} x", "2012-03-09t09:48:00z x", "2012-03-09t09:48:00z 20120309T094800Z"},
      {"T", "{T:timestamp} x", "2012-W10-5T09:48:00,5 x",
       "\"2012-W10-5T09:48:00,5\" 20120309T094800.5"},
      {"T", "{T:timestamp} x", "2025-03-03 10:00:00.123+02 x",
       "2025-03-03 10:00:00.123+02 20250303T080000.123Z"},
      {"T", "{T:timestamp}z", "2012-03-09T09:48:00z", "2012-03-09T09:48:00 20120309T094800"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.pattern) + " on " + c.line);
    EXPECT_EQ(Row(c.time, c.pattern, c.line), c.row);
  }
}

TEST(LaidOutTimes, AreUtcInIdsIfTheFormatHasAZone) {
  const std::string zone = "zone: Europe/Berlin";
  EXPECT_EQ(Row("T", "{T:timestamp} x", "2012-07-09 09:48:00 x", zone),
            "2012-07-09 09:48:00 20120709T074800Z");
  EXPECT_EQ(Row("T", "{T:timestamp} +{int}", "2012-07-09 09:48:00 +5", zone),
            "2012-07-09 09:48:00 20120709T074800Z");
  EXPECT_EQ(Row("T", "{T:timestamp}z", "2012-07-09T09:48:00z", zone),
            "2012-07-09T09:48:00 20120709T074800Z");
  EXPECT_EQ(Row("T", "{T:timestamp}", "2012-07-09 09:48:00Z", zone),
            "2012-07-09 09:48:00Z 20120709T094800Z");
  EXPECT_EQ(Row("[D, T]", "{D:date} {T:time}", "2012-07-09 23:59:60", zone),
            "23:59:60 20120709T215960Z");
  EXPECT_EQ(Row("[D, T, O]", "{D:date} {T:time} {O:offset}", "2012-07-09 09:48:00 -0100", zone),
            "09:48:00 20120709T104800Z");
  EXPECT_EQ(Row("T", "{T:timestamp(%b %e %T)} x", "Jul  9 09:48:00 x", zone),
            "2012-07-09T09:48:00 20120709T074800Z");
  EXPECT_EQ(Row("T", "{T:epoch}", "1331286480", zone), "1331286480 20120309T094800Z");
  EXPECT_EQ(Row("[D, T, O]", "{D:date} {T:time} {O:offset(%Z)}", "2012-07-09 09:48:00 EST",
                "zones: {EST: -05:00}"),
            "09:48:00 20120709T144800Z");
}

TEST(LaidOutTimes, ThatTheClocksSkippedMakeNoRow) {
  const std::string zone = "zone: Europe/Berlin";
  const char* const reason = "the clocks of Europe/Berlin skipped 2025-03-30T02:30:00";
  EXPECT_THAT(Row("[D, T]", "{D:date} {T:time}", "2025-03-30 02:30:00", zone), HasSubstr(reason));
  EXPECT_THAT(Row("T", "{T:timestamp}", "2025-03-30 02:30:00.5", zone), HasSubstr(reason));
  EXPECT_THAT(
      Row("[D, T, O]", "{D:date} {T:time} {O:offset(%Z)}", "2025-03-30 02:30:00 Europe/Berlin"),
      HasSubstr(reason));
  EXPECT_EQ(Row("T", "{T:timestamp}", "2025-03-30 02:30:00Z", zone),
            "2025-03-30 02:30:00Z 20250330T023000Z");
}

TEST(LaidOutTimes, WithoutAYearTellWhichOneWasTaken) {
  const FormatRun run = Formatted(
      "format: x\ntime: T\ncolumns: [T]\nkinds:\n"
      "- {kind: k, line: '{T:timestamp(%b %e %T)} keep'}\n"
      "- {kind: d, action: drop, line: '{timestamp(%b %e %T)} drop'}\n",
      "Mar  9 09:48:00 keep\nMar 10 09:48:00 drop\nMar 11 09:48:00 what\n");
  using namespace std::chrono;
  EXPECT_EQ(run.result.last_date, year(2012) / March / 10);
  EXPECT_THAT(run.reasons, HasSubstr("expected"));
}

TEST(LaidOutTimes, SayInReasonsWhatTheyExpect) {
  EXPECT_THAT(Row("T", "{T:timestamp(%b %e %T)} x", "09 Mar 09:48:00 x"),
              HasSubstr("expected a time as %b %e %T (T) at byte 0"));
  EXPECT_THAT(Row("[D, T]", "{D:month-day(%b %e)} {T:time}", "Mar 32 09:48:00"),
              HasSubstr("expected a date as %b %e (D) at byte 0"));
}

TEST(LaidOutTimes, WithAnotherLayoutAreAnotherOp) {
  const auto shared = [](const char* a, const char* b) {
    return test::Compiled(a).shared_with(test::Compiled(b));
  };
  EXPECT_EQ(shared("{month-day(%b %e)} a", "{month-day(%b %e)} b"), 1U);
  EXPECT_EQ(shared("{month-day(%b %e)} a", "{month-day(%b %d)} a"), 0U);
}

}  // namespace
}  // namespace caravel::formatter
