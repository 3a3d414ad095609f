// Pieces of a line side by side, with a label under each.
#pragma once

#include <string>
#include <vector>

#include "formatter/explain/styled_text.h"

namespace caravel::formatter {

/// A piece of a line. One without a label stands between others.
struct Cell {
  std::string text;   // as it came
  std::string label;  // as it came; "" if there is none
};

/// How cells stand side by side.
enum class Spacing {
  line,   // as in the line: nothing between them, and the text underlined where it has a label
  table,  // in columns that are as wide as text and label need
};

/// Appends `cells` to `out`, in rows of at most `width` columns (60 at least), each with its labels
/// below:
///
///       2024-02-29 07:58:09.031  door 17 closed
///       ---------- ------------       --
///       Date       Time               Door
///
/// A label that does not fit beside the one before it stands a line lower. Text is escaped, and
/// abbreviated where it is very long; of many cells only the first are shown, and how many more
/// there are.
void append_cells(const std::vector<Cell>& cells, Spacing spacing, std::size_t width,
                  StyledText& out);

}  // namespace caravel::formatter
