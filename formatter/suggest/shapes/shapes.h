// Lines that are alike, put together: which kinds of lines a log has.
#pragma once

#include <cstddef>
#include <vector>

#include "formatter/suggest/shapes/tokens.h"

namespace caravel::formatter {

/// One column of a kind: the chunks that stand in the same place of its lines.
struct ShapeColumn {
  bool mixed = false;  // the chunks are taken apart in different ways: only their whole is a value
};

/// Lines of one kind. All of them have as many chunks as there are columns, or more if `rest`.
struct LineShape {
  std::vector<ShapeColumn> columns;
  bool rest = false;               // something follows the columns
  std::vector<std::size_t> lines;  // indexes into what shapes_of() was given
};

/// Whether shapes may go to the end of their lines.
enum class ShapeEnd {
  any,
  message,  // no: they end where a message begins, which goes on in the next line
};

/// The shapes of `lines`, the most frequent first. Lines that are like few others are in none. What
/// looked like a name before a value, but is part of it ("man-db:amd64"), is made one word.
///
/// Logs of events have a few shapes that most lines fit in whole. Where messages are free text, the
/// lines agree in their first columns only, and the rest is one value. The method is that of Drain
/// (He et al., 2017) in so far as lines are first told apart by how many chunks they have, then by
/// what these are, from left to right.
[[nodiscard]] std::vector<LineShape> shapes_of(std::vector<TokenLine>& lines,
                                               ShapeEnd end = ShapeEnd::any);

}  // namespace caravel::formatter
