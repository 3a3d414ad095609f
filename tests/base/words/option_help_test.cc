// How options are shown.
#include "base/words/option_help.h"

#include <gmock/gmock.h>

namespace caravel {
namespace {

TEST(OptionHelp, AHeadNamesTheLetterAndTheValue) {
  EXPECT_EQ((OptionHelp{"year,y", "YEAR", ""}).head(), "-y, --year YEAR");
  EXPECT_EQ((OptionHelp{"once", "", ""}).head(), "--once");
  EXPECT_EQ((OptionHelp{"year,y", "YEAR", ""}).long_name(), "year");
}

TEST(OptionHelp, LinesAreWrappedInTheirColumn) {
  EXPECT_EQ(
      option_lines({{"year,y", "YEAR", "the year"},
                    {"effective-date", "DATE",
                     "the first day on which it holds, and on all days that follow it … too"}}),
      "  -y, --year YEAR      the year\n"
      "  --effective-date DATE\n"
      "                       the first day on which it holds, and on all days that\n"
      "                       follow it … too\n");
}

TEST(OptionHelp, ParagraphsAreWrappedAndListsStayLists) {
  const std::string words = "one two three four five six seven eight nine ten";
  EXPECT_EQ(wrapped(words + "\n" + words),
            words + " one two three four five six\nseven eight nine ten\n");
  EXPECT_EQ(wrapped("export   prints\n         rows\n\nand\nso on"),
            "export   prints\n         rows\n\nand so on\n");
}

}  // namespace
}  // namespace caravel
