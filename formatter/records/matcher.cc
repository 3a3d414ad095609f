#include "formatter/records/matcher.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/patterns/parsers.h"
#include "formatter/records/record_reader.h"

namespace caravel::formatter {

std::optional<std::uint32_t> Matcher::match(const char* begin, const char* end) {
  state_.at[0] = begin;
  // `failed` is the op that the kind before stopped at.
  std::size_t failed = 0;
  furthest_ = nullptr;
  const std::size_t count = format_.kinds.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Kind& kind = format_.kinds[i];
    // Ops before `shared` gave the same result for the kind before; so did one that failed there.
    // A kind that was skipped leaves `failed` as it is: its own ops up to there are the same ones.
    if (i > 0 && failed < kind.shared) continue;
    failed = kind.pattern.match(i > 0 ? kind.shared : 0, end, years_, state_);
    if (failed == Pattern::kMatched) return static_cast<std::uint32_t>(i);
    // The kind that came furthest is most likely the one that was meant; the first of equals.
    if (furthest_ == nullptr || state_.failed_at > furthest_) {
      furthest_ = state_.failed_at;
      wanted_ = state_.wanted;
      furthest_kind_ = i;
      furthest_op_ = failed;
    }
  }
  return std::nullopt;
}

std::string Matcher::reason(const char* line_begin) const {
  if (format_.kinds.empty()) return "the format has no record kinds";
  const Kind& kind = format_.kinds[furthest_kind_];
  return fmt::format("expected {} at byte {} ({})", kind.pattern.expectation(furthest_op_, wanted_),
                     furthest_ - line_begin, kind.name);
}

std::string_view trim_line(std::string_view line) {
  // One CR only: more of them are the line's own, and the row's digest is over the trimmed line.
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

bool takes_line(const Format& format, std::string_view line, const YearTable& years) {
  const std::string_view trimmed = trim_line(line);
  if (trimmed.empty()) return false;
  if (format.reader != Reader::pattern) return RecordReader::takes(format.reader, trimmed);
  // A copy, since `line` need not have anything behind it that may be read.
  std::string text(trimmed);
  // The parsers want a line's end, and readable bytes behind it.
  text.append(kReadableBehind + 1, '\n');
  Matcher matcher(format, years);
  return matcher.match(text.data(), text.data() + trimmed.size()).has_value();
}

}  // namespace caravel::formatter
