// What the program says when an exception has reached nobody.
#pragma once

#include <cstddef>
#include <string_view>

namespace caravel {

/// Exit code of a program that an exception ended: the same as for any other failure. Nothing is
/// lost by it: what was in work is taken up by the next start, as after kill -9.
inline constexpr int kExitOfException = 1;

/// What is said when memory has run out.
inline constexpr std::string_view kOutOfMemory =
    "out of memory: a limit of the service or of the shell (LimitAS=, ulimit -v) is too low, or "
    "the "
    "machine has no more";

/// The most bytes of what an exception says that are shown.
inline constexpr std::size_t kMostLastWords = 500;

/// From here on an exception that nobody catches ends the program with one line on stderr,
/// "PROGRAM: ended by an exception: WHAT", and exit code kExitOfException, in whichever thread it
/// was thrown. `program` must outlive the program's end: a literal.
void install_last_words(const char* program);

/// Writes "PROGRAM: WHAT" and a line end on stderr, without allocating: memory may have run out.
/// Control characters in `what` are shown as '?', and at most kMostLastWords bytes of it.
void say_last_words(std::string_view program, std::string_view what) noexcept;

/// What the exception says that is being handled at the moment; only inside a catch block, or in a
/// terminate handler. The text is kept in `buffer`, which must hold at least one byte.
[[nodiscard]] std::string_view words_of_exception(char* buffer, std::size_t size) noexcept;

}  // namespace caravel
