// A format's patterns, lowered for formatter/quick: to steps that know what stood there last time.
//
// The ops of a pattern whose text is nearly always the same (literals, options, brackets, dates,
// offsets) make a *run* with the literal ahead of the next value. Of each run a few texts are
// remembered, as they were met, blanks included:
//
//     … Lat/Lon:{Lat:implied(2)}/{Lon:implied(2)} {Valid:bracketed(Valid=V,*=I)} Adher:{int} …
//
//     step 4   run of "MT_LOCATION", "Lat/Lon:"     value: implied     met: "  MT_LOCATION
//     Lat/Lon:" step 5   run of "/"                           value: implied     met: "/" step 6
//     run of bracketed, "Adher:"           value: integer     met: " [Valid]  Adher:"
//                                                                           " [Stale]  Adher:"
//
// What a run's text means (which option, which date) is remembered with it. That is sound, because
// the ops of a run look at no byte behind the run: see is_fixed().
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// What stands behind a run.
enum class QuickValue : std::uint8_t {
  end,         // nothing: the line ends here
  word,        // up to a blank. Of the capture types, those that have a quick way of their own…
  word_up_to,  // another byte
  integer,
  implied,
  clock,
  quoted,
  text,
  rest,
  other,  // … and all that have none
};

/// The text of a run, as it was met.
struct alignas(16) MetRun {
  static constexpr std::size_t kMostBytes = 48;
  static constexpr std::size_t kMostCaptures = 3;
  struct Captured {
    std::uint8_t slot = 0;
    std::uint8_t begin = 0;  // in `bytes`
    std::uint8_t end = 0;
    std::uint32_t number = 0;
  };
  char bytes[kMostBytes] = {};
  /// For each sixteen of the bytes, the bits of those that do not count. Of a run that was never
  /// met kNever, with which no comparison comes out right.
  std::uint32_t free[kMostBytes / 16] = {kNever};
  static constexpr std::uint32_t kNever = 0x10000;
  std::uint8_t size = 0;
  bool has_more = false;  // more than sixteen bytes, or captures
  std::uint8_t captures = 0;
  std::uint32_t hits = 0;  // of those that are not the first of their step
  Captured captured[kMostCaptures] = {};
};

/// A run and the value behind it.
struct QuickStep {
  static constexpr std::size_t kMostMet = 4;
  static constexpr std::uint16_t kNone = 0xffff;    // no kind is left: the line is a reject
  static constexpr std::uint16_t kUnsure = 0xfffe;  // a text ahead of it may end later

  QuickValue value = QuickValue::end;
  char stop = '\n';
  std::uint8_t whole = 0;          // of implied: the digits ahead of the point
  std::uint8_t capture = 0;        // the slot that the value goes to…
  bool may_have_fraction = false;  // of clock
  bool blanks_are_open = false;    // more blanks than were met may stand ahead of the value
  std::uint16_t index = 0;         // among the steps of its kind
  std::uint16_t kind = 0;
  std::uint16_t first_op = 0;  // of the run…
  std::uint16_t value_op = 0;  // … up to here; the number of ops: the line's end
  std::uint16_t misses = 0;
  std::uint64_t last_clock = 0;  // eight bytes that are a time of day
  Capture* to = nullptr;         // … once the matcher has said where its slots are
  const Op* op = nullptr;        // of the value
  MetRun runs[kMostMet];         // those that were met most often first
  MetRun missed;                 // met once, or not twice in a row
  /// For each op of the run and that of the value: the step of another kind that goes on, if this
  /// op fails, where that step's namesake of this kind began.
  std::vector<std::uint16_t> on_failure;
};

/// The steps of all kinds. Belongs to one run over one extract, since it learns.
struct QuickProgram {
  std::vector<QuickStep> steps;
  std::uint64_t needed = 0;  // a bit for each slot of which anything is written or asked

  [[nodiscard]] bool is_needed(std::uint8_t slot) const { return ((needed >> slot) & 1) != 0; }

  /// Nothing for a format that has no patterns.
  static std::optional<QuickProgram> lower(const Format& format);
};

/// Whether op `index` belongs to a run: whether its value is mostly the same from line to line, and
/// told by its own bytes and the first byte of what follows.
[[nodiscard]] bool is_fixed(const std::vector<Op>& ops, std::size_t index);

}  // namespace caravel::formatter
