#include "formatter/privacy/removed.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

constexpr char kMark = '\xff';
constexpr std::string_view kRemoved = " removed: ";

/// "expected X at byte N (KIND)" with an X and a KIND of this format, as Matcher::reason() has it.
bool is_reason_of_matcher(const Format& format, std::string_view reason) {
  for (const Kind& kind : format.kinds) {
    const std::string end = fmt::format(" ({})", kind.name);
    if (!reason.ends_with(end)) continue;
    std::string_view rest = reason.substr(0, reason.size() - end.size());
    const auto digits = static_cast<std::size_t>(
        std::find_if_not(rest.rbegin(), rest.rend(), is_digit) - rest.rbegin());
    // A place in the line has no more digits than its length: nothing else fits in here.
    if (digits == 0 || digits > 10) continue;
    rest.remove_suffix(digits);
    for (std::size_t op = 0; op <= kind.pattern.ops().size(); ++op) {
      for (const auto wanted :
           {MatchState::Wanted::blank, MatchState::Wanted::text, MatchState::Wanted::value}) {
        if (rest == fmt::format("expected {} at byte ", kind.pattern.expectation(op, wanted))) {
          return true;
        }
      }
    }
  }
  return false;
}

/// The reason in a line that was removed: "" if there was no room for one, nothing if the line is
/// none.
std::optional<std::string_view> reason_in(const Format& format, std::string_view line) {
  std::string_view text = trim_line(line);
  if (text.empty() || text.front() != kMark) return std::nullopt;
  text.remove_prefix(1);
  if (text.empty()) return text;
  if (!text.starts_with(kRemoved)) return std::nullopt;
  text.remove_prefix(kRemoved.size());
  const bool known = text == kNotUtf8 || text == kHoldsNul || text == kNotRewritable ||
                     text == kSaltForgotten || is_reason_of_matcher(format, text);
  return known ? std::optional(text) : std::nullopt;
}

}  // namespace

std::string removed_line(std::string_view reason, std::size_t length) {
  std::string line(1, kMark);
  if (1 + kRemoved.size() + reason.size() <= length && !reason.empty()) {
    line += kRemoved;
    line += reason;
  }
  line.resize(length, ' ');
  return line;
}

bool is_removed_line(const Format& format, std::string_view line) {
  return !line.empty() && line.front() == kMark && reason_in(format, line).has_value();
}

std::string reason_of_removed(const Format& format, std::string_view line, std::string_view fault) {
  const auto reason = format.privacy ? reason_in(format, line) : std::nullopt;
  if (!reason) return std::string(fault);
  if (reason->empty()) return "removed: it could not be made anonymous";
  return fmt::format("removed: {}", *reason);
}

}  // namespace caravel::formatter
