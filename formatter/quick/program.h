// A format's patterns, lowered for formatter/quick: to steps that know what stood there last time.
//
// The ops of a pattern whose text is nearly always the same (literals, options, brackets, dates,
// offsets) make a *run* with the literal ahead of the next value. Of each run a few texts are
// remembered, as they were met, blanks included:
//
//     … Lat/Lon:{Lat:implied(2)}/{Lon:implied(2)} {Valid:bracketed(Valid=V,*=I)} Adher:{int} …
//
//     step 4   run: "MT_LOCATION", "Lat/Lon:"     met: "  MT_LOCATION    Lat/Lon:"
//              value: number
//     step 5   run: "/"                           met: "/"
//              value: number
//     step 6   run: bracketed, "Adher:"           met: " [Valid]  Adher:", " [Stale]  Adher:"
//              value: number
//
// A run may lead to a step of another kind: of " MT_TIMEPOINTCROSSING Time:", met where step 4
// began, it is known that neither kind of locations goes on there.
//
// What a run's text means (which option, which date) is remembered with it. That is sound, because
// the ops of a run look at no byte behind the run: see is_fixed().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// What stands behind a run.
enum class QuickValue : std::uint8_t {
  end,         // nothing: the line ends here
  word,        // up to a blank. Of the capture types, those that have a quick way of their own…
  word_up_to,  // another byte
  number,
  clock,
  quoted,
  text,
  rest,
  other,  // … and all that have none
};

/// Of the number of a text that needs quotes, and holds none itself.
inline constexpr std::uint32_t kQuotesAround = kNeedsQuotes | 0x10;

/// The text of a run, as it was met.
struct alignas(16) MetRun {
  static constexpr std::size_t kMostBytes = 48;
  static constexpr std::size_t kMostCaptures = 3;
  struct Captured {
    Capture* to = nullptr;   // behind the last one: nullptr
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
  /// Where the line goes on: the step whose value stands behind the run. It may be that of another
  /// kind, if this text proves that all kinds ahead of that fail here. Then it is never the first.
  std::uint16_t step = 0;
  std::uint32_t hits = 0;  // of those that are not the first of their step
  Captured captured[kMostCaptures + 1] = {};

  [[nodiscard]] bool is_met() const { return free[0] != kNever; }
  [[nodiscard]] std::string_view text() const { return {bytes, size}; }

  /// Never met.
  MetRun() = default;
  /// Of kMostBytes and kMostCaptures at most.
  MetRun(std::string_view text, std::span<const Captured> captures, std::uint16_t its_step);
};

/// A run and the value behind it.
struct QuickStep {
  static constexpr std::size_t kMostMet = 6;
  static constexpr std::uint16_t kNone = 0xffff;    // no kind is left: the line is a reject
  static constexpr std::uint16_t kUnsure = 0xfffe;  // a text ahead of it may end later

  QuickValue value = QuickValue::end;
  char stop = '\n';
  std::uint8_t whole = 0;          // of a number: it has more digits
  std::uint8_t capture = 0;        // the slot that the value goes to…
  bool may_have_fraction = false;  // of clock
  bool blanks_are_open = false;    // more blanks than were met may stand ahead of the value
  std::uint16_t number = 0;        // among all steps…
  std::uint16_t index = 0;         // … and among those of its kind
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

  /// Keeps the run for the lines to come, if it is worth it.
  void learn(const MetRun& run);
};

/// The steps of all kinds. Belongs to one run over one extract, since it learns.
struct QuickProgram {
  std::vector<QuickStep> steps;
  std::uint64_t needed = 0;  // a bit for each slot of which anything is written or asked
  /// Whether a line means the same if there is one blank in the place of several, or of a tab: no
  /// value or literal of the format holds any.
  bool blanks_are_free = false;

  [[nodiscard]] bool is_needed(std::uint8_t slot) const { return ((needed >> slot) & 1) != 0; }

  /// Nothing for a format that has no patterns.
  static std::optional<QuickProgram> lower(const Format& format);
};

/// Whether op `index` belongs to a run: whether its value is mostly the same from line to line, and
/// told by its own bytes and the first byte of what follows.
[[nodiscard]] bool is_fixed(const std::vector<Op>& ops, std::size_t index);

}  // namespace caravel::formatter
