// What people are told of YAML that is none.
#include "base/words/yaml_trouble.h"

#include <gmock/gmock.h>

#include "base/yaml.h"

namespace caravel {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(YamlTrouble, EachUsualMistakeIsExplainedWithItsKey) {
  const struct {
    const char* text;
    const char* place;
    const char* means;
  } cases[] = {
      {"feeds:\n  hrt:\n    match: *.log\n", "c.yaml:3: match: ", "needs quotes: \"*.log\""},
      {"feeds: {hrt: {match: *}}", "c.yaml:1: feeds: ", "needs quotes: \"*.log\""},
      {"a: 1\nline: \"\\d+\"\n", "c.yaml:2: line: ", "between single quotes"},
      {"a:\n\tb: 1\n", "c.yaml:2: ", "there is a tab"},
      {"url: x: y\n", "c.yaml:1: url: ", "a value that holds ': ' needs quotes"},
      {"user: @joe\n", "c.yaml:1: user: ", "begins with '@'"},
      {"a: [1, 2\nb: 3\n", "c.yaml:", "not closed"},
      {"a: {b: 1\nc: 2\n", "c.yaml:", "not closed"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto parsed = YamlNode::parse(c.text, "c.yaml");
    ASSERT_FALSE(parsed.has_value());
    EXPECT_THAT(parsed.error().message, AllOf(StartsWith(c.place), HasSubstr(c.means)));
  }
}

TEST(YamlTrouble, WhatIsUnknownStaysInTheWordsOfTheLibrary) {
  EXPECT_EQ(explain_yaml_trouble("odd", "a: b", 1), "a: odd");
  EXPECT_EQ(explain_yaml_trouble("odd", "", 0), "odd");
  EXPECT_EQ(explain_yaml_trouble("odd", "no key\n", 100), "odd");
}

}  // namespace
}  // namespace caravel
