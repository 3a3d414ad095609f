#include "formatter/records/record_reader.h"

#include <gmock/gmock.h>

#include "formatter/rows/csv.h"
#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using test::FormatRun;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RecordReader::Outcome;

Format Made(Reader reader, std::string time = "", std::string key = "") {
  Format format;
  format.name = "made";
  format.reader = reader;
  format.identity = Identity::position;
  if (!time.empty()) format.record_time.columns = {std::move(time)};
  format.key_column = std::move(key);
  return format;
}

std::vector<std::string> Names(const RecordReader& records) {
  std::vector<std::string> names;
  for (const Column& column : records.columns()) names.push_back(column.name);
  return names;
}

FormatRun Formatted(const Format& format, std::string_view extract) {
  FormatRequest request;
  request.format = &format;
  return test::Format(extract, request);
}

TEST(CsvRecords, AreNamedByTheFirstLine) {
  const FormatRun run = Formatted(Made(Reader::csv), "a,\"b,c\",d\r\n1,x,\n \"q\"\"\",,3\r\n");
  EXPECT_EQ(run.csv, "a,\"b,c\",d\n1,x,\n\"q\"\"\",,3\n");
  EXPECT_EQ(run.counts(), "3 = 2 rows + 1 dropped + 0 rejected");
  EXPECT_THAT(run.kinds, ElementsAre("record", "record"));
  EXPECT_THAT(run.sidecar, HasSubstr(R"({"name":"b,c","type":"automatic"})"));
}

TEST(CsvRecords, GetNamesWhereTheHeaderHasNoneOrOneTwice) {
  const Format format = Made(Reader::csv);
  const auto reader = make_record_reader(format, {});
  RecordReader& records = *reader;
  EXPECT_EQ(records.take("a,,a,a_2,a,"), Outcome::header);
  EXPECT_THAT(Names(records), ElementsAre("a", "column_2", "a_2", "a_2_2", "a_3", "column_6"));
}

TEST(CsvRecords, WithBrokenQuotesOrAnotherNumberOfFieldsAreRejects) {
  const FormatRun run = Formatted(Made(Reader::csv), "a,b\n1\n1,2,3\n\"1,2\n1,2\n");
  EXPECT_EQ(run.counts(), "5 = 1 rows + 1 dropped + 3 rejected");
  EXPECT_EQ(run.reasons,
            "line,offset,reason\n2,4,1 fields instead of 2\n3,6,3 fields instead of 2\n"
            "4,12,quotes that are never closed (within 1048576 bytes and 1000 lines)\n");
}

// Otherwise the first record would be taken for the header: it would be dropped and name the
// columns.
TEST(CsvRecords, NoLaterLineStandsInForAHeaderThatCannotBeRead) {
  std::string wide = "a";
  for (std::size_t i = 0; i < RecordReader::kMaxColumns; ++i) wide += ",a";
  for (const std::string& header : {std::string("\"a,b"),
                                    std::string("Stra\xdf"
                                                "e,b"),
                                    wide, std::string(2 << 20, 'x')}) {
    SCOPED_TRACE(header.substr(0, 20));
    const FormatRun run = Formatted(Made(Reader::csv), header + "\n1,2\n3,4\n");
    EXPECT_EQ(run.counts(), "3 = 0 rows + 0 dropped + 3 rejected");
    EXPECT_THAT(run.reasons, HasSubstr("the first line was no header"));
  }
  EXPECT_EQ(Formatted(Made(Reader::csv), "\n\na,b\n1,2\n").counts(),
            "4 = 1 rows + 3 dropped + 0 rejected")
      << "an empty line is no header";
}

TEST(CsvRecords, TakeTimeAndKeyFromTheirColumns) {
  const FormatRun run = Formatted(Made(Reader::csv, "when", "who"),
                                  "who,when\nA B,2012-03-09T09:48:00\nx,2012-03-09T10:48:00+01:00\n"
                                  "x,1331286480\nx,1331286480.5\nx,noon\nx,\nx,99999999999999\n");
  ASSERT_EQ(run.id_tails.size(), 4U);
  EXPECT_THAT(run.id_tails[0], testing::StartsWith("20120309T094800:A%20B:"));
  EXPECT_THAT(run.id_tails[1], testing::StartsWith("20120309T094800Z:x:"));
  EXPECT_THAT(run.id_tails[2], testing::StartsWith("20120309T094800Z:x:"));
  EXPECT_THAT(run.id_tails[3], testing::StartsWith("20120309T094800.5Z:x:"));
  EXPECT_EQ(run.counts(), "8 = 4 rows + 1 dropped + 3 rejected");
  EXPECT_THAT(run.reasons, HasSubstr("'when' is no ISO 8601 time and no epoch: 'noon'"));
}

TEST(CsvRecords, OfGivenColumnsNeedNoHeaderAndMayHaveSeveral) {
  Format format = Made(Reader::csv);
  format.columns = {{"a", ColumnType::automatic}, {"b", ColumnType::automatic}};
  const FormatRun run = Formatted(format, "1,2\na,b\n3,4\n\"a\",b\na,c\n1\n");
  EXPECT_EQ(run.csv, "a,b\n1,2\n3,4\na,c\n");
  EXPECT_EQ(run.counts(), "6 = 3 rows + 2 dropped + 1 rejected");
}

TEST(CsvRecords, WithoutTheTimeColumnAreRejects) {
  const FormatRun run = Formatted(Made(Reader::csv, "when"), "a,b\n1,2\n");
  EXPECT_THAT(run.reasons, HasSubstr("there is no column 'when', the row's time"));
}

TEST(CsvRecords, HaveNoKeyUnlessTheFormatNamesOne) {
  const FormatRun run = Formatted(Made(Reader::csv), "a,\n1,2\n");
  ASSERT_EQ(run.id_tails.size(), 1U);
  EXPECT_THAT(run.id_tails[0], HasSubstr(":-:"));
}

TEST(JsonRecords, KeepTheDigitsAndTheTypesOfTheSource) {
  const FormatRun run = Formatted(
      Made(Reader::jsonl), R"({"n":1.50,"i":12345678901234567890123,"e":1e3,"s":"text","t":true,)"
                           R"("z":null,"o":{"x": [1, 2]},"l":[1,"a"],"u":"\u00fc\n"})"
                           "\n");
  EXPECT_EQ(run.csv,
            "n,i,e,s,t,z,o,l,u,more\n"
            "1.50,12345678901234567890123,1e3,text,true,,\"{\"\"x\"\": [1, 2]}\",\"[1,\"\"a\"\"]\","
            "\"ü\n\",\n");
}

TEST(JsonRecords, KeepNumbersThatNoDoubleHolds) {
  const std::string digits(400, '7');
  const std::vector<std::string> values = {"1e400",
                                           "-1E+400",
                                           "1.5e-400",
                                           digits,
                                           digits + ".25",
                                           R"({"x":1e400})",
                                           R"([1e999,"1e999 \" 1e5-",{"y":-1E999}])"};
  for (const std::string& value : values) {
    SCOPED_TRACE(value);
    const Format format = Made(Reader::jsonl);
    const auto reader = make_record_reader(format, {});
    RecordReader& records = *reader;
    ASSERT_EQ(records.take(R"({"a":)" + value + "}"), Outcome::row) << records.reason();
    EXPECT_EQ(records.record(), csv_record({value, ""}));
    // In the column "more" too.
    ASSERT_EQ(records.take(R"({"b": )" + value + " }"), Outcome::row) << records.reason();
    EXPECT_EQ(records.record(), csv_record({"", R"({"b":)" + value + "}"}));
  }
}

TEST(JsonRecords, QuoteStringsThatWouldReadAsAnotherValue) {
  const struct {
    const char* json;
    const char* cell;
  } cases[] = {
      {R"("plain")", "plain"},
      {R"("12")", R"("12")"},
      {R"("-1.5e3")", R"("-1.5e3")"},
      {R"("007")", "007"},
      {R"("2012-03-09")", "2012-03-09"},
      {R"("true")", R"("true")"},
      {R"("null")", R"("null")"},
      {R"("truth")", "truth"},
      {R"("")", R"("")"},
      {R"("{}")", R"("{}")"},
      {R"("{")", "{"},
      {R"("[1]")", R"("[1]")"},
      {R"(" 12")", R"(" 12")"},
      {R"(" true ")", R"(" true ")"},
      {R"("\"a\"")", R"("\"a\"")"},
      {R"("\ufeff12")", R"("\ufeff12")"},
      {"12", "12"},
      {"null", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.json);
    const Format format = Made(Reader::jsonl);
    const auto reader = make_record_reader(format, {});
    RecordReader& records = *reader;
    ASSERT_EQ(records.take(R"({"a":)" + std::string(c.json) + "}"), Outcome::row);
    EXPECT_EQ(records.record(), csv_record({c.cell, ""}));
  }
}

TEST(JsonRecords, GatherLaterMembersInOneColumn) {
  const FormatRun run = Formatted(Made(Reader::jsonl),
                                  "{\"a\":1,\"more\":2}\n"
                                  "{\"b\":\"x\",\"a\":3,\"c\":{\"d\":null},\"\\u00fc\":1}\n"
                                  "{}\n");
  EXPECT_EQ(run.csv,
            "a,more,more_2\n1,2,\n"
            "3,,\"{\"\"b\"\":\"\"x\"\",\"\"c\"\":{\"\"d\"\":null},\"\"\\u00fc\"\":1}\"\n,,\n");
}

TEST(JsonRecords, OfGivenColumnsDoNotDependOnTheFirstLine) {
  Format format = Made(Reader::jsonl);
  format.columns = {{"a", ColumnType::json}, {"b", ColumnType::json}};
  const FormatRun run = Formatted(format, "{\"c\":1}\n{\"b\":2,\"a\":3}\n");
  EXPECT_EQ(run.csv, "a,b,more\n,,\"{\"\"c\"\":1}\"\n3,2,\n");
}

TEST(JsonRecords, MayBeginWithAnEmptyObject) {
  const FormatRun run = Formatted(Made(Reader::jsonl), "{}\n{\"a\":1}\n");
  EXPECT_EQ(run.csv, "more\n\n\"{\"\"a\"\":1}\"\n");
}

TEST(JsonRecords, OtherLinesAreRejects) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  std::string wide = "{\"m\":1";
  for (std::size_t i = 0; i < RecordReader::kMaxColumns; ++i)
    wide += ",\"" + std::to_string(i) + "\":1";
  const std::vector<std::string> lines = {
      "text",
      "12",
      "[1]",
      "\"a\"",
      "null",
      "{",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{\"a\":1} x",
      "{\"a\":1}}",
      "{\"a\":1}{\"b\":2}",
      "{a:1}",
      "{\"a\":01}",
      "{\"a\":1.}",
      "{\"a\":+1}",
      "{\"a\":1 2}",
      "{\"a\":1e999.5}",
      "{\"a\":1e}",
      "{\"a\":-01e400}",
      "{\"a\":.5}",
      "{\"a\":[1e400.5]}",
      "{\"a\":[1e400e5]}",
      "{\"a\":[1e400-5]}",
      "{\"a\":[1e400,01]}",
      "{\"a\":[1e400,\"\\x\"]}",
      "{\"a\":-}",
      "{\"a\":tru}",
      "{\"a\":nul}",
      "{\"a\":nulll}",
      "{\"a\":NaN}",
      "{\"a\":'x'}",
      "{\"a\":\"x}",
      "{\"a\":\"\\x\"}",
      "{\"a\":\"\\ud800\"}",
      "{\"a\":\"tab\there\"}",
      "{\"a\":{b}}",
      "{\"a\":{\"b\":1,}}",
      "{\"a\":[1 2]}",
      "{\"a\":[nul]}",
      "{\"a\":[1}",
      "{\"a\":1,\"a\":2}",
      "{\"a\":1,\"\\u0061\":2}",
      wide + "}",
  };
  for (const std::string& line : lines) {
    SCOPED_TRACE(line.substr(0, 60));
    const Format format = Made(Reader::jsonl);
    const auto reader = make_record_reader(format, {});
    RecordReader& records = *reader;
    EXPECT_EQ(records.take(line), Outcome::reject);
    EXPECT_FALSE(records.reason().empty());
    EXPECT_EQ(records.take("{\"ok\":1}"), Outcome::row) << "and the reader goes on";
  }
  const Format format = Made(Reader::jsonl);
  const auto reader = make_record_reader(format, {});
  RecordReader& records = *reader;
  EXPECT_EQ(records.take("{\"a\":" + deep + "}"), Outcome::row) << "depth is no fault";
  records.take("{\"a\":1,\"a\":2}");
  EXPECT_EQ(records.reason(), "the member 'a' stands twice");
}

TEST(JsonRecords, TakeTimeAndKeyFromTheirMembers) {
  const FormatRun run = Formatted(Made(Reader::jsonl, "ts", "id"),
                                  "{\"ts\":\"2012-03-09T09:48:00Z\",\"id\":7}\n"
                                  "{\"ts\":1331286480,\"id\":\"12\"}\n"
                                  "{\"ts\":1331286480.25}\n"
                                  "{\"id\":1}\n"
                                  "{\"ts\":\"1331286480\",\"id\":\"a:b\"}\n"
                                  "{\"ts\":-1}\n"
                                  "{\"ts\":\"\xc3\xbc\\nx\"}\n");
  ASSERT_EQ(run.id_tails.size(), 4U) << run.reasons;
  EXPECT_THAT(run.id_tails[0], testing::StartsWith("20120309T094800Z:7:"));
  EXPECT_THAT(run.id_tails[1], testing::StartsWith("20120309T094800Z:12:"));
  EXPECT_THAT(run.id_tails[2], testing::StartsWith("20120309T094800.25Z:-:"));
  EXPECT_THAT(run.id_tails[3], testing::StartsWith("20120309T094800Z:a%3Ab:"));
  EXPECT_EQ(run.result.first_time, "20120309T094800.25Z");
  EXPECT_THAT(run.reasons, HasSubstr("'ts' is no ISO 8601 time and no epoch: 'ü?x'"));
}

TEST(JsonRecords, ReasonsQuoteNoHalfCharacter) {
  const Format format = Made(Reader::jsonl, "t");
  const auto reader = make_record_reader(format, {});
  RecordReader& records = *reader;
  std::string value = "x";
  for (int i = 0; i < 60; ++i) value += "ü";
  EXPECT_EQ(records.take("{\"t\":\"" + value + "\"}"), Outcome::reject);
  EXPECT_THAT(records.reason(), testing::EndsWith("ü'"));
}

TEST(Detection, TakesJsonObjectsButNoCsv) {
  EXPECT_TRUE(RecordReader::takes(Reader::jsonl, "{\"a\":1}"));
  EXPECT_FALSE(RecordReader::takes(Reader::jsonl, "[1]"));
  EXPECT_FALSE(RecordReader::takes(Reader::csv, "a,b"));
}

}  // namespace
}  // namespace caravel::formatter
