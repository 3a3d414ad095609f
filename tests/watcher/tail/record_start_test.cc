// Records of several lines: --record-start.
#include "watcher/tail/extracts/record_start.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TailRecordStart : public TailFixture, public testing::Test {
 public:
  TailRecordStart() {
    options.record_start = "[0-9]";
    // Far from the time that the test takes: the log was written by the real clock.
    options.grace = std::chrono::minutes(10);
  }
  void PassGrace() {
    for (int i = 0; i < 3; ++i) Pass(std::chrono::minutes(10));
  }
  void TestBody() override {}
  [[nodiscard]] std::vector<std::string> Contents() const {
    std::vector<std::string> all;
    for (const auto& [name, content] : Extracts()) all.push_back(content);
    return all;
  }
};

TEST_F(TailRecordStart, EndsExtractsBetweenRecords) {
  Append("1 a\n at x\n2 b\n at y\n");
  Pass();
  EXPECT_THAT(Contents(), ElementsAre("1 a\n at x\n"));
  Append(" at z\n3 c\n at");
  Pass();
  EXPECT_THAT(Contents(), ElementsAre("1 a\n at x\n", "2 b\n at y\n at z\n"));
  Append(" w\n");
  Pass();
  EXPECT_THAT(Contents().size(), 2U) << "the record may go on";
  PassGrace();
  EXPECT_THAT(Contents(), ElementsAre("1 a\n at x\n", "2 b\n at y\n at z\n", "3 c\n at w\n"))
      << "the log has been still";
}

TEST_F(TailRecordStart, TakesTheWholeOfAFileThatWasRotatedAway) {
  Append("1 a\n at x\n");
  Pass();
  EXPECT_THAT(Contents(), IsEmpty());
  Append(" at y\n");
  Rename("app.log", "app.log.1");
  Append("2 b\n");
  PassGrace();
  EXPECT_THAT(Contents(), ElementsAre("1 a\n at x\n at y\n", "2 b\n"));
}

TEST_F(TailRecordStart, LosesAndRepeatsNothingOverAStop) {
  Append("1 a\n at x\n2 b\n");
  Pass();
  Restart();
  Append(" at y\n3 c\n");
  Pass();
  Restart();
  PassGrace();
  EXPECT_THAT(Contents(), ElementsAre("1 a\n at x\n", "2 b\n at y\n", "3 c\n"));
}

TEST_F(TailRecordStart, CutsABacklogBetweenRecordsAndOneThatIsTooLongAnywhere) {
  options.max_bytes = 40;
  std::string records;
  for (int i = 0; i < 9; ++i) records += std::to_string(i) + " record\n at somewhere\n";
  Append(records);
  PassGrace();
  EXPECT_EQ(Sent(), records);
  for (const std::string& extract : Contents()) EXPECT_TRUE(is_digit(extract[0])) << extract;
  std::string trace = "9 long\n";
  for (int i = 0; i < 20; ++i) trace += " at somewhere\n";
  Append(trace);
  PassGrace();
  EXPECT_EQ(Sent(), records + trace);
}

TEST(LastRecordStart, IsFoundFarBack) {
  const TailFixture files;
  std::string text = "1 first\n at\n2 second\n";
  const std::size_t second = text.find('2');
  while (text.size() < 300'000) text += " at some place in the program\n";
  files.Append(text);
  const UniqueFd fd = *open_file(files.Log(), O_RDONLY);
  EXPECT_EQ(*last_record_start(fd.get(), {0, text.size()}, "[0-9]"), second);
  EXPECT_EQ(*last_record_start(fd.get(), {0, text.size()}, "[a-z]"), 0U);
  EXPECT_EQ(*last_record_start(fd.get(), {0, second}, "[0-9]"), 0U) << "the first line is no other";
  EXPECT_EQ(*last_record_start(fd.get(), {0, text.size()}, " at some"),
            text.size() - std::string(" at some place in the program\n").size());
  // Whatever stands on the border of what is read at a time.
  for (std::size_t size = 65'530; size < 65'545; ++size) {
    const std::string border = "1 a\n2 b\n" + std::string(size, 'x') + "\n";
    files.Truncate();
    files.Append(border);
    EXPECT_EQ(*last_record_start(fd.get(), {0, border.size()}, "2 b"), 4U) << size;
  }
}

}  // namespace
}  // namespace caravel::tail
