// Which file of a log is to be read now: through rotations, truncations, and what happened while
// nobody looked. docs/tail.md, "Rotation", has the rules and their limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/siblings.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/state/notices.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

class LogFollower;

/// What the other logs of an agent read: two names may be one file (links, a rename, a pattern).
class OtherLogs {
 public:
  OtherLogs() = default;
  OtherLogs(const OtherLogs&) = delete;
  OtherLogs& operator=(const OtherLogs&) = delete;
  virtual ~OtherLogs() = default;

  /// The log that reads this file now, or will; nothing if none does.
  [[nodiscard]] virtual const LogState* reader_of(const FileId& id,
                                                  const LogFollower& asking) const = 0;
  /// How far another log read this file before it let it go.
  [[nodiscard]] virtual std::optional<Position> read_up_to(const Sibling& file,
                                                           const LogFollower& asking) const = 0;
};

/// Follows one log. Files are read strictly one after another: a rotated one to its end first.
/// Errors are of the moment (a permission, an I/O error): call again later, nothing is lost.
class LogFollower {
 public:
  /// `state` outlives this and is advanced by it; `grace` is how long a rotated file must have been
  /// still before it counts as finished; `logs` (and patterns) are followed by others, whatever
  /// their names are.
  LogFollower(LogState& state, std::chrono::milliseconds grace,
              const std::vector<std::string>& logs, const OtherLogs& others, Notices& notices)
      : state_(state),
        grace_(grace),
        logs_(logs),
        others_(others),
        notices_(notices),
        known_(state.known, notices) {}

  /// Looks at the log. True if there may be bytes to read: then fd(), position() and size() tell
  /// which. An unchanged log costs one stat(2).
  [[nodiscard]] Result<bool> look(const Moment& now);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] const Stamp& stamp() const { return stamp_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Called when nothing is left to read. If the open file was rotated away and is over, closes it
  /// (the state says so then) and returns true: look again, there may be a next file.
  [[nodiscard]] Result<bool> finish(const Moment& now);

  /// An extract up to `after` is built; the caller sets the state's `file` to it once published.
  void advance(const Position& after);
  /// Extracts that were built will not be published: back to where the state says.
  void go_back();
  /// Bytes that are not to be read (the hole that a writer without O_APPEND leaves).
  void skip_to(std::uint64_t offset) { position_.offset = offset; }
  /// The open file may not be what it was (it changed while it was read): compare it anew.
  void doubt() { stamp_.modified = -1; }
  /// See Cutter::next(); forgotten when another file is opened.
  [[nodiscard]] std::uint64_t& scanned() { return scanned_; }
  /// Whether this file is open, or is the one to be opened next.
  [[nodiscard]] bool is_reading(const FileId& id) const;
  [[nodiscard]] bool has_open(const FileId& id) const { return fd_ && same_file(position_.id, id); }
  /// Whether this file had the log's own name at the last look.
  [[nodiscard]] bool has_name(const FileId& id) const { return live_ && same_file(*live_, id); }
  /// How far this file, not being read now, was read; nothing if it is not what it was.
  [[nodiscard]] std::optional<Position> position_of(const Sibling& file) const;

  /// The first look at a log that has no state yet; begins behind what is there unless
  /// `from_start`. Its rotated files are left alone but for those made since `rotated_since` (see
  /// Pattern::since).
  /// If the log must not be read, the state remembers how large it was, and the error says so: call
  /// it again.
  [[nodiscard]] Result<> begin(bool from_start, std::int64_t rotated_since, class Cutter& cutter);

  /// Whether the state changed by looking, since this was last asked.
  [[nodiscard]] bool take_changed() {
    const bool known = known_.take_changed();
    return std::exchange(changed_, false) || known;
  }

  /// Nothing is there any more and nothing is left to read.
  [[nodiscard]] bool deserted() const { return deserted_; }
  /// Rotated files are there still: were the log forgotten, it would not be known that they were
  /// read.
  [[nodiscard]] bool has_rotated_files() const;
  /// The file that was being read is not coming back under a name of this log: remembered, so that
  /// another log, which finds it, can go on in it.
  void give_up();
  /// Whole or partial lines that never reached an extract, as far as they are known.
  [[nodiscard]] std::uint64_t bytes_left_behind() const { return bytes_left_behind_; }

 private:
  [[nodiscard]] bool is_ours(const Stamp& live);
  [[nodiscard]] Result<> refresh(const std::optional<Stamp>& live, const Moment& now);
  [[nodiscard]] Result<> choose(const std::optional<Stamp>& live, const Moment& now);
  [[nodiscard]] Result<bool> find_again(const std::vector<Sibling>& files, const Moment& now);
  [[nodiscard]] Result<bool> try_take(const Sibling& file, const Position& position,
                                      const Moment& now);
  [[nodiscard]] Result<std::vector<Sibling>> list(const std::optional<Stamp>& live) const;
  [[nodiscard]] Result<> add_targets(std::vector<Sibling>& files) const;
  [[nodiscard]] Result<> recall_by_order(std::vector<Sibling> files);
  [[nodiscard]] Result<> begin_looking_back(const std::optional<Stamp>& live,
                                            const std::vector<Sibling>& files, const Moment& now);
  [[nodiscard]] Result<> look_back(const std::optional<Stamp>& live, const Moment& now);
  [[nodiscard]] std::vector<Position> being_read() const;
  [[nodiscard]] Result<> begin_behind(const Sibling& file, std::uint64_t size, Cutter& cutter);
  [[nodiscard]] Result<> settle_target();
  [[nodiscard]] bool is_anothers(const std::string& path) const;
  void report_lost(const std::optional<Stamp>& live, const std::vector<Sibling>& files);

  LogState& state_;
  std::chrono::milliseconds grace_;
  const std::vector<std::string>& logs_;
  const OtherLogs& others_;
  Notices& notices_;
  KnownFiles known_;

  std::optional<FileId> live_;  // what had the log's name at the last look
  UniqueFd fd_;  // the file being read; held, so that it stays readable when renamed or deleted
  Position position_;
  Position start_;  // where it was when the file was opened
  Stamp stamp_;
  std::uint64_t scanned_ = 0;
  std::string path_;
  bool rotated_ = false;
  bool copy_ = false;       // a copy that copytruncate made: nobody writes to it
  bool late_ = false;       // it was read to its end before and has grown
  bool live_next_ = false;  // files that have grown wait until the log itself was read
  bool changed_ = false;
  bool all_read_ = false;
  bool deserted_ = false;
  std::chrono::steady_clock::time_point still_since_;  // of a rotated file
  std::chrono::steady_clock::time_point rotated_since_;
  std::optional<std::chrono::steady_clock::time_point> look_back_;
  std::chrono::milliseconds look_back_wait_{0};
  std::uint64_t bytes_left_behind_ = 0;
};

}  // namespace caravel::tail
