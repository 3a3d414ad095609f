#include "formatter/explain/value_range.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace caravel::formatter {
namespace {

ValueRange RangeOf(std::initializer_list<const char*> values, std::size_t most_distinct = 100) {
  ValueRange range(most_distinct);
  for (const char* value : values) range.add(value);
  return range;
}

TEST(IsLesserNumber, ComparesDigitByDigit) {
  const struct {
    const char* lesser;
    const char* greater;
  } cases[] = {
      {"9", "10"},
      {"-10", "-9"},
      {"-1", "0"},
      {"36.7751738166", "36.7751738167"},
      {"12345678901234567890123", "12345678901234567890124"},
      {"0.000000000000000000001", "0.000000000000000000002"},
      {"007", "8"},
      {"1.5", "1.50000001"},
      {"2e3", "1e4"},
      {"999", "1e3"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.lesser) + " < " + c.greater);
    EXPECT_TRUE(is_lesser_number(c.lesser, c.greater));
    EXPECT_FALSE(is_lesser_number(c.greater, c.lesser));
  }
  for (const auto& [a, b] : {std::pair("1.0", "1"), std::pair("-0", "0"), std::pair("+5", "05")}) {
    SCOPED_TRACE(a);
    EXPECT_FALSE(is_lesser_number(a, b));
    EXPECT_FALSE(is_lesser_number(b, a));
  }
}

TEST(ValueRange, IsOfNumbersIfAllValuesAre) {
  const ValueRange numbers = RangeOf({"10", "9", "", "-100", "9"});
  EXPECT_TRUE(numbers.numbers());
  EXPECT_EQ(numbers.least(), "-100");
  EXPECT_EQ(numbers.greatest(), "10");
  EXPECT_EQ(numbers.filled(), 4U);
  EXPECT_EQ(numbers.empty(), 1U);
  EXPECT_EQ(numbers.distinct(), 3U);
  EXPECT_FALSE(numbers.more_distinct());
}

TEST(ValueRange, IsOfTextIfOneValueIsNoNumber) {
  const ValueRange text = RangeOf({"10", "9", "x", "8"});
  EXPECT_FALSE(text.numbers());
  EXPECT_EQ(text.least(), "10") << "in the order of bytes";
  EXPECT_EQ(text.greatest(), "x");
  for (const char* value : {"1.", ".5", "1e", "-", "0x10", "1 ", "1,5", "nan"}) {
    SCOPED_TRACE(value);
    EXPECT_FALSE(RangeOf({value}).numbers());
  }
}

TEST(ValueRange, OfNothingHasNoEnds) {
  EXPECT_EQ(RangeOf({"", ""}).least(), "");
  EXPECT_FALSE(RangeOf({}).numbers());
}

TEST(ValueRange, StopsCountingAtItsLimit) {
  const ValueRange full = RangeOf({"a", "b", "a", "b"}, 2);
  EXPECT_EQ(full.distinct(), 2U);
  EXPECT_FALSE(full.more_distinct());
  const ValueRange more = RangeOf({"a", "b", "c", "a", "d"}, 2);
  EXPECT_EQ(more.distinct(), 2U);
  EXPECT_TRUE(more.more_distinct());
}

TEST(ValueRange, KeepsOnlyTheBeginningOfALongValue) {
  ValueRange range(10);
  range.add(std::string(1'000'000, '9'));
  EXPECT_LT(range.least().size(), 100U);
  EXPECT_FALSE(range.numbers());
}

}  // namespace
}  // namespace caravel::formatter
