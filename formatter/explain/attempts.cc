#include "formatter/explain/attempts.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/excerpt.h"
#include "base/text.h"
#include "formatter/patterns/parsers.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kAttemptIndent = "  ";
constexpr std::size_t kMostAttempts = 12;
constexpr std::size_t kMostNames = 5;
constexpr std::size_t kMostOfFound = 32;   // columns
constexpr std::size_t kMostOfWanted = 80;  // columns: a choice lists all of its words

/// "opened, closed and 3 more".
std::string names_of(const std::vector<std::string>& kinds) {
  const auto shown_end = kinds.begin() + static_cast<long>(std::min(kinds.size(), kMostNames));
  const std::string names = printable(fmt::format("{}", fmt::join(kinds.begin(), shown_end, ", ")));
  if (shown_end == kinds.end()) return names;
  return fmt::format("{} and {} more", names, kinds.end() - shown_end);
}

}  // namespace

Attempts::Attempts(const Format& format, const YearTable& years, std::string_view line,
                   std::size_t ahead)
    : line_(line) {
  // A copy, since the parsers want a line's end, and readable bytes behind it.
  std::string text(ahead, ' ');
  text += line;
  text.append(kReadableBehind + 1, '\n');
  const char* const begin = text.data() + ahead;
  const char* const end = begin + line.size();
  Matcher matcher(format, years);
  if (matcher.match(begin, end)) return;
  reason_ = matcher.reason(text.data());
  const auto state = std::make_unique<MatchState>();
  for (const Kind& kind : format.kinds) {
    state->at[0] = begin;
    const std::size_t op = kind.pattern.match(0, end, years, *state);
    const auto at = static_cast<std::size_t>(state->failed_at - begin);
    const std::string wanted = kind.pattern.expectation(op, state->wanted);
    const auto same = std::find_if(attempts_.begin(), attempts_.end(), [&](const Attempt& other) {
      return other.at == at && other.wanted == wanted;
    });
    if (same == attempts_.end()) {
      attempts_.push_back({at, wanted, {kind.name}});
    } else {
      same->kinds.push_back(kind.name);
    }
  }
  std::stable_sort(attempts_.begin(), attempts_.end(),
                   [](const Attempt& a, const Attempt& b) { return a.at > b.at; });
}

std::string Attempts::found_at(std::size_t at) const {
  const std::string_view rest = line_.substr(at);
  if (rest.empty()) return "the end of the line";
  // A word, with the blanks before it: they may be what is wrong.
  std::size_t end = std::min(rest.find_first_not_of(" \t"), rest.size());
  end = std::min(rest.find_first_of(" \t", end), rest.size());
  return fmt::format("\"{}\"", abbreviated(rest.substr(0, end), kMostOfFound));
}

void Attempts::append_to(std::size_t width, StyledText& out) const {
  if (attempts_.empty()) return;
  const std::size_t room = width - kAttemptIndent.size();
  const std::size_t furthest = attempts_.front().at;
  const Excerpt excerpt = excerpt_of(line_, furthest, 1, room);
  out.add(fmt::format("{}{}\n", kAttemptIndent, excerpt.text));
  for (std::size_t i = 0; i < std::min(attempts_.size(), kMostAttempts); ++i) {
    const Attempt& attempt = attempts_[i];
    const Style names_style = i == 0 ? Style::bad : Style::name;
    const std::string names = names_of(attempt.kinds);
    const std::string_view ending = attempt.kinds.size() == 1 ? "s" : "";
    const std::string text =
        fmt::format(" want{0} {1}, find{0} {2}", ending, abbreviated(attempt.wanted, kMostOfWanted),
                    found_at(attempt.at));
    out.add(kAttemptIndent);
    const bool far = furthest - attempt.at > excerpt.column * 4;
    const std::size_t back =
        far ? excerpt.column + 1
            : columns_of(printable(line_.substr(attempt.at, furthest - attempt.at)));
    // The "…" at the start of the excerpt is no place.
    if (back > excerpt.column || (back == excerpt.column && attempt.at > 0 && back > 0)) {
      out.add(fmt::format("byte {}, before what is shown: ", attempt.at));
    } else {
      out.add(std::string(excerpt.column - back, ' '));
      out.add(Style::mark, "^");
      // What does not fit beside the caret goes into the next line.
      const std::size_t needed = excerpt.column - back + 2 + columns_of(names + text);
      out.add(needed <= room ? " " : fmt::format("\n{}{}", kAttemptIndent, kAttemptIndent));
    }
    out.add(names_style, names);
    out.add(text + "\n");
  }
  if (attempts_.size() > kMostAttempts) {
    out.add(Style::faint, fmt::format("{}… and {} more attempts that came less far\n",
                                      kAttemptIndent, attempts_.size() - kMostAttempts));
  }
}

}  // namespace caravel::formatter
