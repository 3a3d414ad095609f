// How values stand in the rows of the ledger. Its parts share this; nobody outside of this folder
// and its own room, salvage, includes it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// The word of each value of an enumeration that counts from 0, in its order.
template <class Enum, std::size_t size>
struct WordTable {
  std::array<std::string_view, size> words;

  [[nodiscard]] constexpr std::string_view word_of(Enum value) const {
    return words[static_cast<std::size_t>(value)];
  }
  [[nodiscard]] constexpr std::optional<Enum> value_of(std::string_view word) const {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<Enum>(found - words.begin());
  }
  /// For a static_assert: that no value was added without its word.
  [[nodiscard]] constexpr bool ends_with(Enum last) const {
    return static_cast<std::size_t>(last) + 1 == size && !words.back().empty();
  }
};

/// A column that holds time_text(); the epoch if it does not.
[[nodiscard]] Time time_at(const Statement& row, int column);
/// The same; nothing for NULL.
[[nodiscard]] std::optional<Time> optional_time_at(const Statement& row, int column);
/// The reverse: nothing is bound as NULL.
[[nodiscard]] std::optional<std::string> text_of(const std::optional<Time>& time);

/// The columns that read_extract() reads, in its order.
inline constexpr std::string_view kExtractColumns =
    "id, claim, feed, name, origin, path, state, why, since, seen_at, claimed_at, done_at, size, "
    "mtime_ns, sha256, format, time_used, time_source, year_guessed, lines, rows, dropped, "
    "rejected, stored, already_there, differs, replaced, failed, acknowledged, first_time, "
    "last_time, store, done_path, attempts, next_try, host, settled, settled_at, settled_why";

/// The same of the table `remembered`, which has fewer.
inline constexpr std::string_view kRememberedColumns =
    "id, '', feed, name, origin, done_path, state, why, done_at, coalesce(claimed_at, done_at), "
    "claimed_at, done_at, size, 0, sha256, format, time_used, time_source, year_guessed, lines, "
    "rows, dropped, rejected, stored, already_there, differs, replaced, failed, rows, first_time, "
    "last_time, store, done_path, 0, NULL, host, settled, NULL, ''";

[[nodiscard]] Extract read_extract(const Statement& row);

/// Adds the nine columns from `column` on, which are those of LineCounts in its order.
void add_line_counts(const Statement& row, int column, LineCounts& sum);

/// An error that tells of a damaged file, with the way out behind it; any other as it is.
[[nodiscard]] Error with_way_out(Error error);

/// Runs `work`, which returns a Result; its error becomes "ledger: WHAT: …", with the way out if
/// the file is damaged.
template <class Work>
[[nodiscard]] auto in_context(std::string_view what, Work work) -> decltype(work()) {
  auto result = work();
  if (!result) {
    return tl::unexpected(
        with_way_out(with_context(fmt::format("ledger: {}", what), std::move(result).error())));
  }
  return result;
}

/// Extracts of the table `remembered`; else as select_extracts().
template <class... Values>
[[nodiscard]] Result<std::vector<Extract>> select_remembered(Sqlite& database,
                                                             std::string_view what,
                                                             std::string_view where,
                                                             const Values&... values) {
  return in_context(what, [&]() -> Result<std::vector<Extract>> {
    std::vector<Extract> out;
    CARAVEL_TRY(database.each(
        fmt::format("SELECT {} FROM remembered {}", kRememberedColumns, where),
        [&](const Statement& row) {
          out.push_back(read_extract(row));
          out.back().folded = true;
        },
        values...));
    return out;
  });
}

/// Extracts `where`: "WHERE …", which may go on with ORDER BY and LIMIT. Where the history is long
/// and the answer short, "INDEXED BY …" stands before it: SQLite, which has no statistics of the
/// ledger, else likes an index on the state better than one that leads to the few. `what` names the
/// question in an error; `values` are those of the question marks.
template <class... Values>
[[nodiscard]] Result<std::vector<Extract>> select_extracts(Sqlite& database, std::string_view what,
                                                           std::string_view where,
                                                           const Values&... values) {
  return in_context(what, [&]() -> Result<std::vector<Extract>> {
    std::vector<Extract> out;
    CARAVEL_TRY(database.each(
        fmt::format("SELECT {} FROM extracts {}", kExtractColumns, where),
        [&](const Statement& row) { out.push_back(read_extract(row)); }, values...));
    return out;
  });
}

}  // namespace caravel::watcher
