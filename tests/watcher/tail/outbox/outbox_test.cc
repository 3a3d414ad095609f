// What the outbox holds after crashes and lost answers: no manifest without its extract, no extract
// without its manifest.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/sha256.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/shell.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::IsEmpty;

class TailOutbox : public testing::Test, public TailFixture {
 protected:
  TailOutbox() {
    fs::create_directories(Outbox() / "sent");
    manifest_.log = "/app.log";
    manifest_.host = "host";
    manifest_.run = "0a1b2c3d";
    manifest_.sequence = 7;
    manifest_.first_line = std::string(32, '0');
    manifest_.last = manifest_.bytes = content_.size();
    manifest_.lines = 1;
    Sha256 sha256;
    sha256.update(content_);
    manifest_.sha256 = sha256.finish();
  }

  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  [[nodiscard]] static std::vector<std::string> NamesIn(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::string content_ = "a line\n";
  watcher::Manifest manifest_;
  tail::Outbox outbox_{disk, options.outbox};
  const std::string name_ = watcher::extract_name("/app.log", "host", "0a1b2c3d", 7);
  const std::string manifest_name_ = watcher::manifest_name(name_);
};

TEST_F(TailOutbox, AnExtractThatHasItsNameGetsItsManifestToo) {
  // A crash between link(2) and unlink(2); then a power loss that took the manifest's name.
  Write(Outbox() / ("." + name_ + ".tmp"), content_);
  fs::create_hard_link(Outbox() / ("." + name_ + ".tmp"), Outbox() / name_);
  EXPECT_EQ(outbox_.publish(manifest_, true), true);
  EXPECT_THAT(NamesIn(Outbox()), ElementsAre(name_, manifest_name_));
}

TEST_F(TailOutbox, AManifestThatCannotBeReadIsNotAnothers) {
  Write(Outbox() / ("." + name_ + ".tmp"), content_);
  // A directory under its name answers with an error when it is read, as a bad disk does.
  fs::create_directory(Outbox() / manifest_name_);
  const auto published = outbox_.publish(manifest_, true);
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().system, EISDIR);
}

TEST_F(TailOutbox, ALinkWhoseAnswerWasLostIsMade) {
  Write(Outbox() / "from", content_);
  fs::create_hard_link(Outbox() / "from", Outbox() / "to");
  EXPECT_EQ(disk.publish(Outbox() / "from", Outbox() / "to"), true);
  EXPECT_THAT(NamesIn(Outbox()), ElementsAre("to"));
  Write(Outbox() / "other", content_);
  EXPECT_EQ(disk.publish(Outbox() / "other", Outbox() / "to"), false);
  EXPECT_THAT(NamesIn(Outbox()), ElementsAre("other", "to"));
}

TEST_F(TailOutbox, ACrashWhileItExpiresLeavesNoManifestBehind) {
  for (int operation = 1; operation <= 2; ++operation) {
    SCOPED_TRACE(operation);
    Write(Outbox() / "sent" / name_, content_);
    Write(Outbox() / "sent" / manifest_name_, "x");
    disk.crash_in(operation, true);
    EXPECT_THROW(static_cast<void>(outbox_.expire(now.wall + std::chrono::hours(1), 0)), Crash);
    disk.heal();
    EXPECT_TRUE(outbox_.expire(now.wall + std::chrono::hours(1), 0).has_value());
    EXPECT_THAT(NamesIn(Outbox() / "sent"), IsEmpty());
  }
}

TEST_F(TailOutbox, ManifestsThatAnOlderAgentLeftAreSwept) {
  Write(Outbox() / "sent" / manifest_name_, "x");
  const std::string other = watcher::manifest_name(watcher::extract_name("/a", "h", "ffffffff", 1));
  Write(Outbox() / "sent" / other, "x");  // of another agent that shares the outbox
  EXPECT_TRUE(outbox_.sweep({"0a1b2c3d"}, {}).has_value());
  EXPECT_THAT(NamesIn(Outbox() / "sent"), ElementsAre(other));
}

}  // namespace
}  // namespace caravel::tail
