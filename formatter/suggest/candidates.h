// What a sample could be: drafts of formats, the best guess first. suggest_format() runs them over
// the sample, so that a guess need not be right; it must only be ahead of the guesses that are
// worse.
#pragma once

#include <string>
#include <vector>

#include "formatter/suggest/draft.h"
#include "formatter/suggest/sample.h"
#include "formatter/suggest/shapes/stamps.h"

namespace caravel::formatter {

/// Records whose values come with names: JSON objects, logfmt, W3C logs, the journal's export; none
/// if the lines are something else.
[[nodiscard]] std::vector<Draft> object_drafts(const Sample& sample, StampFinder& stamps);

/// CSV in its dialects, with or without a header; none if the lines are something else.
[[nodiscard]] std::vector<Draft> table_drafts(const Sample& sample, StampFinder& stamps);

/// Patterns, for any lines. The last of them takes every line.
[[nodiscard]] std::vector<Draft> pattern_drafts(const Sample& sample, StampFinder& stamps);

/// At most `most` of the lines, evenly spread.
[[nodiscard]] std::vector<std::string_view> spread(const std::vector<std::string_view>& lines,
                                                   std::size_t most);

/// The column that says best which thing a row is about: one that may be a key, and whose values
/// come again. "" if there is none.
[[nodiscard]] std::string choose_key(const std::vector<ColumnDraft>& columns);

}  // namespace caravel::formatter
