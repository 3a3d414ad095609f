#include "watcher/rebuild/archived_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/directory.h"
#include "watcher/files/file_stamp.h"
#include "watcher/files/name_rules.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/salvage/salvage.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/refused_manifests.h"
#include "watcher/tail/files/sha256.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kHashPiece = std::size_t{1} << 20;
constexpr std::size_t kMostWhyBytes = 64 * 1024;
constexpr std::string_view kWhySuffix = ".why";

/// A file of done/ or failed/, open for reading.
struct ArchivedFile {
  std::string path;  // absolute
  std::string name;  // as it came
  UniqueFd fd;
  struct stat status {};

  /// When it came to its place: the rename was the last change of its inode.
  [[nodiscard]] Time since() const {
    return Time(std::chrono::duration_cast<Time::duration>(
        std::chrono::seconds(status.st_ctim.tv_sec) +
        std::chrono::nanoseconds(status.st_ctim.tv_nsec)));
  }
};

/// Walks the two trees and enters what is missing.
class FileRecovery {
 public:
  FileRecovery(const Config& config, const Spool& spool, Sqlite& fresh, const StopSignal& stop)
      : config_(config), spool_(spool), fresh_(fresh), stop_(stop) {}

  Result<RecoveredFiles> run() {
    CARAVEL_TRY(each_of_done([&](int directory, const std::string& path, const std::string& file) {
      return manifest_in_archive(file) ? take_manifest(directory, path, file)
                                       : take_done(directory, path, file);
    }));
    CARAVEL_TRY(each_name(spool_.failed_fd(), spool_.absolute("failed"),
                          [&](int directory, const std::string& path, const std::string& file) {
                            return take_failed(directory, path, file);
                          }));
    CARAVEL_TRY(fresh_.run(
        "UPDATE manifests AS m SET loaded_at = (SELECT max(done_at) FROM extracts AS e WHERE "
        "e.feed = m.feed AND e.name = m.name AND e.sha256 = m.sha256 AND e.state = 'done') "
        "WHERE loaded_at IS NULL"));
    CARAVEL_TRY(enter_sources());
    return recovered_;
  }

 private:
  using Visit =
      std::function<Result<>(int directory, const std::string& path, const std::string& file)>;

  /// Calls `visit` with each name of a directory, until it fails or the stop is requested.
  Result<> each_name(int directory, const std::string& path, const Visit& visit) const {
    Result<> outcome;
    CARAVEL_TRY(for_each_name(directory, [&](const std::string& name) {
      if (stop_.requested()) outcome = fail(ErrorKind::stopped, "stopped");
      if (outcome && !name.starts_with(kTemporaryPrefix)) outcome = visit(directory, path, name);
      return outcome.has_value();
    }));
    return outcome;
  }

  /// The files of done/YYYY/MM/DD/: `levels` directories lie above each.
  Result<> each_below(int parent, const std::string& path, int levels, const Visit& visit) const {
    if (levels == 0) return each_name(parent, path, visit);
    return each_name(parent, path, [&](int, const std::string&, const std::string& name) {
      // What is no directory of ours is passed over, as retention does (prune_done()).
      const auto below = open_directory_at(parent, name);
      if (!below) return Result<>();
      return each_below(below->get(), path + "/" + name, levels - 1, visit);
    });
  }
  Result<> each_of_done(const Visit& visit) const {
    return each_below(spool_.done_fd(), spool_.absolute("done"), 3, visit);
  }

  /// Nothing, and counted, if it is no regular file that can be read.
  std::optional<ArchivedFile> open_archived(int directory, const std::string& path,
                                            const std::string& file) {
    ArchivedFile out{path + "/" + file, std::string(original_name(file)), {}, {}};
    out.fd =
        UniqueFd(::openat(directory, file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const bool good =
        out.fd && ::fstat(out.fd.get(), &out.status) == 0 && S_ISREG(out.status.st_mode);
    if (good) return out;
    ++recovered_.unknown;
    return std::nullopt;
  }

  /// The first feed that takes the name.
  [[nodiscard]] const FeedConfig* feed_of(const std::string& name, NameKind kind) const {
    for (const FeedConfig& feed : config_.feeds) {
      if (judge_name(name, feed.match).kind == kind) return &feed;
    }
    return nullptr;
  }

  Result<bool> knows_path(const std::string& path) {
    bool known = false;
    CARAVEL_TRY(fresh_.each(
        "SELECT 1 FROM extracts WHERE done_path = ?", [&](const Statement&) { known = true; },
        path));
    return known;
  }

  Result<> take_manifest(int directory, const std::string& path, const std::string& file) {
    const auto archived = open_archived(directory, path, file);
    if (!archived) return {};
    std::string text(kMaxManifestBytes, '\0');
    text.resize(read_at(archived->fd.get(), 0, text.data(), text.size()).value_or(0));
    const auto manifest = parse_manifest(text);
    const std::string name = manifest_in_archive(file).value_or("");
    const FeedConfig* const feed = feed_of(name, NameKind::manifest);
    if (!manifest || feed == nullptr) {
      ++recovered_.unknown;
      return {};
    }
    // too_late is 0: ids that were made without it would be an exception, and nobody knows of it.
    CARAVEL_ASSIGN_OR_RETURN(
        const auto entered,
        fresh_.run("INSERT OR IGNORE INTO manifests (feed, name, sha256, run, sequence, text, "
                   "came_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                   feed->name, std::string(manifest_target(name).value_or("")), manifest->sha256,
                   manifest->run, manifest->sequence, format_manifest(*manifest),
                   time_text(archived->since())));
    recovered_.manifests += static_cast<std::uint64_t>(entered);
    return {};
  }

  /// Runs that are known from their manifests alone. Whether numbers below the newest are missing,
  /// nobody knows any more: none is said to be.
  Result<> enter_sources() {
    struct Run {
      std::string feed, name, text, first_at, last_at;
      std::int64_t newest = 0;
    };
    std::vector<Run> runs;
    // With max(), the other columns are those of the row with the maximum, but not the ones of
    // min() and max() beside it: those are asked for in their own right.
    CARAVEL_TRY(fresh_.each(
        "SELECT m.feed, m.name, m.text, "
        "(SELECT min(came_at) FROM manifests WHERE feed = m.feed AND run = m.run), "
        "(SELECT max(came_at) FROM manifests WHERE feed = m.feed AND run = m.run), "
        "max(m.sequence) FROM manifests AS m WHERE NOT EXISTS (SELECT 1 FROM sources AS s WHERE "
        "s.feed = m.feed AND s.run = m.run) GROUP BY m.feed, m.run",
        [&](const Statement& row) {
          runs.push_back(
              {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5)});
        }));
    for (const Run& run : runs) {
      const auto manifest = parse_manifest(run.text);
      if (!manifest) continue;
      const auto place = sequence_of(run.feed, run.name, *manifest);
      if (!place) continue;
      CARAVEL_TRY(fresh_.run(
          "INSERT INTO sources (feed, run, source, next, first_at, last_at) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          run.feed, place->run.run, place->run.source, run.newest + 1, run.first_at, run.last_at));
    }
    return {};
  }

  Result<> take_done(int directory, const std::string& path, const std::string& file) {
    CARAVEL_ASSIGN_OR_RETURN(const bool known, knows_path(path + "/" + file));
    if (known) return {};
    const auto archived = open_archived(directory, path, file);
    if (!archived) return {};
    const FeedConfig* const feed = feed_of(archived->name, NameKind::candidate);
    if (feed == nullptr) {
      ++recovered_.unknown;
      return {};
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto sha256, digest_of(archived->fd.get()));
    if (sha256.empty()) {
      ++recovered_.unknown;
      return {};
    }
    CARAVEL_ASSIGN_OR_RETURN(const bool placed, place_known(*archived, feed->name, sha256));
    if (!placed) CARAVEL_TRY(enter_file(*archived, *feed, sha256, State::done, ""));
    ++recovered_.done;
    return {};
  }

  /// Nothing if it cannot be read; kind stopped.
  Result<std::string> digest_of(int fd) const {
    tail::Sha256 sum;
    std::string piece(kHashPiece, '\0');
    for (std::uint64_t at = 0;;) {
      if (stop_.requested()) return fail(ErrorKind::stopped, "stopped");
      const auto got = read_at(fd, at, piece.data(), piece.size());
      if (!got) return std::string();
      if (*got == 0) return sum.finish();
      sum.update({piece.data(), *got});
      at += *got;
    }
  }

  /// Gives the file to the extract of its content that has no place yet. It was archived, so it was
  /// done, whatever an older copy of its row says: its lines are then in the store, one way or the
  /// other.
  Result<bool> place_known(const ArchivedFile& file, const std::string& feed,
                           const std::string& sha256) {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto changed,
        fresh_.run(
            "UPDATE extracts SET done_path = ?1, path = ?1, origin = 'drop', name = ?2, size = ?3, "
            "mtime_ns = ?4, done_at = coalesce(done_at, ?5), since = coalesce(done_at, ?5), "
            "next_try = NULL, why = CASE WHEN state = 'done' THEN why ELSE 'recovered from done/' "
            "END, already_there = CASE WHEN state = 'done' THEN already_there ELSE "
            "lines - dropped - rejected - stored END, acknowledged = rows, state = 'done' "
            "WHERE id = (SELECT id FROM extracts WHERE sha256 = ?6 AND feed = ?7 AND done_path = "
            "'' "
            "AND state <> 'failed' AND lines >= dropped + rejected + stored "
            "ORDER BY name = ?2 DESC, id LIMIT 1)",
            file.path, file.name, static_cast<std::int64_t>(file.status.st_size),
            stamp_of(file.status).mtime_ns, time_text(file.since()), sha256, feed));
    return changed == 1;
  }

  Result<> take_failed(int directory, const std::string& path, const std::string& file) {
    if (file.ends_with(kWhySuffix) || manifest_in_archive(file)) return {};
    CARAVEL_ASSIGN_OR_RETURN(const bool known, knows_path(path + "/" + file));
    if (known) return {};
    const auto archived = open_archived(directory, path, file);
    if (!archived) return {};
    const FeedConfig* const feed = feed_of(archived->name, NameKind::candidate);
    if (feed == nullptr) {
      ++recovered_.unknown;
      return {};
    }
    const UniqueFd why_fd(::openat(directory, (file + std::string(kWhySuffix)).c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    std::string why(why_fd ? kMostWhyBytes : 0, '\0');
    why.resize(read_at(why_fd.get(), 0, why.data(), why.size()).value_or(0));
    CARAVEL_TRY(enter_file(*archived, *feed, "", State::failed,
                           why.empty() ? "its .why is gone" : why.substr(0, why.find('\n'))));
    ++recovered_.failed;
    return {};
  }

  Result<> enter_file(const ArchivedFile& file, const FeedConfig& feed, const std::string& sha256,
                      State state, const std::string& why) {
    Extract extract;
    extract.claim = make_claim_id(file.since());
    extract.feed = feed.name;
    extract.name = printable(file.name);
    extract.path = extract.done_path = file.path;
    extract.state = state;
    extract.why = state == State::failed
                      ? why
                      : "recovered from done/: how many lines it has is not known any more";
    extract.since = extract.seen_at = file.since();
    extract.claimed_at = extract.done_at = file.since();
    extract.size = static_cast<std::uint64_t>(file.status.st_size);
    extract.mtime_ns = stamp_of(file.status).mtime_ns;
    extract.sha256 = sha256;
    extract.store = feed.store;
    if (state == State::done) {
      extract.first_time = kAnyTimeFirst;
      extract.last_time = kAnyTimeLast;
    }
    CARAVEL_TRY(enter_extract(fresh_, extract));
    return {};
  }

  const Config& config_;
  const Spool& spool_;
  Sqlite& fresh_;
  const StopSignal& stop_;
  RecoveredFiles recovered_;
};

}  // namespace

Result<RecoveredFiles> recover_files(const Config& config, const Spool& spool, Sqlite& fresh,
                                     const StopSignal& stop) {
  return FileRecovery(config, spool, fresh, stop).run();
}

}  // namespace caravel::watcher
