// Words, durations and sizes as people write them, in YAML and on command lines.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel {

/// The candidate that is nearest to `word` by edit distance, or "" if none is near enough to be
/// meant.
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& candidates);

/// "30s", "500ms", "10m", "24h", "30d", or a sum of such ("1h30m"); "0" too. 36500d at most.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "4MiB", "512KiB", "1GiB", "100kB", "8MB", "123" (bytes).
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// In units of 1024 (IEC 80000-13), with one decimal: "12.0 MiB"; "17 bytes".
[[nodiscard]] std::string size_for_people(std::uint64_t bytes);

}  // namespace caravel
