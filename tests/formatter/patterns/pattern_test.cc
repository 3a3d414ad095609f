#include "formatter/patterns/pattern.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <optional>

namespace caravel::formatter {
namespace {

using testing::HasSubstr;

Pattern Compiled(std::string_view text, bool any_blanks = false) {
  auto pattern = Pattern::compile(text, any_blanks);
  EXPECT_TRUE(pattern) << text << ": " << pattern.error().message;
  return pattern ? std::move(*pattern) : Pattern();
}

std::string ErrorOf(std::string_view text, bool any_blanks = false) {
  const auto pattern = Pattern::compile(text, any_blanks);
  if (pattern) return "(no error)";
  EXPECT_EQ(pattern.error().kind, ErrorKind::usage);
  return pattern.error().message;
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
std::optional<std::string> LastCapture(const Pattern& pattern, std::string_view line) {
  const HeldLine held(line);
  MatchState state;
  state.at[0] = held.begin();
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  if (pattern.match(0, held.end(), years, state) != Pattern::kMatched) return std::nullopt;
  if (pattern.names().empty()) return "";
  return std::string(state.captures[pattern.names().size() - 1].text());
}

bool Matches(std::string_view pattern, std::string_view line, bool any_blanks = false) {
  return LastCapture(Compiled(pattern, any_blanks), line).has_value();
}

struct Sample {
  const char* pattern;
  std::string_view line;
  std::optional<std::string_view> captured;  // by the last capture; nothing: no match
};

void Check(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(std::string(sample.pattern) + " on " + std::string(sample.line));
    const auto captured = LastCapture(Compiled(sample.pattern), sample.line);
    EXPECT_EQ(captured.has_value(), sample.captured.has_value());
    if (captured && sample.captured) {
      EXPECT_EQ(*captured, *sample.captured);
    }
  }
}

TEST(Literal, StandsForItself) {
  Check({
      {"a", "a", ""},
      {"a", "b", {}},
      {"a", "", {}},
      {"a", "ab", {}},
      {"exactly8", "exactly8", ""},
      {"exactly8", "exactly9", {}},
      {"ninebytes", "ninebytes", ""},
      {"ninebytes", "ninebytez", {}},
      {"ninebytes", "ninebyte", {}},
      {"a literal of some length, indeed", "a literal of some length, indeed", ""},
      {"a literal of some length, indeed", "a literal of some length, indeeD", {}},
      {"a literal of some length, indeed", "a literal of", {}},
      {"{{x}", "{x}", ""},
      {"{{{{", "{{", ""},
      {"}", "}", ""},
      {"a  b", "a  b", ""},
      {"a  b", "a b", {}},
      {"ü", "ü", ""},
  });
}

TEST(Blanks, AreAnyNumberOfBlanksAndTabsIfTheFormatSaysSo) {
  for (const std::string_view line : {"a b", "a    b", "a\tb", "a \t b"}) {
    SCOPED_TRACE(line);
    EXPECT_TRUE(Matches("a b", line, true));
    EXPECT_TRUE(Matches("a \t  b", line, true));
    EXPECT_EQ(Matches("a b", line, false), line == "a b");
  }
  EXPECT_FALSE(Matches("a b", "ab", true));
  EXPECT_FALSE(Matches("a b", "a", true));
}

TEST(Word, EndsAtABlankOrTheNextLiteral) {
  Check({
      {"{w:word}", "hello", "hello"},
      {"{w:word}", "", {}},
      {"{w:word}", "two words", {}},
      {"{w:word}", "tab\tbed", {}},
      {"x{w:word}", "x,\"", ",\""},
      {"{word};{w:word}", "a;b", "b"},
      {"{word};{w:word}", "a;b;c", "b;c"},
      {"{word};{w:word}", ";b", {}},
      {"{word} {w:word}", "a b", "b"},
      {"{w:word}-end", "a-b-end", {}},  // ends at the literal's first byte, whatever follows
  });
}

TEST(Text, MayHoldBlanksAndBeEmpty) {
  Check({
      {"<{t:text}>", "<a b>", "a b"},
      {"<{t:text}>", "<>", ""},
      {"<{t:text}>", "<a", {}},
      {"{t:text}", "all of it", "all of it"},
  });
}

TEST(Rest, IsWhateverIsLeft) {
  Check({
      {"{word} {r:rest}", "a b c, \"d\"", "b c, \"d\""},
      {"a{r:rest}", "a", ""},
      {"{r:rest}", "", ""},
  });
}

TEST(Field, IsACsvFieldThatIsNotEmpty) {
  Check({
      {"{f:field},{int}", "a b,1", "1"},
      {"{f:field}", "a b", "a b"},
      {"{f:field(word)}", "a", "a"},
      {"{f:field}", "\"a,b\"", "a,b"},
      {"{f:field}", "\"a\"\"b\"", "a\"\"b"},
      {"{f:field}", "\"\"\"\"", "\"\""},
      {"{f:field}", "", {}},
      {"{f:field}", "\"\"", {}},
      {"{f:field}", "\"open", {}},
      {"{f:field}", "\"open\"\"", {}},
      {"{f:field}", "\"", {}},
      {"{f:field}", "a\"b", {}},
      {"{f:field}", "\"a\"b", {}},
      {"{field},{f:field}", ",b", {}},
      {"{field},{f:field}", "\"a,\",b", "b"},
  });
}

TEST(Quoted, KeepsBackslashesAndEndsAtTheFirstBareQuote) {
  Check({
      {"{q:quoted}", R"("a b")", "a b"},
      {"{q:quoted}", R"("")", ""},
      {"{q:quoted}", R"("a \"b\" c")", R"(a \"b\" c)"},
      {"{q:quoted}", R"("a\\")", R"(a\\)"},
      {"{q:quoted}", R"("a\)", {}},
      {"{q:quoted}", R"("a\")", {}},
      {"{q:quoted}", R"("a)", {}},
      {"{q:quoted}", R"(")", {}},
      {"{q:quoted}", R"(a")", {}},
      {"{q:quoted} x", R"("a" x)", "a"},
      {"{quoted}{q:quoted}", R"("a""b")", "b"},
  });
}

TEST(Bracketed, IsAWordInBrackets) {
  Check({
      {"{b:bracketed}", "[Valid]", "Valid"},
      {"{b:bracketed}", "[]", ""},
      {"{b:bracketed}", "[a]b]", "a]b"},
      {"{b:bracketed}", "[", {}},
      {"{b:bracketed}", "[a", {}},
      {"{b:bracketed}", "a]", {}},
      {"{b:bracketed}", "[a b]", {}},
      {"{b:bracketed}", "", {}},
      {"{b:bracketed},x", "[a],x", "a"},
      {"{b:bracketed}[", "[a][", {}},
      {"{b:bracketed(Valid=V,*=I)}", "[Valid]", "Valid"},
      {"{b:bracketed(Valid=V,*=I)}", "[]", ""},
      {"{b:bracketed(Valid=V,*=I)}", "Valid", {}},
      {"{b:bracketed(On,Off)}", "[Off]", "Off"},
      {"{b:bracketed(On,Off)}", "[Offer]", {}},
  });
}

TEST(Choice, TakesTheLongestOptionThatStandsThere) {
  Check({
      {"{c:choice(On,Off)}", "Off", "Off"},
      {"{c:choice(On,Off)}", "Of", {}},
      {"{c:choice(On,Off)}", "on", {}},
      {"{c:choice(On,Off)}", "", {}},
      {"{c:choice(On,Off)}", "Once", {}},
      {"{c:choice(a,ab,abc)}", "abc", "abc"},
      {"{c:choice(a,ab,abc)}c", "abcc", "abc"},
      {"{c:choice(a=1,b c=2)},x", "b c,x", "b c"},
      {"{c:choice(On,Off)}{int}", "On5", "5"},
      {"{c:choice(On=1,*=0)}", "On", "On"},
      {"{c:choice(On=1,*=0)}", "Once", "Once"},
      {"{c:choice(On=1,*=0)}", "", {}},
      {"{c:choice(On=1,*=0)},x", "Once,x", "Once"},
  });
}

TEST(Choice, RemembersWhichOptionItWas) {
  const Pattern pattern = Compiled("{c:choice(On=1,Off=2,*=3)}");
  const std::map<std::string, std::string> values = {
      {"On", "1"}, {"Off", "2"}, {"Offs", "3"}, {"x", "3"}};
  for (const auto& [word, value] : values) {
    SCOPED_TRACE(word);
    const HeldLine held(word);
    MatchState state;
    state.at[0] = held.begin();
    ASSERT_EQ(pattern.match(0, held.end(), YearTable(), state), Pattern::kMatched);
    EXPECT_EQ(pattern.ops()[0].options.at(state.captures[0].number).value, value);
  }
}

TEST(Numbers, AreDigitsAndNothingElse) {
  Check({
      {"{n:int}", "0", "0"},
      {"{n:int}", "-12", "-12"},
      {"{n:int}", "007", "007"},
      {"{n:int}", "123456789012345678901234567890", "123456789012345678901234567890"},
      {"{n:int}", "", {}},
      {"{n:int}", "-", {}},
      {"{n:int}", "+1", {}},
      {"{n:int}", "1.5", {}},
      {"{n:int}", "1e3", {}},
      {"{n:int}", "--1", {}},
      {"{n:implied(2)}", "367751738166", "367751738166"},
      {"{n:implied(2)}", "-76091438594", "-76091438594"},
      {"{n:implied(2)}", "123", "123"},
      {"{n:implied(2)}", "12", {}},
      {"{n:implied(2)}", "-12", {}},
      {"{n:implied(2)}", "0", {}},
      {"{n:implied(2)}", "", {}},
      {"{n:implied(18)}", "1234567890123456789", "1234567890123456789"},
      {"{n:decimal}", "1", "1"},
      {"{n:decimal}", "-1.50", "-1.50"},
      {"{n:decimal}", "1.", {}},
      {"{n:decimal}", ".5", {}},
      {"{n:decimal}", "1.5.", {}},
      {"{n:decimal(2)}", "36.7", "36.7"},
      {"{n:decimal(2)}", "-76.09", "-76.09"},
      {"{n:decimal(2)}", "36", {}},
      {"{n:decimal(2)}", "136.7", {}},
      {"{n:decimal(2)}", "6.7", {}},
  });
}

TEST(Time, IsOnTheClockUpToALeapSecond) {
  Check({
      {"{t:time}", "00:00:00", "00:00:00"},
      {"{t:time}", "23:59:59", "23:59:59"},
      {"{t:time}", "23:59:60", "23:59:60"},
      {"{t:time}", "23:59:61", {}},
      {"{t:time}", "24:00:00", {}},
      {"{t:time}", "12:60:00", {}},
      {"{t:time}", "1:02:03", {}},
      {"{t:time}", "12:34", {}},
      {"{t:time}", "12:34:5", {}},
      {"{t:time}", "12-34-56", {}},
      {"{t:time}", "", {}},
      {"{t:time}", "12:34:56.5", {}},
      {"{t:time(fraction)}", "12:34:56", "12:34:56"},
      {"{t:time(fraction)}", "12:34:56.5", "12:34:56.5"},
      {"{t:time(fraction)}", "12:34:56,123456", "12:34:56,123456"},
      {"{t:time(fraction)}", "12:34:56.", {}},
      {"{t:time(fraction)},x", "12:34:56,x", "12:34:56"},
  });
}

TEST(Dates, ExistInTheCalendar) {
  Check({
      {"{d:date}", "2012-03-09", "2012-03-09"},
      {"{d:date}", "2012-02-29", "2012-02-29"},
      {"{d:date}", "2013-02-29", {}},
      {"{d:date}", "2012-00-09", {}},
      {"{d:date}", "2012-13-09", {}},
      {"{d:date}", "2012-04-31", {}},
      {"{d:date}", "2012-3-9", {}},
      {"{d:date}", "2012-03-0", {}},
      {"{d:date}", "12-03-09", {}},
      {"{d:date}", "", {}},
      {"{d:date(%d/%b/%Y)}", "09/Mar/2012", "09/Mar/2012"},
      {"{d:date(%d/%b/%Y)}", "09/Mrz/2012", {}},
      {"{d:date(%d/%b/%Y)}", "09/Ma", {}},
      {"{d:date(%d.%m.%Y)}", "09.03.2012", "09.03.2012"},
      {"{d:date(%Y%m%d)}", "20120309", "20120309"},
      {"{d:month-day}", "03/09", "03/09"},
      {"{d:month-day}", "02/29", "02/29"},
      {"{d:month-day}", "02/30", {}},
      {"{d:month-day}", "00/01", {}},
      {"{d:month-day}", "01/00", {}},
      {"{d:month-day}", "13/01", {}},
      {"{d:month-day}", "01/32", {}},
      {"{d:month-day}", "3/9", {}},
      {"{d:month-day}", "03/", {}},
      {"{d:month-day}", "", {}},
  });
}

TEST(Dates, WithoutAYearNeedOneFromOutside) {
  const HeldLine held("03/09");
  MatchState state;
  state.at[0] = held.begin();
  const Pattern pattern = Compiled("{month-day}");
  EXPECT_EQ(pattern.match(0, held.end(), YearTable(), state), 0U);
  ASSERT_EQ(pattern.match(0, held.end(), YearTable::fixed(std::chrono::year(1999)), state),
            Pattern::kMatched);
  EXPECT_EQ(state.captures[0].number, pack_date(1999, 3, 9));
}

TEST(Timestamp, IsIso8601) {
  Check({
      {"{t:timestamp}", "2012-03-09T09:48:00", "2012-03-09T09:48:00"},
      {"{t:timestamp}", "2012-03-09 09:48:00", "2012-03-09 09:48:00"},
      {"{t:timestamp}", "2012-03-09T09:48:00Z", "2012-03-09T09:48:00Z"},
      {"{t:timestamp}", "2012-03-09T09:48:00.25+01:00", "2012-03-09T09:48:00.25+01:00"},
      {"{t:timestamp}", "2012-03-09T09:48:00-0530", "2012-03-09T09:48:00-0530"},
      {"{t:timestamp} x", "2012-03-09T09:48:00 x", "2012-03-09T09:48:00"},
      {"{t:timestamp}", "2012-03-09", {}},
      {"{t:timestamp}", "2012-03-09T", {}},
      {"{t:timestamp}", "2012-03-09X09:48:00", {}},
      {"{t:timestamp}", "2012-03-09T09:48", {}},
      {"{t:timestamp}", "2012-03-09T09:48:00+1", {}},
      {"{t:timestamp}", "2012-03-09T09:48:00+24:00", {}},
      {"{t:timestamp}", "2012-02-30T09:48:00", {}},
  });
}

TEST(Offset, IsMinutesEastOfUtc) {
  Check({
      {"{o:offset}", "Z", "Z"},
      {"{o:offset}", "+0000", "+0000"},
      {"{o:offset}", "-05:30", "-05:30"},
      {"{o:offset}", "+2359", "+2359"},
      {"{o:offset}", "+2400", {}},
      {"{o:offset}", "+0060", {}},
      {"{o:offset}", "0100", {}},
      {"{o:offset}", "+01", {}},
      {"{o:offset}", "+0", {}},
      {"{o:offset}", "", {}},
  });
}

TEST(Epoch, IsSecondsOrMillisecondsThatACalendarKnows) {
  Check({
      {"{e:epoch}", "0", "0"},
      {"{e:epoch}", "1331286480", "1331286480"},
      {"{e:epoch}", "1331286480.123456", "1331286480.123456"},
      {"{e:epoch}", "99999999999", "99999999999"},
      {"{e:epoch}", "100000000000", {}},
      {"{e:epoch}", "9223372036854775808", {}},
      {"{e:epoch}", "-1", {}},
      {"{e:epoch}", "1.", {}},
      {"{e:epoch}", "", {}},
      {"{e:epoch(ms)}", "1331286480123", "1331286480123"},
      {"{e:epoch(ms)}", "99999999999999", "99999999999999"},
      {"{e:epoch(ms)}", "100000000000000", {}},
  });
}

TEST(Ip, IsAnAddress) {
  Check({
      {"{i:ip}", "192.0.2.1", "192.0.2.1"},
      {"{i:ip}", "::1", "::1"},
      {"{i:ip}", "2001:db8::ff00:42:8329", "2001:db8::ff00:42:8329"},
      {"{i:ip}", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"{i:ip} x", "192.0.2.1 x", "192.0.2.1"},
      {"{i:ip}:{int}", "192.0.2.1:80", "80"},
      {"[{i:ip}]", "[::1]", "::1"},
      {"{i:ip}", "192.0.2.256", {}},
      {"{i:ip}", "192.0.2", {}},
      {"{i:ip}", "host.example", {}},
      {"{i:ip}", "", {}},
      {"{i:ip}", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd", {}},
  });
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
      {"{x:implied}", false, "implied(): wants a number of digits from 1 to 18"},
      {"{x:implied(0)}", false, "implied(0): wants"},
      {"{x:implied(19)}", false, "implied(19): wants"},
      {"{x:implied(-1)}", false, "wants a number"},
      {"{x:implied(2x)}", false, "wants a number"},
      {"{x:decimal(a)}", false, "decimal(a): wants a number"},
      {"{x:time(ms)}", false, "time: cannot take '(ms)'"},
      {"{x:epoch(us)}", false, "epoch: cannot take '(us)'"},
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
