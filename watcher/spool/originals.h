// Originals in done/ that must not expire, since rejects are kept by their place in them.
//
//   rejects/NAME.reasons.csv   "17,90031,…; kept by its place: 1200 bytes"
//   rejects/.NAME.original     the name and the size of the extract   ── keeps ──> done/…/NAME
//
// An original is kept as long as NAME.rejects, NAME.cut or NAME.reasons.csv is there: whoever
// deletes these has settled the rejects.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

struct Original {
  std::string name;  // that the extract came with
  std::uint64_t size = 0;

  bool operator==(const Original&) const = default;
  bool operator<(const Original& other) const {
    return std::tie(name, size) < std::tie(other.name, other.size);
  }
};

/// The hidden file in rejects/ that marks the original of the rejects called `base`.
[[nodiscard]] std::string original_mark(std::string_view base);
/// Its content; and what it says, or nothing if it is not one that we wrote.
[[nodiscard]] std::string original_text(const Original& original);
[[nodiscard]] std::optional<Original> parse_original(std::string_view text);

/// The originals that are needed. A mark whose reject files are gone is removed, unless somebody
/// publishes reject files at this moment. Errors: rejects/ cannot be read, so that any original may
/// be needed.
[[nodiscard]] Result<std::set<Original>> originals_in_use(const Spool& spool);

/// Whether a file of done/ is one of them; `relative` to the spool. By name and size: a file that
/// is only alike is kept longer than it must, and none too short.
[[nodiscard]] bool is_in_use(const std::set<Original>& originals, const Spool& spool,
                             const std::string& relative);

}  // namespace caravel::watcher
