#include "formatter/explain/statistics.h"

#include <gmock/gmock.h>

#include "tests/formatter/explain/explained.h"

namespace caravel::formatter {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ReasonWithoutValues, LeavesOutWhatDiffersFromLineToLine) {
  const std::vector<Column> columns = {{"ts", ColumnType::automatic}};
  const struct {
    const char* reason;
    const char* group;
  } cases[] = {
      {"expected \"opened\" at byte 33 (opened)", "expected \"opened\" at byte N (opened)"},
      {"expected \"FOM:2\" at byte 3 (k)", "expected \"FOM:2\" at byte N (k)"},
      {"2 fields instead of 11", "N fields instead of N"},
      {"not valid UTF-8", "not valid UTF-8"},
      {"'ts' is no ISO 8601 time and no epoch: '12:30'",
       "'ts' is no ISO 8601 time and no epoch: '…'"},
      {"the member 'a1' stands twice", "the member '…' stands twice"},
      {"expected an ISO 8601 date and time at byte 0 (k)",
       "expected an ISO 8601 date and time at byte N (k)"},
      {"an unclosed ' stays", "an unclosed ' stays"},
      {"", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.reason);
    EXPECT_EQ(reason_without_values(c.reason, columns), c.group);
  }
}

TEST(Statistics, CountKindsReasonsAndValues) {
  const std::string log =
      "2024-02-29 07:58:01.250 door 17 opened by \"Ann\" [card]\n"
      "2024-02-29 07:58:02 door 5 closed\n"
      "2024-02-29 07:58:03 door 5 closed\n"
      "2024-02-29 07:58:04 heartbeat 1\n"
      "2024-02-29 07:58:05 door 17 jammed\n"
      "2024-02-29 07:58:05 door 5 jammed\n"
      "nonsense\n";
  EXPECT_EQ(test::Explain(test::kDoors, log).stats,
            "lines\n"
            "         1  opened\n"
            "         2  closed\n"
            "         1  heartbeat, dropped\n"
            "         3  rejects\n"
            "         7  in all\n"
            "rejects\n"
            "         2  expected \"opened\" at byte N (opened)\n"
            "            line 5: expected \"opened\" at byte 28 (opened)\n"
            "            2024-02-29 07:58:05 door 17 jammed\n"
            "         1  expected a date that exists (Date) at byte N (opened)\n"
            "            line 7: expected a date that exists (Date) at byte 0 (opened)\n"
            "            nonsense\n"
            "columns\n"
            "  Date   text    always 2024-02-29\n"
            "  Time   text    07:58:01.250 to 07:58:03, 3 different\n"
            "  Door   number  5 to 17, 2 different\n"
            "  Event  text    always opened, 2 rows empty\n"
            "  Who    text    always Ann, 2 rows empty\n"
            "  How    text    always card, 2 rows empty\n");
}

TEST(Statistics, OfRecordsCountHeadersAndFindNumbers) {
  const std::string stats =
      test::Explain("format: x\nreader: csv\nidentity: position\n", "n,t,e\n10,a,\n9,b,\n1\n")
          .stats;
  EXPECT_THAT(stats, HasSubstr("         2  records\n         1  dropped: headers"));
  EXPECT_THAT(stats, HasSubstr("  n  number  9 to 10, 2 different\n"
                               "  t  text    a to b, 2 different\n"
                               "  e  always empty\n"));
}

TEST(Statistics, CountEachLineOfARecordOnce) {
  const std::string yaml =
      "format: x\nidentity: position\ncolumns: [N, Text]\ncontinues: {when: '^ '}\n"
      "kinds: [{kind: k, line: '{N:int} {Text:rest}'}, {kind: d, action: drop, line: '-{rest}'}]\n";
  EXPECT_THAT(test::Explain(yaml, "1 a\n b\n c\n-\n d\n\nx\n e\n").stats,
              HasSubstr("         1  k\n"
                        "         2  d, dropped\n"
                        "         2  more lines of these\n"
                        "         1  dropped: blank lines\n"
                        "         2  rejects\n"
                        "         8  in all\n"
                        "rejects\n"
                        "         2  expected a whole number (N) at byte N (k)\n"));
}

TEST(Statistics, KeepAFewReasonsOnly) {
  std::string log = "{\"a\":1}\n";
  std::string yaml = "format: x\nidentity: position\ncolumns: [A]\nkinds:\n";
  // As many reasons as the format has kinds that can come furthest.
  for (int i = 0; i < 80; ++i) {
    const std::string word(static_cast<std::size_t>(i) + 1, 'w');
    yaml += "  - {kind: k" + word + ", line: '" + word + "-{A:int}'}\n";
    log += word + "-x\n";
  }
  const auto explained = test::Explain(yaml, log);
  std::size_t reasons = 0;
  for (std::size_t at = explained.stats.find("  expected "); at != std::string::npos;
       at = explained.stats.find("  expected ", at + 1)) {
    ++reasons;
  }
  EXPECT_EQ(reasons, Statistics::kMostReasons);
  EXPECT_THAT(explained.stats, HasSubstr("        31  for further reasons\n"));
}

TEST(Statistics, OfAnEmptyExtractAreNone) {
  EXPECT_THAT(test::Explain(test::kDoors, "").stats, HasSubstr("         0  in all\n"));
}

TEST(Statistics, EscapeWhatIsForeign) {
  const std::string stats =
      test::Explain(test::kDoors,
                    "\x1b[2J\n2024-02-29 07:58:01.250 door 17 opened by \"\x1b[m\" [x]\n")
          .stats;
  EXPECT_THAT(stats, Not(HasSubstr("\x1b")));
  EXPECT_THAT(stats, HasSubstr("always \\x1B[m"));
}

}  // namespace
}  // namespace caravel::formatter
