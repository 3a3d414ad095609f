#include "formatter/records/detect.h"

#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

/// Any leap year: detection asks for the shape of a line, not for its year.
constexpr std::chrono::year kAnyYear{2000};

}  // namespace

const Format* detect_format(const FormatSet& formats, const std::vector<std::string>& lines) {
  const Format* best = nullptr;
  std::size_t most = 0;
  const YearTable years = YearTable::fixed(kAnyYear);
  for (const auto& format : formats.all()) {
    if (!format->detect) continue;
    // Dropped lines count as much as rows: a format that knows a line is the likelier one.
    std::size_t taken = 0;
    for (const std::string& line : lines) taken += takes_line(*format, line, years) ? 1 : 0;
    // The first of equals wins, in the order of the set: the same answer on every host.
    if (taken > most) {
      most = taken;
      best = format.get();
    }
  }
  return best;
}

}  // namespace caravel::formatter
