#include "watcher/tail/watch/events.h"

#include <gmock/gmock.h>
#include <sys/inotify.h>

#include <cstring>
#include <string>

namespace caravel::tail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What the kernel writes for one event: the head, then the name, filled up with NUL bytes.
std::string bytes_of(int watch, std::uint32_t mask, std::uint32_t cookie, const std::string& name) {
  inotify_event head{};
  head.wd = watch;
  head.mask = mask;
  head.cookie = cookie;
  head.len = name.empty() ? 0 : static_cast<std::uint32_t>((name.size() / 16 + 1) * 16);
  std::string bytes(sizeof head + head.len, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  std::memcpy(bytes.data() + sizeof head, name.data(), name.size());
  return bytes;
}

TEST(DirectoryEvents, AreDecodedOneAfterTheOther) {
  const std::string bytes = bytes_of(1, IN_CREATE, 0, "app.log") +
                            bytes_of(-1, IN_Q_OVERFLOW, 0, "") +
                            bytes_of(2, IN_MOVED_TO, 7, "a name of more than sixteen bytes");
  const auto events = decode_events(bytes);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].name, "app.log");
  EXPECT_EQ(events[0].watch, 1);
  EXPECT_EQ(events[1].mask, static_cast<std::uint32_t>(IN_Q_OVERFLOW));
  EXPECT_EQ(events[1].name, "");
  EXPECT_EQ(events[2].cookie, 7U);
  EXPECT_EQ(events[2].name, "a name of more than sixteen bytes");
}

TEST(DirectoryEvents, ThatAreCutOffAreLeftOut) {
  const std::string whole = bytes_of(1, IN_CREATE, 0, "app.log");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(decode_events(std::string_view(whole).substr(0, size)), IsEmpty()) << size;
  }
}

TEST(AppearedFiles, AreOfferedUnderTheNameThatTheyHaveByThen) {
  Appeared files;
  files.note_created("app.log");
  files.note_renamed("app.log", "app.log.1");
  files.note_created("app.log");
  EXPECT_THAT(files.take(), ElementsAre("app.log.1", "app.log"));
  EXPECT_THAT(files.take(), IsEmpty());
}

TEST(AppearedFiles, AreOfferedAgainIfTheyWereRenamedWhileTheyWereOpened) {
  Appeared files;
  files.note_created("app.log");
  EXPECT_THAT(files.take(), ElementsAre("app.log"));
  files.note_renamed("app.log", "app.log.1");
  EXPECT_THAT(files.take(), ElementsAre("app.log.1"));
  // A rename long after the file was opened tells nothing new.
  EXPECT_THAT(files.take(), IsEmpty());
  files.note_renamed("app.log.1", "app.log.2");
  EXPECT_THAT(files.take(), IsEmpty());
}

TEST(AppearedFiles, ThatAreGoneBeforeTheyAreOfferedAreMissed) {
  Appeared files;
  files.note_created("app.log.1");
  files.note_gone("app.log.1");
  files.note_created("app.log.2");
  files.note_renamed("other", "app.log.2");
  EXPECT_THAT(files.take(), IsEmpty());
  EXPECT_THAT(files.take_missed(), ElementsAre("app.log.1", "app.log.2"));
  EXPECT_THAT(files.take_missed(), IsEmpty());
  // One that was offered before is open by then.
  files.note_created("app.log");
  EXPECT_THAT(files.take(), ElementsAre("app.log"));
  files.note_renamed("app.log", "app.log.1");
  files.note_gone("app.log.1");
  EXPECT_THAT(files.take_missed(), IsEmpty());
}

}  // namespace
}  // namespace caravel::tail
