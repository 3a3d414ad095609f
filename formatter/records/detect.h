// Which format is this?
#pragma once

#include <string>
#include <vector>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// The format that takes most of `lines` (the first complete lines of an extract), rows and dropped
/// lines alike; the first of equals. nullptr if none takes any.
[[nodiscard]] const Format* detect_format(const FormatSet& formats,
                                          const std::vector<std::string>& lines);

}  // namespace caravel::formatter
