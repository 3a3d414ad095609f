// The words that status and explain share: ages, counts, aligned lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// "12 min": how long ago `then` was.
[[nodiscard]] std::string ago(Time now, Time then);

/// "1 row", "2 rows".
[[nodiscard]] std::string plural(std::uint64_t count, std::string_view word);

/// "281 = 200 stored + 49 already there + 29 dropped + 3 rejected".
[[nodiscard]] std::string lines_text(const LineCounts& counts);

/// Why an extract waits, how often it was tried, and when it is tried again.
[[nodiscard]] std::string waiting_text(const Extract& extract, Time now);

/// "next try at 2012-03-09 10:00:30 UTC (in 30 s)"; "" if no time is set.
[[nodiscard]] std::string next_try_text(Time now, const std::optional<Time>& next_try);

/// Appends "  label   value" and a line end; the values of several calls stand below each other.
/// The value may hold foreign text: it is escaped and bounded here.
void add_fact(std::string& out, std::string_view label, std::string_view value);

/// Appends rows of cells, each column as wide as its widest cell, within bounds; the last is not
/// padded. Cells may hold foreign text: it is escaped and bounded here.
void add_table(std::string& out, const std::vector<std::vector<std::string>>& rows);

}  // namespace caravel::watcher
