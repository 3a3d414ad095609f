// Every directive on texts that it takes and on texts that it refuses.
#include "formatter/times/layout.h"

#include <gmock/gmock.h>

#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::HeldLine;
using testing::HasSubstr;
using testing::StartsWith;

constexpr ZoneRules kNoZones;

TimeLayout Made(std::string_view text, LayoutUse use = LayoutUse::moment, bool any_blanks = false,
                const ZoneRules& zones = kNoZones) {
  auto layout = TimeLayout::compile(text, use, any_blanks, zones);
  EXPECT_TRUE(layout) << text << ": " << layout.error().message;
  return layout ? std::move(*layout) : TimeLayout::iso_time();
}

/// What `layout` reads, as ISO 8601; years that are missing are 2012. "" if it does not take all of
/// `text`, or if the calendar has no such day.
std::string Read(const TimeLayout& layout, std::string_view text) {
  const HeldLine held(text);
  TimeParts parts;
  if (layout.parse(held.begin(), parts) != held.end()) return "";
  if (layout.has_date()) {
    if (!parts.has_year) parts.year = 2012;
    if (!settle_date(parts)) return "";
  }
  std::string out;
  append_iso_text(parts, out);
  return out;
}

struct ReadCase {
  const char* layout;
  std::string_view text;
  const char* iso;  // "" for a text that is refused
};

void CheckAll(const std::vector<ReadCase>& cases, const ZoneRules& zones = kNoZones,
              bool any_blanks = false) {
  for (const ReadCase& c : cases) {
    SCOPED_TRACE(std::string(c.layout) + " on '" + std::string(c.text) + "'");
    EXPECT_EQ(Read(Made(c.layout, LayoutUse::moment, any_blanks, zones), c.text), c.iso);
  }
}

TEST(TimeLayout, ReadsYearsMonthsAndDays) {
  CheckAll({
      {"%Y-%m-%d", "2012-03-09", "2012-03-09T00:00:00"},
      {"%Y-%m-%d", "0000-03-09", "0000-03-09T00:00:00"},
      {"%Y-%m-%d", "2012-3-9", "2012-03-09T00:00:00"},
      {"%Y-%-m-%-d", "2012-3-9", "2012-03-09T00:00:00"},
      {"%Y-%m-%d", "212-03-09", ""},
      {"%Y-%m-%d", "2012-13-09", ""},
      {"%Y-%m-%d", "2012-00-09", ""},
      {"%Y-%m-%d", "2012-03-32", ""},
      {"%Y-%m-%d", "2012-03-00", ""},
      {"%Y-%m-%d", "2012-02-29", "2012-02-29T00:00:00"},
      {"%Y-%m-%d", "2013-02-29", ""},
      {"%F", "2012-03-09", "2012-03-09T00:00:00"},
      {"%D", "03/09/12", "2012-03-09T00:00:00"},
      {"%d.%m.%y", "09.03.68", "2068-03-09T00:00:00"},
      {"%d.%m.%y", "09.03.69", "1969-03-09T00:00:00"},
      {"%d.%m.%y", "09.03.9", ""},
      {"%Y%m%d", "20120309", "2012-03-09T00:00:00"},
      {"%Y%m%d", "201239", ""},  // nothing tells which digit is whose
      {"%Y%j", "2012069", "2012-03-09T00:00:00"},
      {"%j %Y", "366 2012", "2012-12-31T00:00:00"},
      {"%j %Y", "366 2013", ""},
      {"%j %Y", "0 2013", ""},
  });
}

TEST(TimeLayout, ReadsEnglishNamesInAnyCase) {
  CheckAll({
      {"%d/%b/%Y", "09/Mar/2012", "2012-03-09T00:00:00"},
      {"%d/%h/%Y", "09/mar/2012", "2012-03-09T00:00:00"},
      {"%d %B %Y", "9 MARCH 2012", "2012-03-09T00:00:00"},
      {"%d %B %Y", "9 May 2012", "2012-05-09T00:00:00"},
      {"%d %B %Y", "9 Sept 2012", ""},
      {"%d %b %Y", "9 Mrz 2012", ""},
      {"%a, %d %b %Y", "Fri, 9 Mar 2012", "2012-03-09T00:00:00"},
      {"%A %d %b %Y", "Wednesday 9 Mar 2012", "2012-03-09T00:00:00"},  // a name is all that it is
      {"%a %d %b %Y", "Fre 9 Mar 2012", ""},
  });
}

TEST(TimeLayout, ReadsDaysAndHoursThatBlanksPad) {
  CheckAll({
      {"%b %e", "Mar  9", "2012-03-09T00:00:00"},
      {"%b %e", "Mar 19", "2012-03-19T00:00:00"},
      {"%b %e", "Mar 9", "2012-03-09T00:00:00"},
      {"%b %e", "Mar   9", ""},
      {"%b %e", "Mar  19", ""},
      {"%F %k:%M", "2012-03-09  9:48", "2012-03-09T09:48:00"},
      {"%F %l:%M %p", "2012-03-09  9:48 pm", "2012-03-09T21:48:00"},
  });
  CheckAll(
      {
          {"%b %e", "Mar  9", "2012-03-09T00:00:00"},
          {"%b %e", "Mar \t 9", "2012-03-09T00:00:00"},
          {"%b %e", "Mar9", ""},
          {"%b %d %T", "Mar  9   09:48:00", "2012-03-09T09:48:00"},
      },
      kNoZones, true);
}

TEST(TimeLayout, ReadsClocks) {
  CheckAll({
      {"%F %H:%M:%S", "2012-03-09 09:48:07", "2012-03-09T09:48:07"},
      {"%F %T", "2012-03-09 23:59:60", "2012-03-09T23:59:60"},
      {"%F %T", "2012-03-09 23:59:61", ""},
      {"%F %T", "2012-03-09 24:00:00", ""},
      {"%F %T", "2012-03-09 09:60:00", ""},
      {"%F %R", "2012-03-09 9:48", "2012-03-09T09:48:00"},
      {"%F %H", "2012-03-09 09", "2012-03-09T09:00:00"},
      {"%F %H%M%S", "2012-03-09 094807", "2012-03-09T09:48:07"},
      {"%F %H%M%S", "2012-03-09 94807", ""},
      {"%F %T.%f", "2012-03-09 09:48:07.0012345678", "2012-03-09T09:48:07.0012345678"},
      {"%F %T,%f", "2012-03-09 09:48:07,5", "2012-03-09T09:48:07.5"},
      {"%F %T.%f", "2012-03-09 09:48:07.", ""},
      {"%F %I:%M %p", "2012-03-09 12:00 AM", "2012-03-09T00:00:00"},
      {"%F %I:%M %p", "2012-03-09 12:00 PM", "2012-03-09T12:00:00"},
      {"%F %I:%M%p", "2012-03-09 11:59pm", "2012-03-09T23:59:00"},
      {"%F %p %I:%M", "2012-03-09 PM 01:00", "2012-03-09T13:00:00"},
      {"%F %I:%M %p", "2012-03-09 00:00 AM", ""},
      {"%F %I:%M %p", "2012-03-09 13:00 PM", ""},
      {"%F %I:%M %p", "2012-03-09 11:00 XM", ""},
  });
}

TEST(TimeLayout, ReadsSecondsSince1970) {
  CheckAll({
      {"%s", "1331286480", "2012-03-09T09:48:00Z"},
      {"%s.%f", "1331286480.250", "2012-03-09T09:48:00.250Z"},
      {"@%s", "@0", "1970-01-01T00:00:00Z"},
      {"%s", "123456789012", ""},
      {"%s", "-1", ""},
      {"%s", "", ""},
  });
  const struct {
    EpochUnit unit;
    std::string_view text;
    const char* iso;
  } cases[] = {
      {EpochUnit::seconds, "1331286480", "2012-03-09T09:48:00Z"},
      {EpochUnit::seconds, "1331286480.25", "2012-03-09T09:48:00.25Z"},
      {EpochUnit::milliseconds, "1331286480007", "2012-03-09T09:48:00.007Z"},
      {EpochUnit::milliseconds, "7", "1970-01-01T00:00:00.007Z"},
      {EpochUnit::microseconds, "1331286480000007", "2012-03-09T09:48:00.000007Z"},
      {EpochUnit::nanoseconds, "1331286480000000007", "2012-03-09T09:48:00.000000007Z"},
      {EpochUnit::nanoseconds, "9999999999999999999", "2286-11-20T17:46:39.999999999Z"},
      {EpochUnit::nanoseconds, "19999999999999999999", ""},
      {EpochUnit::seconds, "1.3e9", ""},
      {EpochUnit::milliseconds, "", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Read(TimeLayout::epoch(c.unit), c.text), c.iso);
  }
}

TEST(TimeLayout, ReadsOffsetsAndZones) {
  const ZoneRules zones{{{"EST", -5 * 3600}, {"CEST", 7200}}, nullptr};
  CheckAll(
      {
          {"%F %T %z", "2012-03-09 09:48:00 +0100", "2012-03-09T09:48:00+01:00"},
          {"%F %T%z", "2012-03-09 09:48:00-05:30", "2012-03-09T09:48:00-05:30"},
          {"%F %T%z", "2012-03-09 09:48:00+02", "2012-03-09T09:48:00+02:00"},
          {"%F %T%z", "2012-03-09 09:48:00Z", "2012-03-09T09:48:00Z"},
          {"%F %T%z", "2012-03-09 09:48:00z", "2012-03-09T09:48:00Z"},
          {"%F %T%z", "2012-03-09 09:48:00+24:00", ""},
          {"%F %T%z", "2012-03-09 09:48:00+01:60", ""},
          {"%F %T%z", "2012-03-09 09:48:00+1", ""},
          {"%F %T %Z", "2012-03-09 09:48:00 UTC", "2012-03-09T09:48:00Z"},
          {"%F %T %Z", "2012-03-09 09:48:00 GMT", "2012-03-09T09:48:00Z"},
          {"%F %T %Z", "2012-03-09 09:48:00 Europe/Berlin", "2012-03-09T09:48:00+01:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 Europe/Berlin", "2012-07-09T09:48:00+02:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 EST5EDT", "2012-07-09T09:48:00-04:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 Etc/GMT+5", "2012-07-09T09:48:00-05:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 EST", "2012-07-09T09:48:00-05:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 CEST", "2012-07-09T09:48:00+02:00"},
          {"%F %T %Z", "2012-07-09 09:48:00 CET", ""},  // the database has one; the format has not
          {"%F %T %Z", "2012-07-09 09:48:00 Europe/Nowhere", ""},
          {"%F %T %Z", "2012-07-09 09:48:00 ../../etc/passwd", ""},
          {"%F %T %Z", "2012-07-09 09:48:00 ", ""},
          {"%Z %F %T", "EST 2012-07-09 09:48:00", "2012-07-09T09:48:00-05:00"},
      },
      zones);
  // Without a table the same names are those of half a dozen countries.
  CheckAll(
      {{"%F %T %Z", "2012-07-09 09:48:00 EST", ""}, {"%F %T %Z", "2012-07-09 09:48:00 CST", ""}});
}

TEST(TimeLayout, HasWhatItsUseWantsAndNothingElse) {
  const struct {
    const char* layout;
    LayoutUse use;
    const char* message;  // "" for one that is good
  } cases[] = {
      {"%d.%m.%Y", LayoutUse::date, ""},
      {"%a %d.%m.%y", LayoutUse::date, ""},
      {"%Y-%j", LayoutUse::date, ""},
      {"%b %e", LayoutUse::month_day, ""},
      {"%I:%M:%S %p", LayoutUse::clock, ""},
      {"%H", LayoutUse::clock, ""},
      {"%z", LayoutUse::offset, ""},
      {"(%Z)", LayoutUse::offset, ""},
      {"%b %e %T", LayoutUse::moment, ""},
      {"", LayoutUse::date, "an empty layout"},
      {"%Q", LayoutUse::date, "'%Q' is no directive; known: %Y, %y, %m,"},
      {"%%", LayoutUse::date, "'%%' is no directive"},
      {"%\x01", LayoutUse::date, "'%\\x01' is no directive"},
      {"%Y-%m-%d%", LayoutUse::date, "a '%' at its end"},
      {"%Y\n", LayoutUse::date, "one line"},
      {"%Y-%m", LayoutUse::date, "a day is missing (%d, %e)"},
      {"%Y-%d", LayoutUse::date, "a month is missing (%m, %b)"},
      {"%b %d", LayoutUse::date, "a year is missing (%Y, %y); a date without one is a month-day"},
      {"%Y-%m-%b-%d", LayoutUse::date, "%b says again what stands before it"},
      {"%F %d", LayoutUse::date, "%d says again"},
      {"%Y-%m-%d %H", LayoutUse::date, "a date has no %H"},
      {"%Y-%m-%d %j", LayoutUse::date, "one of them is too much"},
      {"%Y-%m-%d", LayoutUse::month_day, "a date without a year has no %Y"},
      {"%j", LayoutUse::moment, "%j wants a year"},
      {"%M:%S", LayoutUse::clock, "%M wants an hour"},
      {"%H:%S", LayoutUse::clock, "%S wants minutes"},
      {"%I:%M", LayoutUse::clock, "%I and %l want %p"},
      {"%H:%M %p", LayoutUse::clock, "%p wants %I or %l"},
      {"%H %I %p", LayoutUse::clock, "two hours"},
      {"%H:%M.%f", LayoutUse::clock, "%f wants seconds"},
      {"x", LayoutUse::clock, "an hour is missing"},
      {"%H:%M %Z", LayoutUse::clock, "a clock has no %z"},
      {"x", LayoutUse::offset, "an offset is missing"},
      {"%z %Z", LayoutUse::offset, "%Z says again"},
      {"%F %z", LayoutUse::moment, "a zone wants an hour"},
      {"%s %H", LayoutUse::moment, "%s says all"},
      {"%F %T.%f%H", LayoutUse::moment, "%H says again"},
      {"%s0", LayoutUse::moment, "%s cannot tell where it ends"},
      {"%F %H:%M:%S.%f0", LayoutUse::moment, "%f cannot tell where it ends"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.layout);
    const auto layout = TimeLayout::compile(c.layout, c.use, false, kNoZones);
    ASSERT_EQ(layout.has_value(), *c.message == '\0');
    if (layout) continue;
    EXPECT_THAT(layout.error().message, HasSubstr(c.message));
    EXPECT_EQ(layout.error().kind, ErrorKind::usage);
  }
}

TEST(TimeLayout, SaysWhetherItsYearComesFromOutside) {
  EXPECT_TRUE(Made("%b %e %T").lacks_year());
  EXPECT_FALSE(Made("%b %e %T %Y").lacks_year());
  EXPECT_FALSE(Made("%s").lacks_year());
  EXPECT_FALSE(Made("%H", LayoutUse::clock).lacks_year());
}

TEST(TimeLayout, SaysWhatItWantedAndWhere) {
  const TimeLayout layout = Made("%d.%b.%Y");
  const HeldLine held("09.13.2012");
  TimeParts parts;
  TimeLayout::Failure failure;
  ASSERT_EQ(layout.parse(held.begin(), parts, &failure), nullptr);
  EXPECT_EQ(layout.wanted(failure.step), "the English name of a month (%b)");
  EXPECT_EQ(failure.at - held.begin(), 3);
}

TEST(MomentLayout, IsALayoutOrAUnitSince1970) {
  EXPECT_TRUE(TimeLayout::compile_moment("epoch(ns)", kNoZones));
  EXPECT_TRUE(TimeLayout::compile_moment("%d.%m.%y %H:%M", kNoZones));
  for (const char* text : {"iso", "epoch", "epoch(min)", ""}) {
    const auto layout = TimeLayout::compile_moment(text, kNoZones);
    ASSERT_FALSE(layout);
    EXPECT_THAT(layout.error().message, HasSubstr("epoch(s), epoch(ms), epoch(us), epoch(ns)"));
  }
}

}  // namespace
}  // namespace caravel::formatter
