// The table of time stamps, row by row, against the loader.
#include "formatter/suggest/shapes/stamps.h"

#include <gmock/gmock.h>

#include "formatter/suggest/trial.h"

namespace caravel::formatter {
namespace {

/// A format with one kind, whose line is the stamp and one word.
std::string YamlFor(const StampShape& shape) {
  std::string columns;
  std::string_view left = shape.pattern;
  for (std::size_t open = left.find('{'); open != left.npos; open = left.find('{')) {
    left.remove_prefix(open + 1);
    columns += std::string(left.substr(0, left.find(':'))) + ", ";
  }
  return "format: stamp\nidentity: position\nblanks: any\n" +
         (shape.time.empty() ? "" : "time: " + std::string(shape.time) + "\n") + "columns: [" +
         columns + "Word]\nkinds: [{kind: line, line: '" + std::string(shape.pattern) +
         " {Word:word}'}]\n";
}

TEST(Stamps, EachShapeLoadsAndTakesItsExample) {
  for (const StampShape& shape : kStampShapes) {
    SCOPED_TRACE(shape.example);
    const auto trial = try_format(YamlFor(shape), std::string(shape.example) + " word\n");
    ASSERT_TRUE(trial) << trial.error().message;
    EXPECT_EQ(trial->taken, 1u);
    EXPECT_EQ(trial->first_time.empty(), shape.time.empty());
  }
}

TEST(Stamps, EachShapeIsFoundInALogOfItsExamples) {
  for (const StampShape& shape : kStampShapes) {
    SCOPED_TRACE(shape.example);
    const std::string line = std::string(shape.example) + " word";
    StampFinder finder({line, line});
    const auto stamp = finder.find(line, 0);
    ASSERT_TRUE(stamp);
    EXPECT_EQ(stamp->text, shape.example);
    EXPECT_EQ(kStampShapes[stamp->shape].pattern, shape.pattern);
  }
}

TEST(Stamps, ThoseOfRecordsAreTakenAsTheTimeOfARecord) {
  for (const StampShape& shape : kStampShapes) {
    if (!shape.record_time && shape.record.empty()) continue;
    SCOPED_TRACE(shape.example);
    const std::string time =
        shape.record_time ? "at" : "{column: at, format: " + std::string(shape.record) + "}";
    const auto trial = try_format(
        "format: stamp\nreader: csv\nidentity: position\ntime: " + time + "\ncolumns: [at, word]\n",
        // Some stamps hold a comma.
        "\"" + std::string(shape.example) + "\",x\n");
    ASSERT_TRUE(trial) << trial.error().message;
    EXPECT_EQ(trial->taken, 1u);
    EXPECT_FALSE(trial->first_time.empty());
  }
}

TEST(Stamps, DaysAndMonthsAreToldApartByTheOtherDatesOfTheLog) {
  const std::string_view both = "03/04/2012 09:48:00 x";
  StampFinder day_first({both, "29/04/2012 09:48:00 x"});
  StampFinder month_first({both, "04/29/2012 09:48:00 x"});
  EXPECT_THAT(kStampShapes[day_first.find(both, 0)->shape].pattern,
              testing::StartsWith("{Date:date(%d/%m/%Y)}"));
  EXPECT_THAT(kStampShapes[month_first.find(both, 0)->shape].pattern,
              testing::StartsWith("{Date:date(%m/%d/%Y)}"));
}

TEST(Stamps, WhatOnlyBeginsLikeAStampIsNone) {
  for (const std::string_view text :
       {"2012-03-09.log", "2012-03-09T09:48:00x", "13312864801", "1331286480ab", "0331286480",
        "13312864802501", "2012-13-09 09:48:00", "25:00:00", "2012-02-30", "42", "word", ""}) {
    SCOPED_TRACE(text);
    StampFinder finder({text});
    const auto stamp = finder.find(text, 0);
    EXPECT_FALSE(stamp) << stamp->text;
  }
}

TEST(Stamps, KnowWhetherTheyCountLessThanASecond) {
  for (const std::string_view fine :
       {"2012-03-09T09:48:00.5+01:00", "09:48:00,125", "1331286480.25", "1331286480250"}) {
    EXPECT_TRUE(has_fraction(fine)) << fine;
  }
  for (const std::string_view coarse :
       {"2012-03-09T09:48:00+01:00", "09.03.2012 09:48:00", "1331286480", "2012-03-09"}) {
    EXPECT_FALSE(has_fraction(coarse)) << coarse;
  }
}

}  // namespace
}  // namespace caravel::formatter
