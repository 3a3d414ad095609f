// A shape of lines, written as a kind: its pattern, with names for what varies.
#pragma once

#include <vector>

#include "formatter/suggest/draft.h"
#include "formatter/suggest/shapes/shapes.h"

namespace caravel::formatter {

/// The kind for `shape` of `lines`, which has at least one line. Fixed words become literals, all
/// else captures, which are named by what stands before them (`user=`, `port 22`), else by their
/// type and place.
[[nodiscard]] KindDraft write_kind(const LineShape& shape, const std::vector<TokenLine>& lines);

}  // namespace caravel::formatter
