// The watcher's private record of every extract and what became of it: STATE/ledger.db.
// docs/ledger.md is the page of this format.
//
//   seen -> waiting (why) -> claimed -> formatted -> uploading -> done | failed (why)
//
// The order that survives a crash: commit_claims, rename, fsync, format, formatted, store,
// feed document, finish_done, archive, set_done_path. After a crash, unfinished() starts again and
// not_archived() is archived.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sqlite.h"
#include "base/text.h"
#include "formatter/rows/counts.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

enum class State { seen, waiting, claimed, formatted, uploading, done, failed };
enum class Origin { drop, process, upload, capture };
enum class StoreState { ok, waiting, fault };

[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] std::string_view name_of(Origin origin);
[[nodiscard]] std::string_view name_of(StoreState state);

/// Where the lines of one extract went:
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
};

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
  std::string time_source;  // manifest, name, mtime or option; "" = none was needed
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
};

/// A name that is still in the drop directory.
struct InDrop {
  std::string name{};
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string why{};  // what it waits for; "" = seen, nothing known yet
};

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

struct KnownTime {
  std::string time_used;
  std::string time_source;
  bool operator==(const KnownTime&) const = default;
};

/// The rows of one done extract lie in [first_time, last_time].
struct RowTimes {
  std::string sha256;
  std::string name;
  std::string first_time;
  std::string last_time;
};

struct StoreRecord {
  std::string name;
  std::string place;  // see store_place()
  std::optional<Time> first_row_at;
  StoreState state = StoreState::ok;
  std::string why;
  Time since;
  std::optional<Time> next_try;
};

/// A name in a drop directory that is left alone.
struct LeftAlone {
  std::string name{};
  std::string why{};
  Time since{};  // set by the ledger
};

/// One run of a capture host's agent: the extracts of one log, numbered without gaps from 1.
struct SourceRun {
  std::string feed;
  std::string run;
  std::string source;         // the log and its host, in words; may hold anything: printable()
  bool by_name_only = false;  // no manifest says so: what one has said stays
};

/// Sequence numbers of a run that have not come though later ones have: late, or lost.
struct SequenceGap {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Time since;
};

/// What an extract's sequence number changed.
struct Arrival {
  std::vector<SequenceGap> opened;  // of those that are not here
  bool closed = false;              // it was missing
  std::uint64_t gaps = 0;           // that the run still has
};

struct SourceStatus {
  SourceRun run;
  std::uint64_t last_sequence = 0;  // of those that are done or failed
  Time first_at;
  Time last_at;           // something of it came, be it in work still; the epoch: only by hand
  bool replaced = false;  // a newer run of the same source goes on in its place
  std::vector<SequenceGap> gaps;  // the newest kMaxGaps, in order
  std::uint64_t gaps_total = 0;
};

/// Something that lasts and is told of once: its feed, and what it is.
using NewsKey = std::pair<std::string, std::string>;
/// To what is to be said when it ends; "" = nothing.
using News = std::map<NewsKey, std::string>;

/// A manifest whose extract is not here.
struct OpenManifest {
  std::string feed;
  std::string name;  // of the extract
  Time since;
};

struct NewestManifest {
  std::string feed;
  std::string name;  // of the extract
  Manifest manifest;
};

/// What one feed did. Sums are over all its extracts that are done or failed.
struct FeedSummary {
  std::map<State, std::uint64_t> extracts;
  LineCounts counts;
  std::uint64_t years_guessed = 0;
  std::optional<Time> last_claim;  // of the newest extract
  /// The first dropped of those that are neither done nor failed (not `process` and `upload`: what
  /// a person broke off is not late).
  std::optional<Extract> oldest_open;
};

/// What ended as done since some time.
struct Throughput {
  std::uint64_t extracts = 0;
  std::uint64_t rows = 0;  // stored or already there
  std::uint64_t bytes = 0;
};

/// One connection to the ledger; for one thread. Several (also of several processes) may be open at
/// once: a writer waits up to 10 s for another. Every error says "ledger …"; its kind is retry (the
/// disk is full, another process holds it), fault (rights, a damaged file, a call that makes no
/// sense in the extract's state) or usage (a schema newer than this program).
class Ledger {
 public:
  enum class Mode { read_write, read_only };

  /// Opens the ledger at `path`; read_write makes it and its directory (0600, 0700) if missing, and
  /// brings an older schema up to date. read_only changes nothing; a missing file is a fault.
  static Result<Ledger> open(const std::string& path, Mode mode = Mode::read_write);
  /// As a path: an empty ledger of no file, for what is asked before the first start.
  static constexpr std::string_view kInMemory = ":memory:";

  // -- In the drop directory ---------------------------------------------------------------------

  /// Replaces what is known of the names of `feed` that are not claimed yet; those of `origin`: a
  /// capture has a drop directory of its own. Writes only what has
  /// changed. Beyond kMaxInDrop names the rest is left out.
  [[nodiscard]] Result<> set_in_drop(const std::string& feed, const std::vector<InDrop>& files,
                                     Time now, Origin origin = Origin::drop);
  static constexpr std::size_t kMaxInDrop = 10'000;

  /// Replaces the names of `feed` that are left alone, the same way; at most kMaxLeftAlone.
  [[nodiscard]] Result<> set_left_alone(const std::string& feed,
                                        const std::vector<LeftAlone>& names, Time now);
  static constexpr std::size_t kMaxLeftAlone = 1000;

  // -- One extract's way -------------------------------------------------------------------------

  /// Claims all or none, in one transaction that is on the disk when this returns.
  [[nodiscard]] Result<> commit_claims(const std::vector<NewClaim>& claims, Time now);
  /// The rename found nothing: forgets the claim. Only as long as nothing of it was formatted.
  [[nodiscard]] Result<> claim_gone(const std::string& claim);
  /// The bytes are at `path` now.
  [[nodiscard]] Result<> set_path(const std::string& claim, const std::string& path);
  /// To claimed, formatted or uploading; clears next_try.
  [[nodiscard]] Result<> set_state(const std::string& claim, State state, const std::string& why,
                                   Time now);
  /// To waiting. With a `next_try` this counts as an attempt that failed.
  [[nodiscard]] Result<> set_waiting(const std::string& claim, const std::string& why,
                                     std::optional<Time> next_try, Time now);
  /// To formatted. Refuses counts that do not add up. Remembers the time that was used, in the same
  /// transaction: rows with it may be in the store before this extract is done.
  [[nodiscard]] Result<> formatted(const std::string& claim, const FormattedExtract& extract,
                                   Time now);
  /// To uploading, with `rows` rows acknowledged so far. Not synced to the disk: a crash may lose
  /// it, and nothing depends on it.
  [[nodiscard]] Result<> acknowledge(const std::string& claim, std::uint64_t rows, Time now);
  /// To done. Refuses (fault) unless every line is accounted for, and agrees with formatted().
  [[nodiscard]] Result<> finish_done(const std::string& claim, const LineCounts& counts,
                                     const std::string& note, Time now);
  /// To failed: all of its `lines` (as far as they were counted) are in failed/. `sha256`: if it
  /// was read to its end.
  [[nodiscard]] Result<> finish_failed(const std::string& claim, const std::string& why,
                                       std::uint64_t lines, Time now,
                                       const std::string& sha256 = {});
  /// Archived (or, if failed, set aside) at `path`.
  [[nodiscard]] Result<> set_done_path(const std::string& claim, const std::string& path);

  // -- Times and stores --------------------------------------------------------------------------

  [[nodiscard]] Result<std::optional<KnownTime>> known_time(const std::string& sha256);
  /// True until first_row_stored() was called for this place.
  [[nodiscard]] Result<bool> may_create(const std::string& place);
  [[nodiscard]] Result<> first_row_stored(const std::string& name, const std::string& place,
                                          Time now);
  [[nodiscard]] Result<> set_store_state(const std::string& name, const std::string& place,
                                         StoreState state, const std::string& why,
                                         std::optional<Time> next_try, Time now);

  // -- Manifests and sources ---------------------------------------------------------------------

  /// Remembers what came as the manifest of the extract `name`. The first for a content stays.
  [[nodiscard]] Result<> add_manifest(const std::string& feed, const std::string& name,
                                      const Manifest& manifest, Time now);
  /// Those that came for this name, newest first.
  [[nodiscard]] Result<std::vector<Manifest>> manifests_for(const std::string& feed,
                                                            const std::string& name);
  /// What a manifest said of this content. One for `name` goes first; one that came too late, when
  /// the rows were in the store without it, does not count.
  [[nodiscard]] Result<std::optional<Manifest>> manifest_of(const std::string& feed,
                                                            const std::string& sha256,
                                                            const std::string& name);
  /// Of each run, the manifest with the highest number, and the name of its extract.
  [[nodiscard]] Result<std::vector<NewestManifest>> newest_manifests();
  /// Whether extracts of this content (the SHA-256 of the file, and of what is in it unpacked) were
  /// at different places of their logs, or may have been: by the manifests that came, and the
  /// extracts whose name has none (all, if manifests are `ignored`). Such extracts have rows of
  /// their own and one credit.
  [[nodiscard]] Result<bool> has_several_places(const std::string& feed, const std::string& sha256,
                                                const std::string& unpacked_sha256, bool ignored);
  /// The extract with this sequence number ends as `end`: done or failed. It came at `came`;
  /// nothing: by hand, which is no sign of life of its source. Those that it overtook and that are
  /// here, on their way or in the drop directory still, are not missing: `in_drop` is asked for the
  /// numbers there if it overtook any.
  [[nodiscard]] Result<Arrival> arrived(
      const SourceRun& run, std::uint64_t sequence, State end, std::optional<Time> came, Time now,
      const std::function<std::set<std::uint64_t>()>& in_drop = {});
  /// Every run of every source, by feed, source and time. What is on its way is in no gap.
  [[nodiscard]] Result<std::vector<SourceStatus>> sources();
  static constexpr std::size_t kMaxGaps = 100;
  /// Calls `each` with the manifests that came at `since` or later and whose extracts are neither
  /// loaded nor here, newest first.
  [[nodiscard]] Result<> open_manifests(Time since, const std::function<void(OpenManifest)>& each);
  /// What lasts now, of these feeds. Returns what lasted before; of several that say the same, one
  /// alone hears that it is new. Writes only what has changed.
  [[nodiscard]] Result<News> replace_news(const std::set<std::string>& feeds, const News& news);
  /// When an extract of the feed came last (not by hand), be it in the drop directory still.
  [[nodiscard]] Result<std::optional<Time>> last_claim(const std::string& feed);

  // -- Questions ---------------------------------------------------------------------------------

  /// Claimed from a drop directory (or the outbox of a capture) and neither done nor failed, oldest
  /// first.
  [[nodiscard]] Result<std::vector<Extract>> unfinished(Origin origin = Origin::drop);
  /// From there, done or failed, and still in work/.
  [[nodiscard]] Result<std::vector<Extract>> not_archived(Origin origin = Origin::drop);
  [[nodiscard]] Result<std::optional<Extract>> find_claim(const std::string& claim);
  /// By SHA-256 or the first digits of it; newest first, at most `limit`.
  [[nodiscard]] Result<std::vector<Extract>> find_sha256(const std::string& digits,
                                                         std::size_t limit = 100);
  /// By file name, or by one of the paths it had; newest first.
  [[nodiscard]] Result<std::vector<Extract>> find_name(const std::string& name_or_path,
                                                       std::size_t limit = 100);
  /// Done and archived at `since` or later: their files are looked at once more.
  [[nodiscard]] Result<std::vector<Extract>> done_since(Time since, Origin origin = Origin::drop);
  /// The row times of every extract of `feed` that is done or on its way, but the one with this
  /// SHA-256.
  [[nodiscard]] Result<std::vector<RowTimes>> other_row_times(const std::string& feed,
                                                              const std::string& sha256);
  /// The newest `limit` extracts in this state, of all feeds.
  [[nodiscard]] Result<std::vector<Extract>> newest_in(State state, std::size_t limit);
  /// By feed, those that were ever seen.
  [[nodiscard]] Result<std::map<std::string, FeedSummary>> summaries();
  [[nodiscard]] Result<std::map<std::string, Throughput>> throughput_since(Time since);
  [[nodiscard]] Result<std::vector<StoreRecord>> stores();
  /// By feed, in the order of names.
  [[nodiscard]] Result<std::map<std::string, std::vector<LeftAlone>>> left_alone();

 private:
  explicit Ledger(Sqlite database) : database_(std::move(database)) {}

  /// UPDATE extracts SET `assignments` WHERE it is `claim` and neither done nor failed; else an
  /// error. Values are bound in order, the claim last.
  template <class... Values>
  [[nodiscard]] Result<> update_open(const std::string& claim, std::string_view assignments,
                                     const Values&... values);
  /// The same, with `what` (the operation) and the claim in the error.
  template <class... Values>
  [[nodiscard]] Result<> update(std::string_view what, const std::string& claim,
                                std::string_view assignments, const Values&... values);
  /// Extracts WHERE `condition` (and ORDER BY, LIMIT).
  template <class... Values>
  [[nodiscard]] Result<std::vector<Extract>> select(std::string_view what,
                                                    std::string_view condition,
                                                    const Values&... values);

  Sqlite database_;
};

}  // namespace caravel::watcher
