// The digest of extracts, against the standard and against itself.
#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "watcher/tail/files/sha256.h"

namespace caravel::tail {
namespace {

TEST(Sha256Sum, AgreesWithTheStandardEitherWay) {
  // The examples of FIPS 180-4, the last of them a million times "a".
  const struct {
    std::string text;
    const char* digest;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto use : {Sha256::Use::best, Sha256::Use::portable}) {
    for (const auto& c : cases) {
      for (const std::size_t piece : {7UL, 63UL, 64UL, 65UL, 100'000UL}) {
        Sha256 sha(use);
        for (std::size_t at = 0; at < c.text.size(); at += piece) {
          sha.update(std::string_view(c.text).substr(at, piece));
        }
        EXPECT_EQ(sha.finish(), c.digest);
      }
    }
  }
}

TEST(Sha256Sum, OfTwoMessagesTogetherIsTheSumOfEach) {
  std::string text;
  while (text.size() < 5000) text += std::to_string(text.size());
  const std::string_view all = text;
  for (const auto use : {Sha256::Use::best, Sha256::Use::portable}) {
    for (const std::size_t rest : {0UL, 1UL, 63UL}) {
      for (const std::size_t size : {0UL, 1UL, 64UL, 130UL, 2048UL}) {
        for (const std::size_t other_size : {0UL, 63UL, 64UL, 1000UL, 2048UL}) {
          SCOPED_TRACE(testing::Message() << rest << " " << size << " " << other_size);
          Sha256 one(use);
          Sha256 other(use);
          one.update(all.substr(0, rest));
          Sha256::update_both(one, all.substr(rest, size), other, all.substr(7, other_size));
          Sha256::update_both(one, all.substr(rest + size, 640), other,
                              all.substr(7 + other_size, 640));
          Sha256 one_alone(use);
          Sha256 other_alone(use);
          one_alone.update(all.substr(0, rest + size + 640));
          other_alone.update(all.substr(7, other_size + 640));
          EXPECT_EQ(one.finish(), one_alone.finish());
          EXPECT_EQ(other.finish(), other_alone.finish());
        }
      }
    }
  }
}

}  // namespace
}  // namespace caravel::tail
