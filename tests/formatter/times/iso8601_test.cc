#include "formatter/times/iso8601.h"

#include <gtest/gtest.h>

#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::HeldLine;

/// What is read of `text`, in the usual form; "" if not all of it is a time.
std::string Read(std::string_view text, bool blank_before_offset = false, char not_zone = '\n') {
  const HeldLine held(text);
  TimeParts parts;
  if (parse_iso_time(held.begin(), not_zone, blank_before_offset, parts) != held.end()) return "";
  std::string out;
  append_iso_text(parts, out);
  return out;
}

TEST(IsoTime, HasManyForms) {
  const struct {
    const char* text;
    const char* usual;
  } cases[] = {
      {"2012-03-09T09:48:00", "2012-03-09T09:48:00"},
      {"2012-03-09 09:48:00", "2012-03-09T09:48:00"},
      {"2012-03-09t09:48:00z", "2012-03-09T09:48:00Z"},
      {"20120309T094800Z", "2012-03-09T09:48:00Z"},
      {"20120309T094800", "2012-03-09T09:48:00"},
      {"20120309T0948", "2012-03-09T09:48:00"},
      {"20120309T094800.25+0100", "2012-03-09T09:48:00.25+01:00"},
      {"2012-03-09T10:00Z", "2012-03-09T10:00:00Z"},
      {"2012-03-09T10:00", "2012-03-09T10:00:00"},
      {"2012-03-09T10Z", "2012-03-09T10:00:00Z"},
      {"2012-03-09T10+02", "2012-03-09T10:00:00+02:00"},
      {"2012-03-09T09:48:00+02", "2012-03-09T09:48:00+02:00"},
      {"2012-03-09T09:48:00-03:30", "2012-03-09T09:48:00-03:30"},
      {"2012-03-09T09:48:00,5Z", "2012-03-09T09:48:00.5Z"},
      {"2012-03-09T23:59:60Z", "2012-03-09T23:59:60Z"},
      // Weeks begin on Monday; the first has January 4th (ISO 8601, checked with date +%G-W%V-%u).
      {"2012-W10-5T09:48:00Z", "2012-03-09T09:48:00Z"},
      {"2012W105T094800Z", "2012-03-09T09:48:00Z"},
      {"2008-W01-1T00:00Z", "2007-12-31T00:00:00Z"},
      {"2009-W53-7T00:00Z", "2010-01-03T00:00:00Z"},
      {"2012-069T09:48:00Z", "2012-03-09T09:48:00Z"},
      {"2012069T094800Z", "2012-03-09T09:48:00Z"},
      {"2012-366T00:00", "2012-12-31T00:00:00"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Read(c.text), c.usual);
  }
}

TEST(IsoTime, IsRefusedIfItIsNone) {
  for (const char* text : {"",
                           "2012",
                           "2012-03-09",
                           "2012-03-09T",
                           "2012-03-09T10",
                           "2012-03-09 10Z",
                           "2012-03-09T1",
                           "2012-03-09X10:00",
                           "2012-3-09T10:00",
                           "2012-02-30T10:00",
                           "2012-03-09T24:00",
                           "2012-03-09T10:60",
                           "2012-03-09T10:00:61",
                           "2012-03-09T10:00:0",
                           "2012-03-09T10:0",
                           "2012-03-09T100",
                           "2012-03-09T10:00+1",
                           "2012-03-09T10:00+24:00",
                           "2012-03-09T10:00+01:60",
                           "2012-03-09T10:00+01:0",
                           "2012-03-09T10:00+010",
                           "2012-03-09T10:00+",
                           "2012-03-09T10:00:00.",
                           "2013-366T10:00",
                           "2012-000T10:00",
                           "2012-W00-1T10:00",
                           "2010-W53-1T10:00",
                           "2012-W10-0T10:00",
                           "2012-W10-8T10:00",
                           "2012-W10T10:00",
                           "2012W10-5T10:00",
                           "9999-W52-6T10:00",
                           "2012-03-09T10:00:00 +0100",
                           "201203091T1000",
                           "2012-03-09T10:00Zulu"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(Read(text), "");
  }
}

TEST(IsoTime, MayHaveABlankBeforeItsOffset) {
  EXPECT_EQ(Read("2012-03-09 09:48:00 +0100", true), "2012-03-09T09:48:00+01:00");
  EXPECT_EQ(Read("2012-03-09 09:48:00 Z", true), "2012-03-09T09:48:00Z");
  EXPECT_EQ(Read("2012-03-09 09:48:00  Z", true), "");
}

TEST(IsoOffset, IsAtMostADayFromUtc) {
  const struct {
    const char* text;
    int seconds;
  } cases[] = {{"Z", 0},          {"z", 0},          {"+00", 0},        {"+02", 7200},
               {"-0330", -12600}, {"+05:45", 20700}, {"+23:59", 86340}, {"-23:59", -86340}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const HeldLine held(c.text);
    int seconds = 1;
    EXPECT_EQ(parse_iso_offset(held.begin(), seconds), held.end());
    EXPECT_EQ(seconds, c.seconds);
  }
}

}  // namespace
}  // namespace caravel::formatter
