#include "formatter/rows/sidecar.h"

#include <fcntl.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.h"
#include "formatter/rows/csv.h"
#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

using testing::HasSubstr;

const std::string kSha256(64, 'a');

/// A CSV and its sidecar as text, which tests then break.
struct Pair {
  std::string csv;
  std::string sidecar;

  explicit Pair(const SidecarHeader& header) {
    std::vector<std::string> names;
    for (const Column& column : header.columns) names.push_back(column.name);
    csv = csv_header(names);
    sidecar = sidecar_header_text(header);
  }
  void Add(std::uint64_t line, std::uint64_t offset, std::uint32_t kind, std::string_view record,
           std::string_view id_tail) {
    csv.append(record).append("\n");
    append_sidecar_row(line, offset, kind, record.size(), id_tail, sidecar);
    ++rows;
  }
  void End() { sidecar += sidecar_end_text({kSha256, {rows + 3, rows, 2, 1}}); }

  std::uint64_t rows = 0;
};

SidecarHeader TwoColumns() {
  return {"f", {{"a", ColumnType::text}, {"b", ColumnType::number}}, {"one", "two"}};
}

Pair Small() {
  Pair pair(TwoColumns());
  pair.Add(2, 17, 0, "x,1", "t:k:d1");
  pair.Add(5, 90, 1, "\"p\nq\",2", "t:k:d2");
  pair.Add(6, 99, 0, "", "t:k:d3");
  pair.End();
  return pair;
}

class RowReaderTest : public testing::Test {
 protected:
  Result<RowReader> Open(const Pair& pair) {
    auto csv = open_file(dir_.write_file("x.csv", pair.csv), O_RDONLY);
    auto sidecar = open_file(dir_.write_file("x.sidecar", pair.sidecar), O_RDONLY);
    return RowReader::open(std::move(*csv), std::move(*sidecar));
  }
  /// The first error of opening or of reading all rows; "" if there is none. It is the same for
  /// files and for what is held in memory.
  std::string ErrorOf(const Pair& pair) {
    const std::string of_files = ErrorOf(Open(pair));
    EXPECT_EQ(ErrorOf(RowReader::open(pair.csv, pair.sidecar)), of_files);
    return of_files;
  }
  static std::string ErrorOf(Result<RowReader> reader) {
    if (!reader) {
      EXPECT_EQ(reader.error().kind, ErrorKind::retry);
      return reader.error().message;
    }
    for (Row row;;) {
      const auto more = reader->next(row);
      if (!more) {
        EXPECT_EQ(more.error().kind, ErrorKind::retry);
        return more.error().message;
      }
      if (!*more) return "";
    }
  }

  test::TempDir dir_;
};

TEST(Sidecar, NamesOfAnyTextComeBack) {
  const SidecarHeader header{
      "f\"\\", {{"a\n\x01", ColumnType::text}, {"\u00e4", ColumnType::number}}, {}};
  std::string text = sidecar_header_text(header);
  ASSERT_EQ(text.back(), '\n');
  text.pop_back();
  const auto read = parse_sidecar_header(text.substr(text.find('\n') + 1)).value();
  EXPECT_EQ(read.format, header.format);
  ASSERT_EQ(read.columns.size(), 2U);
  EXPECT_EQ(read.columns[0].name, header.columns[0].name);
  EXPECT_EQ(read.columns[1].name, header.columns[1].name);
  EXPECT_EQ(read.columns[1].type, ColumnType::number);
  EXPECT_TRUE(read.kinds.empty());
}

TEST_F(RowReaderTest, RowsHeldInMemoryAreThoseOfFiles) {
  const Pair pair = Small();
  auto held = RowReader::open(pair.csv, pair.sidecar).value();
  auto files = Open(pair).value();
  EXPECT_EQ(held.csv_bytes(), files.csv_bytes());
  EXPECT_EQ(held.end().sha256, files.end().sha256);
  Row a;
  Row b;
  while (files.next(a).value()) {
    ASSERT_TRUE(held.next(b).value());
    EXPECT_EQ(b.record, a.record);
    EXPECT_EQ(b.id_tail, a.id_tail);
    EXPECT_EQ(b.line, a.line);
  }
  EXPECT_FALSE(held.next(b).value());
  EXPECT_FALSE(held.next(b).value()) << "and stays so";
}

TEST(Sidecar, LooksAsItsPageSays) {
  EXPECT_EQ(Small().sidecar,
            "caravel-sidecar 1\n"
            R"({"columns":[{"name":"a","type":"text"},{"name":"b","type":"number"}],)"
            R"("format":"f","kinds":["one","two"]})"
            "\n"
            "2 17 0 3 t:k:d1\n"
            "5 90 1 7 t:k:d2\n"
            "6 99 0 0 t:k:d3\n"
            R"(end {"dropped":2,"lines":6,"rejected":1,"rows":3,"sha256":")" +
                kSha256 + "\"}\n");
}

TEST(Sidecar, HeaderAndEndComeBackAsTheyWere) {
  const SidecarHeader header{"odd \"format\"",
                             {{"a,b\nc", ColumnType::text},
                              {"ü", ColumnType::number},
                              {"", ColumnType::automatic},
                              {"j", ColumnType::json}},
                             {"k"}};
  const std::string text = sidecar_header_text(header);
  const auto back = parse_sidecar_header(std::string_view(text).substr(text.find('\n') + 1));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->format, header.format);
  EXPECT_EQ(back->columns, header.columns);
  EXPECT_EQ(back->kinds, header.kinds);

  const std::string end_text = sidecar_end_text({kSha256, {10, 7, 2, 1}});
  const auto end = parse_sidecar_end(std::string_view(end_text).substr(4));
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->sha256, kSha256);
  EXPECT_EQ(end->counts.lines, 10U);
  EXPECT_EQ(end->counts.rows, 7U);
  EXPECT_EQ(end->counts.dropped, 2U);
  EXPECT_EQ(end->counts.rejected, 1U);
}

TEST(Sidecar, AnEndWhoseCountsDoNotAddUpIsNone) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  for (const Counts& counts : {Counts{10, 7, 2, 2}, Counts{10, 11, 0, 0}, Counts{3, 2, kMost, 2},
                               Counts{0, kMost, 1, 0}}) {
    const std::string end_text = sidecar_end_text({kSha256, counts});
    const auto end = parse_sidecar_end(std::string_view(end_text).substr(4));
    ASSERT_FALSE(end) << end_text;
    EXPECT_THAT(end.error().message, HasSubstr("do not add up"));
  }
}

TEST(Sidecar, ACountIsAWholeNumberThatFits) {
  for (const char* count : {"1e44", "-1", "1.0", "18446744073709551616", "\"1\"", "null"}) {
    const auto end = parse_sidecar_end(fmt::format(
        R"({{"sha256":"{}","lines":1,"rows":0,"dropped":0,"rejected":{}}})", kSha256, count));
    ASSERT_FALSE(end) << count;
    EXPECT_THAT(end.error().message, HasSubstr("rejected is not a count"));
  }
}

TEST(Sidecar, RowTakesTheGreatestNumbers) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  std::string out;
  append_sidecar_row(kMost, kMost, ~std::uint32_t{0}, kMost, "t:k:d", out);
  EXPECT_EQ(out,
            "18446744073709551615 18446744073709551615 4294967295 18446744073709551615 t:k:d\n");
}

TEST_F(RowReaderTest, GivesBackEveryRow) {
  auto reader = Open(Small());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->header().format, "f");
  EXPECT_EQ(reader->end().counts.rows, 3U);
  EXPECT_EQ(reader->csv_bytes(), Small().csv.size());

  Row row;
  ASSERT_TRUE(reader->next(row).value());
  EXPECT_EQ(row.line, 2U);
  EXPECT_EQ(row.offset, 17U);
  EXPECT_EQ(row.kind, 0U);
  EXPECT_EQ(row.id_tail, "t:k:d1");
  EXPECT_EQ(row.record, "x,1");
  ASSERT_TRUE(reader->next(row).value());
  EXPECT_EQ(row.kind, 1U);
  EXPECT_EQ(row.record, "\"p\nq\",2");
  ASSERT_TRUE(reader->next(row).value());
  EXPECT_EQ(row.record, "");
  EXPECT_FALSE(reader->next(row).value());
  EXPECT_FALSE(reader->next(row).value()) << "the end stays the end";
}

TEST_F(RowReaderTest, LeavesTheCsvReadableAsAWhole) {
  auto reader = Open(Small());
  ASSERT_TRUE(reader) << reader.error().message;
  char bytes[4];
  ASSERT_EQ(::pread(reader->csv_fd(), bytes, sizeof bytes, 0), 4);
  EXPECT_EQ(std::string_view(bytes, 4), "a,b\n");
}

TEST_F(RowReaderTest, TakesAnExtractWithoutRowsAndWithoutColumns) {
  Pair pair(SidecarHeader{"f", {}, {}});
  pair.End();
  EXPECT_EQ(ErrorOf(pair), "");
}

TEST_F(RowReaderTest, RefusesWhatIsNotWhole) {
  const struct {
    const char* why;
    void (*damage)(Pair&);
    const char* message;
  } cases[] = {
      {"empty sidecar", [](Pair& p) { p.sidecar.clear(); }, "end line is missing"},
      {"no end line", [](Pair& p) { p.sidecar.resize(p.sidecar.rfind("end ")); },
       "end line is missing"},
      {"cut end line", [](Pair& p) { p.sidecar.pop_back(); }, "end line is missing"},
      {"garbled end line", [](Pair& p) { p.sidecar.replace(p.sidecar.rfind("{"), 1, "["); },
       "sidecar: "},
      {"other version", [](Pair& p) { p.sidecar.replace(16, 1, "2"); }, "not a sidecar"},
      {"no sidecar at all",
       [](Pair& p) { p.sidecar = "\nend " + p.sidecar.substr(p.sidecar.rfind('{')); },
       "not a sidecar"},
      {"garbled header", [](Pair& p) { p.sidecar.replace(18, 1, "x"); }, "sidecar: "},
      {"a row is gone from the sidecar",
       [](Pair& p) { p.sidecar.erase(p.sidecar.find("6 99 "), 16); }, "2 rows instead of 3"},
      {"a row is there twice",
       [](Pair& p) { p.sidecar.insert(p.sidecar.find("6 99 "), "6 99 0 0 t:k:d3\n"); },
       "row 4 does not fit the CSV"},
      {"the CSV is short", [](Pair& p) { p.csv.resize(p.csv.size() - 2); },
       "row 2 does not fit the CSV"},
      {"the CSV is long", [](Pair& p) { p.csv += "y,3\n"; }, "more than"},
      {"the CSV has shifted", [](Pair& p) { p.csv.insert(4, "z"); }, "row 1 does not fit the CSV"},
      {"the CSV has other columns", [](Pair& p) { p.csv[0] = 'z'; }, "columns are not those"},
      {"the CSV is empty", [](Pair& p) { p.csv.clear(); }, "columns are not those"},
      {"no number", [](Pair& p) { p.sidecar.replace(p.sidecar.find("5 90"), 1, "x"); },
       "row 2 cannot be read"},
      {"negative number", [](Pair& p) { p.sidecar.insert(p.sidecar.find("5 90"), "-"); },
       "row 2 cannot be read"},
      {"more lines than were read",
       [](Pair& p) { p.sidecar.replace(p.sidecar.find("5 90"), 1, "5+1"); },
       "row 3 has more lines than its end line counts"},
      {"unknown kind", [](Pair& p) { p.sidecar.replace(p.sidecar.find("90 1") + 3, 1, "2"); },
       "row 2 cannot be read"},
      {"no id", [](Pair& p) { p.sidecar.erase(p.sidecar.find("t:k:d2"), 6); },
       "row 2 cannot be read"},
      {"too few numbers", [](Pair& p) { p.sidecar.erase(p.sidecar.find("5 90"), 2); },
       "row 2 cannot be read"},
      {"the greatest length",
       [](Pair& p) { p.sidecar.replace(p.sidecar.find("0 3 t") + 2, 1, "18446744073709551615"); },
       "row 1 does not fit the CSV"},
      {"a length beyond memory",
       [](Pair& p) { p.sidecar.replace(p.sidecar.find("0 3 t") + 2, 1, "9223372036854775807"); },
       "row 1 does not fit the CSV"},
      {"a length beyond 64 bits",
       [](Pair& p) { p.sidecar.replace(p.sidecar.find("0 3 t") + 2, 1, "98446744073709551615"); },
       "row 1 cannot be read"},
  };
  ASSERT_EQ(ErrorOf(Small()), "");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    Pair pair = Small();
    c.damage(pair);
    EXPECT_THAT(ErrorOf(pair), HasSubstr(c.message));
  }
}

// The windows over both files are 256 KiB: rows that end just before, at and after such an edge,
// and rows that are larger than a window.
TEST_F(RowReaderTest, ReadsAcrossTheEdgesOfItsWindows) {
  constexpr std::size_t kWindow = 256 * 1024;
  for (const std::size_t first : {kWindow - 9, kWindow - 8, kWindow - 7, kWindow - 6, kWindow - 5,
                                  kWindow - 4, kWindow, 3 * kWindow + 1}) {
    SCOPED_TRACE(first);
    Pair pair(TwoColumns());
    std::vector<std::string> records = {std::string(first, 'x'), "", "y,2",
                                        std::string(2 * kWindow, 'z'), "last,1"};
    for (std::size_t i = 0; i < records.size(); ++i) {
      pair.Add(i + 1, i, 0, records[i], "t:" + std::string(first, 'k') + ":d");
    }
    pair.End();
    auto reader = Open(pair);
    ASSERT_TRUE(reader) << reader.error().message;
    Row row;
    for (const std::string& record : records) {
      ASSERT_TRUE(reader->next(row).value());
      ASSERT_EQ(row.record, record);
      ASSERT_EQ(row.id_tail.size(), first + 4);
    }
    EXPECT_FALSE(reader->next(row).value());
  }
}

TEST_F(RowReaderTest, ReadsManyRows) {
  Pair pair(TwoColumns());
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    pair.Add(i + 1, i * 10, i % 2, std::to_string(i) + "," + std::to_string(i % 7), "t:k:d");
  }
  pair.End();
  auto reader = Open(pair);
  ASSERT_TRUE(reader) << reader.error().message;
  Row row;
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(reader->next(row).value());
    ASSERT_EQ(row.record, std::to_string(i) + "," + std::to_string(i % 7));
    ASSERT_EQ(row.offset, i * 10);
  }
  EXPECT_FALSE(reader->next(row).value());
}

}  // namespace
}  // namespace caravel::formatter
