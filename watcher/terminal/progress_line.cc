#include "watcher/terminal/progress_line.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {
namespace {

/// "12,345", or of bytes "1.2 MB".
std::string amount(std::uint64_t number, bool bytes) {
  if (bytes) {
    constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
    double value = static_cast<double>(number);
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
      value /= 1000;
      ++unit;
    }
    return fmt::format("{:.{}f} {}", value, unit > 0 && value < 9.95 ? 1 : 0, kUnits[unit]);
  }
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

/// ASCII only, so that a byte is a column whatever the terminal thinks of other characters.
std::string ascii_of(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out += c;
    if (byte >= 0xC0) out += '?';  // the first byte of a character
  }
  return out;
}

/// The last `columns` of a name: where names of extracts differ.
std::string end_of(const std::string& name, std::size_t columns) {
  if (name.size() <= columns) return name;
  return columns < 4 ? std::string() : "..." + name.substr(name.size() - columns + 3);
}

std::string bar(std::uint64_t done, std::uint64_t of, std::size_t width) {
  const auto filled = static_cast<std::size_t>(static_cast<double>(width) *
                                               static_cast<double>(done) / static_cast<double>(of));
  return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", width - filled);
}

}  // namespace

std::string progress_line(const Stage& stage, std::size_t columns) {
  const bool bytes = stage.unit == "bytes";
  const std::uint64_t done = stage.of > 0 ? std::min(stage.done, stage.of) : stage.done;
  const double seconds = static_cast<double>(stage.took.count()) / 1000;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string name = ascii_of(stage.what);
  std::string head = fmt::format("{} ", stage.name);
  std::string percent;
  if (stage.of > 0) {
    percent =
        fmt::format("{:3.0f} %", 100 * static_cast<double>(done) / static_cast<double>(stage.of));
  }
  std::vector<std::string> details;
  details.push_back(
      fmt::format(" {}{}{}", amount(done, bytes),
                  stage.of > 0 ? fmt::format(" of {}", amount(stage.of, bytes)) : std::string(),
                  bytes ? std::string() : fmt::format(" {}", stage.unit)));
  if (rate >= 1)
    details.push_back(fmt::format(", {}/s", amount(static_cast<std::uint64_t>(rate), bytes)));
  if (rate > 0 && stage.of > done) {
    const double left = static_cast<double>(stage.of - done) / rate;
    // Nobody believes a rate by its first second, or waits for a year.
    if (seconds >= 1 && left < 1e7) {
      details.push_back(fmt::format(", {} left", duration_for_people(std::chrono::milliseconds(
                                                     static_cast<std::int64_t>(left * 1000)))));
    }
  }
  constexpr std::size_t kBar = 22;
  const auto width = [&] {
    std::size_t sum = head.size() + percent.size();
    for (const std::string& detail : details) sum += detail.size();
    return sum;
  };
  // The name keeps a third of the line before anything is left out.
  const std::size_t for_name = std::min(name.size(), columns / 3) + 1;
  while (!details.empty() && width() + for_name > columns) details.pop_back();
  if (width() + for_name > columns) head = "";
  if (width() + for_name > columns) percent.clear();
  if (stage.of > 0 && width() + for_name + kBar + 1 <= columns) {
    head += bar(done, stage.of, kBar - 2) + " ";
  }
  const std::size_t used = width();
  std::string out = end_of(name, columns > used + 1 ? columns - used - 1 : 0);
  out += " " + head + percent;
  for (const std::string& detail : details) out += detail;
  return out.substr(0, columns);
}

}  // namespace caravel::watcher
