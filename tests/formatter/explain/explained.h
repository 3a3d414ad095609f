// Runs an Explainer and Statistics over bytes, as `caravel format` does.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "formatter/explain/explainer.h"
#include "formatter/explain/statistics.h"
#include "tests/formatter/format_run.h"

namespace caravel::test {

struct Explained {
  std::string lines;  // what the explainer said
  std::string stats;
  formatter::Counts counts;
};

inline Explained Explain(const formatter::Format& format, std::string_view extract,
                         std::size_t width = 80, std::size_t max_line = std::size_t{1} << 20) {
  const TempDir dir;
  formatter::FormatRequest request;
  request.format = &format;
  request.years = formatter::YearTable::fixed(std::chrono::year(2012));
  request.max_line = max_line;
  auto input = formatter::Input::open(*open_file(dir.write_file("extract", extract), O_RDONLY), {});
  EXPECT_TRUE(input) << input.error().message;
  formatter::Explainer explainer(request.years, width);
  formatter::Statistics statistics(request.years);
  formatter::StyledText text;
  formatter::FormatMonitor monitor;
  monitor.on_line = [&](const formatter::SeenLine& seen) -> Result<> {
    explainer.explain(seen, text);
    statistics.see(seen);
    return {};
  };
  formatter::Output csv(-1);
  formatter::Output sidecar(-1);
  formatter::Rejects rejects(
      [&](std::uint64_t, std::uint64_t, std::string_view reason, std::string_view) {
        explainer.note_reject(reason);
        statistics.note_reject(reason);
      });
  const auto result = format_extract(*input, request, {csv, sidecar, rejects}, monitor);
  EXPECT_TRUE(result) << result.error().message;
  Explained explained;
  explained.lines = text.plain();
  text.clear();
  statistics.append_to(format, width, text);
  explained.stats = text.plain();
  if (result) explained.counts = result->counts;
  return explained;
}

inline Explained Explain(const std::string& yaml, std::string_view extract,
                         std::size_t width = 80) {
  const auto format = CompileYaml(yaml);
  EXPECT_TRUE(format) << format.error().message;
  return format ? Explain(*format, extract, width) : Explained{};
}

inline constexpr const char* kDoors = R"(format: doors
blanks: any
time: [Date, Time]
key: Door
columns: [Date, Time, Door, Event, Who, How]
kinds:
  - kind: opened
    line: '{Date:date} {Time:time(fraction)} door {Door:int} opened by {Who:quoted} {How:bracketed(card,code,*=other)}'
    set: {Event: opened}
  - kind: closed
    line: '{Date:date} {Time:time(fraction)} door {Door:int} closed'
  - kind: heartbeat
    action: drop
    line: '{date} {time(fraction)} heartbeat {int}'
)";

}  // namespace caravel::test
