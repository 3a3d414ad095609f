#include "formatter/records/matcher.h"

#include <gmock/gmock.h>

#include <random>

#include "formatter/records/detect.h"

namespace caravel::formatter {
namespace {

const YearTable kYears = YearTable::fixed(std::chrono::year(2012));

Format Compiled(const std::string& kinds, const char* blanks = "any") {
  std::string yaml = "format: f\nidentity: position\nblanks: " + std::string(blanks) +
                     "\ncolumns: [C]\nkinds:\n" + kinds;
  auto format = compile_format(*YamlNode::parse(yaml, "f.yaml"));
  EXPECT_TRUE(format) << format.error().message;
  return std::move(*format);
}

/// The name of the kind that takes `line`, or the reason why none does.
std::string Verdict(const Format& format, std::string_view line) {
  std::string text(line);
  text.append(1 + kReadableBehind, '\n');
  Matcher matcher(format, kYears);
  const auto kind = matcher.match(text.data(), text.data() + line.size());
  return kind ? format.kinds[*kind].name : matcher.reason(text.data());
}

TEST(Matcher, TakesTheFirstKindThatMatches) {
  const Format format = Compiled(R"(
  - {kind: digits, line: "a {C:int}"}
  - {kind: word, line: "a {C:word}"}
  - {kind: never, line: "a {C:int}"}
)");
  EXPECT_EQ(Verdict(format, "a 5"), "digits");
  EXPECT_EQ(Verdict(format, "a five"), "word");
}

TEST(Matcher, SaysWhatWasMissingWhereTheKindThatCameFurthestGaveUp) {
  const Format format = Compiled(R"(
  - {kind: position, line: "{time} POS {C:int} FOM:{int}"}
  - {kind: status, line: "{time} STATUS {choice(up,down)}"}
)");
  const struct {
    std::string_view line;
    const char* verdict;
  } cases[] = {
      {"x", "expected a time HH:MM:SS at byte 0 (position)"},
      {"", "expected a time HH:MM:SS at byte 0 (position)"},
      {"12:00:00", "expected a blank at byte 8 (position)"},
      {"12:00:00 GO", "expected \"POS\" at byte 9 (position)"},
      {"12:00:00 POS x", "expected a whole number (C) at byte 13 (position)"},
      {"12:00:00 POS 7 FON:1", "expected \"FOM:\" at byte 15 (position)"},
      {"12:00:00 POS 7 FOM:", "expected a whole number at byte 19 (position)"},
      {"12:00:00 POS 7 FOM:1x", "expected the end of the line at byte 20 (position)"},
      {"12:00:00 POS 7 FOM:1 ", "expected the end of the line at byte 20 (position)"},
      {"12:00:00   STATUS sideways", "expected one of down, up at byte 18 (status)"},
      {"12:00:00\tSTATUS up", "status"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    EXPECT_EQ(Verdict(format, c.line), c.verdict);
  }
}

TEST(Matcher, TriesAllEndsOfATextBeforeTheNextKind) {
  const Format format = Compiled(R"(
  - {kind: code, line: "{C:text} [{int}] {int}"}
  - {kind: none, line: "{C:text} [{int}] -"}
  - {kind: word, line: "{C:text} [{int}] {word}"}
  - {kind: other, line: "{C:rest}"}
)",
                                 "exact");
  const struct {
    std::string_view line;
    const char* kind;
    std::string_view text;
  } cases[] = {
      {"a [1] 2", "code", "a"},
      {"a [1] -", "none", "a"},
      {"a [1] b", "word", "a"},
      // The first end fails in what the kinds share, so the next ones are not run again for it.
      {"a [b [1] 2", "code", "a [b"},
      {"a [b [1] -", "none", "a [b"},
      {"a [b [1] c", "word", "a [b"},
      // The first end fails behind what they share.
      {"a [1] [1] -", "none", "a [1]"},
      {"a [1] - [1] 2", "code", "a [1] -"},
      {"a [1] 2 [1] -", "none", "a [1] 2"},
      {"a [b [c", "other", "a [b [c"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    std::string text(c.line);
    text.append(1 + kReadableBehind, '\n');
    Matcher matcher(format, kYears);
    const auto kind = matcher.match(text.data(), text.data() + c.line.size());
    ASSERT_TRUE(kind);
    EXPECT_EQ(format.kinds[*kind].name, c.kind);
    EXPECT_EQ(matcher.state().captures[0].text(), c.text);
  }
}

TEST(Matcher, SaysWhatTheFurthestOfAllEndsWanted) {
  const Format format = Compiled(R"(
  - {kind: code, line: "{C:text} [{int}] {int}."}
  - {kind: mark, line: "{C:text} [{int}] x"}
)",
                                 "exact");
  EXPECT_EQ(Verdict(format, "a [b [1] 2, "), "expected \".\" at byte 10 (code)");
  EXPECT_EQ(Verdict(format, "a [b [1] y"), "expected a whole number at byte 9 (code)");
  EXPECT_EQ(Verdict(format, "a b"), "expected \" [\" at byte 3 (code)");
  const Format slow = Compiled("  - {kind: k, line: '{C:text}a{word}b'}\n", "exact");
  EXPECT_THAT(Verdict(slow, std::string(10000, 'a')),
              testing::HasSubstr("expected \"b\" at byte 10000 (k); not all ends of its texts "
                                 "were tried: that would be reading the line more than 64 times"));
}

TEST(Matcher, ForgetsTheLineBefore) {
  const Format format = Compiled(R"(
  - {kind: a, line: "{int} {int} {C:int}"}
  - {kind: b, line: "{int} {word}"}
)");
  Matcher matcher(format, kYears);
  const std::string far = "1 2 x\n................";
  const std::string near = "y\n................";
  ASSERT_FALSE(matcher.match(far.data(), far.data() + 5));
  ASSERT_FALSE(matcher.match(near.data(), near.data() + 1));
  EXPECT_EQ(matcher.reason(near.data()), "expected a whole number at byte 0 (a)");
}

// Kinds with common beginnings are not matched from the start again. That must not show.
TEST(Matcher, AgreesWithMatchingEveryKindFromTheStart) {
  const Format format = Compiled(R"(
  - {kind: a, line: "{time} {C:int} x {int}"}
  - {kind: b, line: "{time} {int} x {word}"}
  - {kind: c, line: "{time} {int} y"}
  - {kind: d, line: "{time} {int}"}
  - {kind: e, line: "{time} {C:word} x {int}"}
  - {kind: f, line: "{time} {word} y {rest}"}
  - {kind: g, line: "{word}"}
  - {kind: h, line: "{time} {int} z"}
)");
  constexpr unsigned kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::vector<std::string> words = {"12:00:00", "5", "x", "y", "z", "word", "99"};
  for (int round = 0; round < 20'000; ++round) {
    std::string line = round % 2 == 0 ? "12:00:00" : words[random() % words.size()];
    for (std::size_t i = random() % 4; i > 0; --i) line += " " + words[random() % words.size()];
    SCOPED_TRACE(line);
    std::string held = line + std::string(1 + kReadableBehind, '\n');
    const char* const end = held.data() + line.size();
    std::string expected;
    std::string expected_capture;
    for (const Kind& kind : format.kinds) {
      MatchState state;
      state.at[0] = held.data();
      if (kind.pattern.match(0, end, kYears, state) != Pattern::kMatched) continue;
      expected = kind.name;
      for (std::size_t i = 0; i < kind.pattern.names().size(); ++i) {
        expected_capture += std::string(state.captures[i].text()) + "|";
      }
      break;
    }
    Matcher matcher(format, kYears);
    const auto kind = matcher.match(held.data(), end);
    ASSERT_EQ(kind ? format.kinds[*kind].name : "", expected);
    if (!kind) continue;
    std::string capture;
    for (std::size_t i = 0; i < format.kinds[*kind].pattern.names().size(); ++i) {
      capture += std::string(matcher.state().captures[i].text()) + "|";
    }
    ASSERT_EQ(capture, expected_capture);
  }
}

TEST(TrimLine, TakesOffBlanksAndOneCarriageReturn) {
  const struct {
    std::string_view line;
    std::string_view trimmed;
  } cases[] = {
      {"", ""},     {" ", ""},       {"\r", ""},         {" \t \r", ""},   {"a", "a"},
      {"a\r", "a"}, {"a \t\r", "a"}, {"\t a b ", "a b"}, {"a\r\r", "a\r"}, {"\ra", "\ra"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.line));
    EXPECT_EQ(trim_line(c.line), c.trimmed);
  }
}

TEST(TakesLine, AsksForTheShapeOfALine) {
  const Format format = Compiled("  - {kind: a, line: \"{C:int} x\"}\n");
  EXPECT_TRUE(takes_line(format, "  5 x\r", kYears));
  EXPECT_FALSE(takes_line(format, "5 y", kYears));
  EXPECT_FALSE(takes_line(format, "", kYears));
}

class DetectionTest : public testing::Test {
 protected:
  DetectionTest() : formats_(*FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"})) {}
  std::string Detected(const std::vector<std::string>& lines) const {
    const Format* format = detect_format(formats_, lines);
    return format == nullptr ? "" : format->name;
  }
  FormatSet formats_;
};

TEST_F(DetectionTest, KnowsTheShippedFormatsByTheirLines) {
  const std::string location =
      "09:48:00 02/29 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 "
      "[Valid] Odom:2668 [Valid] DGPS:On FOM:2";
  const std::string common = R"(192.0.2.7 - - [09/Mar/2012:09:48:00 +0000] "GET / HTTP/1.1" 200 5)";
  const struct {
    const char* format;
    std::vector<std::string> lines;
  } cases[] = {
      {"spysocket", {location}},
      {"spysocket", {"", "noise", location + "\r"}},
      {"spysocket-v2.1",
       {"Time,Date,RID,Lat/Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid",
        "07:00:38,02/28,3247,368147270/-762487811,V,-1,V"}},
      {"spysocket-v2.2",
       {"Time,Date,Vehicle,Lat/Lon,Location Valid/Invalid,Adherence,Adherence "
        "Valid/Invalid[,Route,Direction,Stop]",
        "07:00:38,02/28,3247,368147270/-762487811,V,-1,V"}},
      {"spysocket-v3", {"2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"}},
      {"apache", {common}},
      {"apache", {common + R"( "-" "curl/7.88")"}},
      {"jsonl", {R"({"a":1})", R"({"b":[2]})"}},
      {"", {"a,b,c", "1,2,3"}},
      {"", {"nothing known"}},
      {"", {}},
      {"", {""}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.lines));
    EXPECT_EQ(Detected(c.lines), c.format);
  }
}

TEST_F(DetectionTest, GoesWithTheMajority) {
  EXPECT_EQ(Detected({R"({"a":1})", "2012-03-09,09:48:00,x,36.77,-76.09,V,3,V,,,",
                      "2012-03-09,09:48:01,x,36.77,-76.09,V,3,V,,,"}),
            "spysocket-v3");
}

}  // namespace
}  // namespace caravel::formatter
