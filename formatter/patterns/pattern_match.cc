// Pattern::match, the hot loop of the formatter.
#include "formatter/patterns/captures.h"
#include "formatter/patterns/pattern.h"

namespace caravel::formatter {
namespace {

/// The place behind the value that `op` wants at `p`, or nullptr.
inline const char* parse(const Op& op, const char* p, const YearTable& years, Capture& capture) {
  switch (op.code) {
    case OpCode::literal:
      return p;
    case OpCode::word:
      return parse_word(p, op.stop, capture);
    case OpCode::field:
      return parse_field(p, op.stop, op.arg != 0, capture);
    case OpCode::text:
      return parse_text(p, op.stop, capture);
    case OpCode::rest:
      return parse_text(p, '\n', capture);
    case OpCode::quoted:
      return parse_quoted(p, capture);
    case OpCode::bracketed:
      return parse_bracketed(p, op, capture);
    case OpCode::choice:
      return parse_choice(p, op, capture);
    case OpCode::integer:
      return parse_integer(p, capture);
    case OpCode::implied:
      return parse_implied(p, op.arg, capture);
    case OpCode::decimal:
      return parse_decimal(p, op.arg, capture);
    case OpCode::epoch:
      return parse_epoch(p, op.arg != 0, capture);
    case OpCode::time:
      return parse_time(p, op.arg != 0, capture);
    case OpCode::month_day:
      return parse_month_day(p, years, capture);
    case OpCode::date:
      return parse_date(p, op.layout, capture);
    case OpCode::timestamp:
      return parse_timestamp(p, capture);
    case OpCode::offset: {
      int minutes;
      const char* const end = parse_offset(p, minutes);
      capture = {p, end, 0};
      return end;
    }
    case OpCode::ip:
      return parse_ip(p, op.stop, capture);
  }
  return nullptr;
}

}  // namespace

std::size_t Pattern::match(std::size_t first, const char* end, const YearTable& years,
                           MatchState& state) const {
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
    const char* const next = parse(op, p, years, state.captures[op.capture]);
    if (next == nullptr) return fail_at(p, i, Wanted::value);
    p = next;
  }
  state.at[count] = p;
  return p == end ? kMatched : fail_at(p, count, Wanted::value);
}

}  // namespace caravel::formatter
