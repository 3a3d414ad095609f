// Pattern::match, the hot loop of the formatter: more than half of all its time is spent here. It
// has a file of its own so that nothing else makes the compiler inline the parsers less.
#include "formatter/patterns/capture_types.h"
#include "formatter/patterns/pattern.h"

namespace caravel::formatter {

std::size_t Pattern::match(std::size_t first, const char* end, const YearTable& years,
                           MatchState& state) const {
  // For `first` > 0 the ops before it have matched for an earlier kind, and their captures stand.
  const char* p = state.at[first];
  using Wanted = MatchState::Wanted;
  const auto fail_at = [&](const char* place, std::size_t index, Wanted wanted) {
    state.failed_at = place;
    state.wanted = wanted;
    return index;
  };
  const Op* const ops = ops_.data();
  const std::size_t count = ops_.size();
  for (std::size_t i = first; i < count; ++i) {
    const Op& op = ops[i];
    // Kept for the next kind: if it shares the ops before this one, its match begins here.
    state.at[i] = p;
    if (op.blanks_before) {
      if (!is_blank(*p)) return fail_at(p, i, Wanted::blank);
      do ++p;
      while (is_blank(*p));
    }
    if (op.text.size() > 0) {
      if (!op.text.stands_at(p)) return fail_at(p, i, Wanted::text);
      p += op.text.size();
    }
    // A literal has slot 0 and writes nothing into it.
    const char* const next = parse(op, p, years, state.captures[op.capture]);
    if (next == nullptr) return fail_at(p, i, Wanted::value);
    p = next;
  }
  state.at[count] = p;
  // A pattern has to take the whole line. What is left over is told as the op behind the last one.
  return p == end ? kMatched : fail_at(p, count, Wanted::value);
}

}  // namespace caravel::formatter
