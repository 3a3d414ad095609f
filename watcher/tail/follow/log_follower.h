// Follows one log through rotations, truncations, and what happened while nobody looked.
//
//   LogFollower   one look: is there something to read, is the open file over?
//     LogFiles      which files are the log's (its rotated ones, its symlink's, no other log's)
//     KnownFiles    which of them need not be read, because they were
//     FileSearch    which of the others is opened next
//     OpenFile      the one that is open: how far it was read, whether it is still or rotated away
//     start_log()   where a log begins that has no state yet
//
// Files are read strictly one after another, a rotated one to its end first: so what comes out is
// what the application wrote, in its order. The open file is held by its descriptor; it may be
// renamed or deleted meanwhile. docs/tail.md, "Rotation", has the rules and their limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/file_search.h"
#include "watcher/tail/follow/kinship.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/follow/log_files.h"
#include "watcher/tail/follow/log_start.h"
#include "watcher/tail/follow/open_file.h"
#include "watcher/tail/follow/other_logs.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/packed/unpacker.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// The first half of a line, with which a finished file ends: its logger rotated the log in the
/// midst of the line.
struct HalfLine {
  Range half;
  std::string path;  // of the file, as it is named now if that is known
  /// The file that begins with the other half, if it is certain which one does.
  std::optional<Sibling> next;
  /// Another log begins with it, which the same pattern found.
  bool elsewhere = false;
};

/// Follows one log. Errors are of the moment (a permission, an I/O error): call again later,
/// nothing is lost.
class LogFollower {
 public:
  /// `state` outlives this and is advanced by it, and so does everything else.
  LogFollower(LogState& state, const FollowerRules& rules, const OtherLogs& others, HeldFiles& held,
              Unpacker& unpacker, Notices& notices);
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;
  ~LogFollower() = default;

  /// The first look at a log that has no state yet. See start_log().
  [[nodiscard]] Result<> begin(const StartRules& rules, Cutter& cutter);

  /// Looks at the log. True if there may be bytes to read: then file() tells which. An unchanged
  /// log costs one stat(2).
  [[nodiscard]] Result<bool> look(const Moment& now);

  /// Called when nothing is left to read. If the open file was rotated away and is over, closes it
  /// (the state says so then) and returns true: look again, there may be a next file.
  [[nodiscard]] Result<bool> finish(const Moment& now);
  /// What keeps finish() from closing the file, if anything does: to be cut first.
  [[nodiscard]] const std::optional<HalfLine>& half_line() const { return half_line_; }

  /// What is being read; not open if there is nothing to read. Who reads moves it on as extracts
  /// are built, sets LogState::file once they are published, and calls go_back() if they are not.
  [[nodiscard]] OpenFile& file() { return file_; }
  [[nodiscard]] const OpenFile& file() const { return file_; }
  /// Extracts that were built will not be published: back to where the state says.
  void go_back() { file_.go_back(state_.file); }

  /// Whether this file is open, or is the one to be opened next.
  [[nodiscard]] bool is_reading(const FileId& id) const { return files_.is_reading(id); }
  /// Whether this file had the log's own name at the last look.
  [[nodiscard]] bool has_name(const FileId& id) const {
    return files_.live() && same_file(*files_.live(), id);
  }
  /// How far this file, not being read now, was read; nothing if it is not what it was.
  [[nodiscard]] std::optional<Position> position_of(const Sibling& file) const;

  /// Where the log's files appear.
  [[nodiscard]] std::vector<std::string> directories() const {
    return files_.kinship().directories();
  }
  /// Files may have appeared unseen: the next look goes through all of them.
  void look_through() { news_ = true; }
  /// Whether a file that is held open is one of the log's and not read to its end yet.
  [[nodiscard]] bool needs(const HeldFile& file) const;
  /// Whether it is one of the log's, read or not, as far as its names tell.
  [[nodiscard]] bool owns(const HeldFile& file) const { return files_.owns(file); }
  [[nodiscard]] bool is_name_of_log(const std::string& path) const {
    const auto kin = files_.kinship().kin_at(path);
    return files_.kinship().is_own_name(path) || (kin && kin->proof == Proof::none);
  }

  /// Whether the state changed by looking, since this was last asked.
  [[nodiscard]] bool take_changed();

  /// Whether the log's name is gone and nothing is left to read.
  [[nodiscard]] bool deserted() const { return deserted_; }
  /// Whether rotated files that were read are still there: were the log forgotten, they would be
  /// read again if it came back.
  [[nodiscard]] bool has_rotated_files() const;
  /// The file that was being read is not coming back under a name of this log: remembered, so that
  /// another log, which finds it, can go on in it.
  void give_up_lost_file();

 private:
  [[nodiscard]] FollowedFiles parts();
  [[nodiscard]] std::optional<Stamp> what_has_the_name(std::optional<Stamp> live);
  [[nodiscard]] bool is_own_file(const Stamp& live);
  [[nodiscard]] Result<> refresh(const std::optional<Stamp>& live, const Moment& now);
  [[nodiscard]] Result<bool> is_to_be_found_again(const Stamp& stamp) const;
  [[nodiscard]] bool is_newer(const Survey& survey, const std::optional<Stamp>& live) const;
  [[nodiscard]] std::optional<HalfLine> find_half_line(const Survey& survey,
                                                       const std::vector<Sibling>& files,
                                                       const Moment& now);
  [[nodiscard]] Result<> look_for_end_of_log();
  [[nodiscard]] bool continues(const Unread& next) const;

  LogState& state_;
  const FollowerRules& rules_;
  const OtherLogs& others_;
  HeldFiles& held_;
  Unpacker& unpacker_;
  Notices& notices_;
  OpenFile file_;
  KnownFiles known_;
  LogFiles files_;
  FileSearch search_;
  bool deserted_ = false;
  bool news_ = false;       // files appeared that were not compared yet
  std::uint64_t seen_ = 0;  // of the held files, the last that was looked at
  std::optional<HalfLine> half_line_;
};

}  // namespace caravel::tail
