#include "uploader/couchdb/documents/row_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/extract_fixture.h"
#include "uploader/column_names.h"
#include "uploader/couchdb/documents/batch_reader.h"

namespace caravel::uploader {
namespace {

using formatter::Column;
using formatter::ColumnType;

formatter::Row row_of(std::string_view tail, std::string_view record, std::uint64_t line = 17) {
  formatter::Row row;
  row.line = line;
  row.id_tail = tail;
  row.record = record;
  return row;
}

DocumentBuilder builder_for(std::vector<Column> columns) {
  return DocumentBuilder::make(testing::info_of(), {"test", std::move(columns), {"location"}},
                               "0123456789abcdef0123")
      .value();
}

// Stored data depends on every byte of this.
TEST(DocumentBuilder, WritesTheDocumentAsItIsFrozen) {
  auto builder = builder_for({{"Date", ColumnType::text},
                              {"Lat", ColumnType::number},
                              {"Stop", ColumnType::number},
                              {"Code", ColumnType::automatic},
                              {"Data", ColumnType::json}});
  const std::string record = R"(2012-03-09,36.7751738166,,007,"{""a"":[1,2]}")";
  std::string out = "before";
  EXPECT_FALSE(
      builder.append(row_of("20120309T094800:V.1.2683:00ff", record), 0x0123456789abcdefU, out));
  EXPECT_EQ(out, R"(before{"_id":"hrt:20120309T094800:V.1.2683:00ff","doc_type":"Row",)"
                 R"("time":"2012-03-09T09:48:00","Date":"2012-03-09","Lat":36.7751738166,)"
                 R"("Code":"007","Data":{"a":[1,2]},)"
                 R"("caravel":{"feed":"hrt","kind":"location","extract":"0123456789abcdef",)"
                 R"("line":17,"sum":"0123456789abcdef"}})");
}

TEST(DocumentBuilder, SumsAreXxh3OfTheRecord) {
  // XXH3_64bits("") with seed 0, from xxHash's own test vectors.
  EXPECT_EQ(sum_text(row_sum("")), "2d06800538d394c2");
  EXPECT_NE(row_sum("a,b"), row_sum("a,c"));
}

TEST(DocumentBuilder, RefusesWhatCouldCostTheWholeRequest) {
  const struct {
    std::string tail;
    std::string record;
    const char* says;
  } cases[] = {
      {"20120309T094800:V:1", "a,\xff", "UTF-8"},
      {"20120309T094800:V:1", "a", "fields"},
      {"20120309T094800:V:1", "a,b,c", "fields"},
      {"20120309T094800:V:1", "a,\"b", "quoting"},
      {"20120309T094800:\"V\":1", "a,b", "id"},
      {"20120309T094800:V 1", "a,b", "id"},
      {"", "a,b", "id"},
      {std::string(513, 'x'), "a,b", "id"},
  };
  auto builder = builder_for({{"A", ColumnType::text}, {"B", ColumnType::text}});
  for (const auto& test : cases) {
    SCOPED_TRACE(test.tail + " " + test.record);
    std::string out = "kept";
    const auto reason = builder.append(row_of(test.tail, test.record), 0, out);
    ASSERT_TRUE(reason);
    EXPECT_NE(reason->find(test.says), std::string::npos) << *reason;
    EXPECT_EQ(out, "kept");
  }
}

TEST(DocumentBuilder, TheTimeIsThatOfTheId) {
  const struct {
    const char* tail;
    const char* time;  // "" = none
  } cases[] = {
      {"20120309T094800:V:1", "2012-03-09T09:48:00"},
      {"20120309T094800.123:V:1", "2012-03-09T09:48:00.123"},
      {"20120309T094800Z:V:1", "2012-03-09T09:48:00Z"},
      {"20120309T094800.5Z:V:1", "2012-03-09T09:48:00.5Z"},
      {"20120309T235960:V:1", "2012-03-09T23:59:60"},
      {"0123abcd-0000000000000042:V:1", ""},
      {"20120230T094800:V:1", ""},
      {"20120309T244800:V:1", ""},
      {"20120309T094800.:V:1", ""},
      {"20120309T094800x:V:1", ""},
  };
  auto builder = builder_for({{"A", ColumnType::text}});
  for (const auto& test : cases) {
    SCOPED_TRACE(test.tail);
    std::string out;
    EXPECT_FALSE(builder.append(row_of(test.tail, "a"), 0, out));
    EXPECT_EQ(nlohmann::json::parse(out).value("time", ""), test.time);
  }
}

// The short way through append() and the long one: the same bytes, the same refusals.
TEST(DocumentBuilder, WritesPlainRowsAsAllOthers) {
  const std::vector<std::string> pieces = {"",
                                           "a b",
                                           "0",
                                           "-0",
                                           "-1",
                                           "007",
                                           "1.50",
                                           "0.5",
                                           "-0.5",
                                           "0.",
                                           "1e5",
                                           ".5",
                                           "5.",
                                           "+1",
                                           "-",
                                           "1.2.3",
                                           "00.1",
                                           "0.0",
                                           "-0.0",
                                           "\\",
                                           "\x7f",
                                           "\t",
                                           "\r",
                                           "\xc3\xa9",
                                           "\xff",
                                           "a\"b",
                                           "\"a,b\"",
                                           "\"a\"\"\"",
                                           "a,b",
                                           "/</",
                                           "{\"a\":1}",
                                           "true",
                                           "12.75",
                                           "36.7751738166",
                                           "123456789012345",
                                           "1234567890123456",
                                           "-123456789012345",
                                           "12345678901234567",
                                           "1234567890.12345",
                                           "12345678901234.56"};
  const std::vector<std::string> tails = {"20120309T094800:V.1:00ff", "20120309T094800:V.2:01",
                                          "20120309T094801.5Z:V:01",  "0123abcd-0042:V:02",
                                          "20120230T094800:V:1",      ":V",
                                          "20120309T094802:V 1",      ""};
  auto info = testing::info_of();
  info.timezone = "America/New_York";
  const std::vector<std::vector<Column>> tables = {
      {{"A", ColumnType::text}, {"B", ColumnType::number}, {"C", ColumnType::automatic}},
      {{"A", ColumnType::json}, {"B", ColumnType::number}, {"C", ColumnType::text}},
      {{"A", ColumnType::number}},
      {}};
  for (const auto& columns : tables) {
    const auto make = [&] {
      return DocumentBuilder::make(info, {"test", columns, {"location", "other"}},
                                   "0123456789abcdef")
          .value();
    };
    auto builder = make();
    auto reference = make();
    std::size_t next = 0;
    for (std::size_t round = 0; round < 20'000; ++round) {
      // Steps that share no factor with the numbers of pieces go through all of their pairs.
      const auto piece = [&] { return pieces[(next += 7 + round % 3) % pieces.size()]; };
      const std::string record =
          columns.size() == 1 ? piece() : piece() + "," + piece() + "," + piece();
      auto row = row_of(tails[round % 13 % tails.size()], record, round);
      row.kind = round % 17 == 0 ? 2 : round % 2;
      std::string out = "kept";
      std::string expected = "kept";
      EXPECT_EQ(builder.append(row, round * 0x9e3779b97f4a7c15U, out),
                reference.append_any(row, round * 0x9e3779b97f4a7c15U, expected));
      ASSERT_EQ(out, expected) << record;
    }
  }
}

TEST(UtcConverter, KnowsGapsRepetitionsAndLeapSeconds) {
  const struct {
    const char* local;
    const char* utc;
  } cases[] = {
      {"20120309T094800", "2012-03-09T14:48:00Z"},
      {"20120309T094800.25", "2012-03-09T14:48:00.25Z"},
      {"20120709T094800", "2012-07-09T13:48:00Z"},
      {"20120309T230000", "2012-03-10T04:00:00Z"},
      {"20120311T015959", "2012-03-11T06:59:59Z"},
      {"20120311T023000", "2012-03-11T07:00:00Z"},  // never shown: the instant after the gap
      {"20120311T030000", "2012-03-11T07:00:00Z"},
      {"20121104T005959", "2012-11-04T04:59:59Z"},
      {"20121104T013000", "2012-11-04T05:30:00Z"},  // shown twice: the first
      {"20121104T020000", "2012-11-04T07:00:00Z"},
      {"20120630T195960", "2012-06-30T23:59:60Z"},
      {"20111231T190000", "2012-01-01T00:00:00Z"},
  };
  auto once = UtcConverter::make("America/New_York").value();
  for (const auto& test : cases) {
    SCOPED_TRACE(test.local);
    RowTime time;
    ASSERT_TRUE(read_row_time(test.local, time));
    auto fresh = UtcConverter::make("America/New_York").value();
    for (UtcConverter* converter : {&fresh, &once, &once}) {  // the third answers from its cache
      std::string out;
      append_iso_time(converter->to_utc(time), out);
      EXPECT_EQ(out, test.utc);
    }
  }
  EXPECT_TRUE(validate_timezone("Europe/Berlin"));
  EXPECT_EQ(validate_timezone("Mars/Olympus").error().kind, ErrorKind::usage);
}

std::vector<Column> columns_of(const std::vector<std::string>& names) {
  std::vector<Column> columns;
  for (const std::string& name : names) columns.push_back({name, ColumnType::text});
  return columns;
}

TEST(ColumnNames, GiveWayToTheNamesThatAreTaken) {
  const std::vector<std::string> names = {"Date", "_id",  "time", "caravel", "doc_type", "time_utc",
                                          "_rev", "Time", "",     "Date",    "column_9", "time_"};
  EXPECT_EQ(
      document_field_names(columns_of(names)),
      (std::vector<std::string>{"Date", "x_id_", "time_", "caravel_", "doc_type_", "time_utc_",
                                "x_rev", "Time", "column_9", "Date_", "column_9_", "time__"}));
  EXPECT_EQ(table_column_names(columns_of({"Date", "DATE", "_ID", "_time_utc", "_sum", ""})),
            (std::vector<std::string>{"Date", "DATE_", "_ID_", "_time_utc_", "_sum_", "column_6"}));
}

TEST(BatchReader, EndsBatchesAtRowsAndBytes) {
  const auto sizes = [](std::size_t rows, std::size_t max_rows, std::size_t max_bytes) {
    const testing::TestExtract extract = testing::extract_of(rows);
    auto reader = extract.reader();
    auto builder =
        DocumentBuilder::make(testing::info_of(), reader.header(), extract.sha256).value();
    BatchReader batches(std::move(reader), std::move(builder), max_rows, max_bytes);
    std::vector<std::size_t> out;
    while (auto batch = batches.next().value()) {
      EXPECT_EQ(nlohmann::json::parse(batch->body)["docs"].size(), batch->rows.size());
      out.push_back(batch->rows.size());
    }
    return out;
  };
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(sizes(25, 10, 1 << 20), (Sizes{10, 10, 5}));
  EXPECT_EQ(sizes(20, 10, 1 << 20), (Sizes{10, 10}));
  EXPECT_EQ(sizes(0, 10, 1 << 20), Sizes{});
  EXPECT_EQ(sizes(3, 10, 1), (Sizes{1, 1, 1}));
}

// An id is sent once, however many rows have it and wherever they stand.
TEST(BatchReader, KnowsEveryIdOfItsBatch) {
  const testing::TestExtract extract = testing::extract_of(1000);
  auto rows = extract.reader();
  auto builder = DocumentBuilder::make(testing::info_of(), rows.header(), extract.sha256).value();
  BatchReader batches(std::move(rows), std::move(builder), 1000, 1 << 20);
  const auto batch = batches.next().value();
  ASSERT_EQ(batch->rows.size(), 1000U);
  IdTable ids;
  for (int again = 0; again < 2; ++again) {
    ids.clear();
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(ids.first_with_id_of(*batch, i), i);
    batch->rows.push_back(batch->rows[0]);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      batch->rows.back() = batch->rows[i];
      ASSERT_EQ(ids.first_with_id_of(*batch, 1000), i);
    }
    batch->rows.pop_back();
  }
}

}  // namespace
}  // namespace caravel::uploader
