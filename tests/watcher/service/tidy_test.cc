// What a watcher deletes each hour: each feed's files by that feed's time.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/support/spool_fixture.h"
#include "watcher/service/tidy.h"
#include "watcher/spool/originals.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class TidyTest : public SpoolTest {
 protected:
  void SetUp() override {
    Configure(
        "feeds:\n"
        "  short: {match: 's*.log', format: spysocket, keep_csv: 1h}\n"
        "  long: {match: 'l*.log', format: spysocket, keep_csv: 2d}\n"
        "  none: {match: 'n*.log', format: spysocket, keep_csv: 0s}\n");
  }
  /// A file in csv/ that was written `age` ago.
  void Csv(const std::string& name, std::chrono::seconds age) {
    const std::string path = dir_.write_file("spool/csv/" + name, "x\n");
    const auto written = std::chrono::system_clock::to_time_t(now_.wall - age);
    const timespec times[2] = {{written, 0}, {written, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  std::vector<std::string> Left() {
    StopSignal stop;
    tidy({config_, test::ShippedFormats(), *spool_, stop}, *ledger_, now_.wall);
    return dir_.list("spool/csv");
  }
  /// What csv/ calls the CSV of an extract.
  static std::string Name(const std::string& extract, char digit) {
    return extract + ".20261122T101500Z-" + std::string(12, digit) + ".csv";
  }
};

TEST_F(TidyTest, ACsvIsKeptAsLongAsItsOwnFeedSays) {
  Csv(Name("s.log", '0'), 59min);
  Csv(Name("s.log", '1'), 61min);
  Csv(Name("l.log", '2'), 47h);
  Csv(Name("l.log", '3'), 49h);
  Csv(Name("n.log", '4'), 1s);
  Csv(Name("s.log.gz", '5'), 61min);
  Csv(Name("s.log", '0') + ".sidecar", 59min);
  Csv(Name("s.log", '1') + ".sidecar", 61min);
  EXPECT_THAT(Left(),
              ElementsAre(Name("l.log", '2'), Name("s.log", '0'), Name("s.log", '0') + ".sidecar"));
}

TEST_F(TidyTest, ATildeInANameIsAPartOfIt) {
  // Of feed "short" by its whole name, and of "long" by what stands before the tilde.
  Csv(Name("s~l.log", '0'), 61min);
  Csv(Name("l~s.log", '1'), 61min);
  EXPECT_THAT(Left(), ElementsAre(Name("l~s.log", '1')));
}

TEST_F(TidyTest, ACsvOfNoKnownFeedIsKeptAsLongAsAnyFeedSays) {
  Csv(Name("other.txt", '0'), 47h);
  Csv(Name("other.txt", '1'), 49h);
  Csv("s.log.csv", 47h);  // of no claim
  EXPECT_THAT(Left(), ::testing::UnorderedElementsAre(Name("other.txt", '0'), "s.log.csv"));
}

TEST_F(TidyTest, AnOriginalStaysAsLongAsItsRejectsNeedIt) {
  for (FeedConfig& feed : config_.feeds) feed.keep_done = std::chrono::milliseconds(0);
  const auto archive = [&](const std::string& name) {
    std::filesystem::create_directories(dir_.path("spool/done/2020/01/02"));
    dir_.write_file("spool/done/2020/01/02/" + name, "0123456789");
  };
  archive("s-needed.log");
  archive("s-settled.log");
  archive("s-other.log");
  for (const std::string name : {"s-needed.log", "s-settled.log"}) {
    dir_.write_file("spool/rejects/" + original_mark(name), original_text({name, 10}));
  }
  dir_.write_file("spool/rejects/s-needed.log.reasons.csv", "line,offset,reason\n");
  (void)Left();
  EXPECT_THAT(dir_.list("spool/done/2020/01/02"), ElementsAre("s-needed.log"));
  std::filesystem::remove(dir_.path("spool/rejects/s-needed.log.reasons.csv"));
  (void)Left();
  EXPECT_FALSE(dir_.exists("spool/done/2020"));
}

}  // namespace
}  // namespace caravel::watcher
