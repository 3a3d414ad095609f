// Foreign text: what of it may be shown, and how much.
#include "base/text.h"

#include <gmock/gmock.h>

namespace caravel {
namespace {

using testing::EndsWith;
using testing::StartsWith;

TEST(Printable, LeavesNothingThatATerminalOrALogObeys) {
  const struct {
    const char* text;
    const char* shown;
  } cases[] = {
      {"plain, Zürich, 日本, 👍", "plain, Zürich, 日本, 👍"},
      {"\x1b[31m", "\\x1B[31m"},
      {"a\nb\rc\td", "a\\x0Ab\\x0Dc\\x09d"},
      {"\x7f", "\\x7F"},
      {"\xc2\x9b"
       "31m",
       "\\xC2\\x9B31m"},                    // C1: CSI
      {"\xff\xc0\x80", "\\xFF\\xC0\\x80"},  // no UTF-8
      {"a\u202Eb", "a\\xE2\\x80\\xAEb"},    // right to left from here
      {"\u202A\u2066\u2069",
       "\\xE2\\x80\\xAA\\xE2\\x81\\xA6\\xE2\\x81\\xA9"},                   // embedding, isolates
      {"\u200E\u200F\u061C", "\\xE2\\x80\\x8E\\xE2\\x80\\x8F\\xD8\\x9C"},  // marks of direction
      {"a\u2028b\u2029", "a\\xE2\\x80\\xA8b\\xE2\\x80\\xA9"},              // separators of lines
      {"a\u200Bb\uFEFF", "a\\xE2\\x80\\x8Bb\\xEF\\xBB\\xBF"},              // without width
      {"a\u00ADb", "a\\xC2\\xADb"},                                        // soft hyphen
      {"\U000E0041", "\\xF3\\xA0\\x81\\x81"},                              // a tag
      {"\u3164", "\\xE3\\x85\\xA4"},                                       // a filler
  };
  for (const auto& c : cases) {
    EXPECT_EQ(printable(c.text), c.shown);
    EXPECT_EQ(printable(printable(c.text)), c.shown);  // once more changes nothing
  }
  // Each character of Unicode comes out, as it is or escaped, and nothing that is_unseen() names.
  for (unsigned char c = 0; c < 0x20; ++c) {
    EXPECT_EQ(printable(std::string(1, static_cast<char>(c))).front(), '\\');
  }
}

TEST(Printable, KeepsOnlyItsOwnLineEnds) {
  EXPECT_EQ(printable_lines("a\nb\r\n\x1b\u2028"), "a\nb\\x0D\n\\x1B\\xE2\\x80\\xA8");
}

TEST(Shown, IsNeverLongerThanItMayBe) {
  EXPECT_EQ(shown(std::string(1000, 'a')), std::string(1000, 'a'));
  const std::string cut = shown(std::string(30'000, 'a'));
  EXPECT_EQ(cut.size(), 1000U);
  EXPECT_THAT(cut, EndsWith("aaa… (30000 bytes)"));
  EXPECT_EQ(shown(cut), cut);
  // Escapes count, and no character is cut in its middle.
  for (const char* piece : {"\x1b", "\u202E", "ü", "👍", "\xff"}) {
    std::string text;
    while (text.size() < 5000) text += piece;
    for (std::size_t most = 40; most < 60; ++most) {
      const std::string part = shown(text, most);
      EXPECT_LE(part.size(), most);
      EXPECT_EQ(printable(part), part);
      EXPECT_THAT(part, EndsWith(" bytes)"));
    }
  }
  EXPECT_THAT(shown(std::string(2000, '\n'), 100), StartsWith("\\x0A\\x0A"));
}

}  // namespace
}  // namespace caravel
