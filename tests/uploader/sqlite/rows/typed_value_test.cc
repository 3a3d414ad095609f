// Which values of a CSV are numbers in SQLite, and which stay texts.
#include "uploader/sqlite/rows/typed_value.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

/// The storage class and the value.
std::string shown(ColumnType type, std::string_view field) {
  std::string scratch;
  const SqlValue value = typed_value(type, field, scratch);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return fmt::format("integer {}", *integer);
  }
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("real {}", *real);
  return fmt::format("text {}", std::get<std::string_view>(value));
}

/// By the rule itself: number_survives() and the C library.
std::string shown_by_rule(const std::string& field) {
  std::int64_t integer = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, status] = std::from_chars(field.data(), end, integer);
  const bool whole = stop == end && status == std::errc{};
  const std::string digits = field.substr(field.starts_with('-') ? 1 : 0);
  const bool plain = !digits.starts_with('0') || field == "0";
  if (whole && plain) return fmt::format("integer {}", integer);
  if (!whole && number_survives(field)) {
    return fmt::format("real {}", std::strtod(field.c_str(), nullptr));
  }
  return "text " + field;
}

TEST(TypedValue, ManyTextsAreWhatTheRuleSays) {
  std::mt19937_64 random(7);
  const std::string_view bytes = "0123456789012345678900..--e+x";
  for (int round = 0; round < 300'000; ++round) {
    std::string field;
    if (random() % 4 == 0) field.push_back('-');
    for (auto more = random() % 21; more > 0; --more) {
      // Mostly digits, now and then a point, and sometimes anything.
      const auto kind = random() % 40;
      field.push_back(kind < 34   ? static_cast<char>('0' + random() % 10)
                      : kind < 38 ? '.'
                                  : bytes[random() % bytes.size()]);
    }
    if (field.empty()) continue;
    ASSERT_EQ(shown(ColumnType::number, field), shown_by_rule(field));
  }
}

TEST(TypedValue, ANumberIsOneOnlyWhereItsDigitsSurvive) {
  const struct {
    const char* field;
    const char* expected;
  } cases[] = {
      {"0", "integer 0"},
      {"7", "integer 7"},
      {"-7", "integer -7"},
      {"9007199254740993", "integer 9007199254740993"},  // 2^53 + 1: 64 bits hold it
      {"9223372036854775807", "integer 9223372036854775807"},
      {"9223372036854775808", "text 9223372036854775808"},
      {"-9223372036854775808", "integer -9223372036854775808"},
      {"-9223372036854775809", "text -9223372036854775809"},
      {"100000000000000000000", "real 1e+20"},
      {"1.50", "real 1.5"},
      {"2.0", "real 2"},
      {"0.1", "real 0.1"},
      {"-76.091438594", "real -76.091438594"},
      {"0.12345678901234568", "real 0.12345678901234568"},
      {"0.1234567890123456789", "text 0.1234567890123456789"},
      {"1E5", "real 100000"},
      {"1E+22", "real 1e+22"},
      {"0.00", "real 0"},
      {"5e-324", "real 5e-324"},
      {"1e400", "text 1e400"},
      {"1e-400", "text 1e-400"},
      {"007", "text 007"},
      {"-07", "text -07"},
      {"05.12", "text 05.12"},
      {"-0", "text -0"},
      {"-0.0", "text -0.0"},
      {"00", "text 00"},
      {"+5", "text +5"},
      {"5.", "text 5."},
      {".5", "text .5"},
      {"5x", "text 5x"},
      {"0x10", "text 0x10"},
      {" 5", "text  5"},
      {"5 ", "text 5 "},
      {"1,5", "text 1,5"},
      {"-", "text -"},
      {"1e", "text 1e"},
      {"2012-03-09", "text 2012-03-09"},
      {"NaN", "text NaN"},
      {"Infinity", "text Infinity"},
      {"true", "text true"},
      {"\"7\"", "text \"7\""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.field);
    EXPECT_EQ(shown(ColumnType::number, test.field), test.expected);
    EXPECT_EQ(shown(ColumnType::automatic, test.field), test.expected);
    EXPECT_EQ(shown(ColumnType::text, test.field), std::string("text ") + test.field);
  }
}

TEST(TypedValue, JsonValuesAreWhatSqlUsersExpect) {
  const struct {
    const char* field;
    const char* expected;
  } cases[] = {
      {"12", "integer 12"},
      {"1.5", "real 1.5"},
      {"1e400", "text 1e400"},
      {"true", "integer 1"},
      {"false", "integer 0"},
      {"\"true\"", "text true"},  // the string, which the CSV keeps apart from the boolean
      {"\"12\"", "text 12"},
      {"\"\"", "text "},
      {"\"a\\\"b\\u00e4\"", "text a\"b\u00e4"},
      {"plain text", "text plain text"},
      {"\"quoted\" at its begin", "text \"quoted\" at its begin"},
      {"\"\\ud800\"", "text \"\\ud800\""},  // no text that UTF-8 can hold
      {"{\"a\":1}", "text {\"a\":1}"},
      {"[1,2]", "text [1,2]"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.field);
    EXPECT_EQ(shown(ColumnType::json, test.field), test.expected);
  }
}

}  // namespace
}  // namespace caravel::uploader
