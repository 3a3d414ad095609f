#include "formatter/check_examples.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kDoors = R"(format: doors
time: [Day, Time]
columns: [Day, Time, Door, Event]
kinds:
  - kind: opened
    line: "{Day:month-day} {Time:time} door {Door:int} opened"
    set: {Event: opened}
  - kind: closed
    line: "{Day:month-day} {Time:time} door {Door:int} closed"
  - kind: noise
    action: drop
    line: "{month-day} {time} noise"
examples:
)";

ExampleReport Check(const std::string& yaml) {
  const auto format = test::CompileYaml(yaml);
  EXPECT_TRUE(format) << format.error().message;
  if (!format) return {};
  auto report = check_examples(*format);
  EXPECT_TRUE(report) << report.error().message;
  return report ? *std::move(report) : ExampleReport{};
}

TEST(CheckExamples, SaysWhatTheyShow) {
  const auto report = Check(std::string(kDoors) + R"(
  - line: "02/29 09:48:00 door 7 opened"
    year: 2012
    kind: opened
    row: {Day: 2012-02-29, Time: "09:48:00", Door: 7, Event: opened}
  - {line: "02/29 09:48:01 noise", year: 2012, kind: noise, dropped: true}
  - {line: "02/29 09:48:00 door 7 opened", year: 2011, reject: expected a date}
  - lines: ["03/01 09:48:00 door 7 opened", "03/01 09:48:00 door x", "03/01 09:48:01 noise"]
    year: 2012
    row: {Day: 2012-03-01, Time: "09:48:00", Door: 7, Event: opened}
    reject: at byte 20
)");
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.kinds, UnorderedElementsAre("opened", "noise"));
  EXPECT_EQ(report.rejects, 2U);
}

TEST(CheckExamples, EveryDifferenceIsToldWithItsPlace) {
  struct Case {
    const char* example;
    const char* difference;
  };
  const Case cases[] = {
      {"{line: '03/09 09:48:00 door 7 opened', row: {Day: 2012-03-09, Time: '09:48:00', Door: 8, "
       "Event: opened}}",
       "Door: expected '8', got '7'"},
      {"{line: '03/09 09:48:00 door 7 opened', row: {Day: 2012-03-09, Time: '09:48:00', Door: 7}}",
       "Event: expected nothing, got 'opened'"},
      {"{line: '03/09 09:48:00 door 7 closed', row: {Day: 2012-03-09, Time: '09:48:00', Door: 7, "
       "Event: closed}}",
       "Event: expected 'closed', got ''"},
      {"{line: '03/09 09:48:00 door 7 closed', kind: opened, row: {Day: 2012-03-09, "
       "Time: '09:48:00', Door: 7}}",
       "kind: expected 'opened', got 'closed'"},
      {"{line: '03/09 09:48:00 noise', kind: opened, dropped: true}",
       "kind: expected 'opened', got 'noise'"},
      {"{line: '03/09 09:48:00 door 7 closed', dropped: true}", "expected rows: 0, got: 1"},
      {"{line: 'x', dropped: true}", "rejected: expected a date"},
      {"{line: '03/09 09:48:00 noise', reject: 'date'}", "expected a reject: 'date', got none"},
      {"{line: 'x', reject: 'a clock'}", "expected a reject: 'a clock', got: expected a date"},
  };
  for (const auto& [example, difference] : cases) {
    SCOPED_TRACE(example);
    std::string text = example;
    text.insert(1, "year: 2012, ");
    const auto report = Check(std::string(kDoors) + "  - " + text + "\n");
    ASSERT_FALSE(report.differences.empty());
    EXPECT_THAT(report.differences[0], testing::StartsWith("f.yaml:14: examples[0]: "));
    EXPECT_THAT(report.differences, testing::Contains(HasSubstr(difference)));
  }
}

TEST(CheckExamples, AreInTheEncodingOfTheirFormat) {
  for (const char* const encoding : {"utf-8", "latin-1", "cp1252", "utf-16"}) {
    const auto report =
        Check(std::string("format: f\nreader: csv\nidentity: position\nencoding: ") + encoding +
              "\nexamples: [{lines: [who, Jürg ß], row: {who: Jürg ß}}]\n");
    EXPECT_THAT(report.differences, IsEmpty()) << encoding;
    EXPECT_THAT(report.kinds, ElementsAre("record"));
  }
}

TEST(CheckExamples, OfSeveralLinesMakeOneRow) {
  const auto report = Check(R"(format: f
identity: position
columns: [Message]
continues: {when: '^\s'}
kinds: [{kind: a, line: 'at {Message:rest}'}]
examples:
  - {lines: [at once, '  and', '  on', at last], rows: [{Message: "once\n  and\n  on"}, {Message: last}]}
  - {lines: [none, '  and', '  on'], reject: 'expected "at "'}
)");
  EXPECT_THAT(report.differences, IsEmpty());
}

// The shipped formats, which are held to more than a user's: each kind of line is shown, and what a
// reject looks like. A format that is added without examples fails here.
TEST(ShippedExamples, HoldAndShowEveryKindAndOneReject) {
  std::size_t formats = 0;
  for (const auto& format : test::ShippedFormats().all()) {
    SCOPED_TRACE(format->file);
    ++formats;
    const auto report = check_examples(*format);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_THAT(report->differences, IsEmpty());
    for (const std::string& kind : format->kind_names()) {
      EXPECT_TRUE(report->kinds.contains(kind)) << "no example of the kind " << kind;
    }
    EXPECT_GE(report->rejects, 1U) << "no example of a reject";
  }
  EXPECT_GE(formats, 8U);
}

}  // namespace
}  // namespace caravel::formatter
