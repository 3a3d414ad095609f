// One extract as the ledger knows it: values only. extracts.h and history.h hand them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

enum class State { seen, waiting, claimed, formatted, uploading, done, failed };
inline constexpr State kAllStates[] = {State::seen,      State::waiting,   State::claimed,
                                       State::formatted, State::uploading, State::done,
                                       State::failed};
/// Which way the extract came. `process` and `upload` are commands that a person gives.
enum class Origin { drop, process, upload, capture };

/// How a failure came to its end: it is open as long as nothing has settled it, and only then it is
/// counted.
enum class Settled {
  open,
  acknowledged,  // a person said so
  loaded,        // another extract with the same content was
  retried,       // it went in again, as a new extract
  removed,       // its file was taken out of failed/
  broken_off,    // of a load by hand: not loaded, and nobody waits for it
};

/// The word that the database, messages and `status --json` have for it.
[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] std::string_view name_of(Settled settled);
[[nodiscard]] std::string_view name_of(Origin origin);
/// The reverse; nothing for any other word.
[[nodiscard]] std::optional<State> state_of(std::string_view name);
[[nodiscard]] std::optional<Origin> origin_of(std::string_view name);
[[nodiscard]] std::optional<Settled> settled_of(std::string_view name);

/// Where the lines of one extract are:
/// lines = stored + already_there + dropped + rejected, or lines = failed.
struct LineCounts {
  std::uint64_t lines = 0;
  std::uint64_t rows = 0;  // yielded by the format: stored + already there + refused by the store
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;  // by the format, or by the store for a row's content
  std::uint64_t stored = 0;
  std::uint64_t already_there = 0;
  std::uint64_t differs = 0;   // a part of already_there
  std::uint64_t replaced = 0;  // a part of stored
  std::uint64_t failed = 0;    // lines of an extract that was refused whole
  bool operator==(const LineCounts&) const = default;

  /// Over a tenth of the lines were rejected.
  [[nodiscard]] bool many_rejected() const { return rejected > lines / 10; }
};

/// Whether `finished` accounts for every line, and agrees with what formatting had counted
/// (`rejected` may have grown: rows that the store refused). If not, a fault with the numbers.
[[nodiscard]] Result<> check_line_counts(const LineCounts& formatted, const LineCounts& finished);

/// One extract, all that is known of it.
struct Extract {
  std::int64_t id = 0;
  std::string claim;  // "" while it is in the drop directory
  std::string feed;
  std::string name;
  Origin origin = Origin::drop;
  std::string path;  // where the bytes are (claimed: are about to be)
  State state = State::seen;
  std::string why;  // waiting, failed: the reason; done: what a person should know, or ""
  Time since;       // when it entered `state`
  Time seen_at;
  std::optional<Time> claimed_at;
  std::optional<Time> done_at;  // or failed
  std::uint64_t size = 0;       // bytes, as it came
  std::int64_t mtime_ns = 0;    // since the epoch
  std::string sha256;
  std::string format;
  std::string time_used;    // the extract's own time, which the year was taken from
  std::string time_source;  // manifest, name, mtime, arrival or option; "" = none was needed
  bool year_guessed = false;
  LineCounts counts;
  std::uint64_t acknowledged = 0;  // rows that the store has answered for
  std::string first_time;          // of its rows
  std::string last_time;
  std::string store;
  std::string done_path;  // where it was archived (or set aside, if failed)
  unsigned attempts = 0;
  std::optional<Time> next_try;
  std::string host;
  Settled settled = Settled::open;  // of a failed one, or of the rejects of a done one
  std::optional<Time> settled_at;
  std::string settled_why;  // what a person said, or ""
  /// It is counted in the daily totals, and remembered only: Folding. `claim` is "".
  bool folded = false;

  [[nodiscard]] bool is_open_failure() const {
    return state == State::failed && settled == Settled::open;
  }
  /// Lines of it were rejected, and nobody has said that this is settled.
  [[nodiscard]] bool has_open_rejects() const {
    return state == State::done && counts.rejected > 0 && settled == Settled::open && !folded;
  }
};

/// Which time the years of a content's lines were taken from. Each replay must use it again.
struct KnownTime {
  std::string time_used;    // as in Extract
  std::string time_source;  // as in Extract
  bool operator==(const KnownTime&) const = default;
};

}  // namespace caravel::watcher
