// Files and directories that must not be read, for a while or for ever.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

class TailRights : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root's rights";
    fixture_ = std::make_unique<TailFixture>();
  }
  void TearDown() override {
    fixture_.reset();
    ASSERT_TRUE(::getuid() != 0 || ::seteuid(0) == 0);
  }
  /// Takes the right to read away; the writer may go on writing.
  void Forbid(const std::string& name) const {
    fs::permissions(fixture_->Log(name), fs::perms::owner_write | fs::perms::owner_exec);
  }
  void Allow(const std::string& name) const {
    fs::permissions(fixture_->Log(name), fs::perms::owner_all);
  }

  std::unique_ptr<TailFixture> fixture_;
};

TEST_F(TailRights, AMissingOneIsReportedOnceAndWaitedFor) {
  TailFixture& f = *fixture_;
  f.Append("a\n");
  f.Pass();
  Forbid("app.log");
  f.Stop();
  f.Pass();
  f.Pass();
  EXPECT_THAT(f.AllMessages(), HasSubstr("Permission denied"));
  EXPECT_THAT(f.messages, SizeIs(1));
  Allow("app.log");
  f.Append("b\n");
  f.Pass();
  EXPECT_EQ(f.Sent(), "a\nb\n");
}

TEST_F(TailRights, ALogThatMustNotBeReadAtFirstBeginsBehindWhatWasThere) {
  for (const char* log : {"app.log", "*.log"}) {
    for (const bool restarted : {false, true}) {
      for (const bool rotated : {false, true}) {
        SCOPED_TRACE(std::string(log) + (restarted ? " restarted" : "") +
                     (rotated ? " rotated" : ""));
        TailFixture f;
        f.options.logs = {f.Log(log)};
        f.options.from_start = false;
        f.Append("old 1\nold 2\n");
        fs::permissions(f.Log(), fs::perms::owner_write);
        f.Pass();
        EXPECT_TRUE(f.trouble);
        f.Append("new 1\n");
        f.Pass();
        if (restarted) f.Restart();
        f.Pass();
        if (rotated) {
          f.Rename("app.log", "app.log.1");
          f.Append("new 2\n");
          fs::permissions(f.Log("app.log.1"), fs::perms::owner_all);
        } else {
          fs::permissions(f.Log(), fs::perms::owner_all);
          f.Append("new 2\n");
        }
        f.PassGrace();
        EXPECT_EQ(f.Sent(), "new 1\nnew 2\n");
      }
    }
  }
}

TEST_F(TailRights, ADirectoryThatMustNotBeLookedThroughIsNoEmptyOne) {
  TailFixture& f = *fixture_;
  fs::create_directory(f.Log("d"));
  f.options.logs = {f.Log("d/*.log")};
  f.options.from_start = false;
  f.Append("old\n", "d/app.log");
  TailFixture::LetItBeOld();
  Forbid("d");
  f.Pass();
  f.Restart();
  f.Pass();
  EXPECT_TRUE(f.trouble);
  EXPECT_THAT(f.AllMessages(), HasSubstr("d/: Permission denied"));
  Allow("d");
  f.Pass();
  EXPECT_FALSE(f.trouble);
  f.Append("new\n", "d/app.log");
  f.Pass();
  EXPECT_EQ(f.Sent(), "new\n");
}

TEST_F(TailRights, ANeighbourThatMustNotBeReadHoldsNothingUp) {
  TailFixture& f = *fixture_;
  const std::string first(3000, 'a');
  f.Append(first + "\n");
  f.Pass();
  f.Append(std::string(2500, 'x') + "\n", "app.log.bak");
  Forbid("app.log.bak");
  f.Rename("app.log", "app.log.1");
  f.Append("b\n");
  f.PassGrace();
  f.Append("c\n");
  f.Pass();
  EXPECT_EQ(f.Sent(), first + "\nb\nc\n");
  EXPECT_THAT(f.AllMessages(), HasSubstr("app.log.bak: must not be read"));
  EXPECT_THAT(f.messages, SizeIs(1));
  Allow("app.log.bak");
  f.PassGrace();
  EXPECT_THAT(f.AllMessages(), HasSubstr("app.log.bak: may be read now"));
  EXPECT_THAT(f.Sent(), HasSubstr("xxx"));
}

TEST_F(TailRights, ADirectoryThatMustNotBeReadMakesNoNewLogOld) {
  TailFixture& f = *fixture_;
  for (const char* name : {"private", "app"}) fs::create_directory(f.Log(name));
  f.options.logs = {f.Log("*/*.log")};
  f.options.from_start = false;
  f.Append("old\n", "private/app.log");
  TailFixture::LetItBeOld();
  Forbid("private");
  f.Pass();
  f.Restart();
  f.Append("1\n", "app/new.log");
  f.Pass();
  EXPECT_EQ(f.Sent(), "1\n");
  Allow("private");
  f.Append("2\n", "private/new.log");
  f.Pass();
  EXPECT_THAT(f.Sent(), testing::AllOf(HasSubstr("2"), testing::Not(HasSubstr("old"))));
}

TEST_F(TailRights, ARotatedFileThatMustNotBeReadComesLater) {
  TailFixture& f = *fixture_;
  f.Append("1\n");
  f.Pass();
  f.Stop();
  f.Append("2\n");
  f.Rename("app.log", "app.log.1");
  Forbid("app.log.1");
  f.Append("3\n");
  f.PassGrace();
  EXPECT_EQ(f.Sent(), "1\n3\n");
  Allow("app.log.1");
  f.Pass(std::chrono::hours(2));
  f.PassGrace();
  EXPECT_EQ(f.Sent(), "1\n3\n2\n");
}

TEST_F(TailRights, ALogThatMustNotBeReadAtFirstAndIsRotatedHoldsNothingUp) {
  TailFixture& f = *fixture_;
  f.options.from_start = false;
  f.Append("1\n");
  Forbid("app.log");
  f.Pass();
  f.Append("2\n");
  f.Rename("app.log", "app.log.1");
  f.Append("3\n");
  f.PassGrace();
  EXPECT_EQ(f.Sent(), "3\n");
  EXPECT_THAT(f.AllMessages(), HasSubstr("since the first look is lost"));
}

TEST_F(TailRights, ALinkIntoADirectoryThatMustNotBeListedIsRead) {
  TailFixture& f = *fixture_;
  fs::create_directory(f.Log("data"));
  fs::create_symlink("data/app.log", f.Log());
  f.Append("1\n", "data/app.log");
  fs::permissions(f.Log("data"), fs::perms::owner_exec);
  f.Pass();
  f.Append("2\n", "data/app.log");
  f.Restart();
  f.Pass();
  EXPECT_EQ(f.Sent(), "1\n2\n");
  Allow("data");
}

}  // namespace
}  // namespace caravel::tail
