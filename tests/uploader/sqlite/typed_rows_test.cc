// Rows as people ask for them in plain SQL: numbers compare, sort and add up as numbers.
#include <gmock/gmock.h>

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/sqlite_fixture.h"

namespace caravel::testing {
namespace {

using formatter::ColumnType;
using ::testing::ElementsAre;

class TypedRowsTest : public SqliteFixture {
 protected:
  /// One row for each of `records`.
  static TestExtract RowsOf(std::vector<formatter::Column> columns,
                            const std::vector<std::string>& records, char digit = 'a') {
    TestExtract extract = extract_of(0, digit);
    extract.columns = std::move(columns);
    for (std::size_t i = 0; i < records.size(); ++i) {
      extract.rows.push_back({fmt::format("20120309T0948{:02}:{}", i, digit), records[i], 0});
    }
    return extract;
  }
};

TEST_F(TypedRowsTest, NumbersCompareSortAndAddUpAsNumbers) {
  for (const ColumnType type : {ColumnType::number, ColumnType::automatic, ColumnType::json}) {
    SCOPED_TRACE(static_cast<int>(type));
    std::filesystem::remove(config_.path);
    Reopen();
    Send(RowsOf({{"Path", ColumnType::text}, {"Bytes", type}},
                {"/a,900", "/b,1000", "/c,20000", "/d,5", "/e,", "/f,1000.5", "/g,1E3"}));
    EXPECT_THAT(AskAll("SELECT Path FROM hrt WHERE Bytes > 1000 ORDER BY Bytes"),
                ElementsAre("/f", "/c"));
    EXPECT_THAT(AskAll("SELECT Path FROM hrt WHERE Bytes = 1000"), ElementsAre("/b", "/g"));
    EXPECT_EQ(Ask("SELECT max(Bytes), min(Bytes), sum(Bytes) FROM hrt"), "20000|5|23905.5");
    EXPECT_THAT(AskAll("SELECT Bytes FROM hrt WHERE Bytes IS NOT NULL ORDER BY Bytes DESC"),
                ElementsAre("20000", "1000.5", "1000", "1000.0", "900", "5"));
    EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE Bytes BETWEEN 900 AND 1000"), "3");
  }
}

TEST_F(TypedRowsTest, TheLargestIntegersAreExact) {
  Send(RowsOf({{"Id", ColumnType::number}},
              {"9223372036854775806", "9223372036854775807", "9007199254740993"}));
  EXPECT_EQ(Ask("SELECT max(Id) FROM hrt"), "9223372036854775807");
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE Id = 9223372036854775806"), "1");
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE Id > 9007199254740992"), "3");
}

TEST_F(TypedRowsTest, AColumnThatBeganWithNumbersTakesTextsToo) {
  const std::vector<formatter::Column> columns = {{"n", ColumnType::automatic}};
  Send(RowsOf(columns, {"7", "12"}));
  const auto second = Send(RowsOf(columns, {"007", "n/a", "1e400", "9"}, 'b'));
  EXPECT_EQ(second->counts().stored, 4U);
  EXPECT_THAT(
      AskAll("SELECT n, typeof(n) FROM hrt ORDER BY n"),
      ElementsAre("7|integer", "9|integer", "12|integer", "007|text", "1e400|text", "n/a|text"));
  EXPECT_EQ(Ask("SELECT max(n) FROM hrt WHERE typeof(n) <> 'text'"), "12");
}

TEST_F(TypedRowsTest, ATextColumnStaysTextWhateverItHolds) {
  Send(RowsOf({{"Zip", ColumnType::text}}, {"12", "1.50", "true", "-0"}));
  EXPECT_THAT(AskAll("SELECT Zip, typeof(Zip) FROM hrt"),
              ElementsAre("12|text", "1.50|text", "true|text", "-0|text"));
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE Zip = '12'"), "1");
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE Zip = 12"), "1") << "as TEXT compares";
}

TEST_F(TypedRowsTest, TextOfAnotherFormatInAColumnOfNumbersStaysText) {
  Send(RowsOf({{"n", ColumnType::number}}, {"12"}));
  Send(RowsOf({{"n", ColumnType::text}}, {"12"}, 'b'));
  EXPECT_THAT(AskAll("SELECT n, typeof(n) FROM hrt"), ElementsAre("12|integer", "12|text"));
}

TEST_F(TypedRowsTest, BooleansOfJsonCanBeAskedFor) {
  Send(RowsOf({{"ok", ColumnType::json}}, {"true", "false", "\"\"\"true\"\"\"", "true"}));
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE ok"), "2");
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt WHERE ok = false"), "1");
  EXPECT_EQ(Ask("SELECT _line FROM hrt WHERE ok = 'true'"), "3");
}

TEST_F(TypedRowsTest, NestedJsonIsTextThatTheJsonFunctionsRead) {
  Send(RowsOf({{"more", ColumnType::json}}, {"\"{\"\"a\"\":[1,2.5]}\"", "\"\"\"a\"\"\"\"\"\"\""}));
  EXPECT_EQ(Ask("SELECT json_extract(more, '$.a[1]') FROM hrt WHERE _line = 1"), "2.5");
}

TEST_F(TypedRowsTest, ADocumentShowsTheDigitsOfItsLine) {
  const TestExtract extract =
      RowsOf({{"a", ColumnType::number}, {"b", ColumnType::number}, {"c", ColumnType::number}},
             {"0.12345678901234568,1e22,9007199254740993", "007,-76.091438594,12.0"});
  Send(extract);
  const auto text = [&](std::size_t row) {
    const auto found = store_->find(id_of(extract, row)).value();
    return found ? found->text : "";
  };
  EXPECT_NE(text(0).find(R"("a":0.12345678901234568,"b":1e+22,"c":9007199254740993})"),
            std::string::npos)
      << text(0);
  EXPECT_NE(text(1).find(R"("a":"007","b":-76.091438594,"c":12})"), std::string::npos) << text(1);
  EXPECT_TRUE(nlohmann::json::accept(text(0)));
}

TEST_F(TypedRowsTest, SumsAndReplaysKnowOnlyTheCsv) {
  TestExtract extract = RowsOf({{"n", ColumnType::number}}, {"1.50", "2"});
  Send(extract);
  const std::string sum = Ask("SELECT _sum FROM hrt WHERE _line = 1");
  const auto again = Send(extract);
  EXPECT_EQ(again->counts().stored, 2U);
  EXPECT_EQ(again->counts().differs, 0U);
  // The same number, and another record: that is another row, as it always was.
  extract.rows[0].record = "1.5";
  EXPECT_EQ(Send(extract)->counts().differs, 1U);
  uploader::UploadOptions options;
  options.reprocess = true;
  EXPECT_EQ(Send(extract, options)->counts().replaced, 1U);
  EXPECT_NE(Ask("SELECT _sum FROM hrt WHERE _line = 1"), sum);
  EXPECT_EQ(Ask("SELECT n, typeof(n) FROM hrt WHERE _line = 1"), "1.5|real");
}

}  // namespace
}  // namespace caravel::testing
