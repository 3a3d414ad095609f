// The agent's own reader of gzip files, held against zlib and against damage.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/packed/gzip_stream.h"

namespace caravel::tail {
namespace {

/// What one reading of a file gave.
struct Text {
  std::string text;
  std::string damage;
};

Text TextOf(const std::string& packed, std::size_t at_a_time = 4096) {
  const UniqueFd fd(::memfd_create("packed", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), packed.data(), packed.size()), static_cast<ssize_t>(packed.size()));
  GzipStream stream(fd.get());
  std::string buffer(at_a_time, '\0');
  Text out;
  for (;;) {
    const auto got = stream.read(buffer.data(), buffer.size());
    EXPECT_TRUE(got.has_value());
    if (!got || *got == 0) break;
    out.text.append(buffer, 0, *got);
  }
  out.damage = stream.damage();
  return out;
}

std::string Words(std::size_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += "line " + std::to_string(random() % 1000) + "\n";
  return out;
}

TEST(GzipStream, GivesBackWhatZlibPacked) {
  std::mt19937 random(7);
  std::string noise(300'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string& text : {std::string(), std::string("a"), Words(3), Words(50'000),
                                  std::string(1'000'000, 'x'), noise}) {
    for (const std::size_t at_a_time : {std::size_t{1}, std::size_t{777}, std::size_t{65'536}}) {
      if (at_a_time == 1 && text.size() > 100'000) continue;
      const Text read = TextOf(Gzip(text), at_a_time);
      EXPECT_TRUE(read.text == text) << text.size() << " bytes, " << at_a_time << " at a time";
      EXPECT_EQ(read.damage, "");
    }
  }
}

TEST(GzipStream, ReadsAllMembersAndNothingBehindThem) {
  const std::string both = Gzip("first\n") + Gzip("") + Gzip("second\n");
  for (const std::string& behind : {std::string(), std::string(100, '\0'), std::string("garbage"),
                                    std::string("\x1f"), std::string("\x1fx")}) {
    const Text read = TextOf(both + behind);
    EXPECT_EQ(read.text, "first\nsecond\n");
    EXPECT_EQ(read.damage, "");
  }
}

TEST(GzipStream, PassesOverTheFieldsOfAHeader) {
  const std::string plain = Gzip("text\n");
  const std::string body = plain.substr(10);
  const auto with = [&](int flags, const std::string& fields) {
    std::string head = plain.substr(0, 10);
    head[3] = static_cast<char>(flags);
    return head + fields + body;
  };
  const std::string extra(
      "\x03\x00"
      "abc",
      5);
  const std::string name("app.log\0", 8);
  const std::string comment("a comment\0", 10);
  const std::string crc("\x12\x34", 2);
  EXPECT_EQ(TextOf(with(8, name)).text, "text\n");
  const std::string all = with(2 | 4 | 8 | 16, extra + name + comment + crc);
  EXPECT_EQ(TextOf(all).text, "text\n");
  EXPECT_EQ(TextOf(all).damage, "");
  EXPECT_EQ(TextOf(with(0x80, "")).damage, "it is packed in a way that is not known");
  EXPECT_EQ(TextOf("no gzip at all").damage, "it is no gzip file");
}

TEST(GzipStream, OneThatIsCutOffAnywhereGivesWhatItCanAndSaysSo) {
  const std::string text = Words(400);
  const std::string packed = Gzip(text);
  std::size_t before = 0;
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const Text read = TextOf(packed.substr(0, size));
    EXPECT_EQ(read.damage, "it ends in the middle") << size;
    EXPECT_TRUE(text.starts_with(read.text)) << size;
    EXPECT_GE(read.text.size(), before) << size;
    before = read.text.size();
  }
  EXPECT_EQ(before, text.size());
}

TEST(GzipStream, ABitThatChangedIsNeverTakenForTheText) {
  const std::string text = Words(300);
  const std::string packed = Gzip(text);
  std::size_t noticed = 0;
  for (std::size_t byte = 10; byte < packed.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = packed;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      const Text read = TextOf(bad);
      // Some bits mean nothing, such as those behind the last code.
      if (read.damage.empty()) {
        EXPECT_TRUE(read.text == text) << byte << ": " << bit;
      } else {
        ++noticed;
      }
    }
  }
  EXPECT_GT(noticed, 8 * (packed.size() - 10) - 16);
}

TEST(GzipStream, NoiseEndsReading) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = Gzip("x").substr(0, 10);
    for (int n = 0; n < 200; ++n) bad += static_cast<char>(random());
    EXPECT_LT(TextOf(bad).text.size(), 1'000'000U);
  }
}

}  // namespace
}  // namespace caravel::tail
