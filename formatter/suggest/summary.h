// How well a suggestion fits, in words.
#pragma once

#include <string>
#include <vector>

#include "formatter/suggest/suggest.h"

namespace caravel::formatter {

/// A line each: how many lines the suggestion takes, what each kind took, the lines that no kind
/// takes, what else there is to know. Foreign text stands in it as it came: whoever shows a line
/// escapes it.
[[nodiscard]] std::vector<std::string> summary_of(const Suggestion& suggestion,
                                                  const Sample& sample);

}  // namespace caravel::formatter
