// How captured values are written into columns and ids.
#include "formatter/output/row_writer.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

test::FormatRun Formatted(const std::string& yaml, std::string_view extract) {
  const auto format = test::CompileYaml(yaml);
  EXPECT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  request.years = YearTable::fixed(std::chrono::year(2012));
  return test::Format(extract, request);
}

constexpr const char* kTrips = R"(format: trips
time: At
key: Trip
columns: [At, Trip, Note]
kinds:
  - kind: report
    line: "{At:timestamp} {Trip:uuid} {Note:rest}"
)";

TEST(UuidColumn, IsInLowerCaseAndSoIsTheKey) {
  const auto run = Formatted(kTrips,
                             "2012-03-09T09:48:00 F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6 UP\n"
                             "2012-03-09T09:48:00 f81d4fae-7dec-11d0-a765-00a0c91e6bf6 low\n");
  EXPECT_THAT(run.records,
              ElementsAre("2012-03-09T09:48:00,f81d4fae-7dec-11d0-a765-00a0c91e6bf6,UP",
                          "2012-03-09T09:48:00,f81d4fae-7dec-11d0-a765-00a0c91e6bf6,low"));
  for (const std::string& tail : run.id_tails) {
    EXPECT_THAT(tail, testing::StartsWith("20120309T094800:f81d4fae-7dec-11d0-a765-00a0c91e6bf6:"));
  }
  EXPECT_THAT(run.sidecar, HasSubstr(R"({"name":"Trip","type":"text"})"));
}

TEST(UuidColumn, OfALineThatHoldsNoneIsAReject) {
  const auto run = Formatted(kTrips, "2012-03-09T09:48:00 f81d4fae-7dec-11d0 x\n");
  EXPECT_EQ(run.counts(), "1 = 0 rows + 0 dropped + 1 rejected");
  EXPECT_THAT(run.reasons, HasSubstr("expected a UUID (Trip) at byte 20 (report)"));
}

TEST(Columns, AreWrittenAsTheTypeOfTheirCaptureSays) {
  const auto run = Formatted(R"(format: each
identity: position
columns: [Word, Point, Day, State, Set, None]
kinds:
  - kind: a
    line: "{Word:field},{Point:implied(2)},{Day:month-day},{State:choice(On=1,*=a\"b)}"
    set: {Set: "x,y"}
  - kind: b
    line: "b {None:int}"
)",
                             "\"a \"\"b\"\"\",-7609,02/29,On\nab,7609,12/31,Off\nb 007\n");
  EXPECT_THAT(run.records, ElementsAre("\"a \"\"b\"\"\",-76.09,2012-02-29,1,\"x,y\",",
                                       "ab,76.09,2012-12-31,\"a\"\"b\",\"x,y\",", ",,,,,007"));
}

TEST(Keys, AreTheTextOfTheLineWithoutItsQuotes) {
  const auto run = Formatted(R"(format: keys
time: At
key: Who
columns: [At, Who]
kinds:
  - kind: a
    line: "{At:timestamp},{Who:field}"
)",
                             "2012-03-09T09:48:00,\"A \"\"B\"\"\"\n");
  ASSERT_EQ(run.id_tails.size(), 1U);
  EXPECT_THAT(run.id_tails[0], HasSubstr(":A%20%22B%22:"));
  EXPECT_THAT(run.records[0], EndsWith(",\"A \"\"B\"\"\""));
}

}  // namespace
}  // namespace caravel::formatter
