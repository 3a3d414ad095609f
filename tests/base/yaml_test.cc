#include "base/yaml.h"

#include <gmock/gmock.h>

namespace caravel {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

YamlNode Parsed(const std::string& text) {
  auto node = YamlNode::parse(text, "f.yaml");
  EXPECT_TRUE(node.has_value()) << node.error().message;
  return *node;
}

template <class T>
std::string YamlMessageOf(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  if (result) return "(no error)";
  EXPECT_EQ(result.error().kind, ErrorKind::usage);
  return result.error().message;
}

TEST(Yaml, ASyntaxErrorNamesFileAndLine) {
  EXPECT_THAT(YamlMessageOf(YamlNode::parse("a: 1\nb: [1, 2\n", "f.yaml")),
              StartsWith("f.yaml:3: "));
}

TEST(Yaml, AMissingFileIsAUsageError) {
  EXPECT_THAT(YamlMessageOf(YamlNode::load("/nonexistent/caravel.yaml")),
              HasSubstr("/nonexistent/caravel.yaml: No such file or directory"));
}

TEST(Yaml, TheLineOfAMapIsTheLineOfItsKey) {
  const YamlNode root = Parsed("# first\nfeeds:\n\n  hrt:\n    drop: x\nlist:\n  - 1\n  - 2\n");
  EXPECT_EQ(root["feeds"].line(), 2);
  EXPECT_EQ(root["feeds"]["hrt"].line(), 4);
  EXPECT_EQ(root["feeds"]["hrt"]["drop"].line(), 5);
  EXPECT_EQ(root["feeds"]["hrt"]["drop"].place(), "f.yaml:5: feeds.hrt.drop");
  EXPECT_EQ(root["list"].items()[1].place(), "f.yaml:8: list[1]");
}

TEST(Yaml, AMissingKeyHasThePlaceOfItsMap) {
  const YamlNode root = Parsed("a: 1\nfeeds:\n  hrt: {}\n");
  EXPECT_FALSE(root["feeds"]["hrt"]["drop"].exists());
  EXPECT_EQ(root["feeds"]["hrt"]["drop"].place(), "f.yaml:3: feeds.hrt.drop");
  EXPECT_FALSE(root["nothing"]["below"].exists());
}

TEST(Yaml, ANullIsLikeAMissingKey) { EXPECT_FALSE(Parsed("a:\nb: ~\n")["b"].exists()); }

TEST(Yaml, EachAccessorSaysWhatItWantedAndWhere) {
  const YamlNode root = Parsed("v: [x]\ns: maybe\nn: 07x\nm: {a: 1, a: 2}\nk: {abx: 1}\n");
  EXPECT_EQ(YamlMessageOf(root["v"].as_string()), "f.yaml:1: v: must be a single value");
  EXPECT_EQ(YamlMessageOf(root["v"].as_bool()), "f.yaml:1: v: must be true or false");
  EXPECT_EQ(YamlMessageOf(root["s"].as_bool()), "f.yaml:2: s: 'maybe' is neither true nor false");
  EXPECT_EQ(YamlMessageOf(root["n"].as_count(1, 9)),
            "f.yaml:3: n: '07x' is not a whole number from 1 to 9");
  EXPECT_EQ(YamlMessageOf(root["n"].as_duration()),
            "f.yaml:3: n: bad duration: '07x' is not like 30s, 500ms, 10m, 24h or 30d");
  EXPECT_EQ(YamlMessageOf(root["n"].as_size()),
            "f.yaml:3: n: bad size: '07x' is not like 4MiB, 512KiB or 1GiB");
  EXPECT_EQ(YamlMessageOf(root["s"].as_choice({"yes", "no"})),
            "f.yaml:2: s: 'maybe' is not one of yes, no");
  EXPECT_EQ(YamlMessageOf(root["s"].as_strings()), "f.yaml:2: s: must be a list");
  EXPECT_EQ(YamlMessageOf(root["s"].expect_map()), "f.yaml:2: s: must be a map of keys");
  EXPECT_EQ(YamlMessageOf(root["m"].expect_keys({"a"})), "f.yaml:4: m.a: given twice");
  EXPECT_EQ(YamlMessageOf(root["k"].expect_keys({"abc", "zzzzzz"})),
            "f.yaml:5: k.abx: unknown key; did you mean 'abc'?");
  EXPECT_EQ(YamlMessageOf(root["k"].expect_keys({"zzzzzz"})),
            "f.yaml:5: k.abx: unknown key; known: zzzzzz");
}

TEST(Yaml, AccessorsReturnWhatIsThere) {
  const YamlNode root = Parsed("s: text\nb: yes\nn: 9\nd: 2s\nz: 1KiB\nl: [a, b]\n");
  EXPECT_EQ(root["s"].as_string().value(), "text");
  EXPECT_TRUE(root["b"].as_bool().value());
  EXPECT_EQ(root["n"].as_count(9, 9).value(), 9U);
  EXPECT_EQ(root["d"].as_duration().value(), milliseconds(2000));
  EXPECT_EQ(root["z"].as_size().value(), 1024U);
  EXPECT_EQ(root["s"].as_choice({"text"}).value(), "text");
  EXPECT_THAT(root["l"].as_strings().value(), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(root.expect_keys({"s", "b", "n", "d", "z", "l"}).has_value());
}

YamlNode Quoted(const std::string& text) {
  auto node = YamlNode::parse(text, "f.yaml", YamlNode::Quote::yes);
  EXPECT_TRUE(node.has_value()) << node.error().message;
  return *node;
}

TEST(Yaml, WhereItMayQuoteAnErrorShowsThePieceThatIsWrong) {
  const YamlNode root = Quoted("a: 1\nlist: [x, y]\nm:\n  abx: seven\n  long: [\n    b]\n");
  EXPECT_EQ(YamlMessageOf(root["m"]["abx"].as_count(1, 9)),
            "f.yaml:4:8: m.abx: 'seven' is not a whole number from 1 to 9\n"
            "  4 |   abx: seven\n"
            "    |        ^^^^^");
  EXPECT_EQ(YamlMessageOf(root["m"].expect_keys({"abc", "long"})),
            "f.yaml:4:3: m.abx: unknown key; did you mean 'abc'?\n"
            "  4 |   abx: seven\n"
            "    |   ^^^");
  EXPECT_EQ(YamlMessageOf(root["list"].items()[1].as_count(1, 9)),
            "f.yaml:2:11: list[1]: 'y' is not a whole number from 1 to 9\n"
            "  2 | list: [x, y]\n"
            "    |           ^");
  EXPECT_THAT(YamlMessageOf(root["m"]["missing"].as_string()),
              StartsWith("f.yaml:3:1: m.missing: "));
}

TEST(Yaml, ASyntaxErrorShowsItsPlace) {
  const auto node = YamlNode::parse("a: 1\nb: [1, 2\n", "f.yaml", YamlNode::Quote::yes);
  EXPECT_THAT(YamlMessageOf(node),
              testing::ContainsRegex("^f.yaml:[23]:[0-9]+: .*\n  [23] \\| .*\n +\\| *\\^$"));
}

TEST(Yaml, QuotesAroundAPlaceInsideAValue) {
  const struct {
    const char* why;
    std::string text;
    const char* place;
    const char* lines;
  } cases[] = {
      {"plain", "p: x {a} y\n", "f.yaml:1:6: ", "\n  1 | p: x {a} y\n    |      ^^^"},
      {"in quotes", "p: 'x {a} y'\n", "f.yaml:1:7: ", "\n  1 | p: 'x {a} y'\n    |       ^^^"},
      {"with escapes before it", "p: \"\\x41 {a} y\"\n", "f.yaml:1:10: ", "|          ^^^"},
      {"folded", "p: >-\n  x\n  {a} y\n", "f.yaml:3:3: ", "\n  3 |   {a} y\n    |   ^^^"},
      {"behind a byte order mark", "\xEF\xBB\xBFp: x {a} y\n", "f.yaml:1:6: ", "|      ^^^"},
      {"behind wide characters", "p: 東京{a} y\n", "f.yaml:1:10: ", "|        ^^^"},
      {"behind the same text", "p: x{a}{a} y\n", "f.yaml:1:8: ", "|        ^^^"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    const YamlNode node = Quoted(c.text)["p"];
    const std::string value = node.as_string().value();
    const std::string message = node.error_within("wrong", value.rfind("{a}"), 3).value().message;
    EXPECT_THAT(message, StartsWith(c.place));
    EXPECT_THAT(message, HasSubstr(c.lines));
  }
}

TEST(Yaml, WhatIsQuotedCannotWriteToATerminal) {
  const auto node = YamlNode::parse("a: \"\xE2\x80\xAE\"\nb: x\n", "f.yaml", YamlNode::Quote::yes);
  ASSERT_TRUE(node.has_value());
  EXPECT_THAT(YamlMessageOf((*node)["a"].as_count(1, 2)),
              HasSubstr("\n  1 | a: \"\\xE2\\x80\\xAE\""));
}

}  // namespace
}  // namespace caravel
