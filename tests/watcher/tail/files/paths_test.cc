// What lies at a path, and in a directory.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/unique_fd.h"
#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/siblings.h"

namespace {

/// From this call of readdir(3) on the disk does not answer; 0: it does.
int refused_from = 0;
int calls = 0;

}  // namespace

/// In the place of the C library's, for all of this program.
extern "C" dirent* readdir(DIR* stream) {
  static const auto next = reinterpret_cast<dirent* (*)(DIR*)>(::dlsym(RTLD_NEXT, "readdir"));
  if (refused_from > 0 && ++calls >= refused_from) {
    errno = EIO;
    return nullptr;
  }
  return next(stream);
}

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

TEST(IsThere, OnlyNoSuchFileIsANo) {
  TailFixture f;
  f.Append("a");
  fs::create_symlink("loop", f.Log("loop"));
  fs::create_symlink("nowhere", f.Log("dangling"));
  EXPECT_EQ(is_there(f.Log()), true);
  EXPECT_EQ(is_there(f.Log("dangling")), true);
  EXPECT_EQ(is_there(f.Log("none")), false);
  EXPECT_EQ(is_there(f.Log("app.log/x")), false);
  EXPECT_FALSE(is_there(f.Log("loop/x")).has_value());
}

TEST(NamesIn, AListThatIsCutShortIsAnError) {
  TailFixture f;
  for (const char* name : {"app.log", "app.log.1", "app.log.2"}) f.Append("a\n", name);
  const std::string directory = directory_of(f.Log());
  const std::size_t all = names_in(directory).value().size();
  for (int call = 1; call <= static_cast<int>(all) + 3; ++call) {
    SCOPED_TRACE(call);
    calls = 0;
    refused_from = call;
    const auto names = names_in(directory);
    const auto siblings = rotated_siblings(f.Log(), std::nullopt, {});
    refused_from = 0;
    ASSERT_FALSE(names.has_value());
    EXPECT_EQ(names.error().system, EIO);
    EXPECT_THAT(names.error().message, HasSubstr("read " + directory));
    // A rotated file that was not listed would be called lost.
    EXPECT_FALSE(siblings.has_value());
  }
}

TEST(NamesIn, ARemovedDirectoryIsNoEmptyOne) {
  TailFixture f;
  const std::string directory = f.Log("old");
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::rmdir(directory.c_str()), 0);
  // As it is for who opened it a moment before: readdir(3) just ends.
  const auto names = names_in("/proc/self/fd/" + std::to_string(fd.get()));
  ASSERT_FALSE(names.has_value());
  EXPECT_EQ(names.error().system, ENOENT);
}

}  // namespace
}  // namespace caravel::tail
