#include "base/units.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

using std::chrono::milliseconds;

template <class T>
std::string MessageOf(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  if (result) return "(no error)";
  EXPECT_EQ(result.error().kind, ErrorKind::usage);
  return result.error().message;
}

TEST(NearestWord, FindsSlipsAndNotOtherWords) {
  const std::vector<std::string> words = {"drop", "match", "format", "store", "settle"};
  const struct {
    const char* word;
    const char* nearest;
  } cases[] = {
      {"fromat", "format"},
      {"formats", "format"},
      {"sotre", "store"},
      {"Match", "match"},
      {"setle", "settle"},
      {"dorp", "drop"},
      {"password", ""},
      {"x", ""},
      {"", ""},
      {"mtch", "match"},
      {"completely-else", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.word);
    EXPECT_EQ(nearest_word(c.word, words), c.nearest);
  }
}

TEST(ParseDuration, TakesUnitsAndTheirSums) {
  const struct {
    const char* text;
    std::int64_t milliseconds;
  } cases[] = {
      {"0", 0},
      {"0s", 0},
      {"500ms", 500},
      {"30s", 30'000},
      {"10m", 600'000},
      {"24h", 86'400'000},
      {"30d", 2'592'000'000},
      {"1h30m", 5'400'000},
      {"36500d", 36'500LL * 86'400'000},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto duration = parse_duration(c.text);
    ASSERT_TRUE(duration.has_value()) << duration.error().message;
    EXPECT_EQ(*duration, milliseconds(c.milliseconds));
  }
}

TEST(ParseDuration, RefusesWhatItCannotKnow) {
  for (const char* text : {"", "30", "s", "-1s", "1.5h", "1 h", "1w", "10S", "36501d", "1h0",
                           "99999999999999999999s", "9223372036854775807d"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_duration(text).has_value());
  }
  EXPECT_EQ(MessageOf(parse_duration("30")), "'30' is not like 30s, 500ms, 10m, 24h or 30d");
  EXPECT_EQ(MessageOf(parse_duration("36501d")), "'36501d' is more than 36500d");
}

TEST(ParseSize, TakesBinaryAndDecimalUnits) {
  const struct {
    const char* text;
    std::uint64_t bytes;
  } cases[] = {
      {"0", 0},
      {"123", 123},
      {"7B", 7},
      {"100kB", 100'000},
      {"8MB", 8'000'000},
      {"2GB", 2'000'000'000},
      {"512KiB", 524'288},
      {"4MiB", 4'194'304},
      {"1GiB", 1ULL << 30},
      {"2TiB", 2ULL << 40},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto size = parse_size(c.text);
    ASSERT_TRUE(size.has_value()) << size.error().message;
    EXPECT_EQ(*size, c.bytes);
  }
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "4 MiB", "4mib", "4M", "18446744073709551616",
                           "4194304TiB4194304TiB4194304TiB4194304TiB"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(MessageOf(parse_size(text)),
              "'" + std::string(text) + "' is not like 4MiB, 512KiB or 1GiB");
  }
}

}  // namespace
}  // namespace caravel
