// What a process that waits need not keep in memory.
#pragma once

namespace caravel {

/// Gives back free heap, and the pages of code and constants that were read from the program's and
/// its libraries' files: most of them were of use at the start only, or are not until the next
/// request. Whatever is needed again comes from the page cache. Costs less than a millisecond.
void give_back_idle_memory();

}  // namespace caravel
