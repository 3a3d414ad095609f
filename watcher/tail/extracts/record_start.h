// Where records begin in a log whose records are several lines.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "watcher/tail/files/cutter.h"

namespace caravel::tail {

/// Where the last record of `range`, whole lines of `fd`, begins: the last line, but for the first
/// one, whose beginning `pattern` matches (names/wildcard.h, of the line's first bytes). 0 if there
/// is none. Searches backwards.
[[nodiscard]] Result<std::uint64_t> last_record_start(int fd, Range range,
                                                      std::string_view pattern);

}  // namespace caravel::tail
