// Where the values of lines end, sixteen bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/patterns/capture_types.h"
#include "formatter/quick/program.h"

namespace caravel::formatter {

/// The lowest bit that is set; one is.
[[gnu::always_inline]] inline std::size_t first_of_some(std::uint32_t bits) {
  return static_cast<unsigned>(__builtin_ctz(bits));
}

// The values that have a quick way. Each gives the place behind the value, or nullptr if it is not
// sure that there is one: then the parsers of formatter/patterns are asked.

/// `kToBlank`: nothing but a blank, or the line's end, ends the word.
template <class Bytes, bool kToBlank>
[[gnu::always_inline]] inline const char* quick_word(const char* p, char stop, Capture& capture) {
  // Commas, quotes and their neighbours are rare: they stop the search as well, and the word ends
  // further on.
  const char* end = p;
  std::uint32_t flags = 0;
  for (;;) {
    const Bytes bytes(end);
    const std::uint32_t ends = bytes.up_to_comma() | (kToBlank ? 0 : bytes.equal(stop));
    if (ends == 0) {
      end += 16;
      continue;
    }
    end += first_of_some(ends);
    if (*end == (kToBlank ? ' ' : stop)) [[likely]]
      break;
    if (ends_word(*end, ' ')) break;
    if (*end > ' ') {
      if (*end == ',' || *end == '"') flags = kNeedsQuotes;
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

/// Up to 14 digits, more than `whole` of them.
template <class Bytes>
[[gnu::always_inline]] inline const char* quick_number(const char* p, std::size_t whole,
                                                       Capture& capture) {
  std::uint32_t ends = Bytes(p).no_digits();
  if ((ends & 1) != 0) {
    if (*p != '-') return nullptr;
    ends ^= 1;
    ++whole;
  }
  // If all are digits, one would have to look further.
  if (ends == 0) return nullptr;
  const std::size_t count = first_of_some(ends);
  if (count <= whole) return nullptr;
  capture = {p, p + count, 0};
  return p + count;
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
    const std::uint32_t ends = Bytes(end).control_or_quote_or('\\', ',');
    if (ends == 0) continue;
    end += first_of_some(ends);
    if (*end == '"') [[likely]]
      break;
    if (*end != ',') return nullptr;
    // There may be more commas, which tell nothing new.
    flags = kQuotesAround;
    std::uint32_t others = Bytes(end).control_or_quote_or('\\', '\\');
    for (; others == 0; others = Bytes(end).control_or_quote_or('\\', '\\')) end += 16;
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
    const std::uint32_t ends = Bytes(end).control_or_quote_or(step.stop, ',');
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
    const std::uint32_t ends = Bytes(end).control_or_quote_or(',', ',');
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
  // Most values are numbers or words: to ask for these is quicker than a table of jumps.
  if (step.value == QuickValue::number) return quick_number<Bytes>(p, step.whole, capture);
  if (step.value == QuickValue::word) return quick_word<Bytes, true>(p, ' ', capture);
  switch (step.value) {
    case QuickValue::end:
      return p;
    case QuickValue::number:
    case QuickValue::word:
      break;
    case QuickValue::word_up_to:
      return quick_word<Bytes, false>(p, step.stop, capture);
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

}  // namespace caravel::formatter
