// A format's own examples, run: the whole way of an extract, in memory.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

/// What the examples of one format show.
struct ExampleReport {
  /// Where they are wrong: "FILE:LINE: examples[2]: Bytes: expected '612', got '12'". They quote
  /// the lines of the format file, so they are foreign text.
  std::vector<std::string> differences;
  /// The kinds of which there is a row or a dropped line.
  std::set<std::string> kinds;
  std::size_t rejects = 0;
};

/// Formats the lines of each example as an extract of its own and compares what comes out. Errors:
/// none that the examples cause; there was no memory.
[[nodiscard]] Result<ExampleReport> check_examples(const Format& format);

}  // namespace caravel::formatter
