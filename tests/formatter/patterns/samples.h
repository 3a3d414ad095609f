// Patterns on sample lines: what the tests of patterns share.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "formatter/patterns/pattern.h"

namespace caravel::test {

using formatter::kReadableBehind;
using formatter::MatchState;
using formatter::Pattern;
using formatter::YearTable;

inline Pattern Compiled(std::string_view text, bool any_blanks = false) {
  auto pattern = Pattern::compile(text, any_blanks);
  EXPECT_TRUE(pattern) << text << ": " << pattern.error().message;
  return pattern ? std::move(*pattern) : Pattern();
}

/// A line as the formatter holds it: '\n' behind it, and in memory of exactly the promised size, so
/// that the address sanitizer sees every read too far.
class HeldLine {
 public:
  explicit HeldLine(std::string_view line) : bytes_(line.begin(), line.end()) {
    bytes_.resize(line.size() + 1 + kReadableBehind, '!');
    bytes_[line.size()] = '\n';
    bytes_.shrink_to_fit();
    end_ = bytes_.data() + line.size();
  }
  [[nodiscard]] const char* begin() const { return bytes_.data(); }
  [[nodiscard]] const char* end() const { return end_; }

 private:
  std::vector<char> bytes_;
  const char* end_;
};

/// What `pattern` makes of `line`: the text of its last capture, or nothing.
inline std::optional<std::string> LastCapture(const Pattern& pattern, std::string_view line) {
  const HeldLine held(line);
  MatchState state;
  state.at[0] = held.begin();
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  if (pattern.match(0, held.end(), years, state) != Pattern::kMatched) return std::nullopt;
  if (pattern.names().empty()) return "";
  return std::string(state.captures[pattern.names().size() - 1].text());
}

inline bool Matches(std::string_view pattern, std::string_view line, bool any_blanks = false) {
  return LastCapture(Compiled(pattern, any_blanks), line).has_value();
}

/// One line for a pattern, and what should come of it.
struct Sample {
  const char* pattern;
  std::string_view line;
  std::optional<std::string_view> captured;  // by the last capture; nothing: no match
};

/// Matches each sample's line with its pattern.
inline void Check(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(std::string(sample.pattern) + " on " + std::string(sample.line));
    const auto captured = LastCapture(Compiled(sample.pattern), sample.line);
    EXPECT_EQ(captured.has_value(), sample.captured.has_value());
    if (captured && sample.captured) {
      EXPECT_EQ(*captured, *sample.captured);
    }
  }
}

}  // namespace caravel::test
