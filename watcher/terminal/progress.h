// A progress line for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::watcher {

/// One line on stderr that is drawn over and over, if stderr is a terminal and the work takes
/// longer than a second: percent, rate, time left, as much as fits. The line is gone when the
/// object is.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view stage, std::uint64_t done, std::uint64_t of, std::string_view unit);
  /// Prints a line that stays; the progress line comes back below it.
  void say(const std::string& text);
  void clear();

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point drawn_;
  std::string stage_;
  std::chrono::steady_clock::time_point stage_began_;
  std::uint64_t done_ = 0;
};

}  // namespace caravel::watcher
