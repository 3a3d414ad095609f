// One log's memory: which files beside it need not be read, because they were.
//
//   app.log.3.gz   known: its mtime is that of a file that was read and is gone
//   app.log.2      known, and as large as it was: nothing to do
//   app.log.1      known, and larger than it was: `grown`, read on behind what is known
//   app.log.0      not known: `fresh`, read from its start
//   app.log        the log itself, `fresh` too, always the last
//
// A file is known by inode and birth time, and by a digest of what was read from it. What was read
// is remembered, not inferred: names and clocks only order the fresh ones among themselves, so a
// misjudged order loses nothing. A copy (copytruncate, cp) is known by its content: it is read from
// where the original was left. What is gone in two surveys in a row is forgotten.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/notices.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/survey.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// The log's state outlives this; its memory is changed, and its losses are added to.
class KnownFiles {
 public:
  KnownFiles(LogState& log, Notices& notices) : log_(log), known_(log.known), notices_(notices) {}

  /// `size`: of the file at `position`, the unfinished last line included.
  void remember(const Position& position, std::uint64_t size, bool read);
  /// Remembers a file that lay there before the log was first looked at: it is never read.
  void remember_there(const Sibling& file);

  /// See compare(). What it recognizes is remembered. With `inodes` (of all names in the log's
  /// directories, sorted), files that were gone in two such surveys are forgotten (one may be
  /// missed while it is renamed). After an error the memory is as before.
  [[nodiscard]] Result<Survey> survey(const std::vector<Sibling>& files,
                                      const std::vector<Position>& left_out,
                                      const std::vector<std::uint64_t>* inodes = nullptr);

  /// The known file of this identity, or null; its content is not compared.
  [[nodiscard]] const Known* find(const FileId& id) const;
  [[nodiscard]] bool holds_id(const FileId& id) const { return find(id) != nullptr; }

  /// How far `file` was read; nothing if it never was, or is not what it was.
  [[nodiscard]] std::optional<Position> position_of(const Sibling& file) const;

  /// How far the text of a packed file was read as the file that it was made of, or a copy of that;
  /// nothing if it was not. `files`: what is there. `stamp`: of the packed file, with the text's
  /// size.
  [[nodiscard]] Result<std::optional<Position>> read_before_as_packed(
      int text, const Stamp& stamp, const std::vector<Sibling>& files) const;

  /// Whether the memory changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  void remember(Known known);
  void forget_missing(const std::vector<bool>& seen, const std::vector<std::uint64_t>& inodes);

  LogState& log_;
  std::vector<Known>& known_;
  Notices& notices_;
  bool changed_ = false;
};

}  // namespace caravel::tail
