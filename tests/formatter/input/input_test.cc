#include "formatter/input/input.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/formatter/input/packing.h"
#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

using test::Gzip;
using test::Zstd;
using testing::HasSubstr;

class InputTest : public testing::Test {
 protected:
  Result<Input> Open(std::string_view content, const Input::Options& options = {}) {
    return Input::open(*open_file(dir_.write_file("f", content), O_RDONLY), options);
  }
  /// All unpacked bytes, or "error: …".
  std::string Unpacked(std::string_view content, const Input::Options& options = {},
                       std::size_t chunk = 64 * 1024) {
    auto input = Open(content, options);
    if (!input) return Failure(input.error());
    std::string out;
    std::string buffer(chunk, '\0');
    for (;;) {
      const auto got = input->read(buffer.data(), buffer.size());
      if (!got) return Failure(got.error());
      if (*got == 0) break;
      out.append(buffer, 0, *got);
    }
    packed_bytes_ = input->packed_bytes();
    const Input::Digests digests = input->digests();
    sha256_ = digests.packed;
    unpacked_sha256_ = digests.unpacked;
    return out;
  }
  static std::string Failure(const Error& error) {
    EXPECT_EQ(error.kind, ErrorKind::content);
    return "error: " + error.message;
  }

  test::TempDir dir_;
  std::uint64_t packed_bytes_ = 0;
  std::string sha256_;
  std::string unpacked_sha256_;
};

/// 600 KB that do not pack too well: more than any buffer on the way.
std::string Large() {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < 600'000) text += std::to_string(random()) + "\n";
  return text;
}

TEST_F(InputTest, TellsPackingByTheFirstBytesNotByTheName) {
  for (const std::string& packed : {std::string("text\n"), Gzip("text\n"), Zstd("text\n")}) {
    EXPECT_EQ(Unpacked(packed), "text\n");
    EXPECT_EQ(Unpacked(packed, {.name = "x.log"}), "text\n");
    EXPECT_EQ(packed_bytes_, packed.size());
  }
}

TEST_F(InputTest, RefusesANameThatLies) {
  EXPECT_EQ(Unpacked("text\n", {.name = "x.gz"}),
            "error: is not gzip data, whatever its name says");
  EXPECT_EQ(Unpacked("text\n", {.name = "x.zst"}),
            "error: is not zstd data, whatever its name says");
  EXPECT_EQ(Unpacked(Zstd("text\n"), {.name = "x.gz"}),
            "error: is not gzip data, whatever its name says");
  EXPECT_EQ(Unpacked("\x1f", {.name = "x.gz"}), "error: is not gzip data, whatever its name says");
}

TEST_F(InputTest, TakesAnEmptyFileUnderAnyName) {
  for (const char* name : {"", "x.log", "x.gz", "x.zst"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(Unpacked("", {.name = name}), "");
    EXPECT_EQ(sha256_, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}

TEST_F(InputTest, TakesFilesShorterThanAMagicNumber) {
  for (const char* text : {"a", "ab", "abc", "\x28\xb5\x2f"}) EXPECT_EQ(Unpacked(text), text);
}

TEST_F(InputTest, DigestsTheBytesAsTheyCame) {
  EXPECT_EQ(Unpacked("abc"), "abc");
  EXPECT_EQ(sha256_, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string packed = Gzip("abc");
  (void)Unpacked(packed);
  const std::string of_packed = sha256_;
  EXPECT_EQ(unpacked_sha256_, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  (void)Unpacked(Zstd("abc"));
  EXPECT_EQ(unpacked_sha256_, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  (void)Unpacked("x" + packed);  // the same bytes as plain text
  EXPECT_NE(of_packed, sha256_);
  EXPECT_NE(of_packed, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Unpacked("abc", {.digest = false}), "abc");
  EXPECT_EQ(sha256_, "");
}

TEST_F(InputTest, UnpacksWhateverTheSizeOfTheReads) {
  const std::string text = Large();
  for (const std::string& packed : {text, Gzip(text), Zstd(text)}) {
    for (const std::size_t chunk : {std::size_t{4093}, std::size_t{64 * 1024}, text.size() + 1}) {
      SCOPED_TRACE(chunk);
      ASSERT_TRUE(Unpacked(packed, {}, chunk) == text);
      EXPECT_EQ(packed_bytes_, packed.size());
    }
  }
  const std::string small = text.substr(0, 500);
  EXPECT_EQ(Unpacked(Gzip(small), {}, 1), small);
  EXPECT_EQ(Unpacked(Zstd(small), {}, 1), small);
}

TEST_F(InputTest, JoinsGzipMembersAndZstdFrames) {
  EXPECT_EQ(Unpacked(Gzip("one\n") + Gzip("") + Gzip("two\n")), "one\ntwo\n");
  EXPECT_EQ(Unpacked(Zstd("one\n") + Zstd("") + Zstd("two\n")), "one\ntwo\n");
  const std::string text = Large();
  EXPECT_TRUE(Unpacked(Gzip(text) + Gzip(text)) == text + text);
  EXPECT_TRUE(Unpacked(Zstd(text) + Zstd(text)) == text + text);
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11);
  EXPECT_EQ(Unpacked(Zstd("one\n") + skippable + Zstd("two\n")), "one\ntwo\n");
}

TEST_F(InputTest, IgnoresTheZerosThatGzipPadsTapesWith) {
  const std::string zeros(512, '\0');
  EXPECT_EQ(Unpacked(Gzip("one\n") + zeros), "one\n");
  EXPECT_EQ(Unpacked(Gzip("one\n") + zeros + Gzip("two\n")), "one\ntwo\n");
  EXPECT_EQ(Unpacked(Gzip("one\n") + std::string(300'000, '\0')), "one\n");
  EXPECT_EQ(packed_bytes_, Gzip("one\n").size() + 300'000);
}

TEST_F(InputTest, ReportsGarbageBehindTheData) {
  EXPECT_THAT(Unpacked(Gzip("one\n") + "garbage"), HasSubstr("error: gzip data is damaged"));
  EXPECT_THAT(Unpacked(Zstd("one\n") + "garbage"), HasSubstr("error: zstd data is damaged"));
}

TEST_F(InputTest, ReportsEveryPlaceToCutAt) {
  const std::string text = Large().substr(0, 3000);
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    for (std::size_t size = 4; size < packed.size(); ++size) {
      SCOPED_TRACE(size);
      ASSERT_THAT(Unpacked(packed.substr(0, size)), HasSubstr("data is cut off"));
    }
  }
}

TEST_F(InputTest, ReportsDamage) {
  const std::string text = Large();
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    for (const std::size_t at : {std::size_t{4}, packed.size() / 2, packed.size() - 1}) {
      SCOPED_TRACE(at);
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
      if (Unpacked(damaged) == text) continue;  // a byte that carries nothing (gzip's time)
      EXPECT_THAT(Unpacked(damaged), HasSubstr("data is "));
    }
    std::string checksum = packed;
    checksum[packed.size() - (packed[0] == '\x1f' ? 8U : 1U)] ^= 1;
    EXPECT_THAT(Unpacked(checksum), HasSubstr("data is damaged"));
  }
}

TEST_F(InputTest, TakesTheZstdWindowsThatZstdTakesUnasked) {
  EXPECT_EQ(Unpacked(test::ZstdWithWindow("text\n", 23)), "text\n");
  EXPECT_EQ(Unpacked(test::ZstdWithWindow("text\n", 27)), "text\n");
  EXPECT_THAT(Unpacked(test::ZstdWithWindow("text\n", 28)), HasSubstr("more than 128.0 MiB"));
}

TEST_F(InputTest, TakesNoLargerZstdWindowThanItMay) {
  constexpr std::uint64_t kMiB = 1 << 20;
  EXPECT_EQ(Unpacked(test::ZstdWithWindow("text\n", 20), {.max_window = kMiB}), "text\n");
  EXPECT_EQ(Unpacked(test::ZstdWithWindow("text\n", 31), {.max_window = kMostWindow}), "text\n");
  EXPECT_THAT(Unpacked(test::ZstdWithWindow("text\n", 21), {.max_window = kMiB}),
              HasSubstr("error: needs a zstd window of more than 1.0 MiB (max_window)"));
  // No power of two.
  EXPECT_THAT(Unpacked(test::ZstdWithWindow("text\n", 21), {.max_window = 2 * kMiB - 1}),
              HasSubstr("more than 1.0 MiB (max_window)"));
  // Every frame is judged, and what is skipped has no window.
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11);
  EXPECT_EQ(Unpacked(skippable + test::ZstdWithWindow("one\n", 20) + skippable +
                         test::ZstdWithWindow("two\n", 20),
                     {.max_window = kMiB}),
            "one\ntwo\n");
  EXPECT_THAT(Unpacked(test::ZstdWithWindow("one\n", 20) + test::ZstdWithWindow("two\n", 21),
                       {.max_window = kMiB}),
              HasSubstr("more than 1.0 MiB (max_window)"));
}

TEST_F(InputTest, SaysThatADictionaryIsMissing) {
  EXPECT_THAT(Unpacked(test::ZstdWithDictionary("text\n")),
              HasSubstr("error: needs the zstd dictionary that it was packed with"));
}

TEST_F(InputTest, ReadsNoFurtherThanTheFixedSize) {
  EXPECT_EQ(Unpacked("abcdefgh", {.fixed_size = 5}), "abcde");
  EXPECT_EQ(packed_bytes_, 5U);
  EXPECT_EQ(Unpacked("abcdefgh", {.fixed_size = 2}), "ab");
  EXPECT_EQ(Unpacked("abc", {.fixed_size = 5}), "abc");
  const std::string packed = Gzip("one\n");
  EXPECT_EQ(Unpacked(packed + "more", {.fixed_size = packed.size()}), "one\n");
  EXPECT_THAT(Unpacked(packed, {.fixed_size = packed.size() - 1}), HasSubstr("cut off"));
}

TEST_F(InputTest, ReadsAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd from(ends[0]);
  {
    const UniqueFd to(ends[1]);
    ASSERT_TRUE(write_all(to.get(), Gzip("one\n")));
  }
  auto input = Input::open(std::move(from), {});
  ASSERT_TRUE(input);
  char bytes[8];
  EXPECT_EQ(input->read(bytes, sizeof bytes).value(), 4U);
  EXPECT_EQ(input->read(bytes, sizeof bytes).value(), 0U);
}

TEST_F(InputTest, ADiskThatDoesNotReadIsNoFaultOfTheFile) {
  const auto input = Input::open(*open_file(dir_.path(), O_RDONLY | O_DIRECTORY), {});
  ASSERT_FALSE(input);
  EXPECT_NE(input.error().kind, ErrorKind::content);
}

}  // namespace
}  // namespace caravel::formatter
