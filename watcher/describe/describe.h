// What `caravel format` says of lines instead of turning them into rows.
#pragma once

#include "base/error.h"
#include "formatter/formatter.h"

namespace caravel::watcher {

/// What is to be said.
struct Description {
  bool lines = false;    // of each line, what becomes of it and why
  bool summary = false;  // behind the last one: of all lines together
};

/// Runs the formatter over `input` and prints on stdout what is wanted of it. Writes no row, no
/// sidecar, no reject. Memory: that of a run, and what formatter::Statistics may take. Errors:
/// those of format_extract(), and of stdout.
[[nodiscard]] Result<formatter::FormatResult> describe(formatter::Input& input,
                                                       const formatter::FormatRequest& request,
                                                       const Description& wanted,
                                                       const StopSignal& stop);

}  // namespace caravel::watcher
