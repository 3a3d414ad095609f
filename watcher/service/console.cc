#include "watcher/service/console.h"

#include <unistd.h>

#include "base/file.h"

namespace caravel::watcher {

void write_to_stderr(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

Result<> print(std::string_view text) {
  // write(2) and not the buffer of <cstdio>: that one tells of a full disk only when the program
  // has ended, and then nobody looks.
  auto written = write_all(STDOUT_FILENO, printable_lines(text));
  if (!written) return tl::unexpected(with_context("stdout", std::move(written).error()));
  return {};
}

}  // namespace caravel::watcher
