// One extract's way through the ledger, from its claim to the archive, and what a restart finds
// undone.
//
// The order that survives a crash: commit_claims, rename, fsync, format, formatted, store,
// feed document, finish_done, archive, set_done_path. After a crash, unfinished() starts again and
// not_archived() is archived. docs/ledger.md says what each step leaves behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "formatter/rows/counts.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

struct NewClaim {
  std::string claim{};  // unique, for ever
  std::string feed{};
  std::string name{};
  Origin origin = Origin::drop;
  std::string path{};  // where the bytes will be after the rename
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string store{};
  std::string host{};
};

/// What formatting found.
struct FormattedExtract {
  std::uint64_t size = 0;  // of the bytes that were read
  std::int64_t mtime_ns = 0;
  std::string sha256{};
  std::string format{};
  std::string time_used{};
  std::string time_source{};
  bool year_guessed = false;
  formatter::Counts counts{};
  std::string first_time{};
  std::string last_time{};
};

/// What is to be known of an extract to look whether its file has changed.
struct ArchivedExtract {
  std::int64_t id = 0;
  std::string claim{};
  std::string done_at{};  // as the ledger has it
  std::string done_path{};
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};

/// Whether a call of the ledger waits for the disk. What was said unsynced is on the disk with the
/// next synced call; a loss of power before that takes it back, and everything said behind it.
enum class Commit { synced, unsynced };

/// The rows of extracts that have a claim, which names them in every call. Errors and threads as
/// for Ledger. Each call is one transaction, on the disk when it returns, but for acknowledge(),
/// set_waiting(), set_done_path() and what is asked for unsynced.
/// A claim that is not there, or is done or failed already, is a fault.
class Extracts {
 public:
  /// `database` outlives it.
  explicit Extracts(Sqlite& database) : database_(database) {}

  // -- The way, in the order of its calls --------------------------------------------------------

  /// Claims all or none. A name that set_in_drop() had noted becomes the extract.
  [[nodiscard]] Result<> commit_claims(const std::vector<NewClaim>& claims, Time now,
                                       Commit commit = Commit::synced);
  /// The rename found no file: forgets the claim. Only as long as nothing of it was formatted.
  [[nodiscard]] Result<> claim_gone(const std::string& claim);
  /// The bytes are at `path` now.
  [[nodiscard]] Result<> set_path(const std::string& claim, const std::string& path);
  /// To claimed, formatted or uploading; clears next_try.
  [[nodiscard]] Result<> set_state(const std::string& claim, State state, const std::string& why,
                                   Time now);
  /// To waiting. With a `next_try` this counts as an attempt that failed. Not synced to the disk,
  /// as for acknowledge().
  [[nodiscard]] Result<> set_waiting(const std::string& claim, const std::string& why,
                                     std::optional<Time> next_try, Time now);
  /// To formatted. Refuses counts that do not add up. Remembers the time that was used, in the same
  /// transaction: rows with it may be in the store before this extract is done.
  [[nodiscard]] Result<> formatted(const std::string& claim, const FormattedExtract& extract,
                                   Time now, Commit commit = Commit::synced);
  /// To uploading, with `rows` rows acknowledged so far. Not synced to the disk: a crash may lose
  /// it, and nothing depends on it.
  [[nodiscard]] Result<> acknowledge(const std::string& claim, std::uint64_t rows, Time now);
  /// To done. Refuses (fault) unless every line is accounted for, and agrees with formatted():
  /// check_line_counts(). `note`: what a person should know, or "".
  [[nodiscard]] Result<> finish_done(const std::string& claim, const LineCounts& counts,
                                     const std::string& note, Time now);
  /// To failed: all of its `lines` (as far as they were counted) are in failed/. `sha256`: if it
  /// was read to its end.
  [[nodiscard]] Result<> finish_failed(const std::string& claim, const std::string& why,
                                       std::uint64_t lines, Time now,
                                       const std::string& sha256 = {});
  /// To failed, and settled at once: a load by hand that came to no end, of which the person was
  /// told. Rows of it may be stored: the row explains them.
  [[nodiscard]] Result<> finish_broken_off(const std::string& claim, const std::string& why,
                                           Time now);
  /// Archived (or, if failed, set aside) at `path`. A fault before done or failed.
  [[nodiscard]] Result<> set_done_path(const std::string& claim, const std::string& path);
  /// The same of several (claim, path), in one transaction.
  [[nodiscard]] Result<> set_done_paths(
      const std::vector<std::pair<std::string, std::string>>& paths);

  // -- What failed, until that is settled --------------------------------------------------------

  /// A failure that is open, or the rejects of an extract that is done, end so; `why` is what a
  /// person said. False if they were not open. finish_done() calls all failures of the same feed
  /// and content loaded.
  [[nodiscard]] Result<bool> settle(std::int64_t id, Settled how, const std::string& why, Time now);
  /// A person wants the extract, which failed or had rejects, to go in again.
  [[nodiscard]] Result<> ask_retry(std::int64_t id, Time now);
  /// Those that were asked for, in that order.
  [[nodiscard]] Result<std::vector<Extract>> retries(Origin origin = Origin::drop);
  /// Nobody asks any longer, since it went in again, with its file at `path` now; or (`path` is
  /// empty) since it cannot.
  [[nodiscard]] Result<> end_retry(const Extract& extract, const std::string& path, Time now);

  // -- What is known of one, and what is left to do ----------------------------------------------

  [[nodiscard]] Result<std::optional<Extract>> find_claim(const std::string& claim);
  /// Whether content of this digest was loaded whole into this store for this feed.
  [[nodiscard]] Result<bool> was_done(const std::string& sha256, const std::string& feed,
                                      const std::string& store);
  /// What formatted() remembered for this content first.
  [[nodiscard]] Result<std::optional<KnownTime>> known_time(const std::string& sha256);
  /// Claimed from a drop directory (or the outbox of a capture) and neither done nor failed, oldest
  /// first.
  [[nodiscard]] Result<std::vector<Extract>> unfinished(Origin origin = Origin::drop);
  /// From there, done or failed, and still in work/.
  [[nodiscard]] Result<std::vector<Extract>> not_archived(Origin origin = Origin::drop);
  /// Done and archived at `since` or later: their files are looked at once more. At most `most` of
  /// them, in the order in which they were done; the next are those `after` the last of these.
  [[nodiscard]] Result<std::vector<ArchivedExtract>> done_since(Time since, Origin origin,
                                                                const ArchivedExtract* after,
                                                                std::size_t most);

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
