// Which time says the year of dates without one.
#include "watcher/pipeline/extract_time.h"

#include <gmock/gmock.h>

#include <limits>

#include "watcher/files/time_text.h"

namespace caravel::watcher {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kCame = 1'331'300'000;  // 2012-03-09T13:33:20Z

FileStamp Stamp(std::int64_t mtime, std::int64_t came = kCame) {
  FileStamp stamp;
  stamp.mtime_ns = mtime * kSecond;
  stamp.ctime_ns = came * kSecond;
  return stamp;
}

TEST(ExtractTimeTest, AnMtimeThatWasNeverSetIsNoTime) {
  const struct {
    std::int64_t mtime;
    const char* source;
  } cases[] = {
      {kCame, "mtime"},
      {kCame - 86'400LL * 365 * 10, "mtime"},
      {631'152'000, "mtime"},           // 1990-01-01
      {kCame + 86'400LL * 2, "mtime"},  // another clock
      {0, "arrival"},                   // rsync --partial, cut off
      {1, "arrival"},
      {-1, "arrival"},
      {631'151'999, "arrival"},
      {kCame + 86'400LL * 2 + 1, "arrival"},
      {kCame + 86'400LL * 365, "arrival"},  // a year ahead
      {4'102'444'800, "arrival"},           // 2100
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.mtime);
    const ExtractTime time = ExtractTime::of_file("app.log", Stamp(c.mtime));
    EXPECT_EQ(time.known.time_source, c.source);
    EXPECT_TRUE(time.only_mtime);
    if (time.known.time_source == "arrival") {
      EXPECT_EQ(time.known.time_used, "2012-03-09T13:33:20.000Z");
      EXPECT_EQ(time.years.year_of(12, 20), 2011);
    }
  }
  FileStamp beyond = Stamp(0);
  beyond.mtime_ns = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(ExtractTime::of_file("app.log", beyond).known.time_source, "arrival");
  beyond.mtime_ns = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(ExtractTime::of_file("app.log", beyond).known.time_source, "arrival");
}

TEST(ExtractTimeTest, ADateInTheNameSpeaksBeforeBoth) {
  EXPECT_EQ(ExtractTime::of_file("app-2012-03-09.log", Stamp(0)).known.time_source, "name");
}

TEST(ExtractTimeTest, AManifestOfAHostWithoutAClockSaysNoTime) {
  const auto at = [](const char* text) { return *parse_time_text(text); };
  EXPECT_TRUE(is_meant_as_time(at("2012-03-09T09:00:00.000Z"), Stamp(kCame)));
  EXPECT_FALSE(is_meant_as_time(at("1970-01-01T00:01:00.000Z"), Stamp(kCame)));
  EXPECT_FALSE(is_meant_as_time(at("2013-03-09T09:00:00.000Z"), Stamp(kCame)));
  // Our own clock is not set: it judges nobody.
  EXPECT_TRUE(is_meant_as_time(at("2013-03-09T09:00:00.000Z"), Stamp(kCame, 100)));
}

}  // namespace
}  // namespace caravel::watcher
