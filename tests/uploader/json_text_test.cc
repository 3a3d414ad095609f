#include "uploader/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace caravel::uploader {
namespace {

TEST(NumberSurvives, OnlyIfItsDigitsComeBackFromADouble) {
  const struct {
    const char* text;
    bool survives;
  } cases[] = {
      {"0", true},
      {"7", true},
      {"-7", true},
      {"36.7751738166", true},
      {"-76.091438594", true},
      {"36.7500", true},
      {"0.000", true},
      {"1e5", true},
      {"1E+22", true},
      {"1.5e-7", true},
      {"123456789012345", true},    // 15 digits
      {"9007199254740993", false},  // 2^53 + 1
      {"9007199254740992", true},   // 2^53
      {"12345678901234567", false},
      {"0.1234567890123456789", false},
      {"0.1000000000000000055511151231257827", false},  // the double behind 0.1, in full
      {"100000000000000000000", true},                  // 1e20
      {"5e-324", true},
      {"4e-324", false},  // its double prints as 5e-324
      {"1.7976931348623157e308", true},
      {"1e309", false},
      {"1e-400", false},
      {"1e99999999999", false},
      {"1e-2147483648", false},  // the least int: it has no absolute value
      {"-0", false},
      {"-0.0", false},
      {"007", false},
      {"05.12", false},
      {"+1", false},
      {"1.", false},
      {".5", false},
      {"1e", false},
      {"1e+", false},
      {"1e+-5", false},
      {"1e++5", false},
      {"0x10", false},
      {"1 ", false},
      {" 1", false},
      {"1,5", false},
      {"-", false},
      {"", false},
      {"NaN", false},
      {"Infinity", false},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(number_survives(test.text), test.survives);
  }
}

TEST(IsUtf8, TakesRfc3629AndNothingElse) {
  const struct {
    std::string text;
    bool valid;
  } cases[] = {
      {"", true},
      {"plain ASCII, more than eight bytes", true},
      {"Zürich 東京 🚌", true},
      {std::string("a\0b", 3), true},
      {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"eight by\xff", false},
      {"\xc0\x80", false},          // overlong
      {"\xe0\x9f\xbf", false},      // overlong
      {"\xf0\x8f\xbf\xbf", false},  // overlong
      {"\xed\xa0\x80", false},      // a surrogate
      {"\xf4\x90\x80\x80", false},  // beyond U+10FFFF
      {"\xc3", false},
      {"\xe6\x9d", false},
      {"\xf0\x9f\x9a", false},
      {"\xf5\x80\x80\x80", false},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(is_utf8(test.text), test.valid);
  }
}

TEST(AppendJsonString, ComesBackAsItWas) {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "Zürich 東京";
  std::string text;
  append_json_string(all, text);
  EXPECT_EQ(nlohmann::json::parse(text).get<std::string>(), all);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(AppendVerbatimJson, WritesWhatIsJsonAndQuotesTheRest) {
  const struct {
    const char* value;
    const char* written;
  } cases[] = {
      {"true", "true"},
      {"null", "null"},
      {"\"a\"", "\"a\""},
      {"[1, {\"a\": 1.50}]", "[1, {\"a\": 1.50}]"},
      {"[12345678901234567890]", "[12345678901234567890]"},
      {"12", "12"},
      {"12345678901234567", "\"12345678901234567\""},
      {"-0", "\"-0\""},
      {"{\"a\":", "\"{\\\"a\\\":\""},
      {"word", "\"word\""},
      {"\"\\ud800\"", "\"\\\"\\\\ud800\\\"\""},  // a lone surrogate
      {"1 2", "\"1 2\""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.value);
    std::string out;
    append_verbatim_json(test.value, out);
    EXPECT_EQ(out, test.written);
  }
  EXPECT_TRUE(is_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(is_json(std::string(65, '[') + std::string(65, ']')));
}

}  // namespace
}  // namespace caravel::uploader
