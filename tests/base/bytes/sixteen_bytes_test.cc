// The two ways of looking at sixteen bytes say the same, and what is said of each byte.
#include "base/bytes/sixteen_bytes.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace caravel {
namespace {

template <class Bytes>
void ExpectAnswers(const std::string& text, std::size_t at) {
  const Bytes bytes(text.data() + at);
  const auto expect = [&](std::uint32_t answer, auto&& of, const char* question) {
    for (std::size_t i = 0; i < 16; ++i) {
      const char c = text[at + i];
      EXPECT_EQ((answer >> i) & 1, of(c, i) ? 1U : 0U)
          << question << ", byte " << +static_cast<unsigned char>(c) << " at " << i;
    }
    EXPECT_EQ(answer & ~kAllSixteen, 0U) << question;
  };
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  const std::string other(16, ',');
  expect(
      bytes.equal(','), [](char c, std::size_t) { return c == ','; }, "equal");
  expect(
      bytes.equal('\xff'), [](char c, std::size_t) { return c == '\xff'; }, "equal, no ASCII");
  expect(
      bytes.same_as(other.data()), [](char c, std::size_t) { return c == ','; }, "same_as");
  expect(
      bytes.control(), [&](char c, std::size_t) { return is_control(c); }, "control");
  expect(
      bytes.control_or_quote(), [&](char c, std::size_t) { return is_control(c) || c == '"'; },
      "control_or_quote");
  expect(
      bytes.control_or_quote_or('a', '\x80'),
      [&](char c, std::size_t) { return is_control(c) || c == '"' || c == 'a' || c == '\x80'; },
      "control_or_quote_or");
  expect(
      bytes.blank_or_control(), [&](char c, std::size_t) { return is_control(c) || c == ' '; },
      "blank_or_control");
  expect(
      bytes.up_to_comma(), [](char c, std::size_t) { return static_cast<unsigned char>(c) <= ','; },
      "up_to_comma");
  expect(
      bytes.no_digits(), [](char c, std::size_t) { return c < '0' || c > '9'; }, "no_digits");
  expect(
      bytes.not_ascii(), [](char c, std::size_t) { return static_cast<unsigned char>(c) > 127; },
      "not_ascii");
  std::string copy(16, ' ');
  bytes.store(copy.data());
  EXPECT_EQ(copy, text.substr(at, 16));
}

void ExpectAnswersOfBoth(const std::string& text, std::size_t at) {
  SCOPED_TRACE("from " + std::to_string(at));
  ExpectAnswers<SixteenBytes>(text, at);
  ExpectAnswers<PortableSixteenBytes>(text, at);
}

TEST(SixteenBytes, EachByteAtEachPlaceIsAnswered) {
  for (unsigned value = 0; value < 256; ++value) {
    std::string text(48, 'x');
    for (std::size_t i = 0; i < text.size(); i += 3) text[i] = static_cast<char>(value);
    // Each of these begins at another alignment.
    for (std::size_t at = 0; at < 17; at += 5) ExpectAnswersOfBoth(text, at);
  }
}

TEST(SixteenBytes, BytesBesideEachOtherDoNotCount) {
  std::mt19937 random(1);
  const std::string often = std::string("\0\x1f !\"+,-/09:;\x7f\x80\xff", 16);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    while (text.size() < 32) text += often[random() % often.size()];
    ExpectAnswersOfBoth(text, random() % 16);
  }
}

}  // namespace
}  // namespace caravel
