#include "watcher/terminal/progress.h"

#include <unistd.h>

#include <utility>

#include "watcher/service/console.h"
#include "watcher/terminal/progress_line.h"

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
  // A rate is that of its stage: formatting is faster than storing.
  if (stage != stage_ || done < done_) {
    stage_ = stage;
    stage_began_ = now;
  }
  done_ = done;
  const Stage so_far{
      what_, stage, done,
      of,    unit,  std::chrono::duration_cast<std::chrono::milliseconds>(now - stage_began_)};
  // Asked anew for each line, so that one fits after a window was made smaller; the last column
  // stays free, for a terminal may go to the next line behind it.
  write_to_stderr(kEraseLine + progress_line(so_far, columns_of_stderr(80) - 1));
}

void Progress::say(const std::string& text) {
  clear();
  watcher::say("{}", text);
}

void Progress::clear() {
  if (std::exchange(shown_, false)) write_to_stderr(kEraseLine);
}

}  // namespace caravel::watcher
