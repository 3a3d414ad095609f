// Which files beside a log need not be read, because they were, and which are to be read next.
// What was read is remembered, not inferred from names or clocks: these only order what is unread.
#pragma once

#include <utility>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/siblings.h"
#include "watcher/tail/state/notices.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

struct Unread {
  Sibling file;
  Position start;  // bytes before it were read, from this file or from one that it is a copy of
};

struct Survey {
  std::vector<Unread> grown;  // read to the end once; a writer went on in them
  std::vector<Unread> fresh;  // never read; oldest first, the log itself last
  /// A rotated file that was never read is among `fresh`.
  [[nodiscard]] bool rotated() const {
    return !fresh.empty() && !fresh.front().file.rotation.empty();
  }
};

/// One log's memory. `known` outlives this and is changed by it.
class KnownFiles {
 public:
  KnownFiles(std::vector<Known>& known, Notices& notices) : known_(known), notices_(notices) {}

  /// `size`: of the file at `position`, the unfinished last line included.
  void remember(const Position& position, std::uint64_t size, bool read);
  void remember(Known known);
  /// Lies there before the log was first looked at; never read, whatever becomes of it.
  void remember_there(const Sibling& file);

  /// Compares `files` with the memory, those that are being read (`left_out`) aside. Costs a
  /// stat(2) of each file (the caller had it), and a look into those that changed. With `forget`,
  /// files that were gone in two such looks are forgotten (one may be missed while it is renamed).
  /// A rotated file that must not be read is reported and passed over until it may.
  [[nodiscard]] Result<Survey> survey(const std::vector<Sibling>& files,
                                      const std::vector<Position>& left_out, bool forget);

  /// Whether `error` is a missing right: then it is said, and the log does not wait for this file.
  [[nodiscard]] bool pass_over(const Sibling& file, const Error& error);

  /// Whether `file` is one of these, by its identity alone.
  [[nodiscard]] bool holds_id(const FileId& id) const;

  /// How far `file` was read; nothing if it never was, or is not what it was.
  [[nodiscard]] std::optional<Position> position_of(const Sibling& file) const;

  /// Whether the memory changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  [[nodiscard]] Result<bool> still(const Sibling& file, const Known& known, Position& start) const;
  [[nodiscard]] Result<bool> is_copy(int fd, const Unread& fresh,
                                     const std::vector<const Sibling*>& there,
                                     Position& start) const;
  [[nodiscard]] bool packed_unread(const Sibling& file, const std::vector<const Sibling*>& there,
                                   const std::vector<Position>& being_read) const;

  std::vector<Known>& known_;
  Notices& notices_;
  bool changed_ = false;
};

}  // namespace caravel::tail
