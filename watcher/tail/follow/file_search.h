// Which of a log's files is read next, and what became of the one that was being read.
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/follow/log_files.h"
#include "watcher/tail/follow/open_file.h"
#include "watcher/tail/follow/other_logs.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/packed/unpacker.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// What the parts of a log's follower work on together; all of it outlives them.
struct FollowedFiles {
  LogState& state;
  KnownFiles& known;
  OpenFile& open;
  LogFiles& files;
  const OtherLogs& others;
  HeldFiles& held;
  Unpacker& unpacker;
  Notices& notices;
};

/// The order in which files are read: the one that the state names, under whatever name it has now;
/// then those that have grown since they were finished; then the log, if it was set aside for
/// them; then the oldest unread one, the log itself last.
class FileSearch {
 public:
  FileSearch(FollowedFiles log, std::chrono::milliseconds grace)
      : log_(log), grace_(grace), looked_before_(log.state.looked) {}

  /// Opens the file to read next, if there is one. `live`: what has the log's name and is its own.
  [[nodiscard]] Result<> open_next(const std::optional<Stamp>& live, const Moment& now);

  /// The open file was read to its end and is closed. With `log_first`, files that have grown wait
  /// until the log itself was read: a writer that goes on in an old file for ever must not keep it
  /// from being read.
  void note_finished(bool log_first, const Moment& now);

  /// While the log is at rest, finished files are looked at for what was written to them since.
  [[nodiscard]] bool look_back_due(const Moment& now) const {
    return look_back_ && now.steady >= *look_back_;
  }
  /// Sets the open log aside, and closes it, if a finished file has grown or a rotated one was
  /// overlooked while it was renamed. The next look comes ever later, or soon if there was `news`:
  /// a file that appeared.
  [[nodiscard]] Result<> look_back(const std::optional<Stamp>& live, bool news, const Moment& now);

  /// What a survey leaves out: the open file, and the log that was set aside.
  [[nodiscard]] std::vector<Position> being_read() const;
  /// Says that the file of the state is gone or was written anew. `files`: what is there instead.
  void report_lost(const std::optional<Stamp>& live, const std::vector<Sibling>& files) const;

  /// Whether the state changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  [[nodiscard]] Result<> recall_by_order(std::vector<Sibling> files);
  void pass_over_what_older_rules_did(const std::vector<Sibling>& files);
  [[nodiscard]] Result<> begin_looking_back(const std::optional<Stamp>& live,
                                            const std::vector<Sibling>& files, const Moment& now);
  void look_back_soon(const Moment& now);
  void look_back_after(std::chrono::milliseconds wait, const Moment& now);
  [[nodiscard]] Result<bool> go_on_or_give_up(const std::vector<Sibling>& files,
                                              const std::optional<Stamp>& live, const Moment& now);
  [[nodiscard]] Result<bool> find_again(const std::vector<Sibling>& files, const Moment& now);
  [[nodiscard]] Result<bool> find_copy(const std::vector<Sibling>& files, const Position& file,
                                       const Moment& now);
  [[nodiscard]] Result<> open_grown(const Unread& next, const Moment& now);
  [[nodiscard]] Result<> open_unread(Unread next, const Moment& now);
  [[nodiscard]] Result<std::optional<UnpackedText>> unpack(const Sibling& file, const Moment& now);
  [[nodiscard]] Result<bool> open_text(const Sibling& file, UnpackedText text,
                                       const Position& position, const Moment& now);
  [[nodiscard]] Result<bool> open_again(const Sibling& file, const Position& position,
                                        const Moment& now);
  [[nodiscard]] Result<bool> open_unread_packed(const Sibling& file,
                                                const std::vector<Sibling>& files,
                                                const Moment& now);
  void set_aside();
  void take_back();

  FollowedFiles log_;
  std::chrono::milliseconds grace_;
  bool log_first_ = false;
  bool rotated_first_ = false;  // the log was read to its end before they were begun
  bool changed_ = false;
  bool rules_compared_ = false;
  bool told_of_doubt_ = false;
  std::int64_t looked_before_;  // when an agent before this one looked
  std::optional<std::chrono::steady_clock::time_point> look_back_;
  std::chrono::milliseconds look_back_wait_{0};
};

}  // namespace caravel::tail
