// Inside of ledger*.cc: what its parts share. Nobody else includes this.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// The columns that read_extract() reads, in its order.
inline constexpr std::string_view kExtractColumns =
    "id, claim, feed, name, origin, path, state, why, since, seen_at, claimed_at, done_at, size, "
    "mtime_ns, sha256, format, time_used, time_source, year_guessed, lines, rows, dropped, "
    "rejected, stored, already_there, differs, replaced, failed, acknowledged, first_time, "
    "last_time, store, done_path, attempts, next_try, host";

[[nodiscard]] Extract read_extract(const Statement& row);
[[nodiscard]] std::optional<State> state_of(std::string_view name);
[[nodiscard]] std::optional<StoreState> store_state_of(std::string_view name);

/// A column that holds time_text(); the epoch if it does not.
[[nodiscard]] Time time_at(const Statement& row, int column);
/// The same; nothing for NULL.
[[nodiscard]] std::optional<Time> optional_time_at(const Statement& row, int column);

[[nodiscard]] inline std::optional<std::string> text_of(const std::optional<Time>& time) {
  return time ? std::optional(time_text(*time)) : std::nullopt;
}

/// Runs `work`; its error becomes "ledger: WHAT: …".
template <class Work>
auto in_context(std::string_view what, Work work) -> decltype(work()) {
  auto result = work();
  if (!result) {
    return tl::unexpected(with_context(fmt::format("ledger: {}", what), std::move(result).error()));
  }
  return result;
}

template <class... Values>
Result<std::vector<Extract>> Ledger::select(std::string_view what, std::string_view condition,
                                            const Values&... values) {
  return in_context(what, [&]() -> Result<std::vector<Extract>> {
    std::vector<Extract> out;
    CARAVEL_TRY(database_.each(
        fmt::format("SELECT {} FROM extracts WHERE {}", kExtractColumns, condition),
        [&](const Statement& row) { out.push_back(read_extract(row)); }, values...));
    return out;
  });
}

}  // namespace caravel::watcher
