#include "watcher/privacy/key_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/formatter/format_run.h"

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

formatter::Format Hashing(const std::string& key, const std::string& file = "f.yaml") {
  auto format = test::CompileYaml(
      "format: f\ntime: At\ncolumns: [At, Who]\nprivacy: {Who: hash}\nhash_key: " + key +
          "\nkinds:\n  - {kind: a, line: '{At:timestamp} {Who:word}'}\n",
      file);
  if (!format) throw std::runtime_error(format.error().message);
  return std::move(*format);
}

std::string KeyOf(const std::string& state, const formatter::Format& format, std::string_view day) {
  auto folder = KeyFolder::open(state, format);
  EXPECT_TRUE(folder) << folder.error().message;
  const auto key = folder->keys().key_of_day(day);
  EXPECT_TRUE(key) << key.error().message;
  return *key ? std::string(**key) : "(forgotten)";
}

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(KeyFolder, EachDayHasASaltOfItsOwnThatStays) {
  const test::TempDir dir;
  const auto format = Hashing("daily");
  const std::string first = KeyOf(dir.path(), format, "20240229");
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(KeyOf(dir.path(), format, "20240301"), first);
  EXPECT_EQ(KeyOf(dir.path(), format, "20240229"), first) << "another process reads the same";
  EXPECT_EQ(ModeOf(dir.path("salts/f")), 0700U);
  EXPECT_EQ(ModeOf(dir.path("salts/f/20240229")), 0600U);
  EXPECT_EQ(ModeOf(dir.path("salts/f/mark")), 0600U);
}

TEST(KeyFolder, ASaltIsForgottenWhenItsTimeIsOverAndNeverMadeAgain) {
  const test::TempDir dir;
  auto set = formatter::FormatSet();
  set.add(Hashing("daily\nkeep_salt: 48h"));
  const auto& format = *set.find("f");
  const auto now = std::chrono::system_clock::now();
  const std::string day = "20240229";
  (void)KeyOf(dir.path(), format, day);
  // The day lies in the past, so the salt counts from its making: an old log that comes late.
  EXPECT_EQ(*forget_salts(dir.path(), set, std::nullopt, now + hours(47)), 0U);
  EXPECT_EQ(*forget_salts(dir.path(), set, now, now + hours(49)), 0U)
      << "an extract that waits since now may need it";
  EXPECT_EQ(*forget_salts(dir.path(), set, std::nullopt, now + hours(49)), 1U);
  EXPECT_EQ(KeyOf(dir.path(), format, day), "(forgotten)");
  EXPECT_EQ(std::filesystem::file_size(dir.path("salts/f/" + day)), 0U);
  EXPECT_EQ(*forget_salts(dir.path(), set, std::nullopt, now + hours(99)), 0U);
}

TEST(KeyFolder, ADayFarAheadKeepsNoSaltForEver) {
  const test::TempDir dir;
  auto set = formatter::FormatSet();
  set.add(Hashing("daily\nkeep_salt: 48h"));
  (void)KeyOf(dir.path(), *set.find("f"), "99991231");
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(*forget_salts(dir.path(), set, std::nullopt, now + hours(97)), 1U);
}

TEST(KeyFolder, AnExtractOfTooManyDaysGetsNoMoreSalts) {
  const test::TempDir dir;
  const auto format = Hashing("daily");
  auto folder = KeyFolder::open(dir.path(), format);
  ASSERT_TRUE(folder);
  const auto keys = folder->keys();
  for (std::size_t i = 0; i < kMostNewSalts; ++i) {
    ASSERT_TRUE(keys.key_of_day(std::to_string(10000000 + i)));
  }
  const auto refused = keys.key_of_day("20240229");
  ASSERT_TRUE(refused);
  EXPECT_FALSE(*refused);
}

TEST(KeyFolder, AKeyFileIsPrivateAndLongEnough) {
  const test::TempDir dir;
  const std::string path = dir.write_file("key", "0123456789abcdef\n");
  const auto format = Hashing("key", dir.path("f.yaml"));
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  auto folder = KeyFolder::open(dir.path("state"), format);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("chmod 600"));
  EXPECT_EQ(folder.error().kind, ErrorKind::fault);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(KeyOf(dir.path("state"), format, "20240229"), "0123456789abcdef");
  EXPECT_FALSE(dir.exists("state")) << "nothing is made of it";
  dir.write_file("key", "short");
  folder = KeyFolder::open(dir.path("state"), format);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("fewer than 16 bytes"));
}

}  // namespace
}  // namespace caravel::watcher
