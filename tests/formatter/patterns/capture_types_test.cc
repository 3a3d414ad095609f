// Each capture type on values that it takes and on values that it refuses.
#include "formatter/patterns/capture_types.h"

#include <map>
#include <set>

#include "tests/formatter/patterns/samples.h"

namespace caravel::formatter {
namespace {

using test::Check;
using test::Compiled;
using test::HeldLine;
using test::Matches;

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
      {"{t:timestamp}", "2012-03-09T09:48", "2012-03-09T09:48"},
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
      {"{o:offset}", "+01", "+01"},
      {"{o:offset}", "z", "z"},
      {"{o:offset}", "+24", {}},
      {"{o:offset}", "+01:", {}},
      {"{o:offset}", "+010", {}},
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

TEST(Structured, IsElementsWhoseValuesMayHoldAnything) {
  Check({
      {"{d:structured}", "-", "-"},
      {"{d:structured}", "[id]", "[id]"},
      {"{d:structured}", R"([id@32473 a="1" b=""])", R"([id@32473 a="1" b=""])"},
      {"{structured} {m:rest}", "[id@32473 a=\"1\"] message", "message"},
      {"{structured} {m:rest}", "[id a=\"x] y\"][other b=\"2\"] m", "m"},
      {"{structured} {m:rest}", R"([id a="\" \] \\"] m)", "m"},
      {"{structured} {m:rest}", "- [not data] m", "[not data] m"},
      {"{d:structured}", "", {}},
      {"{d:structured}", "x", {}},
      {"{d:structured}", "[]", {}},
      {"{d:structured}", "[ id]", {}},
      {"{d:structured}", "[id", {}},
      {"{d:structured}", "[id a=\"]", {}},
      {"{d:structured}", R"([id a="\"])", {}},
      {"{d:structured}", R"([id a="\)", {}},
      {"{d:structured}", "[id][", {}},
      {"{d:structured}", "[id] ", {}},
  });
}

TEST(Uuid, IsGroupsOfHexadecimalDigitsInEitherCase) {
  Check({
      {"{u:uuid}", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
      {"{u:uuid}", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"},
      {"{u:uuid}", "f81d4FAE-7dec-11D0-a765-00a0c91e6bF6", "f81d4FAE-7dec-11D0-a765-00a0c91e6bF6"},
      {"{u:uuid}", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
      {"{u:uuid}", "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
      {"urn:uuid:{u:uuid}", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
       "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
      {"{uuid} {w:word}", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 x", "x"},
      {"{uuid},{u:uuid}",
       "f81d4fae-7dec-11d0-a765-00a0c91e6bf6,f81d4fae-7dec-11d0-a765-00a0c91e6bf7",
       "f81d4fae-7dec-11d0-a765-00a0c91e6bf7"},
      {"{u:uuid}", "f81d4fae-7dec-11d0-a765-00a0c91e6bf", {}},    // a digit too few
      {"{u:uuid}", "f81d4fae-7dec-11d0-a765-00a0c91e6bf60", {}},  // a digit too many
      {"{u:uuid}", "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6", {}},
      {"{u:uuid}", "f81d4fae7dec11d0a76500a0c91e6bf6", {}},
      {"{u:uuid}", "f81d4fae_7dec_11d0_a765_00a0c91e6bf6", {}},
      {"{u:uuid}", "f81d4fae-7dec-11d0-a765-00a0c91e6bg6", {}},
      {"{u:uuid}", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", {}},
      {"{u:uuid}", "f81d4fae-", {}},
      {"{u:uuid}", "f81d4fae", {}},
      {"{u:uuid}", "-", {}},
      {"{u:uuid}", "", {}},
  });
}

TEST(CaptureTypes, HaveNamesAndExpectationsOfTheirOwn) {
  std::set<std::string_view> names;
  for (const CaptureRow& row : kCaptureRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.name.empty(), row.type == CaptureType::literal);
    EXPECT_FALSE(row.expectation.empty());
    const bool takes_word = row.argument == Argument::one_word || row.type == CaptureType::time;
    EXPECT_EQ(row.argument_word.empty(), !takes_word);
    if (row.type < CaptureType::laid_out_clock) {
      EXPECT_TRUE(names.insert(row.name).second);
    }
  }
}

TEST(CaptureTypes, ThatTakeLayoutsKeepNameAndPartOfTheTime) {
  std::set<CaptureType> reached;
  for (const CaptureRow& row : kCaptureRows) {
    SCOPED_TRACE(row.name);
    const bool takes_layout =
        row.argument == Argument::layout || row.argument == Argument::date_layout;
    EXPECT_EQ(row.laid_out != CaptureType::literal, takes_layout);
    if (!takes_layout) continue;
    EXPECT_EQ(row_of(row.laid_out).name, row.name);
    EXPECT_EQ(row_of(row.laid_out).time, row.time);
    EXPECT_TRUE(reached.insert(row.laid_out).second);
  }
  EXPECT_EQ(reached.size(), static_cast<std::size_t>(CaptureType::count) -
                                static_cast<std::size_t>(CaptureType::laid_out_clock));
}

}  // namespace
}  // namespace caravel::formatter
