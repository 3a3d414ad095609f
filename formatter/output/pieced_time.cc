#include "formatter/output/pieced_time.h"

#include <fmt/format.h>

namespace caravel::formatter {
namespace {

void set_date(std::uint32_t packed, TimeParts& parts) {
  parts.year = static_cast<int>(packed_year(packed));
  parts.has_year = true;
  parts.month = packed_month(packed);
  parts.day = packed_day(packed);
  parts.day_of_year = 0;
}

/// Matching has read the capture already, so it cannot fail here.
void read_again(const TimeLayout& layout, const Capture& capture, TimeParts& parts) {
  const char* const end = layout.parse(capture.begin, parts);
  // A `z` that is the pattern's own literal is no zone.
  if (end != nullptr && end > capture.end) parts.has_offset = false;
  if (layout.has_date()) set_date(capture.number, parts);
}

}  // namespace

TimeParts parts_of(const TimeRule& rule, const MatchState& match) {
  TimeParts parts;
  for (const TimePiece& piece : rule.pieces) {
    const Capture& capture = match.captures[piece.capture];
    if (piece.packed_date) {
      set_date(capture.number, parts);
    } else {
      read_again(piece.layout, capture, parts);
    }
  }
  return parts;
}

bool was_skipped(const TimeRule& rule, const MatchState& match, std::string& reason) {
  const TimeParts parts = parts_of(rule, match);
  std::int64_t seconds = 0;
  if (place(parts, rule.zone, seconds) != Placed::skipped) return false;
  reason = skipped_reason(parts, rule.zone);
  return true;
}

std::string iso_text(const TimeLayout& layout, const Capture& capture) {
  TimeParts parts;
  read_again(layout, capture, parts);
  std::string text;
  append_iso_text(parts, text);
  return text;
}

}  // namespace caravel::formatter
