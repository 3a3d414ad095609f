#include "uploader/verdict.h"

#include <gtest/gtest.h>

namespace caravel::uploader {
namespace {

constexpr RowCredit kOurs{"aaaa", 7, "1234"};

TEST(Verdict, OnAnIdThatIsTakenFollowsFromSumAndCredit) {
  const struct {
    const char* what;
    RowCredit there;
    bool reprocess;
    bool loaded_before;
    bool sent_to_replace;
    Verdict verdict;
  } cases[] = {
      {"ours, from before a crash", kOurs, false, false, false, Verdict::stored},
      {"ours, while the format is run again", kOurs, true, false, false, Verdict::stored},
      {"ours, of a whole load before", kOurs, false, true, false, Verdict::already_there},
      {"ours, of a whole load before, run again", kOurs, true, true, false, Verdict::already_there},
      {"ours, and the reply to the replacement was lost", kOurs, true, false, true,
       Verdict::replaced},
      {"the same of an extract that was loaded before", kOurs, true, true, true, Verdict::replaced},
      {"the same row of another extract",
       {"bbbb", 7, "1234"},
       false,
       false,
       false,
       Verdict::already_there},
      {"the same row of another line",
       {"aaaa", 8, "1234"},
       false,
       false,
       false,
       Verdict::already_there},
      {"another extract made it the same meanwhile",
       {"bbbb", 7, "1234"},
       true,
       false,
       true,
       Verdict::already_there},
      {"the same row, run again", {"bbbb", 7, "1234"}, true, false, false, Verdict::already_there},
      {"another sum", {"bbbb", 7, "9999"}, false, false, false, Verdict::differs},
      {"another sum, and our credit", {"aaaa", 7, "9999"}, false, false, false, Verdict::differs},
      {"another sum, of a whole load before",
       {"aaaa", 7, "9999"},
       false,
       true,
       false,
       Verdict::differs},
      {"another sum, run again", {"bbbb", 7, "9999"}, true, false, false, Verdict::replace},
      {"another sum, and our credit, run again",
       {"aaaa", 7, "9999"},
       true,
       true,
       false,
       Verdict::replace},
      {"changed again after we replaced it",
       {"bbbb", 7, "9999"},
       true,
       false,
       true,
       Verdict::replace},
      {"a row that has no credit (not ours to begin with)",
       {"", 0, ""},
       false,
       false,
       false,
       Verdict::differs},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    UploadOptions options;
    options.reprocess = test.reprocess;
    options.loaded_before = test.loaded_before;
    EXPECT_EQ(verdict_on_taken_id(kOurs, test.there, options, test.sent_to_replace), test.verdict);
  }
}

TEST(Verdict, CountsEachRowOnceAndItsSubtotalBeside) {
  const struct {
    Verdict verdict;
    UploadCounts counts;
  } cases[] = {
      {Verdict::stored, {1, 0, 0, 0}},        {Verdict::replaced, {1, 0, 0, 1}},
      {Verdict::already_there, {0, 1, 0, 0}}, {Verdict::differs, {0, 1, 1, 0}},
      {Verdict::replace, {0, 0, 0, 0}},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(static_cast<int>(test.verdict));
    UploadCounts counts;
    count(test.verdict, 3, counts);
    EXPECT_EQ(counts.more_lines_stored, 2 * test.counts.stored);
    EXPECT_EQ(counts.more_lines_already_there, 2 * test.counts.already_there);
    EXPECT_EQ(counts.stored, test.counts.stored);
    EXPECT_EQ(counts.already_there, test.counts.already_there);
    EXPECT_EQ(counts.differs, test.counts.differs);
    EXPECT_EQ(counts.replaced, test.counts.replaced);
  }
}

}  // namespace
}  // namespace caravel::uploader
