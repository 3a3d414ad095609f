// Which faults of the intake are said, and how often.
#include "watcher/intake/intake_messages.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

const Error kFull{ErrorKind::retry, "ledger: the disk is full"};

TEST(IntakeMessagesTest, ASecondIdenticalOutageIsSaidAgain) {
  IntakeMessages messages;
  for (int outage = 0; outage < 2; ++outage) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(messages.check("ledger", Result<>(tl::unexpected(kFull))));
    }
    EXPECT_THAT(messages.take(), ElementsAre(kFull.message));
    EXPECT_TRUE(messages.check("ledger", Result<>(), "the ledger works again"));
    EXPECT_THAT(messages.take(), ElementsAre("the ledger works again"));
  }
  EXPECT_EQ(messages.faults(), 6U) << "each is counted, whether said or not";
}

TEST(IntakeMessagesTest, ManyBadFilesNeitherFloodTheLogNorHideAFaultOfTheService) {
  IntakeMessages messages;
  std::size_t said = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100'000; ++i) {
      messages.file_fault("/drop/" + std::to_string(i), {ErrorKind::fault, std::to_string(i)});
    }
    said += messages.take().size();
  }
  EXPECT_THAT(said, Le(Notices::kMostConditions + 1));
  messages.check("ledger", Result<>(tl::unexpected(kFull)));
  EXPECT_THAT(messages.take(), Contains(kFull.message));
}

TEST(IntakeMessagesTest, TheFaultsOfAFileEndWithTheFile) {
  test::TempDir dir;
  dir.write_file("gone.log", "");
  dir.write_file("stays.log", "");
  dir.make_dir("below");
  const std::string path = dir.path();
  const auto fd = open_directory(path);
  ASSERT_TRUE(fd);
  IntakeMessages messages;
  const auto all_fail = [&] {
    for (const char* name : {"gone.log", "stays.log", "below/gone.log"}) {
      messages.file_fault(path + "/" + name, {ErrorKind::fault, name});
    }
    return messages.take();
  };
  EXPECT_THAT(all_fail(), SizeIs(3));
  messages.forget_vanished_files(path, fd->get());
  EXPECT_THAT(all_fail(), IsEmpty());
  std::filesystem::remove(dir.path("gone.log"));
  messages.forget_vanished_files(path, fd->get());
  EXPECT_THAT(all_fail(), ElementsAre("gone.log")) << "another file may get this name";
}

}  // namespace
}  // namespace caravel::watcher
