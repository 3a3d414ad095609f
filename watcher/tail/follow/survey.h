// What lies beside a log, compared with what is remembered of it.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/notices.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

struct Unread {
  Sibling file;
  Position start;  // bytes before it were read, from this file or from one that it is a copy of
  bool rewritten = false;  // it was read once, and is another text by now: its birth tells nothing
};

struct Survey {
  std::vector<Unread> grown;  // read to the end once; a writer went on in them
  std::vector<Unread> fresh;  // never read; oldest first, the log itself last
  /// A rotated file that was never read is among `fresh`.
  [[nodiscard]] bool rotated() const {
    return !fresh.empty() && !fresh.front().file.rotation.empty();
  }
};

/// A survey, and what the memory is to learn from it.
struct Comparison {
  Survey survey;
  std::vector<bool> seen;         // for each known file of the memory: whether it is there
  std::vector<Known> recognized;  // need not be read: copies of what was read, compressed files
  std::vector<std::string> lost;  // which lines nobody can read: for people
};

/// Compares `files` (the log itself last, if it is there) with what `log` remembers; those that are
/// being read (`left_out`) aside. Costs a stat(2) of each file (the caller had it), and a look into
/// those that changed. A rotated file that must not be read is reported and passed over; a
/// compressed one that was never read is reported.
[[nodiscard]] Result<Comparison> compare(const LogState& log, const std::vector<Sibling>& files,
                                         const std::vector<Position>& left_out, Notices& notices);

/// Whether `error` says that a right is missing: then a message says so, and the log does not wait
/// for this file.
[[nodiscard]] bool passed_over(const Sibling& file, const Error& error, Notices& notices);

}  // namespace caravel::tail
