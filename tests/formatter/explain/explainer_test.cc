#include <gmock/gmock.h>

#include "base/excerpt.h"
#include "tests/formatter/explain/explained.h"

namespace caravel::formatter {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Explainer, PutsEachCaptureUnderItsText) {
  EXPECT_EQ(test::Explain(test::kDoors,
                          "2024-02-29 07:58:01.250  door 17 opened by \"Ann, Smith\"  [card]\n")
                .lines,
            "line 1: opened\n"
            "  2024-02-29 07:58:01.250  door 17 opened by \"Ann, Smith\"  [card]\n"
            "  ---------- ------------       --            ----------    ----\n"
            "  Date       Time               Door          Who           How\n");
}

TEST(Explainer, ShowsTheValueOfARowWhereItIsAnotherText) {
  const std::string yaml = R"(format: x
time: [D, T]
columns: [D, T, Lat, State, Note]
kinds:
  - {kind: k, line: '{T:time} {D:month-day} {Lat:implied(2)} {State:choice(On=1,Off=0)} {Note:rest}'}
)";
  EXPECT_EQ(test::Explain(yaml, "09:48:00 03/09 367751 On \n").lines,
            "line 1: reject: expected \" \" at byte 24 (k)\n"
            "  09:48:00 03/09 367751 On\n"
            "                          ^ k wants \" \", finds the end of the line\n");
  EXPECT_EQ(test::Explain(yaml, "09:48:00 03/09 367751 On a, b\n").lines,
            "line 1: k\n"
            "  09:48:00 03/09 367751 On a, b\n"
            "  -------- ----- ------ -- ----\n"
            "  T        D = 2012-03-09  Note\n"
            "                 Lat = 36.7751\n"
            "                        State = 1\n");
}

TEST(Explainer, NamesTheTypeOfWhatIsOnlyChecked) {
  EXPECT_THAT(test::Explain("format: x\nidentity: position\ncolumns: [A]\nkinds:\n"
                            "  - {kind: k, line: '{ip} {A:text};'}\n",
                            "10.0.0.1 ;\n")
                  .lines,
              HasSubstr("  10.0.0.1 ;\n  -------- ^\n  (ip)     A\n"));
}

TEST(Explainer, SaysHowFarEachKindCame) {
  EXPECT_EQ(test::Explain(test::kDoors, "2024-02-29 07:58:12.500  door 17 jammed\n").lines,
            "line 1: reject: expected \"opened\" at byte 33 (opened)\n"
            "  2024-02-29 07:58:12.500  door 17 jammed\n"
            "                                   ^ opened wants \"opened\", finds \"jammed\"\n"
            "                                   ^ closed wants \"closed\", finds \"jammed\"\n"
            "                           ^ heartbeat wants \"heartbeat\", finds \"door\"\n");
}

TEST(Explainer, TellsKindsThatFailAlikeTogether) {
  EXPECT_THAT(test::Explain(test::kDoors, "x\n").lines,
              HasSubstr("\n  x\n"
                        "  ^ opened, closed want a date that exists (Date), find \"x\"\n"
                        "  ^ heartbeat wants a date that exists, finds \"x\"\n"));
}

TEST(Explainer, SaysWhyALineIsRefusedBeforeAnyKindIsTried) {
  const std::string lines =
      test::Explain(test::kDoors, "\xff\n2024-02-29 07:58:12.500 door 17 closed").lines;
  EXPECT_EQ(lines,
            "line 1: reject: not valid UTF-8\n"
            "  \\xFF\n"
            "line 2: reject: no line end (cut off?)\n"
            "  2024-02-29 07:58:12.500 door 17 closed\n");
}

TEST(Explainer, SaysOnceThatALineIsTooLong) {
  const auto format = test::CompileYaml(test::kDoors);
  ASSERT_TRUE(format);
  EXPECT_EQ(test::Explain(*format, std::string(100'000, 'x') + "\n", 80, 1000).lines,
            "line 1: reject: longer than 1000 bytes\n");
}

TEST(Explainer, PutsTheColumnsUnderTheFieldsOfARecord) {
  const std::string yaml = "format: x\nreader: csv\nidentity: position\n";
  EXPECT_EQ(test::Explain(yaml, "name,long column name,n\n\"a, b\",x,1\na,b\na,b,c,d\n").lines,
            "line 1: dropped: a header, which names the columns\n"
            "  name,long column name,n\n"
            "line 2: a record\n"
            "  a, b  x                 1\n"
            "  name  long column name  n\n"
            "line 3: reject: 2 fields instead of 3\n"
            "  a     b\n"
            "  name  long column name\n"
            "  no field for: n\n"
            "line 4: reject: 4 fields instead of 3\n"
            "  a     b                 c  d\n"
            "  name  long column name  n  (no column)\n");
}

TEST(Explainer, ShowsWhereAnObjectStopsToBeOne) {
  const std::string yaml = "format: x\nreader: jsonl\nidentity: position\n";
  const std::string lines =
      test::Explain(yaml, "{\"a\":1,\"b\":\"x\"}\n{\"a\":1,}\n{\"a\":\n{\"a\":1,\"a\":2}\n").lines;
  EXPECT_THAT(lines, HasSubstr("line 1: a record\n  1  x\n  a  b  more\n"));
  EXPECT_THAT(lines, HasSubstr("\n  {\"a\":1,}\n         ^ here it stops to be JSON\n"));
  EXPECT_THAT(lines, HasSubstr("\n  {\"a\":\n       ^ the object ends too early\n"));
  EXPECT_THAT(lines, HasSubstr("line 4: reject: the member 'a' stands twice\n  1  2\n  a  a\n"));
}

TEST(Explainer, ShowsARecordOfSeveralLinesAsOne) {
  EXPECT_EQ(test::Explain("format: x\nidentity: position\ncolumns: [N, Text]\n"
                          "continues: {when: '^ '}\n"
                          "kinds: [{kind: k, line: '{N:int} {Text:rest}'}]\n",
                          "1 failed\n  at f()\n2 good\nx\n  y\n")
                .lines,
            "lines 1-2: k\n"
            "  1 failed\\x0A  at f()\n"
            "  - ------------------\n"
            "  N Text\n"
            "line 3: k\n"
            "  2 good\n"
            "  - ----\n"
            "  N Text\n"
            "lines 4-5: reject: expected a whole number (N) at byte 0 (k)\n"
            "  x\n"
            "  ^ k wants a whole number (N), finds \"x\"\n");
  EXPECT_EQ(
      test::Explain("format: x\nreader: csv\nidentity: position\n", "a,b\n\"1\n2\",3\n").lines,
      "line 1: dropped: a header, which names the columns\n"
      "  a,b\n"
      "lines 2-3: a record\n"
      "  1\\x0A2  3\n"
      "  a       b\n");
}

TEST(Explainer, TakesACsvApartAsItsReaderDoes) {
  const std::string yaml =
      "format: x\nreader: csv\nidentity: position\nseparator: ';'\nencoding: latin-1\n"
      "columns: [name, n]\nskip: 1\n";
  EXPECT_EQ(test::Explain(yaml, "made today\nn;name\n1;Z\xFCrich\n1;Z\xFCrich;x\n").lines,
            "line 1: dropped: one of the lines to `skip`\n"
            "  made today\n"
            "line 2: dropped: a header, which names the columns\n"
            "  n;name\n"
            "line 3: a record\n"
            "  Zürich  1\n"
            "  name    n\n"
            "line 4: reject: 3 fields instead of 2\n"
            "  1  Zürich  x\n"
            "  n  name    (no column)\n")
      << "a reject's names stand in the order of its file";
}

TEST(Explainer, FindsTheReasonOfALineThatBeginsWithBlanks) {
  EXPECT_EQ(test::Explain(test::kDoors, "  2024-02-29 7\n").lines,
            "line 1: reject: expected a time HH:MM:SS (Time) at byte 13 (opened)\n"
            "  2024-02-29 7\n"
            "             ^ opened, closed want a time HH:MM:SS (Time), find \"7\"\n"
            "             ^ heartbeat wants a time HH:MM:SS, finds \"7\"\n");
}

TEST(Explainer, KeepsItsWidth) {
  const std::string line = "2024-02-29 07:58:01.250 door 17 opened by \"" + std::string(500, 'n') +
                           "\" [" + std::string(500, 'c') + "]\n";
  for (const std::size_t width : {60, 80, 200}) {
    SCOPED_TRACE(width);
    std::string lines = test::Explain(test::kDoors, line + line.substr(20), width).lines;
    EXPECT_THAT(lines, HasSubstr("nnn…nnn"));
    while (!lines.empty()) {
      EXPECT_LE(columns_of(lines.substr(0, lines.find('\n'))), width + 12);
      lines.erase(0, lines.find('\n') + 1);
    }
  }
}

TEST(Explainer, EscapesWhatIsForeign) {
  const std::string lines =
      test::Explain(test::kDoors,
                    "2024-02-29 07:58:01.250 door 17 opened by \"\x1b[31m\" [card]\n\x1b[2J\n")
          .lines;
  EXPECT_THAT(lines, Not(HasSubstr("\x1b")));
  EXPECT_THAT(lines, HasSubstr("\"\\x1B[31m\""));
}

TEST(Explainer, GivesEveryLineOneExplanation) {
  const auto explained = test::Explain(*test::ShippedFormats().find("spysocket"), "x\n\ny\n");
  std::size_t headings = 0;
  for (std::size_t at = explained.lines.find("line "); at != std::string::npos;
       at = explained.lines.find("\nline ", at + 1)) {
    ++headings;
  }
  EXPECT_EQ(headings, explained.counts.lines);
}

}  // namespace
}  // namespace caravel::formatter
