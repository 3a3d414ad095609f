// `time`, `zone` and `zones` of a format file, and what is wrong with them.
#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string TimeKeyErrorOf(const std::string& keys) {
  const auto format =
      test::CompileYaml("format: x\nreader: csv\nidentity: position\n" + keys + "\n");
  return format ? "(no error)" : format.error().message;
}

TEST(TimeKeys, NameColumnsAndLayouts) {
  const auto format = test::CompileYaml(
      "format: x\nreader: csv\ntime: {columns: [Date, Time], format: ['%d.%m.%Y %R', '%F %T']}\n"
      "zone: Europe/Berlin\nzones: {EST: -05:00, CEST: '+0200'}\n");
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_THAT(format->record_time.columns, ElementsAre("Date", "Time"));
  ASSERT_EQ(format->record_time.layouts.size(), 2U);
  EXPECT_EQ(format->record_time.layouts[1].text(), "%F %T");
  EXPECT_EQ(zone_name(*format->record_time.zone), "Europe/Berlin");
  EXPECT_THAT(format->zones.named, ElementsAre(std::pair<std::string, int>("EST", -18000),
                                               std::pair<std::string, int>("CEST", 7200)));
}

TEST(TimeKeys, HaveOneClearMessageForEachMistake) {
  const struct {
    const char* keys;
    const char* message;
  } cases[] = {
      {"time: {column: a, format: '%Q'}",
       "f.yaml:4: time.format: '%Q' is no directive; known: %Y, %y, %m, %b"},
      {"time: {column: a, format: 'epoch(min)'}",
       "f.yaml:4: time.format: 'epoch(min)' is no layout"},
      {"time: {column: a, format: []}", "time.format:"},
      {"time: {column: a, format: ['%F', '%H']}", "time.format: a month is missing (%m, %b)"},
      {"time: {column: a, fromat: '%F'}", "did you mean 'format'?"},
      {"time: {format: '%F'}", "time: must name `column` or `columns`"},
      {"time: {column: a, columns: [b]}", "time: must name `column` or `columns`"},
      {"time: {columns: [a, b, c, d]}", "time.columns: names one to three columns"},
      {"time: [a, '']", "time: names one to three columns"},
      {"time: []", "time: names one to three columns"},
      {"time: [a, d]\ncolumns: [a, b]", "time: 'd' is none of the columns"},
      {"time: a\nzone: Europe/Nowhere", "f.yaml:5: zone: 'Europe/Nowhere' is no zone of the time"},
      {"zone: Europe/Berlin", "zone: belongs to a format with `time`"},
      {"time: a\nzones: {EST: 5}", "zones.EST: must be an offset such as +02:00"},
      {"time: a\nzones: {EST: '-05:00:00'}", "zones.EST: must be an offset such as +02:00"},
      {"time: a\nzones: [EST]", "zones: must be a map"},
  };
  ASSERT_EQ(TimeKeyErrorOf("time: a"), "(no error)");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.keys);
    EXPECT_THAT(TimeKeyErrorOf(c.keys), HasSubstr(c.message));
  }
}

TEST(TimeKeys, OfJsonMayNamePathsIntoColumns) {
  const auto error_of = [](const std::string& time) -> std::string {
    const auto format =
        test::CompileYaml("format: x\nreader: jsonl\ntime: " + time + "\ncolumns: [t, u]\n");
    return format ? "" : format.error().message;
  };
  EXPECT_EQ(error_of("t"), "");
  EXPECT_EQ(error_of("t.$date"), "");
  EXPECT_EQ(error_of("t.a.b"), "");
  EXPECT_THAT(error_of("v.$date"), HasSubstr("'v.$date' is none of the columns"));
}

TEST(TimeKeys, LayoutsOfPatternsAreCheckedToo) {
  const auto error_of = [](const std::string& capture) -> std::string {
    const auto format = test::CompileYaml(
        "format: x\nidentity: position\ncolumns: [A]\nkinds:\n- {kind: k, line: '{A:" + capture +
        "}'}\n");
    return format ? "" : format.error().message;
  };
  EXPECT_THAT(error_of("month-day(%b %e %Y)"),
              HasSubstr("f.yaml:5: kinds[0].line: month-day: cannot take '(%b %e %Y)': a date "
                        "without a year has no %Y"));
  EXPECT_THAT(error_of("date(%b %d)"), HasSubstr("a date without one is a month-day"));
  EXPECT_THAT(error_of("time(%d)"), HasSubstr("time: cannot take '(%d)': a clock has no %d"));
  EXPECT_THAT(error_of("epoch(min)"),
              HasSubstr("epoch: cannot take '(min)'; known: s, ms, us, ns"));
  EXPECT_THAT(error_of("offset(%H)"), HasSubstr("offset: cannot take '(%H)': an offset has no %H"));
  EXPECT_THAT(error_of("timestmp(%F)"), HasSubstr("did you mean 'timestamp'?"));
}

}  // namespace
}  // namespace caravel::formatter
