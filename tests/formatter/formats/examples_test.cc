#include "formatter/formats/examples.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kDoors = R"(format: doors
time: [Day, Time]
columns: [Day, Time, Door, Event]
kinds:
  - kind: opened
    line: "{Day:date} {Time:time} door {Door:int} opened"
    set: {Event: opened}
  - kind: noise
    action: drop
    line: "{date} {time} noise"
examples:
)";

constexpr const char* kYearless = R"(format: yearless
time: [Day, Time]
columns: [Day, Time]
kinds: [{kind: a, line: "{Day:month-day} {Time:time}"}]
examples:
)";

constexpr const char* kJson = R"(format: events
reader: jsonl
identity: position
columns: [at]
examples:
)";

TEST(ReadExamples, GathersLinesAndWhatBecomesOfThem) {
  const auto format =
      test::CompileYaml(std::string(kDoors) + R"(  - line: 2012-03-09 09:48:00 door 7 opened
    kind: opened
    row: {Day: 2012-03-09, Time: "09:48:00", Door: 7, Event: opened}
  - {line: 2012-03-09 09:48:01 noise, dropped: true}
  - lines: [x, y]
    reject: [a, b]
  - {line: z, reject: c}
  - {lines: [u], rows: [{Door: 1}, {}], year: 2011}
)");
  ASSERT_TRUE(format) << format.error().message;
  ASSERT_EQ(format->examples.size(), 5U);
  const auto& examples = format->examples;
  EXPECT_EQ(examples[0].place, "f.yaml:12: examples[0]");
  EXPECT_THAT(examples[0].lines, ElementsAre("2012-03-09 09:48:00 door 7 opened"));
  EXPECT_EQ(examples[0].kind, "opened");
  ASSERT_EQ(examples[0].rows.size(), 1U);
  EXPECT_THAT(examples[0].rows[0], ElementsAre(Pair("Day", "2012-03-09"), Pair("Time", "09:48:00"),
                                               Pair("Door", "7"), Pair("Event", "opened")));
  EXPECT_THAT(examples[0].rejects, IsEmpty());
  EXPECT_THAT(examples[1].rows, IsEmpty());
  EXPECT_THAT(examples[1].rejects, IsEmpty());
  EXPECT_THAT(examples[2].lines, ElementsAre("x", "y"));
  EXPECT_THAT(examples[2].rejects, ElementsAre("a", "b"));
  EXPECT_THAT(examples[3].rejects, ElementsAre("c"));
  EXPECT_EQ(examples[4].rows.size(), 2U);
  EXPECT_EQ(examples[4].year, std::chrono::year(2011));
}

TEST(ReadExamples, AFormatNeedsNone) {
  std::string yaml = kDoors;
  yaml.resize(yaml.find("examples:"));
  const auto format = test::CompileYaml(yaml);
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_THAT(format->examples, IsEmpty());
}

TEST(ReadExamples, EveryMistakeNamesFileLineAndKey) {
  struct Mistake {
    const char* yaml;
    const char* examples;
    const char* error;
  };
  const Mistake mistakes[] = {
      {kDoors, "  x", "f.yaml:11: examples: must be a list of examples"},
      {kDoors, "  - {lime: x}", "f.yaml:12: examples[0].lime: unknown key; did you mean 'line'?"},
      {kDoors, "  - {dropped: true}", "f.yaml:12: examples[0]: needs either `line` or `lines`"},
      {kDoors, "  - {line: x, lines: [x], dropped: true}", "needs either `line` or `lines`"},
      {kDoors, "  - {lines: [], dropped: true}", "examples[0].lines: must hold at least one line"},
      {kDoors, "  - {lines: x, dropped: true}", "examples[0].lines: must be a list"},
      {kDoors, "  - {line: \"x\\ny\", dropped: true}", "a line holds no line end"},
      {kDoors, "  - {line: x}", "examples[0]: must say what becomes of the lines"},
      {kDoors, "  - {line: x, rows: []}", "examples[0]: must say what becomes of the lines"},
      {kDoors, "  - {line: x, dropped: false}", "examples[0].dropped: can only be `true`"},
      {kDoors, "  - {line: x, dropped: true, reject: y}", "examples[0].dropped: can only be"},
      {kDoors, "  - {line: x, dropped: true, row: {}}", "examples[0].dropped: can only be `true`"},
      {kDoors, "  - {line: x, row: {}, rows: [{}]}", "examples[0].rows: does not go with `row`"},
      {kDoors, "  - {line: x, rows: {}}", "examples[0].rows: must be a list of rows"},
      {kDoors, "  - {line: x, row: [1]}", "examples[0].row: must be a map of keys"},
      {kDoors, "  - {line: x, row: {Dor: 1}}",
       "examples[0].row.Dor: unknown key; did you mean 'Door'?"},
      {kDoors, "  - {line: x, row: {Door: [1]}}", "examples[0].row.Door: must be a single value"},
      {kDoors, "  - {line: x, reject: {a: b}}", "examples[0].reject: must be a single value"},
      {kDoors, "  - {line: x, kind: nose, dropped: true}",
       "examples[0].kind: 'nose' is not one of opened, noise"},
      {kDoors, "  - {line: x, year: 0, dropped: true}", "examples[0].year: '0' is not a whole"},
      {kYearless, "  - {line: x, reject: y}", "examples[0]: needs `year`"},
      {kJson, "  - {line: '{}', row: {att: 1}}", "examples[0].row.att: unknown key"},
  };
  for (const auto& [yaml, examples, error] : mistakes) {
    SCOPED_TRACE(examples);
    const auto format = test::CompileYaml(std::string(yaml) + examples + "\n");
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().kind, ErrorKind::usage);
    EXPECT_THAT(format.error().message, HasSubstr(error));
  }
}

TEST(ReadExamples, MembersWithoutAColumnAreInMore) {
  const auto format =
      test::CompileYaml(std::string(kJson) + "  - {line: '{\"b\":1}', row: {more: '{\"b\":1}'}}\n");
  EXPECT_TRUE(format) << format.error().message;
}

}  // namespace
}  // namespace caravel::formatter
