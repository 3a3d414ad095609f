// The agent's outbox and state file: full disks, crashes, and what other programs do to them.
#include <poll.h>
#include <sys/stat.h>

#include "tests/watcher/tail/small_disk.h"
#include "tests/watcher/tail/tail_fixture.h"

namespace caravel::tail {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class TailDisk : public TailFixture, public testing::Test {};

TEST_F(TailDisk, StopsCuttingWhenTheOutboxIsFullAndSaysItOnce) {
  options.max_outbox = 10;
  options.max_bytes = 6;
  Append("aaaaa\nbbbbb\nccccc\n");
  for (int i = 0; i < 5; ++i) Pass();
  ASSERT_THAT(Extracts(), SizeIs(1));
  EXPECT_EQ(std::count(messages.begin(), messages.end(), messages.front()), 1);
  EXPECT_THAT(messages.front(), HasSubstr("--max-outbox"));
  std::string all;
  for (int i = 0; i < 3; ++i) {
    all += Sent();
    for (const auto& [name, content] : Extracts()) std::filesystem::remove(Outbox() / name);
    Pass();
  }
  EXPECT_EQ(all, "aaaaa\nbbbbb\nccccc\n");
}

TEST_F(TailDisk, CountsManifestsToo) {
  options.max_outbox = 1000;
  Append("a\n");
  Pass();
  // Three manifests of some 300 bytes fit, and then one extract.
  for (int i = 0; i < 5; ++i) {
    Append("b\n");
    Pass();
  }
  EXPECT_LE(Extracts().size(), 4U);
  EXPECT_THAT(AllMessages(), HasSubstr("--max-outbox"));
}

TEST_F(TailDisk, ReportsAFullDiskOnceAndLosesNothing) {
  Start();
  disk.break_operations([] { return true; }, ENOSPC);
  Append("a\n");
  for (int i = 0; i < 5; ++i) Pass();
  EXPECT_TRUE(trouble);
  EXPECT_THAT(messages, SizeIs(2));  // one of the outbox, one of the state
  EXPECT_THAT(AllMessages(), HasSubstr("No space left"));
  disk.heal();
  Pass();
  EXPECT_EQ(Sent(), "a\n");
  EXPECT_FALSE(trouble);
}

TEST_F(TailDisk, CrashAtAnyOperationLosesAndRepeatsNothing) {
  for (int operation = 1; operation < 60; ++operation) {
    for (const bool halfway : {false, true}) {
      SCOPED_TRACE(std::to_string(operation) + (halfway ? " halfway" : ""));
      TailFixture f;
      f.options.max_bytes = 10;
      f.Append("a\nb\n");
      f.Pass();
      f.disk.crash_in(operation, halfway);
      try {
        for (int i = 0; i < 3; ++i) {
          f.Append("cccc\ndddd\ne\n");
          f.Pass();
        }
      } catch (const Crash&) {
        f.Stop();
      }
      f.disk.heal();
      // A fetcher takes everything that has its final name.
      std::string all = f.Sent();
      for (const auto& entry : std::filesystem::directory_iterator(f.Outbox())) {
        if (entry.path().filename().string()[0] != '.') std::filesystem::remove(entry.path());
      }
      f.Pass();
      all += f.Sent();
      EXPECT_EQ(all, ReadAll(f.Log()));
      // No temporary file stays behind.
      f.Restart();
      for (const auto& entry : std::filesystem::directory_iterator(f.Outbox())) {
        EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
      }
    }
  }
}

TEST_F(TailDisk, ACrashBeforeAnythingWasSavedLeavesNoTemporaryFiles) {
  for (int operation = 1; operation < 40; ++operation) {
    SCOPED_TRACE(operation);
    TailFixture f;
    f.options.max_bytes = 10;
    f.Append("cccc\ndddd\ne\n");
    f.disk.crash_in(operation, true);
    try {
      f.Pass();
    } catch (const Crash&) {
    }
    f.Stop();
    f.disk.heal();
    f.Pass();
    EXPECT_EQ(f.Sent(), "cccc\ndddd\ne\n");
    for (const auto& file : std::filesystem::directory_iterator(f.Outbox())) {
      EXPECT_NE(file.path().filename().string().front(), '.') << file.path();
    }
  }
}

TEST_F(TailDisk, TakesItsPlaceFromTheOutboxWhenTheStateIsOlder) {
  Append("a\n");
  Pass();
  const std::string old = ReadAll(options.state);
  Append("b\n");
  Pass();
  Append("c\n");
  Pass();
  Stop();
  std::ofstream(options.state) << old;
  Append("d\n");
  Pass();
  EXPECT_EQ(Sent(), "a\nb\nc\nd\n");
  EXPECT_THAT(AllMessages(), HasSubstr("the state is older than extract 3"));
}

TEST_F(TailDisk, NeverOverwritesAnExtractButBeginsANewRun) {
  Append("a\n");
  Pass();
  const std::string old = ReadAll(options.state);
  Append("b\n");
  Pass();
  const std::string name = Extracts().rbegin()->first;
  std::filesystem::remove(Outbox() / (name + ".manifest"));
  Stop();
  std::ofstream(options.state) << old;
  Append("c\n");
  Pass();
  EXPECT_EQ(ReadAll(Outbox() / name), "b\n");
  const auto extracts = Extracts();
  ASSERT_THAT(extracts, SizeIs(3));
  EXPECT_THAT(AllMessages(), HasSubstr("a new run begins"));
}

TEST_F(TailDisk, AnOutboxThatIsAnotherDirectoryDoesNotSwallowWhatWasAnnounced) {
  Append("a\n");
  Pass();
  // Crash after crash, until the state on the disk announces an extract that is not published yet.
  for (int operation = 1; operation < 40; ++operation) {
    disk.crash_in(operation, true);
    Append("b\n");
    try {
      Pass();
    } catch (const Crash&) {
      Stop();
    }
    disk.heal();
    if (!agent && ReadAll(options.state).find("next_manifest") != std::string::npos) break;
    Pass();
  }
  ASSERT_FALSE(agent);
  const std::string cut = ReadAll(Log());
  const std::filesystem::path mounted = Outbox().string() + ".mounted";
  const std::string before = Sent();
  std::filesystem::rename(Outbox(), mounted);
  Pass();
  // The bytes are cut again under another run, because a fetcher may have the announced extract.
  EXPECT_EQ(before + Sent(), cut);
  EXPECT_THAT(AllMessages(), HasSubstr("is another directory than before"));
  std::filesystem::remove_all(Outbox());
  Append("c\n");
  Pass();  // the outbox was removed while the agent runs: the agent makes it again
  EXPECT_EQ(Sent(), "c\n");
  Stop();
  std::filesystem::remove_all(Outbox());
  std::filesystem::rename(mounted, Outbox());
  Append("d\n");
  Pass();
  EXPECT_THAT(Sent(), HasSubstr("d\n"));
}

TEST_F(TailDisk, AFailingFileThatSomebodyElseTakesLeavesNothingToDo) {
  options.send = "exit 1 #";
  options.interval = std::chrono::seconds(20);
  Append("a\n");
  Pass();
  while (agent->send_fd() >= 0) {
    pollfd ended{agent->send_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ended, 1, 20'000), 1);
    Pass(std::chrono::milliseconds(0));
  }
  EXPECT_THAT(AllMessages(), HasSubstr("sending fails: exit status 1"));
  for (const auto& [name, content] : Extracts()) {
    std::filesystem::remove(Outbox() / name);
    std::filesystem::remove(Outbox() / (name + ".manifest"));
  }
  now.steady +=
      std::chrono::seconds(2);  // the next try to send is due, the next look at the log is not
  messages.clear();
  EXPECT_GT(agent->step(now).wake, now.steady);
  Pass(options.interval);
  EXPECT_FALSE(trouble);
}

TEST_F(TailDisk, RefusesASecondAgentAndADamagedState) {
  Append("a\n");
  Pass();
  auto second = Agent::open(options, disk);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, HasSubstr("another agent works with this state"));
  Stop();
  const std::string state = ReadAll(options.state);
  std::ofstream(options.state) << state.substr(0, state.size() / 2);
  auto damaged = Agent::open(options, disk);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_THAT(damaged.error().message, HasSubstr(options.state));
}

TEST_F(TailDisk, WhatWasSentGivesWayOnADiskThatIsSmallerThanMaxOutbox) {
  SmallDisk small(60'000);
  other_disk = &small;
  options.max_bytes = 8'192;
  std::string all;
  for (int i = 0; all.size() < 200'000; ++i) all += "line " + std::to_string(i) + "\n";
  Append(all);
  std::string sent;
  std::filesystem::create_directories(Outbox() / "sent");
  for (int i = 0; i < 40 && sent.size() < all.size(); ++i) {
    Pass();
    for (const auto& [name, content] : Extracts()) {
      if (!std::filesystem::exists(Outbox() / name)) continue;
      sent += content;
      for (const std::string& file : {name, name + ".manifest"}) {
        std::filesystem::rename(Outbox() / file, Outbox() / "sent" / file);
      }
    }
  }
  EXPECT_TRUE(sent == all);
  EXPECT_FALSE(Extracts().empty()) << "more was deleted than had to be";
  EXPECT_THAT(AllMessages(), HasSubstr("deleted before --keep-sent is over"));
}

TEST_F(TailDisk, SaysOnceThatItIsFullAndOnceThatItWorksAgain) {
  options.max_bytes = 4;
  Append("aaa\n");
  Pass();
  disk.break_operations([] { return true; }, ENOSPC);
  Append("bbb\nccc\nddd\n");
  for (int i = 0; i < 6; ++i) Pass();
  EXPECT_THAT(AllMessages(), Not(HasSubstr("works again")));
  EXPECT_THAT(messages, SizeIs(testing::Le(2U)));
  disk.heal();
  for (int i = 0; i < 2; ++i) Pass();
  EXPECT_EQ(Sent(), "aaa\nbbb\nccc\nddd\n");
  EXPECT_THAT(messages.back(), HasSubstr("works again"));
}

TEST_F(TailDisk, NoExtractIsLargerThanTheOutboxMayBe) {
  options.max_outbox = 1000;
  std::string all;
  for (int i = 0; all.size() < 5000; ++i) all += "line " + std::to_string(i) + "\n";
  Append(all);
  Pass();
  EXPECT_THAT(Sent().size(), testing::AllOf(testing::Gt(900U), testing::Le(1000U)));
}

}  // namespace
}  // namespace caravel::tail
