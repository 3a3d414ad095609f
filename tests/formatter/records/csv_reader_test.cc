#include "formatter/records/csv_reader.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using test::FormatRun;
using testing::ElementsAre;
using testing::HasSubstr;

/// Runs `extract` through a CSV format with these keys beside its name.
FormatRun Read(const std::string& keys, std::string_view extract, std::uint64_t log_offset = 0) {
  const auto format =
      test::CompileYaml("format: f\nreader: csv\nidentity: position\n" + keys + "\n");
  if (!format) throw std::runtime_error(format.error().message);
  FormatRequest request;
  request.format = &*format;
  request.log_offset = log_offset;
  FormatRun run = test::Format(extract, request);
  run.result.format = nullptr;  // it ends with this call
  return run;
}

std::string RefusalOf(const std::string& keys) {
  const auto format =
      test::CompileYaml("format: f\nreader: csv\nidentity: position\n" + keys + "\n");
  return format ? "" : format.error().message;
}

constexpr const char* kNamed = "columns: [sensor, room, celsius]";

TEST(CsvRecordsOverLines, AreOneRowEach) {
  const FormatRun run = Read("", "a,b\n1,\"x\ny, z\n\"\"q\"\"\"\n2,z\n");
  EXPECT_EQ(run.csv, "a,b\n1,\"x\ny, z\n\"\"q\"\"\"\n2,z\n");
  EXPECT_EQ(run.counts(), "5 = 2 rows + 1 dropped + 0 rejected");
  EXPECT_EQ(run.result.counts.more_lines, 2U);
  EXPECT_THAT(run.lines, ElementsAre(2, 5));
  EXPECT_THAT(run.offsets, ElementsAre(4, 21));
}

TEST(CsvRecordsOverLines, KeepTheirCarriageReturnsAndBlanks) {
  const FormatRun run = Read("", "a,b\r\n1,\" x \r\n y \"\r\n2,z\r\n");
  EXPECT_EQ(run.csv, "a,b\n1,\" x \r\n y \"\n2,z\n");
}

// Whoever writes a value must not be able to write rows.
TEST(CsvRecordsOverLines, HideNoRowsInside) {
  const FormatRun run = Read("", "day,who\n2025-03-01,\"ann\n2025-03-04,root\n\"\n");
  EXPECT_THAT(run.lines, ElementsAre(2));
  EXPECT_EQ(run.counts(), "4 = 1 rows + 1 dropped + 0 rejected");
}

TEST(CsvRecordsOverLines, ThatNeverEndCostTheirFirstLineOnly) {
  const FormatRun run = Read("", "a,b\n1,\"open\n2,x\n3,y\n");
  EXPECT_EQ(run.csv, "a,b\n2,x\n3,y\n");
  EXPECT_EQ(run.rejects, "a,b\n1,\"open\n");
  EXPECT_EQ(run.counts(), "4 = 2 rows + 1 dropped + 1 rejected");
}

TEST(CsvRecordsOverLines, WhoseQuotesBreakCostTheirFirstLineOnly) {
  const FormatRun run = Read("", "a,b\n1,\"open\n2,\"x\"\n3,y\n");
  EXPECT_EQ(run.csv, "a,b\n2,x\n3,y\n");
  EXPECT_THAT(run.reasons, HasSubstr("2,4,quotes that are never closed"));
}

TEST(CsvRecordsOverLines, AreBounded) {
  std::string inside;
  for (int i = 0; i < 998; ++i) inside += "x\n";
  EXPECT_EQ(Read("", "a,b\n1,\"" + inside + "\"\n2,z\n").counts(),
            "1001 = 2 rows + 1 dropped + 0 rejected");
  const FormatRun lines = Read("", "a,b\n1,\"x\nx\n" + inside + "\"\n2,z\n");
  EXPECT_THAT(lines.reasons, HasSubstr("2,4,quotes that are never closed"));
  EXPECT_THAT(lines.csv, testing::EndsWith("\n2,z\n"));
  const std::string wide(600, 'x');
  EXPECT_EQ(Read("max_record: 1KiB", "a,b\n1,\"" + wide + "\n" + wide + "\"\n2,z\n").counts(),
            "4 = 1 rows + 1 dropped + 2 rejected");
  EXPECT_EQ(Read("max_record: 2KiB", "a,b\n1,\"" + wide + "\n" + wide + "\"\n2,z\n").counts(),
            "4 = 2 rows + 1 dropped + 0 rejected");
}

TEST(CsvRecordsOverLines, MayBeRejectsAndAreKeptWhole) {
  const FormatRun run = Read("", "a,b\n1,\"x\ny\",3\n2,z\n");
  EXPECT_EQ(run.rejects, "a,b\n1,\"x\ny\",3\n");
  EXPECT_EQ(run.reasons, "line,offset,reason\n2,4,3 fields instead of 2\n");
  EXPECT_EQ(run.counts(), "4 = 1 rows + 1 dropped + 2 rejected");
}

TEST(CsvRecordsOverLines, WithoutALineEndAreCutOff) {
  const FormatRun run = Read("", "a,b\n1,\"x\ny\"");
  EXPECT_EQ(run.cut, "1,\"x\ny\"");
  EXPECT_EQ(run.counts(), "3 = 0 rows + 1 dropped + 2 rejected");
}

/// The extract as one that a manifest puts at `log_offset` of its log.
FormatRun ReadCut(std::string_view extract, std::uint64_t log_offset) {
  const auto format = test::CompileYaml(
      "format: f\nreader: csv\nidentity: position\nrecords: multiline\ncolumns: [a, b]\n");
  if (!format) throw std::runtime_error(format.error().message);
  FormatRequest request;
  request.format = &*format;
  request.log_offset = log_offset;
  request.first_line = Hash128{};
  FormatRun run = test::Format(extract, request);
  run.result.format = nullptr;
  return run;
}

TEST(CsvRecordsThatAreCut, AreRejectedWhole) {
  const FormatRun begun = ReadCut("1,x\n2,\"open\n3,looks like a row\n", 0);
  EXPECT_EQ(begun.csv, "a,b\n1,x\n");
  EXPECT_EQ(begun.reasons,
            "line,offset,reason\n2,4,a record that goes on behind the end of its extract\n");
  EXPECT_EQ(begun.counts(), "3 = 1 rows + 0 dropped + 2 rejected");
  for (const char* rest : {"4,looks like a row\nend\"\n", "4,\"\"x\"\"\n\"\n", "4,y\n5\",z\n"}) {
    SCOPED_TRACE(rest);
    const FormatRun run = ReadCut(std::string(rest) + "6,\"q\"\n7,r\n", 100);
    EXPECT_EQ(run.csv, "a,b\n6,q\n7,r\n");
    EXPECT_EQ(run.counts(), "4 = 2 rows + 0 dropped + 2 rejected");
    EXPECT_THAT(run.reasons,
                HasSubstr("1,0,the rest of a record that was cut between two extracts"));
  }
}

TEST(CsvRecordsThatAreCut, AreNotSeenWhereNoneIs) {
  for (const char* extract : {"1,x\n2,\"y\"\n", "1,\"x\"\n2,y\n", "\"1\",x\n2,y\n", "1,x\n2,y\n",
                              "1,\"\"\n2,\"x, \"\"y\"\"\"\n", "\"\",1\n2,\"a\"\n"}) {
    SCOPED_TRACE(extract);
    EXPECT_EQ(ReadCut(extract, 100).counts(), "2 = 2 rows + 0 dropped + 0 rejected");
    EXPECT_EQ(ReadCut(extract, 0).counts(), "2 = 2 rows + 0 dropped + 0 rejected");
  }
  EXPECT_EQ(Read("records: line", "a,b\n1,\"x\ny\",2\n").counts(),
            "3 = 0 rows + 1 dropped + 2 rejected");
}

TEST(CsvRejects, BeginWithTheHeaderAndCanBeDroppedAgain) {
  const FormatRun run = Read("", "b,a\n1\n2,x\n3\n");
  EXPECT_EQ(run.rejects, "b,a\n1\n3\n");
  const FormatRun again = Read("", "b,a\n1,mended\n3,mended\n");
  EXPECT_EQ(again.counts(), "3 = 2 rows + 1 dropped + 0 rejected");
  EXPECT_EQ(Read("separator: ';'\ncolumns: [a, 'b;c']", "1\n").rejects, "a;\"b;c\"\n1\n");
}

TEST(CsvHeaders, MapTheFieldsByName) {
  const FormatRun run = Read(kNamed, "room,sensor,celsius\nkitchen,s1,20\nhall,s2,21\n");
  EXPECT_EQ(run.csv, "sensor,room,celsius\ns1,kitchen,20\ns2,hall,21\n");
  EXPECT_EQ(run.counts(), "3 = 2 rows + 1 dropped + 0 rejected");
}

TEST(CsvHeaders, MayBeInOtherLettersAndHaveBlanks) {
  for (const char* header : {"Sensor,ROOM,celsius", "sensor, room, celsius",
                             "sensor,room,celsius\r", "\"sensor\",\" Room \",Celsius\t"}) {
    SCOPED_TRACE(header);
    const FormatRun run = Read(kNamed, std::string(header) + "\ns1,kitchen,20\n");
    EXPECT_EQ(run.csv, "sensor,room,celsius\ns1,kitchen,20\n");
  }
}

TEST(CsvHeaders, MayComeAgainAndInAnotherOrder) {
  const FormatRun run = Read(kNamed,
                             "sensor,room,celsius\na,b,1\nroom,celsius,sensor\nb,2,a\n"
                             "\xef\xbb\xbfsensor,room,celsius\na,b,3\nsensor,room,celsius\r\r\n");
  EXPECT_EQ(run.csv, "sensor,room,celsius\na,b,1\na,b,2\na,b,3\n");
  EXPECT_EQ(run.counts(), "7 = 3 rows + 4 dropped + 0 rejected");
}

TEST(CsvHeaders, ThatNameTheColumnsThemselvesMayComeAgainToo) {
  const FormatRun run = Read("", "at,temp\n1,2\nat,temp\n\xef\xbb\xbf\"at\",temp\r\n3,4\n");
  EXPECT_EQ(run.csv, "at,temp\n1,2\n3,4\n");
}

TEST(CsvHeaders, WithOtherColumnsRefuseTheExtract) {
  const struct {
    const char* header;
    const char* why;
  } cases[] = {
      {"sensor,room,humidity", "not among the columns: 'humidity'; missing: 'celsius'"},
      {"sensor,room", "missing: 'celsius'"},
      {"sensor,room,celsius,humidity", "not among the columns: 'humidity'"},
      {"sensor,room,room", "missing: 'celsius'; named twice: 'room'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.header);
    const FormatRun run = Read(kNamed, std::string(c.header) + "\na,b,1\n");
    EXPECT_FALSE(run.ok);
    EXPECT_EQ(run.error.kind, ErrorKind::content);
    EXPECT_THAT(run.error.message, HasSubstr("line 1: a header with other columns: "));
    EXPECT_THAT(run.error.message, HasSubstr(c.why));
  }
  EXPECT_FALSE(Read("header: true\ncolumns: [a, b]", "1,2\n").ok) << "the first line must be one";
}

TEST(CsvHeaders, GatherOtherColumnsIfTheFormatSaysSo) {
  const FormatRun run = Read("columns: [a, b, c]\ncolumns_extra: more",
                             "b,x,a,\"y \"\"z\"\"\"\n1,2.50,3,\n4,,5,007\n");
  EXPECT_EQ(run.csv,
            "a,b,c,more\n3,1,,\"{\"\"x\"\":2.50}\"\n"
            "5,4,,\"{\"\"y \\\"\"z\\\"\"\"\":\"\"007\"\"}\"\n");
}

// The other extracts of a log that is cut have no header.
TEST(CsvHeaders, AreNotAskedForInTheMiddleOfALog) {
  EXPECT_EQ(Read("header: true\ncolumns: [a, b]", "1,2\n", 100).counts(),
            "1 = 1 rows + 0 dropped + 0 rejected");
  EXPECT_EQ(Read("skip: 1\ncolumns: [a, b]", "1,2\n", 100).counts(),
            "1 = 1 rows + 0 dropped + 0 rejected");
}

TEST(CsvHeaders, CanBeAbsent) {
  const FormatRun run = Read("header: false\ncolumns: [a, b]", "a,b\nb,a\n1,2\n");
  EXPECT_EQ(run.csv, "a,b\na,b\nb,a\n1,2\n");
}

TEST(CsvHeaders, StandBehindLinesThatAreSkipped) {
  const FormatRun run = Read("skip: 2", "Export of \"today\n\na,b\n1,2\n");
  EXPECT_EQ(run.csv, "a,b\n1,2\n");
  EXPECT_EQ(run.counts(), "4 = 1 rows + 3 dropped + 0 rejected");
}

TEST(CsvDialects, HaveOtherSeparatorsAndQuotes) {
  EXPECT_EQ(Read("separator: ';'", "a;b\n1,5;\"x;y\"\n").csv, "a,b\n\"1,5\",x;y\n");
  EXPECT_EQ(Read("separator: tab", "a\tb\tc\n\t2\t\n").csv, "a,b,c\n,2,\n")
      << "tabs at the ends of a line are separators";
  EXPECT_EQ(Read("separator: '|'", "a|b\n1|2\n").csv, "a,b\n1,2\n");
  EXPECT_EQ(Read("quote: none", "a,b\n5\",\"x\n").csv, "a,b\n\"5\"\"\",\"\"\"x\"\n");
  EXPECT_EQ(Read("quote: \"'\"", "a,b\n'x,''y',\"\n").csv, "a,b\n\"x,'y\",\"\"\"\"\n");
}

TEST(CsvDialects, AreFoundIfTheFormatSaysSo) {
  for (const char* separator : {",", ";", "\t", "|"}) {
    SCOPED_TRACE(separator);
    const std::string s(separator);
    EXPECT_EQ(Read("separator: auto", "a" + s + "b c\n1" + s + "x\n2" + s + "y\n").csv,
              "a,b c\n1,x\n2,y\n");
  }
  EXPECT_EQ(Read("separator: auto\ndecimal: comma", "id;val\n1;2,5\n2;7,25\n").csv,
            "id,val\n1,2.5\n2,7.25\n");
  EXPECT_EQ(Read("separator: auto", "one\n1\n").csv, "one\n1\n");
}

TEST(CsvDialects, OfExcelAreSaidByTheFile) {
  const FormatRun run = Read("", "sep=;\r\na;b\r\n1;2\r\n");
  EXPECT_EQ(run.csv, "a,b\n1,2\n");
  EXPECT_EQ(run.counts(), "3 = 1 rows + 2 dropped + 0 rejected");
  EXPECT_EQ(Read("columns: [a, b]", "sep=\t\n1\t2\n").csv, "a,b\n1,2\n");
}

TEST(CsvDialects, ThatAreNotSaidRefuseTheExtract) {
  for (const char* separator : {";", "\t"}) {
    const FormatRun run = Read("", "id" + std::string(separator) + "name\n1,2\n");
    EXPECT_FALSE(run.ok);
    EXPECT_EQ(run.error.kind, ErrorKind::content);
    EXPECT_THAT(run.error.message, HasSubstr("separator: auto"));
  }
  EXPECT_TRUE(Read("separator: ','", "id;name\n1\n").ok) << "whoever says it means it";
}

TEST(CsvDialects, MayWriteNumbersWithADecimalComma) {
  const FormatRun run =
      Read("separator: ';'\ndecimal: comma", "a\n-1,50\n1.234,5\n1,\n,5\n1,2,3\nx,5\n12\n");
  EXPECT_EQ(run.csv, "a\n-1.50\n\"1.234,5\"\n\"1,\"\n\",5\"\n\"1,2,3\"\n\"x,5\"\n12\n");
}

TEST(CsvDialects, AreCheckedWhenTheFormatIsLoaded) {
  const struct {
    const char* keys;
    const char* why;
  } cases[] = {
      {"separator: ab", "separator: must be one character"},
      {"separator: x", "separator: must be one character"},
      {"separator: '5'", "separator: must be one character"},
      {"quote: x", "quote: must be"},
      {"decimal: dot", "decimal: "},
      {"encoding: ebcdic", "encoding: "},
      {"header: false", "header: without a header the format must name the `columns`"},
      {"columns_extra: more", "columns_extra: wants `columns`"},
      {"max_record: 1", "max_record: must be from"},
      {"skip: -1", "skip: "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.keys);
    EXPECT_THAT(RefusalOf(c.keys), HasSubstr(c.why));
  }
  const auto jsonl =
      test::CompileYaml("format: f\nreader: jsonl\nidentity: position\nseparator: ';'\n");
  ASSERT_FALSE(jsonl);
  EXPECT_THAT(jsonl.error().message, HasSubstr("separator: belongs to `reader: csv` only"));
}

TEST(Encodings, BecomeUtf8) {
  EXPECT_EQ(Read("encoding: latin-1",
                 "stra\xdf"
                 "e,b\n\xfc,1\n")
                .csv,
            "stra\xc3\x9f"
            "e,b\n\xc3\xbc,1\n");
  EXPECT_EQ(Read("encoding: cp1252", "a\n\x80\n").csv, "a\n\xe2\x82\xac\n");
  const FormatRun run = Read("encoding: cp1252", "a\n\x81\nb\n");
  EXPECT_EQ(run.reasons, "line,offset,reason\n2,2,not valid in the encoding of its format\n");
  EXPECT_EQ(run.rejects, "a\n\x81\n") << "as it came";
}

std::string Utf16(std::string_view ascii, bool little) {
  std::string out = little ? "\xff\xfe" : "\xfe\xff";
  for (const char c : ascii) {
    if (little) out += c;
    out += '\0';
    if (!little) out += c;
  }
  return out;
}

TEST(Encodings, OfUtf16AreToldByItsMark) {
  for (const bool little : {true, false}) {
    EXPECT_EQ(Read("encoding: utf-16", Utf16("a,b\r\n1,x\r\n", little)).csv, "a,b\n1,x\n");
    const FormatRun run = Read("", Utf16("a,b\n1,x\n", little));
    EXPECT_FALSE(run.ok);
    EXPECT_EQ(run.error.kind, ErrorKind::content);
    EXPECT_THAT(run.error.message, HasSubstr("encoding: utf-16"));
  }
  EXPECT_EQ(Read("encoding: utf-16", "a,b\n1,\xc3\xbc\n").csv, "a,b\n1,\xc3\xbc\n")
      << "without a mark it is UTF-8, as its rejects are";
  // Half of a surrogate pair, and a byte too many at the end.
  const FormatRun broken =
      Read("encoding: utf-16", Utf16("a\n", true) + std::string("\0\xd8x\0\n\0b\0\n\0c", 11));
  EXPECT_EQ(broken.csv, "a\nb\n");
  EXPECT_EQ(broken.counts(), "4 = 1 rows + 1 dropped + 2 rejected");
}

// Whoever knows the log, as from a manifest, says how its first line hashes.
TEST(Encodings, OfUtf16AreToldAlsoWhereTheLogIsKnown) {
  formatter::FormatRequest request;
  request.first_line = Hash128{};
  request.format = test::ShippedFormats().find("nginx");
  const FormatRun run = test::Format(Utf16("x\n", true), request);
  EXPECT_FALSE(run.ok);
  EXPECT_THAT(run.error.message, HasSubstr("encoding: utf-16"));
}

TEST(Encodings, OfUtf16MayBeLong) {
  std::string text = "a\n";
  std::string expected = "a\n";
  for (int i = 0; i < 200000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(Read("encoding: utf-16", Utf16(expected, true)).csv, expected);
}

TEST(NulBytes, MakeALineAReject) {
  const FormatRun run = Read("", std::string_view("a,b\n1,\0\n2,x\n\0\0\n", 15));
  EXPECT_EQ(run.csv, "a,b\n2,x\n");
  EXPECT_EQ(run.reasons, "line,offset,reason\n2,4,holds NUL bytes\n4,12,holds NUL bytes\n");
}

}  // namespace
}  // namespace caravel::formatter
