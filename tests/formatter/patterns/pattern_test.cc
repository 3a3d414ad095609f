#include "formatter/patterns/pattern.h"

#include <gmock/gmock.h>

#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::Compiled;
using test::HeldLine;
using test::Matches;
using testing::HasSubstr;

std::string ErrorOf(std::string_view text, bool any_blanks = false) {
  const auto pattern = Pattern::compile(text, any_blanks);
  if (pattern) return "(no error)";
  EXPECT_EQ(pattern.error().kind, ErrorKind::usage);
  return pattern.error().message;
}

TEST(PatternMatch, LeavesNothingOver) {
  EXPECT_FALSE(Matches("{int}", "12 "));
  EXPECT_FALSE(Matches("{int}", "12x"));
  EXPECT_FALSE(Matches("a", "aa"));
}

TEST(PatternMatch, NeverPassesTheEndOfTheLine) {
  // What follows the line in memory would let it match.
  const std::string memory = "ab\ncd" + std::string(kReadableBehind, '1');
  MatchState state;
  state.at[0] = memory.data();
  EXPECT_NE(Compiled("ab").match(0, memory.data() + 2, YearTable(), state), 0U);
  EXPECT_EQ(Compiled("{word}cd").match(0, memory.data() + 2, YearTable(), state), 1U);
}

TEST(PatternMatch, TellsHowTextIsToBeWritten) {
  const struct {
    const char* pattern;
    const char* line;
    std::uint32_t how;
  } cases[] = {
      {"{word}", "plain", 0},
      {"{word}", "a,b", kNeedsQuotes},
      {"{word}", "a\"b", kNeedsQuotes},
      {"{rest}", "a\rb", kNeedsQuotes},
      {"{rest}", "a b", 0},
      {"{text}", "a,b", kNeedsQuotes},
      {"{quoted}", "\"a,b\"", kNeedsQuotes},
      {"{quoted}", "\"a b\"", 0},
      {"{field}", "plain", 0},
      {"{field}", "\"a,b\"", kNeedsQuotes},
      {"{field}", "\"a\"\"b\"", kNeedsQuotes | kDoubledQuotes},
      {"{bracketed}", "[a,b]", kNeedsQuotes},
      {"{time(fraction)}", "12:34:56,5", kNeedsQuotes},
      {"{time(fraction)}", "12:34:56.5", 0},
      {"{timestamp}", "2012-03-09T12:34:56,5Z", kNeedsQuotes},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.pattern) + " on " + c.line);
    const HeldLine held(c.line);
    MatchState state;
    state.at[0] = held.begin();
    ASSERT_EQ(Compiled(c.pattern).match(0, held.end(), YearTable(), state), Pattern::kMatched);
    EXPECT_EQ(state.captures[0].number, c.how);
  }
}

TEST(PatternCompile, ExplainsWhatIsWrong) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += "{int},";
  std::string long_pattern;
  for (std::size_t i = 0; i < kMaxOps + 1; ++i) long_pattern += "a ";
  const struct {
    std::string_view pattern;
    bool any_blanks;
    std::string_view message;
  } cases[] = {
      {"", false, "an empty pattern"},
      {"{int", false, "'{int' has no closing brace"},
      {"a{x:choice(a,b}", false, "has no closing parenthesis"},
      {"{}", false, "unknown type ''"},
      {"{x:}", false, "unknown type ''"},
      {"{x:inte}", false, "unknown type 'inte'; did you mean 'int'?"},
      {"{x:something-else}", false, "unknown type 'something-else'; known: word, field"},
      {"{x:int} {x:int}", false, "'x' is captured twice"},
      {"{x:int(3)}", false, "int: cannot take '(3)'"},
      {"{x:uuid(4)}", false, "uuid: cannot take '(4)'"},
      {"{x:implied}", false, "implied(): wants a number of digits from 1 to 18"},
      {"{x:implied(0)}", false, "implied(0): wants"},
      {"{x:implied(19)}", false, "implied(19): wants"},
      {"{x:implied(-1)}", false, "wants a number"},
      {"{x:implied(2x)}", false, "wants a number"},
      {"{x:decimal(a)}", false, "decimal(a): wants a number"},
      {"{x:time(ms)}", false, "time: cannot take '(ms)'"},
      {"{x:epoch(min)}", false, "epoch: cannot take '(min)'"},
      {"{x:date(%Y-%m)}", false, "date: cannot take '(%Y-%m)'"},
      {"{x:date(%Y-%d)}", false, "date: cannot take"},
      {"{x:date(%Y-%m-%b-%d)}", false, "date: cannot take"},
      {"{x:date(%Y-%m-%d-%d)}", false, "date: cannot take"},
      {"{x:date(%Y-%m-%d %H)}", false, "date: cannot take"},
      {"{x:date(%Y-%m-%d%)}", false, "date: cannot take"},
      {"{x:date(%Y-%m-%d%%)}", false, "date: cannot take"},
      {"{x:choice}", false, "choice: cannot take '()'"},
      {"{x:choice()}", false, "choice: cannot take '()'"},
      {"{x:choice(a,,b)}", false, "an option without a word"},
      {"{x:choice(=a)}", false, "an option without a word"},
      {"{x:choice(a,b,a)}", false, "the option 'a' stands twice"},
      {"{x:choice(a,*)}", false, "the option '*' needs a value"},
      {"{x:rest} y", false, "{x:rest} cannot tell where it ends: the line's end must follow it"},
      {"{x:word}{int}", false, "{x:word} cannot tell where it ends: a literal, a blank or"},
      {"{word}{int}", false, "{word} cannot tell where it ends"},
      {"{x:text}{int}", false, "{x:text} cannot tell"},
      {"{x:field}{int}", false, "{x:field} cannot tell"},
      {"{x:bracketed}{int}", false, "{x:bracketed} cannot tell"},
      {"{x:choice(a=1,*=2)}{int}", false, "{x:choice} cannot tell"},
      {"a\nb", false, "a pattern is one line"},
      {"{x:date(%Y\n%m%d)}", false, "a pattern is one line"},
      {"{x:choice(a\n,b)}", false, "a pattern is one line"},
      {std::string_view("a\0b", 3), false, "a pattern is one line, without NUL"},
      {" a", false, "neither begins nor ends with a blank"},
      {"a\t", true, "neither begins nor ends with a blank"},
      {many, false, "more than 64 captures"},
      {std::string_view(long_pattern).substr(0, long_pattern.size() - 1), true,
       "more than 128 parts"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.pattern);
    EXPECT_THAT(ErrorOf(c.pattern, c.any_blanks), HasSubstr(c.message));
  }
}

TEST(PatternCompile, TakesTheMostCapturesAndParts) {
  std::string captures = "{int}";
  for (std::size_t i = 1; i < kMaxCaptures; ++i) captures += ",{int}";
  EXPECT_EQ(Compiled(captures).names().size(), kMaxCaptures);
  std::string parts = "a";
  for (std::size_t i = 1; i < kMaxOps; ++i) parts += " a";
  EXPECT_EQ(Compiled(parts, true).ops().size(), kMaxOps);
}

TEST(PatternCompile, NamesMayHoldBlanksAndColons) {
  const Pattern pattern = Compiled("{Location Valid/Invalid:choice(V,I)},{a:b:date(%d:%m:%Y)}");
  EXPECT_THAT(pattern.names(), testing::ElementsAre("Location Valid/Invalid", "a:b"));
}

TEST(SharedPrefix, IsWhatBothDoAlike) {
  const struct {
    const char* a;
    const char* b;
    std::size_t shared;
  } cases[] = {
      {"{Time:time} {int}", "{time} {int}", 2},
      {"{time} {int}", "{time} {word}", 1},
      {"{time} x", "{time} y", 1},
      {"{int}x", "{int}y", 1},
      {"{implied(2)},a", "{implied(3)},a", 0},
      {"{word},a", "{word};a", 0},  // the words end elsewhere
      {"{choice(a=1)} x", "{choice(a=2)} x", 0},
      {"{int}", "{int} x", 1},
      {"a", "b", 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.a) + " and " + c.b);
    const Pattern a = Compiled(c.a, true);
    const Pattern b = Compiled(c.b, true);
    EXPECT_EQ(a.shared_with(b), c.shared);
    EXPECT_EQ(b.shared_with(a), c.shared);
  }
}

TEST(Expectation, SaysWhatShouldHaveStoodThere) {
  using Wanted = MatchState::Wanted;
  const struct {
    const char* pattern;
    const char* expectation;
  } cases[] = {
      {"{Speed:int}", "a whole number (Speed)"},
      {"{int}", "a whole number"},
      {"{time}", "a time HH:MM:SS"},
      {"{month-day}", "a date MM/DD that exists"},
      {"{choice(On,Off)}", "one of Off, On"},
      {"{c:choice(On=1,*=2)}", "one of On, * (c)"},
      {"{word}", "a word"},
      {"{Trip:uuid}", "a UUID (Trip)"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.pattern);
    EXPECT_EQ(Compiled(c.pattern).expectation(0, Wanted::value), c.expectation);
  }
  EXPECT_EQ(Compiled("a b", true).expectation(1, Wanted::blank), "a blank");
  EXPECT_EQ(Compiled("FOM:{int}").expectation(0, Wanted::text), "\"FOM:\"");
  EXPECT_EQ(Compiled("a").expectation(1, Wanted::value), "the end of the line");
}

}  // namespace
}  // namespace caravel::formatter
