#include "formatter/patterns/later_ends.h"

#include <gmock/gmock.h>

#include <random>
#include <regex>

#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::Compiled;
using test::HeldLine;
using testing::ElementsAre;
using testing::Optional;

const YearTable kYears = YearTable::fixed(std::chrono::year(2012));

/// One line against one pattern, as the matcher does it.
class Reading {
 public:
  Reading(const Pattern& pattern, std::string_view line) : pattern_(pattern), held_(line) {
    state_.at[0] = held_.begin();
    const std::size_t failed = pattern.match(0, held_.end(), kYears, state_);
    matched_ = failed == Pattern::kMatched;
    if (matched_ || !pattern.has_text_before(failed)) return;
    const bool may = may_end_later(pattern, failed, state_, held_.end());
    ends = match_with_later_ends(pattern, failed, held_.end(), kYears, state_);
    matched_ = ends.matched;
    EXPECT_TRUE(may || ends.tries == 0) << "a line that is not tried again";
  }

  /// The captures in order; nothing if the line does not match.
  [[nodiscard]] std::optional<std::vector<std::string>> captures() const {
    if (!matched_) return std::nullopt;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < pattern_.names().size(); ++i) {
      texts.emplace_back(state_.captures[i].text());
    }
    return texts;
  }
  [[nodiscard]] const Capture& capture(std::size_t slot) const { return state_.captures[slot]; }

  LaterEnds ends;

 private:
  const Pattern& pattern_;
  HeldLine held_;
  MatchState state_;
  bool matched_ = false;
};

std::optional<std::vector<std::string>> Read(std::string_view pattern, std::string_view line,
                                             bool any_blanks = false) {
  const Pattern compiled = Compiled(pattern, any_blanks);
  return Reading(compiled, line).captures();
}

TEST(TextCapture, EndsAtTheWholeLiteral) {
  EXPECT_THAT(Read("{t:text} [{n:int}]", "a b c [7]"), Optional(ElementsAre("a b c", "7")));
  EXPECT_THAT(Read("{t:text} [{n:int}]", " [7]"), Optional(ElementsAre("", "7")));
  EXPECT_THAT(Read("{t:text}, {u:text}; end", "a,b;c, d,e; end"),
              Optional(ElementsAre("a,b;c", "d,e")));
  EXPECT_THAT(Read("<{t:text}a literal of more than sixteen bytes{n:int}",
                   "<a literal of more than sixteen byteza literal of more than sixteen bytes5"),
              Optional(ElementsAre("a literal of more than sixteen bytez", "5")));
  EXPECT_EQ(Read("{t:text} [{n:int}]", "a b [x]"), std::nullopt);
  EXPECT_EQ(Read("{t:text} [{n:int}]", "a b [7"), std::nullopt);
}

TEST(TextCapture, IsTheShortestWithWhichTheLineMatches) {
  EXPECT_THAT(Read("{t:text} [{n:int}]", "x [y [7]"), Optional(ElementsAre("x [y", "7")));
  EXPECT_THAT(Read("{t:text};", "a;b;"), Optional(ElementsAre("a;b")));
  EXPECT_THAT(Read("{t:text} {n:int}", "one two 3"), Optional(ElementsAre("one two", "3")));
  EXPECT_THAT(Read("{t:text} end", "the end of the end"), Optional(ElementsAre("the end of the")));
  EXPECT_THAT(Read("{t:text} [{n:int}] {r:rest}", "a [1] b [2] c"),
              Optional(ElementsAre("a", "1", "b [2] c")));
}

TEST(TextCapture, OfSeveralTheLastGrowsFirst) {
  EXPECT_THAT(Read("{a:text},{b:text};{n:int}", "1,2,3;4;5"),
              Optional(ElementsAre("1", "2,3;4", "5")));
  EXPECT_THAT(Read("{a:text}:{n:int},{b:text};{m:int}", "x:y:1,2;z;3"),
              Optional(ElementsAre("x:y", "1", "2;z", "3")));
}

TEST(TextCapture, EndsAtAnyBlanksWhereTheFormatSaysSo) {
  EXPECT_THAT(Read("{t:text} [{n:int}]", "a  b \t [7]", true), Optional(ElementsAre("a  b", "7")));
  EXPECT_THAT(Read("{t:text} [{n:int}]", "a [b\t[7]", true), Optional(ElementsAre("a [b", "7")));
  EXPECT_THAT(Read("{t:text} {n:int}", "one  two\t3", true),
              Optional(ElementsAre("one  two", "3")));
  EXPECT_EQ(Read("{t:text} [{n:int}]", "a[7]", true), std::nullopt);
}

TEST(TextCapture, IsQuotedForWhatItHoldsInTheEnd) {
  const Pattern pattern = Compiled("{t:text} [{n:int}]");
  EXPECT_EQ(Reading(pattern, "a [b,c [7]").capture(0).number, kNeedsQuotes);
  EXPECT_EQ(Reading(pattern, "a [b c [7]").capture(0).number, 0U);
  EXPECT_EQ(Reading(pattern, "a,b [7]").capture(0).number, kNeedsQuotes);
}

/// Lines that match, with pieces thrown in that are like the literals.
TEST(TextCapture, AgreesWithLazyRegularExpressions) {
  const struct {
    const char* pattern;
    const char* expression;
    const char* line;
  } cases[] = {
      {"{a:text}x{b:int}y{c:text}z", "(.*?)x(-?[0-9]+)y(.*?)z", "x1yz"},
      {"{a:text}xy{b:text}y{c:text}x{d:int}", "(.*?)xy(.*?)y(.*?)x(-?[0-9]+)", "xyyx1"},
      {"{a:text} x{b:text} {c:word}y", "(.*?) x(.*?) ([^ y]+)y", " x 1y"},
      {"{a:text}x{b:quoted}y{c:text}x", "(.*?)x\"([^\"]*)\"y(.*?)x", "x\"\"yx"},
      {"1{a:text}xx{b:rest}", "1(.*?)xx(.*)", "1xx"},
  };
  constexpr const char* kPieces[] = {"x",  "xx", "y",   "z",   "1",   " ",
                                     " x", "\"", "x\"", "\"y", "x1y", "xy"};
  std::mt19937 random(20121130);
  for (const auto& c : cases) {
    const Pattern pattern = Compiled(c.pattern);
    const std::regex expression(c.expression);
    int matched = 0;
    constexpr int kRounds = 2000;
    for (int round = 0; round < kRounds; ++round) {
      std::string line = c.line;
      for (unsigned pieces = random() % 8; pieces > 0; --pieces) {
        line.insert(random() % (line.size() + 1), kPieces[random() % std::size(kPieces)]);
      }
      SCOPED_TRACE(std::string(c.pattern) + " on " + line);
      std::smatch found;
      const bool wanted = std::regex_match(line, found, expression);
      const auto captures = Reading(pattern, line).captures();
      ASSERT_EQ(captures.has_value(), wanted);
      if (!captures) continue;
      ++matched;
      for (std::size_t i = 0; i < captures->size(); ++i) {
        EXPECT_EQ((*captures)[i], found[i + 1].str());
      }
    }
    EXPECT_GT(matched, kRounds / 4) << c.pattern;
    EXPECT_LT(matched, kRounds) << c.pattern;
  }
}

TEST(TextCapture, ReadsALineThatWasMadeToBeReadOftenAFewTimes) {
  constexpr std::size_t kSize = std::size_t{1} << 18;
  const auto repeated = [](std::string_view piece) {
    std::string line;
    while (line.size() < kSize) line += piece;
    return line;
  };
  const struct {
    const char* pattern;
    std::string line;
    bool gave_up;
  } cases[] = {
      // The literal and nothing else; then with what makes each try read on.
      {"{a:text} [{n:int}]", repeated(" ["), false},
      {"{a:text} [{d:date(%d/%b/%Y)}:{t:time}] {q:quoted}", repeated(" [10/Oct/2000:13:55:36] "),
       false},
      {"{a:text}a{b:text}a{c:text}a{n:int}", repeated("a"), false},
      // Each try reads to the line's end.
      {"{a:text}a{b:word}b", repeated("a"), true},
      {"{a:text}1{b:decimal(2)}", repeated("1"), true},
      {"{a:text}1{b:epoch}", repeated("1"), true},
      {"{a:text}:{b:ip} end", repeated("a:"), true},
      {"{a:text}[{b:bracketed}", repeated("["), true},
      {"{a:text}\\{b:quoted}", repeated("\\\""), true},
      {"{a:text},{b:field(word)}x", repeated(", "), true},
      {"{a:text}x{b:text}y{c:text}z", repeated("xy"), true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.pattern);
    const Pattern pattern = Compiled(c.pattern);
    const Reading reading(pattern, c.line);
    EXPECT_FALSE(reading.ends.matched);
    EXPECT_EQ(reading.ends.gave_up, c.gave_up);
    // One try more than it takes to notice, which may read the line once for each text.
    EXPECT_LE(reading.ends.bytes_read,
              static_cast<std::ptrdiff_t>((kMostReads + 4) * c.line.size() + 4096));
    EXPECT_GT(reading.ends.tries, 8U);
  }
}

TEST(TextCapture, TriesEachEndOnceHoweverManyTextsThereAre) {
  // Without that there would be 40 * 39 * 38 * 37 / 24 combinations.
  const Pattern pattern = Compiled("{a:text}x{b:text}x{c:text}x{d:text}x{n:int}");
  const Reading reading(pattern, std::string(40, 'x') + "y");
  EXPECT_FALSE(reading.ends.matched);
  EXPECT_FALSE(reading.ends.gave_up);
  EXPECT_LE(reading.ends.tries, 4U * 40U);
}

}  // namespace
}  // namespace caravel::formatter
