#include "watcher/terminal/progress.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "watcher/service/console.h"

namespace caravel::watcher {
namespace {

/// Back to the first column and erase to the end of the line: console_codes(4), CR and EL.
const std::string kEraseLine = "\r\033[K";

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      began_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::show(std::string_view stage, std::uint64_t done, std::uint64_t of,
                    std::string_view unit) {
  // In a file or a pipe, a line that overwrites itself would only be noise.
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  // Short work needs no line; and a slow terminal must not hold up the work, so ten lines a second
  // are the most.
  if (now - began_ < std::chrono::seconds(1) || now - drawn_ < std::chrono::milliseconds(100)) {
    return;
  }
  drawn_ = now;
  shown_ = true;
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = of > 0 ? std::min(kWidth, done * kWidth / of) : 0;
  write_to_stderr(kEraseLine + format_shown("{} {} [{:#<{}}{:.<{}}] {}/{} {}", what_, stage, "",
                                            filled, "", kWidth - filled, done, of, unit));
}

void Progress::say(const std::string& text) {
  clear();
  watcher::say("{}", text);
}

void Progress::clear() {
  if (std::exchange(shown_, false)) write_to_stderr(kEraseLine);
}

}  // namespace caravel::watcher
