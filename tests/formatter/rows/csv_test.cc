#include "formatter/rows/csv.h"

#include <random>

#include <gmock/gmock.h>

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

std::string Field(std::string_view value) {
  std::string out;
  append_csv_field(value, out);
  return out;
}

TEST(CsvField, IsQuotedOnlyWhereRfc4180WantsIt) {
  const struct {
    std::string_view value;
    std::string_view csv;
  } cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"with blank", "with blank"},
      {"a,b", "\"a,b\""},
      {"say \"hi\"", "\"say \"\"hi\"\"\""},
      {"\"", "\"\"\"\""},
      {"two\nlines", "\"two\nlines\""},
      {"cr\r", "\"cr\r\""},
      {"ünï", "ünï"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.value);
    EXPECT_EQ(Field(c.value), c.csv);
  }
}

TEST(CsvRecord, JoinsWithCommas) {
  EXPECT_EQ(csv_record({"a", "", "b,c"}), "a,,\"b,c\"");
  EXPECT_EQ(csv_record({""}), "");
}

TEST(CsvSplit, TakesRecordsApart) {
  const struct {
    std::string_view record;
    std::vector<std::string> fields;
  } cases[] = {
      {"a,b", {"a", "b"}},
      {"", {""}},
      {std::string_view(), {""}},
      {",", {"", ""}},
      {"a,", {"a", ""}},
      {",,a", {"", "", "a"}},
      {"\"a\"", {"a"}},
      {"\"\"", {""}},
      {"\"\",", {"", ""}},
      {"\"a,b\",c", {"a,b", "c"}},
      {"\"a\"\"b\",\"\"\"\"", {"a\"b", "\""}},
      {"\"a\nb\",c", {"a\nb", "c"}},
      {" a , b ", {" a ", " b "}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.record);
    std::vector<std::string_view> fields;
    std::string scratch;
    ASSERT_TRUE(split_csv_record(c.record, fields, scratch));
    EXPECT_THAT(fields, ElementsAreArray(c.fields));
  }
}

TEST(CsvSplit, RefusesBrokenQuotes) {
  for (const std::string_view record :
       {"\"", "\"a", "\"a\"b", "a\"b", "a,\"b", "\"a\"\"", "\"a\" ,b", "a,b\"", "\"\"\""}) {
    SCOPED_TRACE(record);
    std::vector<std::string_view> fields;
    std::string scratch;
    EXPECT_FALSE(split_csv_record(record, fields, scratch));
  }
}

TEST(CsvSplit, ForgetsTheRecordBefore) {
  std::vector<std::string_view> fields = {"old"};
  std::string scratch = "old";
  ASSERT_TRUE(split_csv_record("new", fields, scratch));
  EXPECT_THAT(fields, ElementsAre("new"));
}

TEST(CsvSplit, GivesBackWhateverWasJoined) {
  constexpr unsigned kSeed = 20120309;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  constexpr std::string_view kBytes = "ab,\"\r\n \xc3\xbc";
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> values(1 + random() % 5);
    for (std::string& value : values) {
      for (std::size_t i = random() % 6; i > 0; --i) value += kBytes[random() % kBytes.size()];
    }
    const std::string record = csv_record(values);
    SCOPED_TRACE(record);
    std::vector<std::string_view> fields;
    std::string scratch;
    ASSERT_TRUE(split_csv_record(record, fields, scratch));
    ASSERT_THAT(fields, ElementsAreArray(values));
  }
}

}  // namespace
}  // namespace caravel::formatter
