// What people and --delete-stale ask the ledger about extracts of all feeds and all times.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// What one feed did. Sums are over all its extracts that are done or failed.
struct FeedSummary {
  std::map<State, std::uint64_t> extracts;
  std::uint64_t open_failures = 0;  // of those that failed: not settled yet
  LineCounts counts;
  std::uint64_t years_guessed = 0;
  std::uint64_t bytes = 0;         // of the extracts, as they came
  std::uint64_t retries = 0;       // attempts that failed, of the extracts that are on their way
  std::optional<Time> last_claim;  // of the newest extract
  /// The first dropped of those that are neither done nor failed (not `process` and `upload`: what
  /// a person broke off is not late).
  std::optional<Extract> oldest_open;
};

/// What ended as done since a point in time.
struct Throughput {
  std::uint64_t extracts = 0;
  std::uint64_t rows = 0;  // stored
  std::uint64_t bytes = 0;
};

/// The rows of one done extract lie in [first_time, last_time].
struct RowTimes {
  std::string sha256;
  std::string name;
  std::string first_time;
  std::string last_time;
};

/// In seconds: into so many classes delays are counted.
inline constexpr std::array<double, 14> kDelayBounds{0.05, 0.1, 0.25, 0.5, 1,    5,     15,
                                                     30,   60,  300,  900, 3600, 21600, 86400};

/// How late many extracts were.
struct Delays {
  Delays& operator+=(const Delays& other) {
    count += other.count;
    sum += other.sum;
    for (std::size_t i = 0; i < within.size(); ++i) within[i] += other.within[i];
    return *this;
  }

  std::uint64_t count = 0;
  double sum = 0;  // seconds
  /// How many of them took at most kDelayBounds[i].
  std::array<std::uint64_t, kDelayBounds.size()> within{};
};

/// Of the extracts of one feed that came by drop directory or capture, went into one store and are
/// done.
struct StoreDelays {
  Delays since_drop;  // from the moment when the name was first seen until all was stored
  /// From the time of the extract's newest line until that was stored: only of lines that say their
  /// time zone.
  Delays since_line;
};

/// What one feed loaded in one span of time.
struct SpanOfLoads {
  std::string feed;
  std::int64_t span = 0;  // spans since 1970
  Throughput sums;
  double latest = 0;  // the longest time in seconds from drop to stored
  /// The same from the newest line's time, as in StoreDelays; nothing if no line says its zone.
  std::optional<double> latest_line;
};

/// Asks and changes nothing. Errors and threads as for Ledger.
class History {
 public:
  /// `database` outlives it.
  explicit History(Sqlite& database) : database_(database) {}

  /// By SHA-256 or the first digits of it; newest first, at most `limit`, also those that are only
  /// remembered (Extract::folded). Nothing for a text that is not of lower-case hex digits.
  [[nodiscard]] Result<std::vector<Extract>> find_sha256(const std::string& digits,
                                                         std::size_t limit = 100);
  /// By file name, or by one of the paths it had; newest first, at most `limit`; the same.
  [[nodiscard]] Result<std::vector<Extract>> find_name(const std::string& name_or_path,
                                                       std::size_t limit = 100);
  /// The newest `limit` extracts in this state, of all feeds.
  [[nodiscard]] Result<std::vector<Extract>> newest_in(State state, std::size_t limit);

  /// The newest `limit` failures that nothing has settled yet, of all feeds.
  [[nodiscard]] Result<std::vector<Extract>> open_failures(std::size_t limit);
  /// Failures that are settled, oldest first: at most `limit`, those behind `after` (an
  /// Extract::id; 0 for the first page). Not those that went in again.
  [[nodiscard]] Result<std::vector<Extract>> settled_failures(std::int64_t after,
                                                              std::size_t limit);
  /// Those of which over a tenth was rejected and that are done since then, at most `limit`.
  [[nodiscard]] Result<std::vector<Extract>> with_many_rejects(Time since, std::size_t limit);
  /// The newest `limit` extracts that are done and had rejects which nobody has settled, done at
  /// `since` or later.
  [[nodiscard]] Result<std::vector<Extract>> with_rejects(Time since, std::size_t limit);

  /// Extracts of `feed` that are done, since a point in time, oldest first: at most `limit`, those
  /// behind `after` (an Extract::id; 0 for the first page).
  [[nodiscard]] Result<std::vector<Extract>> done_since(const std::string& feed, Time since,
                                                        std::int64_t after, std::size_t limit);

  /// Whether no extract was ever seen.
  [[nodiscard]] Result<bool> is_empty();
  /// By feed, those that were ever seen.
  [[nodiscard]] Result<std::map<std::string, FeedSummary>> summaries();
  [[nodiscard]] Result<std::map<std::string, Throughput>> throughput_since(Time since);
  /// Of all that is done from then until then, by feed and store.
  [[nodiscard]] Result<std::map<std::pair<std::string, std::string>, StoreDelays>> delays(Time from,
                                                                                          Time to);
  /// Of all that is done since then, in order of time; spans in which nothing ended are left out.
  [[nodiscard]] Result<std::vector<SpanOfLoads>> loads_since(Time since, std::chrono::seconds span);
  /// When an extract of the feed came last (not by hand), be it in the drop directory still.
  [[nodiscard]] Result<std::optional<Time>> last_claim(const std::string& feed);

  /// The row times of every extract of `feed` that is done or on its way, but the one with this
  /// SHA-256; of those that are forgotten, a range for each day, without a SHA-256.
  [[nodiscard]] Result<std::vector<RowTimes>> other_row_times(const std::string& feed,
                                                              const std::string& sha256);

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
