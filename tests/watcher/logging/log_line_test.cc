// Lines of the log for programs.
#include "watcher/logging/log_line.h"

#include <gmock/gmock.h>

namespace caravel::watcher {
namespace {

const Time kTime = Time(std::chrono::milliseconds(1'331'286'480'250));

TEST(LogLine, LogfmtQuotesWhatIsNoWord) {
  EXPECT_EQ(logfmt_line(kTime, "info", "hrt: done: 3 lines", {{"feed", "hrt"}, {"lines", "3"}}),
            "time=2012-03-09T09:48:00.250Z level=info msg=\"hrt: done: 3 lines\" feed=hrt lines=3");
  EXPECT_EQ(logfmt_line(kTime, "error", "a", {{"extract", "x=\"1\"\n\\"}, {"empty", ""}}),
            "time=2012-03-09T09:48:00.250Z level=error msg=a extract=\"x=\\\"1\\\"\\x0a\\\\\" "
            "empty=\"\"");
}

TEST(LogLine, JsonIsOneObject) {
  EXPECT_EQ(
      json_line(kTime, "info", "say \"x\"", {{"feed", "hrt"}}),
      R"({"time":"2012-03-09T09:48:00.250Z","level":"info","message":"say \"x\"","feed":"hrt"})");
  EXPECT_EQ(
      json_line(kTime, "info", "\xff", {}),
      "{\"time\":\"2012-03-09T09:48:00.250Z\",\"level\":\"info\",\"message\":\"\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace caravel::watcher
