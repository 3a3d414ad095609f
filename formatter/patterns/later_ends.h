// A text may hold the literal that ends it: a user's name may be `x [y`, and the pattern
// `{User:text} [{Day:date}]`. Pattern::match() ends a text where its literal first stands. If what
// follows does not match there, the next place is tried, here:
//
//     {User:text} [{Day:date}] {Code:int}
//
//     - x [y [2012-03-09] 7
//         ↑                    first end: "y" is no date
//            ↑                 the next one: it matches
//
// So a text is the shortest one with which the whole line matches, and of several texts the last
// one grows first. That is what `.*?` does in regular expressions, but it is bounded here, because
// strangers write the lines:
//
// - Whether what follows a text matches depends only on where the text ends. An end that has failed
//   is not tried again, whatever the texts before it are, so there is one try for each text and
//   each place of its literal at most, and not one for each combination.
// - All tries together may read kMostReads times the line. Only a line that was made for it needs
//   more, and it is then a reject.
#pragma once

#include <cstddef>

#include "formatter/patterns/pattern.h"

namespace caravel::formatter {

/// How often a line may be read again for one kind.
inline constexpr std::ptrdiff_t kMostReads = 64;

/// What the tries of one line came to.
struct LaterEnds {
  bool matched = false;  // then the state is that of the match
  bool gave_up = false;  // kMostReads
  /// The try that came furthest: the op that failed, and where and what it wanted.
  std::size_t op = 0;
  const char* failed_at = nullptr;
  MatchState::Wanted wanted = MatchState::Wanted::value;
  std::size_t tries = 0;
  std::ptrdiff_t bytes_read = 0;  // by all tries that failed, about
};

/// Whether a text ahead of op `failed` may end later than Pattern::match() had it in `state`.
[[nodiscard]] bool may_end_later(const Pattern& pattern, std::size_t failed,
                                 const MatchState& state, const char* end);

/// Tries all later ends, where Pattern::match() returned `failed` and left `state`. The line begins
/// at state.at[0]; all else is as for Pattern::match().
[[nodiscard]] LaterEnds match_with_later_ends(const Pattern& pattern, std::size_t failed,
                                              const char* end, const YearTable& years,
                                              MatchState& state);

}  // namespace caravel::formatter
