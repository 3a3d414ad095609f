#include "formatter/records/journal.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using test::FormatRun;
using testing::ElementsAre;
using testing::HasSubstr;

/// A field of any bytes, behind their number.
std::string Binary(const std::string& name, std::string_view value) {
  std::string field = name + "\n";
  for (std::size_t i = 0; i < 8; ++i) {
    field.push_back(static_cast<char>(value.size() >> (8 * i) & 0xFF));
  }
  return field.append(value) + "\n";
}

std::string Entry(int second, const std::string& fields) {
  return "__CURSOR=s=1;i=" + std::to_string(second) + "\n__REALTIME_TIMESTAMP=13312864" +
         std::to_string(10 + second) + "000000\n" + fields + "\n";
}

FormatRun Read(std::string_view extract, std::uint64_t log_offset = 0, const char* keys = "") {
  const auto format =
      test::CompileYaml(std::string("format: j\nreader: journal\nidentity: line\n"
                                    "time: {column: __REALTIME_TIMESTAMP, format: epoch(us)}\n"
                                    "columns: [__REALTIME_TIMESTAMP, MESSAGE, __CURSOR]\n") +
                        keys);
  EXPECT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  request.log_offset = log_offset;
  FormatRun run = test::Format(extract, request);
  run.result.format = nullptr;  // it ends with this call
  return run;
}

TEST(JournalEntries, AreOneRowEach) {
  const FormatRun run = Read(Entry(1, "MESSAGE=door 7 = open\nP=\n") + "\n" +
                             Entry(2, Binary("MESSAGE", "one\ntwo") + "P=1\n"));
  EXPECT_EQ(run.csv,
            "__REALTIME_TIMESTAMP,MESSAGE,__CURSOR,more\n"
            "\"\"\"1331286411000000\"\"\",door 7 = open,s=1;i=1,\"{\"\"P\"\":\"\"\"\"}\"\n"
            "\"\"\"1331286412000000\"\"\",\"one\ntwo\",s=1;i=2,\"{\"\"P\"\":\"\"1\"\"}\"\n");
  EXPECT_EQ(run.counts(), "13 = 2 rows + 1 dropped + 0 rejected");
  EXPECT_EQ(run.result.counts.more_lines, 10U);
  EXPECT_THAT(run.lines, ElementsAre(1, 7));
}

// As journalctl -o json has them.
TEST(JournalEntries, HoldBytesAndFieldsThatStandTwice) {
  const FormatRun run = Read(Entry(1, Binary("MESSAGE", std::string_view("\0\xffok", 4))) +
                             Entry(2, "MESSAGE=a\nMESSAGE=b\nOBJECT_PID=1\nOBJECT_PID=2\n"));
  EXPECT_THAT(run.csv, HasSubstr(",\"[0,255,111,107]\",s=1;i=1,\n"));
  EXPECT_THAT(run.csv, HasSubstr(",\"[\"\"a\"\",\"\"b\"\"]\",s=1;i=2,\"{\"\"OBJECT_PID\"\":"));
}

// Whoever writes a message must not be able to write entries.
TEST(JournalEntries, HideNoEntriesInTheirMessages) {
  const std::string fake = "x\n\n" + Entry(9, "MESSAGE=forged\n");
  const FormatRun run = Read(Entry(1, Binary("MESSAGE", fake)) + Entry(2, "MESSAGE=true\n"));
  EXPECT_EQ(run.result.counts.rows, 2U);
  EXPECT_THAT(run.lines, ElementsAre(1, 12));
  EXPECT_FALSE(Read(Entry(1, Binary("MESSAGE", fake)), 100).ok)
      << "nor where its beginning is missing";
  // A number of bytes that happens to hold a line end, and values that end in one.
  const FormatRun ten = Read(Entry(1, Binary("MESSAGE", "ten bytes\n")) + Entry(2, "MESSAGE=b\n"));
  EXPECT_EQ(ten.counts(), "11 = 2 rows + 0 dropped + 0 rejected");
  EXPECT_THAT(ten.csv, HasSubstr("\"ten bytes\n\""));
}

TEST(JournalEntries, ThatAreCutOffAreRejectsWherever) {
  const std::string whole = Entry(1, Binary("MESSAGE", "one\n\ntwo") + "P=1\n");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const FormatRun run = Read(whole.substr(0, size));
    ASSERT_TRUE(run.ok) << size << ": " << run.error.message;
    EXPECT_EQ(run.result.counts.rows, 0U) << size;
    EXPECT_EQ(run.result.counts.rejected, run.result.counts.lines) << size;
  }
}

TEST(JournalEntries, RefuseAnExtractThatIsNoExport) {
  EXPECT_THAT(Read("{\"MESSAGE\":\"json\"}\n").error.message,
              HasSubstr("line 1: expected the name of a field at byte 0"));
  EXPECT_THAT(Read(Entry(1, "MESSAGE\n\x01" + std::string(7, '\0') + "two\n")).error.message,
              HasSubstr("line 1: expected a line end at byte"));
  EXPECT_THAT(Read(Entry(1, Binary("MESSAGE", std::string(3000, 'x'))), 0, "max_record: 2KiB\n")
                  .error.message,
              HasSubstr("over max_record (2048 bytes)"));
}

TEST(JournalEntries, WithoutATimeAreRejectsThatCanBeDroppedAgain) {
  const FormatRun run = Read("-- No entries --\nMESSAGE=a\n\n" + Entry(1, "MESSAGE=b\n"));
  EXPECT_EQ(run.counts(), "7 = 1 rows + 1 dropped + 2 rejected");
  EXPECT_EQ(run.rejects, "MESSAGE=a\n\n");
  EXPECT_THAT(run.reasons, HasSubstr("__REALTIME_TIMESTAMP"));
}

}  // namespace
}  // namespace caravel::formatter
