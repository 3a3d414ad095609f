// Ids are frozen: stored data depends on every byte. The digests here were computed with another
// implementation of XXH3; if one of these tests fails, the code is wrong, never the test.
#include "formatter/rows/row_id.h"

#include <gtest/gtest.h>

namespace caravel::formatter {
namespace {

template <class Append>
std::string Text(Append append) {
  std::string out;
  append(out);
  return out;
}

TEST(RowDigest, IsXxh3Of128BitsInCanonicalForm) {
  EXPECT_EQ(to_hex(hash_bytes("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(to_hex(hash_bytes("a")), "a96faf705af16834e6c632b61e964e1f");
  EXPECT_EQ(to_hex(hash_bytes("first line")), "b0b58724b394779505e9de07163c4dbd");
  EXPECT_EQ(to_hex(hash_bytes("09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION "
                              "Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 [Valid] "
                              "Odom:2668 [Valid] DGPS:On FOM:2")),
            "3d77a26d6db538205bfa79ecc8c2026f");
}

// XXH3 takes another path for each range of lengths.
TEST(RowDigest, IsRightForEveryRangeOfLengths) {
  const struct {
    std::size_t size;
    const char* digest;
  } cases[] = {
      {3, "ce31763cbf8245a5a9088dda485b481c"},    {8, "e3bc8a5f461715553cd024e3d63a1588"},
      {16, "ce0b9647ab24f88460d75c5e47d40a24"},   {17, "bfd327edcc2fbd12eeed7654312a26d7"},
      {128, "1b1962a096bac78bc580008b6c92ac53"},  {129, "293e4968c4619023bd91ce7ace4d385b"},
      {240, "ad46c1021b076bc704e0b5f034bee80b"},  {241, "ac6c3492c3d6b45d8beadd3a8874fe17"},
      {1000, "6bcc7eff62da44c26c4f14bd97bd9e82"}, {5000, "c98ae385d09887cc799aaddd7339581d"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.size);
    std::string bytes;
    for (std::size_t i = 0; i < c.size; ++i) bytes += static_cast<char>((i * 7 + 3) & 255);
    EXPECT_EQ(to_hex(hash_bytes(bytes)), c.digest);
  }
}

TEST(RowDigest, OfAPositionIsOverFirstLineOffsetAndLine) {
  const Hash128 first = hash_bytes("first line");
  EXPECT_EQ(to_hex(hash_positioned(first, 0, "first line")), "761ccb8d47484091911b9568fdc99145");
  EXPECT_EQ(to_hex(hash_positioned(first, 1234567890123, "GET /")),
            "109dd1a7a8316f144c266f2a1f70cdb1");
}

TEST(RowIdPart, IsPercentEncodedAndNeverLong) {
  const std::string longest(64, 'k');
  const struct {
    std::string part;
    std::string encoded;
  } cases[] = {
      {"V.1.2683", "V.1.2683"},
      {"AZaz09._-", "AZaz09._-"},
      {"", "-"},
      {"a b", "a%20b"},
      {"10:20/%+", "10%3A20%2F%25%2B"},
      {"ü", "%C3%BC"},
      {std::string("\0\xff", 2), "%00%FF"},
      {longest, longest},
      {longest + "k", "e1e25b432ee0e1d52ddba13dac2bb0fc"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.part);
    EXPECT_EQ(Text([&](std::string& out) { append_id_part(c.part, out); }), c.encoded);
  }
}

TEST(RowIdTime, OfLinesWithoutOneIsTheirPlace) {
  EXPECT_EQ(Text([](std::string& out) { append_place(hash_bytes("first line"), 1234, out); }),
            "b0b58724-0000000000001234");
  EXPECT_EQ(Text([](std::string& out) { append_place(hash_bytes("a"), 9999999999999999U, out); }),
            "a96faf70-9999999999999999");
}

}  // namespace
}  // namespace caravel::formatter
