#include "base/eight_bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace caravel {
namespace {

/// A line with just what may be read behind it.
std::vector<char> Line(std::string_view text) {
  std::vector<char> line(text.begin(), text.end());
  line.resize(line.size() + 9, '\n');
  line.shrink_to_fit();
  return line;
}

TEST(FixedText, StandsWhereEachOfItsBytesDoes) {
  const std::string all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t size = 1; size <= all.size(); ++size) {
    const std::string text = all.substr(0, size);
    const FixedText fixed(text);
    EXPECT_TRUE(fixed.stands_at(Line(text).data())) << size;
    EXPECT_TRUE(fixed.stands_at(Line(text + "!").data())) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = '!';
      EXPECT_FALSE(fixed.stands_at(Line(other).data())) << size << ", byte " << at;
      EXPECT_FALSE(fixed.stands_at(Line(text.substr(0, at)).data())) << size << ", cut at " << at;
    }
  }
}

}  // namespace
}  // namespace caravel
