#include "formatter/records/matcher.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "formatter/patterns/later_ends.h"
#include "formatter/patterns/parsers.h"
#include "formatter/records/record_reader.h"

namespace caravel::formatter {

std::optional<std::uint32_t> Matcher::match(const char* begin, const char* end) {
  state_.at[0] = begin;
  // `failed` is the op that the kind before stopped at.
  std::size_t failed = 0;
  furthest_.at = nullptr;
  const std::size_t count = format_.kinds.size();
  const Kind* next = format_.kinds.data();
  for (std::size_t i = 0; i < count; ++i) {
    const Kind& kind = *next++;
    // Ops before `shared` gave the same result for the kind before; so did one that failed there.
    // A kind that is not run leaves `failed` as it is: its own ops up to there are the same ones.
    // The first kind shares nothing.
    if (failed >= kind.shared) {
      failed = kind.pattern.match(kind.shared, end, years_, state_);
      if (failed == Pattern::kMatched) return static_cast<std::uint32_t>(i);
      // The kind that came furthest is most likely the one that was meant; the first of equals.
      if (std::greater<>()(state_.failed_at, furthest_.at)) {
        furthest_ = {state_.failed_at, state_.wanted, i, failed, false};
      }
    }
    if (kind.pattern.has_text_before(failed) && match_later(i, failed, end)) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return std::nullopt;
}

bool Matcher::match_later(std::size_t index, std::size_t failed, const char* end) {
  const Pattern& pattern = format_.kinds[index].pattern;
  if (!may_end_later(pattern, failed, state_, end)) return false;
  // On a copy: what the next kind shares with this one are places and captures of the first try.
  MatchState tried = state_;
  const LaterEnds result = match_with_later_ends(pattern, failed, end, years_, tried);
  if (result.matched) {
    state_ = tried;
  } else if (result.failed_at > furthest_.at || result.gave_up) {
    furthest_ = {result.failed_at, result.wanted, index, result.op, result.gave_up};
  }
  return result.matched;
}

std::string Furthest::reason(const Format& format, const char* line_begin) const {
  if (format.kinds.empty()) return "the format has no record kinds";
  const auto [ahead, behind] = words(format);
  return ahead + std::to_string(at - line_begin) + behind;
}

std::pair<std::string, std::string> Furthest::words(const Format& format) const {
  const Kind& meant = format.kinds[kind];
  return {fmt::format("expected {} at byte ", meant.pattern.expectation(op, wanted)),
          fmt::format(" ({}){}", meant.name,
                      gave_up ? fmt::format("; not all ends of its texts were tried: that would be "
                                            "reading the line more than {} times",
                                            kMostReads)
                              : "")};
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
