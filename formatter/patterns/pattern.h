// Line patterns: literals and typed captures, compiled to a flat program that one pass over the
// line runs.
//
// A pattern is text in which {name:type} or {type} stands for a value. A blank stands for one or
// more blanks or tabs if the format says `blanks: any`, else for itself; "{{" for a brace.
// docs/formats.md lists the types, capture_types.h has them.
//
//     {Time:time} {Date:month-day} {Vehicle:word} FOM:{int}
//        │
//        ▼  Pattern::compile, once a format
//     op 0  ───────────────── time       -> capture 0 "Time"
//     op 1  blanks ────────── month-day  -> capture 1 "Date"
//     op 2  blanks ────────── word       -> capture 2 "Vehicle"   (stop: a blank)
//     op 3  blanks, "FOM:" ── integer    -> capture 3 ""
//        │
//        ▼  Pattern::match, once a line and kind: op by op from left to right
//     09:48:00 03/09 V.1.2683 FOM:2      state.captures[i] points into the line
//     ↑        ↑     ↑        ↑          state.at[i] is where op i began
//
// match() never goes back: a text ends at the first place at which it can. Where that fails, and a
// text may end later too, later_ends.h tries.
//
// Kinds of a format mostly begin alike. shared_with() says how many leading ops two patterns have
// in common; the matcher then starts the second at that op, with the places and captures of the
// first.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/patterns/op.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

/// Where a match got to; reused from line to line and from kind to kind.
struct MatchState {
  std::array<Capture, kMaxCaptures> captures;
  std::array<const char*, kMaxOps + 1> at;  // where each op began, its blanks included
  // Where and why the last match failed:
  const char* failed_at = nullptr;
  enum class Wanted : std::uint8_t { blank, text, value } wanted = Wanted::value;
};

/// One compiled pattern. A constant once it is made: threads may share it.
class Pattern {
 public:
  /// A part of a pattern's text: the first byte, and how many there are.
  struct Piece {
    std::size_t at = 0;
    std::size_t bytes = 0;
  };

  /// Compiles `text`. Errors (kind usage) are sentences without place: the caller adds file, line
  /// and key, and `wrong`, if it is given, is the capture that is at fault, or the whole text.
  /// `zones` are the format's own.
  static Result<Pattern> compile(std::string_view text, bool any_blanks,
                                 const ZoneRules& zones = {}, Piece* wrong = nullptr);

  /// Runs the ops from `first` on at state.at[first]. The line must end with '\n' at `end`, with
  /// kReadableBehind. Returns the index of the op that did not match, ops().size() if text was left
  /// over (the place is in state.failed_at), or kMatched.
  [[nodiscard]] std::size_t match(std::size_t first, const char* end, const YearTable& years,
                                  MatchState& state) const;
  static constexpr std::size_t kMatched = ~std::size_t{0};

  [[nodiscard]] const std::vector<Op>& ops() const { return ops_; }
  /// Names of the captures by slot; "" for those that are only checked.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// The ops of type text that end before the line does, in order: their values may end at several
  /// places.
  [[nodiscard]] const std::vector<std::size_t>& texts() const { return texts_; }
  /// Whether there is such an op ahead of op `failed`.
  [[nodiscard]] bool has_text_before(std::size_t failed) const { return failed > first_text_; }
  /// The op that fills a slot.
  [[nodiscard]] const Op& op_of(std::size_t capture) const;
  /// How many leading ops this pattern shares with `other`, captures included.
  [[nodiscard]] std::size_t shared_with(const Pattern& other) const;
  /// What op `index` wanted, for people: `a blank`, `"FOM:"`, `a time HH:MM:SS`.
  [[nodiscard]] std::string expectation(std::size_t index, MatchState::Wanted wanted) const;

 private:
  /// Tells each value what ends it; an error if a value has no end. `pieces` are where the ops
  /// stand in the text, and `wrong` is set to that which is at fault.
  Result<> settle_ends(const std::vector<Piece>& pieces, Piece& wrong);
  /// A capture as the pattern has it, without its argument: "Lat:implied".
  [[nodiscard]] std::string label(const Op& op) const;

  std::vector<Op> ops_;
  std::vector<std::string> names_;
  std::vector<std::size_t> texts_;
  std::size_t first_text_ = kMatched;  // kMatched: there is none
};

}  // namespace caravel::formatter
