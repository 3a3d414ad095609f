// In which order a log's rotated files were written. A wrong order loses nothing: it only mixes
// lines.
//
// Dates ascend: the larger one is newer. Counts descend where logrotate renames all files at each
// rotation (app.log.1 is the newest), ascend where a program counts upwards, and turn around where
// a program writes over its oldest file (rotatelogs -n). The names do not say which: what was read
// before, births and renames do. Names that are mixed are ordered by mtime.
#pragma once

#include <vector>

#include "watcher/tail/names/siblings.h"

namespace caravel::tail {

/// How numbers stand for the order of writing.
enum class Numbers {
  descend,  // the highest is the oldest
  ascend,
  turn,  // they ascend, but the program began again at its first number: the times tell
};

/// As judged by `files`, all of them newer than `read`, which was read after `before` (either may
/// be null); else by the births, or by the times of their last change (a rename is one).
[[nodiscard]] Numbers numbers_of(const std::vector<Sibling>& files, const Sibling* read,
                                 const Sibling* before);

/// Sorts oldest first: by number or by date, if the names all have such, else by mtime.
void sort_siblings(std::vector<Sibling>& siblings, Numbers numbers);

/// Sorts oldest first: as above, if the names tell an order; else by the last writes, or by the
/// births if a clock was set.
void sort_by_writing(std::vector<Sibling>& siblings, const Sibling* read, const Sibling* before);

}  // namespace caravel::tail
