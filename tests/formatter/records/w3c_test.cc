#include "formatter/records/w3c.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "name=cell" of each value, or the reason.
std::string Values(const W3cLines& reader, std::string_view line) {
  const auto members = reader.read(line);
  if (!members) return members.error().message;
  std::string all;
  for (const JsonMember& member : *members) {
    all += (all.empty() ? "" : "|") + member.name + "=" + member.cell;
  }
  return all;
}

TEST(W3cLines, NamesValuesByTheLastFields) {
  W3cLines reader(10);
  EXPECT_EQ(Values(reader, "1 2"), "no #Fields came before this line");
  EXPECT_TRUE(reader.direct("#Software: IIS"));
  EXPECT_TRUE(reader.direct("#Date: 2012-03-09 09:48:00"));
  EXPECT_THAT(reader.fields(), IsEmpty());
  EXPECT_TRUE(reader.direct("#Fields: a b(C)  d "));
  EXPECT_THAT(reader.fields(), ElementsAre("a", "b(C)", "d"));
  const std::pair<const char*, const char*> cases[] = {
      {"1 x+y 2.5", "a=1|b(C)=x+y|d=2.5"},
      {"1\tx  2.5", "a=1|b(C)=x|d=2.5"},
      {"- - -", "a=|b(C)=|d="},
      {"\"-\" \"x \"\"y\"\" \" \"1\"", "a=-|b(C)=x \"y\" |d=\"1\""},
      {"1 2", "2 values instead of 3"},
      {"1 2 3 4", "4 values instead of 3"},
      {"", "0 values instead of 3"},
      {"1 2 \"3", "broken quotes"},
      {"1 2 \"3\"4", "broken quotes"},
      {"1 2 \"", "broken quotes"},
  };
  for (const auto& [line, values] : cases) {
    SCOPED_TRACE(line);
    EXPECT_EQ(Values(reader, line), values);
  }
  EXPECT_TRUE(reader.direct("#Fields: d a"));
  EXPECT_EQ(Values(reader, "1 x"), "d=1|a=x");
}

TEST(W3cLines, WithoutFieldsThatCanBeReadReadsNothing) {
  W3cLines reader(2);
  ASSERT_TRUE(reader.direct("#Fields: a"));
  EXPECT_FALSE(reader.direct("#Fields:"));
  EXPECT_EQ(Values(reader, "1"), "no #Fields came before this line");
  ASSERT_TRUE(reader.direct("#Fields: a b"));
  const auto many = reader.direct("#Fields: a b c");
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().message, "over 2 fields");
  EXPECT_EQ(Values(reader, "1 2"), "no #Fields came before this line");
}

TEST(W3cRecords, ChangeTheirFieldsInMidFile) {
  const auto format = test::CompileYaml("format: f\nreader: w3c\nidentity: position\n");
  ASSERT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  const auto run = test::Format(
      "lost\n#Version: 1.0\n#Fields: time c-ip sc-status\n09:48:00 192.0.2.7 200\n"
      "#Fields: c-ip time sc-bytes\n192.0.2.8 09:48:01 612\n#Fields:\n192.0.2.9 09:48:02 1\n",
      request);
  EXPECT_EQ(run.csv,
            "time,c-ip,sc-status,more\n09:48:00,192.0.2.7,200,\n"
            "09:48:01,192.0.2.8,,\"{\"\"sc-bytes\"\":612}\"\n");
  EXPECT_EQ(run.counts(), "8 = 2 rows + 3 dropped + 3 rejected");
  EXPECT_EQ(run.reasons,
            "line,offset,reason\n1,0,no #Fields came before this line\n"
            "7,122,#Fields names no field\n8,131,no #Fields came before this line\n");
}

TEST(W3cRecords, OfGivenColumnsKeepTheseWhateverTheFieldsAre) {
  const auto format =
      test::CompileYaml("format: f\nreader: w3c\nidentity: position\ncolumns: [c-ip, time]\n");
  ASSERT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  const auto run = test::Format("#Fields: time c-ip n\n09:48:00 192.0.2.7 1\n", request);
  EXPECT_EQ(run.csv, "c-ip,time,more\n192.0.2.7,09:48:00,\"{\"\"n\"\":1}\"\n");
}

}  // namespace
}  // namespace caravel::formatter
