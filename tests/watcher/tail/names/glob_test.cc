// Patterns of paths, and wildcards within one name.
#include <fnmatch.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/names/glob.h"
#include "watcher/tail/names/wildcard.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LogPattern, FindsFilesInAnyComponent) {
  TailFixture f;
  fs::create_directory(f.Log("d1"));
  fs::create_directory(f.Log("d2.log"));
  for (const char* name : {"d1/a.log", "d1/.hidden.log", "d1/a.1.log", "d2.log/b.log", "c.txt"}) {
    f.Append("x", name);
  }
  const Matches found = matching_logs(f.Log("d*/*.log"), {});
  EXPECT_THAT(found.logs, ElementsAre(f.Log("d1/a.log"), f.Log("d2.log/b.log")));
  EXPECT_THAT(found.numbered, ElementsAre(f.Log("d1/a.1.log")));
  EXPECT_THAT(matching_logs(f.Log("*.log"), {}).logs, IsEmpty());
  EXPECT_THAT(matching_logs(f.Log("[c].t?t"), {}).logs, ElementsAre(f.Log("c.txt")));
}

TEST(LogPattern, KnowsThatThereAreMoreThanAreFollowed) {
  TailFixture f;
  fs::create_directory(f.Log("many"));
  const auto add = [&](int number) { f.Append("x", "many/" + std::to_string(number) + "x.log"); };
  for (int i = 0; i < 10'000; ++i) add(i);
  EXPECT_FALSE(matching_logs(f.Log("many/*.log"), {}).too_many);
  EXPECT_EQ(matching_logs(f.Log("many/*.log"), {}).logs.size(), 10'000U);
  add(10'000);
  EXPECT_TRUE(matching_logs(f.Log("many/*.log"), {}).too_many);
  EXPECT_EQ(matching_logs(f.Log("many/*.log"), {}).logs.size(), 10'000U);
}

TEST(LogPattern, SaysWhatItCannotLookAt) {
  TailFixture f;
  fs::create_directory(f.Log("d"));
  // A circle of links is like a link to nothing.
  fs::create_symlink("loop", f.Log("d/loop"));
  EXPECT_FALSE(matching_logs(f.Log("d/l*p"), {}).unreadable.has_value());
  // Of a name that the system refuses nobody knows whether it is there.
  const auto found = matching_logs(f.Log("*/" + std::string(300, 'x')), {});
  ASSERT_TRUE(found.unreadable.has_value());
  EXPECT_THAT(found.unreadable->message, testing::HasSubstr("File name too long"));
}

TEST(Wildcard, IsWhatTheSystemsIs) {
  // Every pattern and every name of a few characters is compared with what fnmatch(3) says.
  const auto words = [](std::string_view alphabet, std::size_t longest) {
    std::vector<std::string> all{""};
    for (std::size_t begin = 0, length = 1; length <= longest; ++length) {
      const std::size_t end = all.size();
      for (; begin < end; ++begin) {
        for (const char c : alphabet) all.push_back(all[begin] + c);
      }
    }
    return all;
  };
  std::vector<std::string> patterns = words("ab*?.", 4);
  for (const std::string& set : words("ab-!]\\", 4)) {
    patterns.push_back("[" + set + "]");
    patterns.push_back("[" + set + "]*b");
    patterns.push_back("*[" + set);
  }
  for (const char* more : {"[[:digit:]]",
                           "[![:digit:]a]*",
                           "[[:alpha:]-z]",
                           "[[:upper:][:lower:]]",
                           "[[:nonsense:]]",
                           "[^a]",
                           "*a*b*a*",
                           "\\*",
                           "\\?a",
                           "a\\",
                           "[]a]",
                           "[!]a]",
                           "[a-",
                           "[",
                           "[!",
                           "[]",
                           "[a",
                           "\xFF*",
                           "?\xFF",
                           "[\x80-\xFF]",
                           "\\.a",
                           "[.]a",
                           "*.a"}) {
    patterns.push_back(more);
  }
  std::vector<std::string> names = words("ab.-", 4);
  for (const char* more : {"7", "x7", "Z", "*", "?a", "]", "!", "\\", "[", "[a", "\xFF", "a\xFF"}) {
    names.push_back(more);
  }
  for (const std::string& pattern : patterns) {
    for (const std::string& name : names) {
      if (wildcard_matches(pattern, name) !=
          (::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0)) {
        ADD_FAILURE() << "'" << pattern << "' and '" << name << "'";
      }
    }
  }
}

TEST(LogPattern, MatchesComponentByComponent) {
  EXPECT_TRUE(matches("/a/*/c.log", "/a/b/c.log"));
  EXPECT_FALSE(matches("/a/*", "/a/b/c.log"));
  EXPECT_FALSE(matches("/a/*/c", "/a/c"));
  EXPECT_FALSE(matches("/a/*.log", "/a/.b.log"));
  EXPECT_FALSE(matches("/a[/]b", "/a/b"));
}

}  // namespace
}  // namespace caravel::tail
