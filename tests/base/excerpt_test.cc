#include "base/excerpt.h"

#include <gmock/gmock.h>

namespace caravel {
namespace {

TEST(ColumnsOf, CountsWhatATerminalShows) {
  const struct {
    const char* text;
    std::size_t columns;
  } cases[] = {
      {"", 0},
      {"abc", 3},
      {"Zürich", 6},
      {"東京", 4},
      {"e\xCC\x81t", 2 /* e and a combining accent, t */},
      {"🚌 5", 4},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(columns_of(c.text), c.columns);
  }
}

TEST(Abbreviated, LeavesOutTheMiddleOfWhatIsTooWide) {
  EXPECT_EQ(abbreviated("0123456789", 10), "0123456789");
  EXPECT_EQ(abbreviated("0123456789A", 10), "012345…89A");
  EXPECT_EQ(abbreviated(std::string(1'000'000, 'x') + "end", 10), "xxxxxx…end");
  EXPECT_EQ(abbreviated("東京東京東京東京", 10), "東京東…京") << "no half of a character";
  EXPECT_EQ(abbreviated("a\x1b[31mb", 40), "a\\x1B[31mb");
  EXPECT_EQ(abbreviated("\x1b\x1b\x1b\x1b", 10), "\\x1B…") << "no half of an escape";
}

/// The excerpt with a '^' below its place.
std::string Marked(const Excerpt& excerpt) {
  return excerpt.text + "\n" + std::string(excerpt.column, ' ') + std::string(excerpt.columns, '^');
}

TEST(ExcerptOf, ShowsALineThatFitsAsAWhole) {
  EXPECT_EQ(Marked(excerpt_of("door 17 jammed", 8, 6, 40)), "door 17 jammed\n        ^^^^^^");
  EXPECT_EQ(Marked(excerpt_of("door", 4, 1, 40)), "door\n    ^") << "the end of the line";
  EXPECT_EQ(Marked(excerpt_of("", 0, 0, 40)), "\n^");
  EXPECT_EQ(Marked(excerpt_of("door", 99, 5, 40)), "door\n    ^") << "a place beyond the line";
}

TEST(ExcerptOf, CountsColumnsAndNotBytes) {
  EXPECT_EQ(Marked(excerpt_of("Zürich 17", 8, 2, 40)), "Zürich 17\n       ^^");
  EXPECT_EQ(Marked(excerpt_of("東京 17", 7, 2, 40)), "東京 17\n     ^^");
  EXPECT_EQ(Marked(excerpt_of("a\tb 17", 4, 2, 40)), "a\\x09b 17\n       ^^");
  EXPECT_EQ(Marked(excerpt_of("\xff\xfe 17", 3, 2, 40)), "\\xFF\\xFE 17\n         ^^");
}

TEST(ExcerptOf, CutsALongLineAroundThePlace) {
  const std::string line = std::string(500, 'a') + "HERE" + std::string(500, 'z');
  const Excerpt excerpt = excerpt_of(line, 500, 4, 40);
  EXPECT_EQ(Marked(excerpt),
            "…aaaaaaaaaaaaaaaaaaaaaaaaaaHEREzzzzzzzz…\n"
            "                           ^^^^");
  EXPECT_EQ(columns_of(excerpt.text), 40U);
  EXPECT_EQ(Marked(excerpt_of(line, 0, 2, 40)), std::string(39, 'a') + "…\n^^");
}

TEST(ExcerptOf, NeverTakesMoreColumnsThanItMay) {
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += i % 3 == 0 ? "東" : i % 3 == 1 ? "\x1b" : "e";
  for (std::size_t at = 0; at <= wide.size(); ++at) {
    SCOPED_TRACE(at);
    const Excerpt excerpt = excerpt_of(wide, at, 1, 40);
    EXPECT_LE(columns_of(excerpt.text), 41U);
    EXPECT_LE(excerpt.column, columns_of(excerpt.text));
    EXPECT_GE(excerpt.columns, 1U);
  }
}

}  // namespace
}  // namespace caravel
