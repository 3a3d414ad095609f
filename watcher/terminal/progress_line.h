// How far something is, as one line that fits a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::watcher {

/// One stage of a piece of work. Its begin is kept by whoever draws.
struct Stage {
  std::string_view what;  // the file; any text, it is escaped
  std::string_view name;  // "upload"
  std::uint64_t done = 0;
  std::uint64_t of = 0;               // 0: nobody knows
  std::string_view unit;              // "rows", "bytes"
  std::chrono::milliseconds took{0};  // since the stage began
};

/// "a.log upload [####......]  42 % 12,345 of 29,000 rows, 4,100/s, 4 s left". With fewer columns
/// it says less, from the end, then without the bar; the name is cut last. Never more than
/// `columns`.
[[nodiscard]] std::string progress_line(const Stage& stage, std::size_t columns);

}  // namespace caravel::watcher
