#include "formatter/quick/line_matcher.h"

#include <algorithm>
#include <cstring>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {
namespace {

/// A run that was met so often behind others moves one place ahead.
constexpr std::uint32_t kHitsToMove = 16;
/// So many misses of a step are each a chance to learn.
constexpr std::uint16_t kLearntAtOnce = 64;

/// The lowest bit that is set; 16 if none of the sixteen is.
[[gnu::always_inline]] inline std::size_t first_of(std::uint32_t bits) {
  return static_cast<std::size_t>(__builtin_ctz(bits | (kAllSixteen + 1)));
}
/// The same where one of them is.
[[gnu::always_inline]] inline std::size_t first_of_some(std::uint32_t bits) {
  return static_cast<std::size_t>(__builtin_ctz(bits));
}

/// Whether the first sixteen bytes of the run stand at `p`.
template <class Bytes>
[[gnu::always_inline]] inline bool begins_at(const MetRun& run, const char* p) {
  return (Bytes(p).same_as(run.bytes) | run.free[0]) == kAllSixteen;
}
/// Whether those behind them do too. If the first are the same, the line goes on for as long, since
/// no run holds a LF.
template <class Bytes>
[[gnu::always_inline]] inline bool goes_on_at(const MetRun& run, const char* p) {
  if (run.size <= 16) return true;
  if ((Bytes(p + 16).same_as(run.bytes + 16) | run.free[1]) != kAllSixteen) return false;
  return run.size <= 32 || (Bytes(p + 32).same_as(run.bytes + 32) | run.free[2]) == kAllSixteen;
}

// The values that have a quick way. Each gives the place behind the value, or nullptr if it is not
// sure that there is one: then the parsers of formatter/patterns are asked.

/// `kToBlank`: nothing but a blank, or the line's end, ends the word.
template <class Bytes, bool kToBlank>
[[gnu::always_inline]] inline const char* quick_word(const char* p, char stop, Capture& capture) {
  // Commas and quotes are rare: they stop the search as well, and the word ends further on.
  const char* end = p;
  std::uint32_t flags = 0;
  for (;;) {
    const Bytes bytes(end);
    const std::uint32_t ends = bytes.blank_or_quoting() | (kToBlank ? 0 : bytes.equal(stop));
    if (ends == 0) {
      end += 16;
      continue;
    }
    end += first_of_some(ends);
    if (*end == (kToBlank ? ' ' : stop)) [[likely]]
      break;
    if (ends_word(*end, ' ')) break;
    if (*end == ',' || *end == '"') {
      flags = kNeedsQuotes;
      ++end;
      continue;
    }
    // Other control characters end no word, but for the CR of a CR LF.
    if (*end == '\r' && end[1] == '\n') break;
    return nullptr;
  }
  if (end == p) return nullptr;
  capture = {p, end, flags};
  return end;
}

/// Up to 15 digits, more than `more_than` of them.
template <class Bytes>
[[gnu::always_inline]] inline const char* quick_number(const char* p, std::size_t more_than,
                                                       Capture& capture) {
  const char* digits = p;
  std::size_t count = first_of(Bytes(p).no_digits());
  if (count == 0 && *p == '-') {
    ++digits;
    count = first_of(Bytes(digits).no_digits());
  }
  // All sixteen are digits if one would have to look further.
  if (count - more_than - 1 >= 15 - more_than) return nullptr;
  capture = {p, digits + count, 0};
  return digits + count;
}

[[gnu::always_inline]] inline const char* quick_clock(const char* p, QuickStep& step,
                                                      Capture& capture) {
  if (load8(p) != step.last_clock) {
    if (parse_time(p, false, capture) == nullptr) return nullptr;
    step.last_clock = load8(p);
  }
  const bool fraction = step.may_have_fraction && (p[8] == '.' || p[8] == ',') && is_digit(p[9]);
  const char* const end = fraction ? skip_digits(p + 9) : p + 8;
  // A comma before the fraction must be quoted in CSV.
  capture = {p, end, fraction && p[8] == ',' ? kNeedsQuotes : 0};
  return end;
}

template <class Bytes>
[[gnu::always_inline]] inline const char* quick_quoted(const char* p, Capture& capture) {
  if (*p != '"') return nullptr;
  const char* end = p + 1;
  std::uint32_t flags = 0;
  for (;; end += 16) {
    const std::uint32_t ends = Bytes(end).control_or('"', '\\', ',');
    if (ends == 0) continue;
    end += first_of_some(ends);
    if (*end == '"') [[likely]]
      break;
    if (*end != ',') return nullptr;
    // There may be more commas, which tell nothing new.
    flags = kNeedsQuotes;
    std::uint32_t others = Bytes(end).control_or('"', '\\', '"');
    for (; others == 0; others = Bytes(end).control_or('"', '\\', '"')) end += 16;
    end += first_of_some(others);
    if (*end != '"') return nullptr;
    break;
  }
  capture = {p + 1, end, flags};
  return end + 1;
}

template <class Bytes>
[[gnu::always_inline]] inline const char* quick_text(const char* p, const QuickStep& step,
                                                     Capture& capture) {
  if (step.blanks_are_open && is_blank(*p)) return nullptr;
  const char* end = p;
  std::uint32_t flags = 0;
  for (;;) {
    const std::uint32_t ends = Bytes(end).control_or(step.stop, ',', '"');
    if (ends == 0) {
      end += 16;
      continue;
    }
    end += first_of_some(ends);
    if (*end == step.stop) {
      if (!step.op->ends_at_text || ends_text(end, *step.op)) break;
      if (*end == ',' || *end == '"') flags = kNeedsQuotes;
    } else if (*end == ',' || *end == '"') {
      flags = kNeedsQuotes;
    } else {
      return nullptr;
    }
    ++end;
  }
  capture = {p, end, flags};
  return end;
}

template <class Bytes>
[[gnu::always_inline]] inline const char* quick_rest(const char* p, const QuickStep& step,
                                                     Capture& capture) {
  if (step.blanks_are_open && is_blank(*p)) return nullptr;
  const char* end = p;
  std::uint32_t flags = 0;
  for (;;) {
    const std::uint32_t ends = Bytes(end).control_or('\n', ',', '"');
    if (ends == 0) {
      end += 16;
      continue;
    }
    end += first_of_some(ends);
    if (*end == '\n' || (*end == '\r' && end[1] == '\n')) break;
    if (*end != ',' && *end != '"') return nullptr;
    flags = kNeedsQuotes;
    ++end;
  }
  capture = {p, end, flags};
  return end;
}

template <class Bytes>
[[gnu::always_inline]] inline const char* quick_value(QuickStep& step, const char* p,
                                                      Capture& capture) {
  switch (step.value) {
    case QuickValue::end:
      return p;
    case QuickValue::word:
      return quick_word<Bytes, true>(p, ' ', capture);
    case QuickValue::word_up_to:
      return quick_word<Bytes, false>(p, step.stop, capture);
    case QuickValue::integer:
      return quick_number<Bytes>(p, 0, capture);
    case QuickValue::implied:
      return quick_number<Bytes>(p, step.whole, capture);
    case QuickValue::clock:
      return quick_clock(p, step, capture);
    case QuickValue::quoted:
      return quick_quoted<Bytes>(p, capture);
    case QuickValue::text:
      return quick_text<Bytes>(p, step, capture);
    case QuickValue::rest:
      return quick_rest<Bytes>(p, step, capture);
    case QuickValue::other:
      return nullptr;
  }
  __builtin_unreachable();
}

}  // namespace

LineMatcher::LineMatcher(const Format& format, const YearTable& years, QuickProgram program)
    : format_(format), years_(years), program_(std::move(program)) {
  for (QuickStep& step : program_.steps) step.to = &state_.captures[step.capture];
}

template <class Bytes>
bool LineMatcher::match(const char* line) {
  // A text would take blanks that do not belong to the line.
  if (is_blank(*line)) return false;
  QuickStep* const steps = program_.steps.data();
  QuickStep* step = steps;
  const char** began = began_.data();
  const char* p = line;
  // What the parsers said of a line that has blanks or a CR at its end may not hold for the trimmed
  // one, which they are meant to see.
  bool was_asked = false;
  for (;;) {
    *began = p;
    const MetRun* run = step->runs;
    const char* next = nullptr;
    if (!begins_at<Bytes>(*run, p) || (run->has_more && !take_more<Bytes>(*run, p))) [[unlikely]]
      run = find_run<Bytes>(*step, p);
    if (run != nullptr) [[likely]]
      next = quick_value<Bytes>(*step, p + run->size, *step->to);
    if (next == nullptr) [[unlikely]] {
      was_asked = true;
      next = by_reference(*step, p);
    }
    if (step->value == QuickValue::end && next != nullptr) {
      // The trimmed line ends with no blank.
      const bool is_whole = next > line && next[-1] > ' ';
      if (is_whole && (*next == '\n' || (*next == '\r' && next[1] == '\n' && !was_asked))) {
        kind_ = step->kind;
        end_ = next;
        return true;
      }
      if (is_blank(*next) || *next == '\r' || *next == '\n') return false;
      next = nullptr;  // text is left over
      failed_ = step->value_op;
    }
    if (next != nullptr) [[likely]] {
      p = next;
      ++step;
      ++began;
      continue;
    }
    const std::uint16_t other = step->on_failure[failed_ - step->first_op];
    if (other >= QuickStep::kUnsure) return false;
    was_asked = true;
    step = steps + other;
    began = began_.data() + step->index;
    p = *began;
  }
}

template bool LineMatcher::match<SixteenBytes>(const char* line);
#if defined(__SSE2__)
template bool LineMatcher::match<PortableSixteenBytes>(const char* line);
#endif

template <class Bytes>
inline bool LineMatcher::take_more(const MetRun& run, const char* p) {
  if (!goes_on_at<Bytes>(run, p)) return false;
  for (unsigned i = 0; i < run.captures; ++i) {
    const MetRun::Captured& captured = run.captured[i];
    state_.captures[captured.slot] = {p + captured.begin, p + captured.end, captured.number};
  }
  return true;
}

template <class Bytes>
const MetRun* LineMatcher::find_run(QuickStep& step, const char* p) {
  for (std::size_t i = 1; i < QuickStep::kMostMet; ++i) {
    MetRun& run = step.runs[i];
    if (!begins_at<Bytes>(run, p) || (run.has_more && !take_more<Bytes>(run, p))) continue;
    // Those that are met more often move ahead.
    if (++run.hits <= kHitsToMove) return &run;
    run.hits = 0;
    std::swap(run, step.runs[i - 1]);
    return &step.runs[i - 1];
  }
  return nullptr;
}

const char* LineMatcher::behind_literal(const Op& op, const char* p) {
  if (op.blanks_before) {
    if (!is_blank(*p)) return nullptr;
    do ++p;
    while (is_blank(*p));
  }
  if (op.text.size() > 0 && !op.text.stands_at(p)) return nullptr;
  return p + op.text.size();
}

const char* LineMatcher::behind_value(const Op& op, const char* p) {
  return parse(op, p, years_, state_.captures[op.capture]);
}

const char* LineMatcher::by_reference(QuickStep& step, const char* p) {
  constexpr std::ptrdiff_t kMostBytes = MetRun::kMostBytes;
  const Op* const ops = format_.kinds[step.kind].pattern.ops().data();
  const char* const begin = p;
  MetRun::Captured captured[MetRun::kMostCaptures];
  std::uint8_t captures = 0;
  bool fits = true;
  for (failed_ = step.first_op; failed_ < step.value_op; ++failed_) {
    const Op& op = ops[failed_];
    p = behind_literal(op, p);
    if (p == nullptr) return nullptr;
    if (op.type == CaptureType::literal) continue;
    p = behind_value(op, p);
    if (p == nullptr) return nullptr;
    if (!program_.is_needed(op.capture)) continue;
    fits = fits && captures < MetRun::kMostCaptures && p - begin <= kMostBytes;
    if (!fits) continue;
    const Capture& capture = state_.captures[op.capture];
    captured[captures++] = {op.capture, static_cast<std::uint8_t>(capture.begin - begin),
                            static_cast<std::uint8_t>(capture.end - begin), capture.number};
  }
  if (step.op != nullptr) p = behind_literal(*step.op, p);
  if (p == nullptr) return nullptr;
  // The first runs are learnt at once, later ones need not be learnt at each chance.
  if (fits && p - begin <= kMostBytes && (step.misses++ < kLearntAtOnce || step.misses % 4 == 0)) {
    learn(step, {begin, static_cast<std::size_t>(p - begin)}, {captured, captures});
  }
  return step.op != nullptr ? behind_value(*step.op, p) : p;
}

void LineMatcher::learn(QuickStep& step, std::string_view text,
                        std::span<const MetRun::Captured> captured) {
  const auto is_it = [&](const MetRun& met) {
    return met.free[0] != MetRun::kNever && std::string_view(met.bytes, met.size) == text;
  };
  // It stood there, and the value behind it was not plain.
  if (std::any_of(std::begin(step.runs), std::end(step.runs), is_it)) return;
  MetRun run;
  text.copy(run.bytes, text.size());
  run.size = static_cast<std::uint8_t>(text.size());
  run.has_more = text.size() > 16 || !captured.empty();
  std::copy(captured.begin(), captured.end(), run.captured);
  run.captures = static_cast<std::uint8_t>(captured.size());
  for (std::size_t i = 0; i < std::size(run.free); ++i) {
    const std::size_t used = std::min<std::size_t>(text.size() - std::min(text.size(), 16 * i), 16);
    run.free[i] = kAllSixteen & ~((std::uint32_t{1} << used) - 1);
  }
  const auto is_free = [](const MetRun& met) { return met.free[0] == MetRun::kNever; };
  auto* place = std::find_if(std::begin(step.runs), std::end(step.runs), is_free);
  if (place == std::end(step.runs)) {
    // Only what comes twice in a row drives another one out: text that is never the same again is
    // not worth it.
    if (!is_it(step.missed)) {
      step.missed = run;
      return;
    }
    --place;
  }
  *place = run;
}

}  // namespace caravel::formatter
