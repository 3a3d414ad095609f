#include "watcher/spool/originals.h"

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/temp_dir.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kOriginalSha(64, 'a');
const std::string kOtherOriginalSha(64, 'b');

class OriginalsTest : public ::testing::Test {
 protected:
  /// The reject files of an extract, kept whole or by their place in an original of that size.
  std::string Publish(const std::string& name, const std::string& sha,
                      std::optional<std::uint64_t> original) {
    dir_.write_file("spool/rejects/.tmp-reasons", "line,offset,reason\n");
    RejectFiles files{"", "", ".tmp-reasons"};
    files.original = original;
    auto base = publish_reject_files(spool_, "hrt", name, sha, files);
    EXPECT_TRUE(base) << base.error().message;
    return base.value_or("");
  }
  std::set<Original> InUse() { return originals_in_use(spool_).value(); }
  bool Marked(const std::string& base) {
    return dir_.exists("spool/rejects/" + original_mark(base));
  }

  test::TempDir dir_;
  Spool spool_ = Spool::open(dir_.path("spool")).value();
};

TEST_F(OriginalsTest, AreInUseAsLongAsTheirRejectsAreThere) {
  EXPECT_EQ(Publish("a.log", kOriginalSha, 100), "a.log");
  EXPECT_EQ(Publish("a.log", kOtherOriginalSha, 200), "a.log~bbbbbbbb");
  EXPECT_EQ(Publish("b.log", kOriginalSha, std::nullopt), "b.log") << "its rejects are whole";
  EXPECT_THAT(InUse(), ElementsAre(Original{"a.log", 100}, Original{"a.log", 200}));
  std::filesystem::remove(dir_.path("spool/rejects/a.log.reasons.csv"));
  EXPECT_THAT(InUse(), ElementsAre(Original{"a.log", 200}));
  EXPECT_FALSE(Marked("a.log")) << "nothing piles up";
}

TEST_F(OriginalsTest, AReplayThatNeedsNoneTakesTheMarkAway) {
  Publish("a.log", kOriginalSha, 100);
  Publish("a.log", kOriginalSha, std::nullopt);
  EXPECT_THAT(InUse(), IsEmpty());
  Publish("a.log", kOriginalSha, 100);
  EXPECT_TRUE(publish_reject_files(spool_, "hrt", "a.log", kOriginalSha, {}));
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
}

TEST_F(OriginalsTest, AMarkIsNotRemovedWhileRejectsArePublished) {
  dir_.write_file("spool/rejects/" + original_mark("a.log"), original_text({"a.log", 100}));
  const UniqueFd publisher = open_file(dir_.path("spool/rejects"), O_RDONLY).value();
  ASSERT_EQ(::flock(publisher.get(), LOCK_EX), 0);
  EXPECT_THAT(InUse(), ElementsAre(Original{"a.log", 100})) << "its files are about to come";
  ASSERT_EQ(::flock(publisher.get(), LOCK_UN), 0);
  EXPECT_THAT(InUse(), IsEmpty());
}

TEST_F(OriginalsTest, AreKnownByNameAndSizeWhateverTheArchiveCallsThem) {
  const std::set<Original> originals = {{"a.log", 3}, {"b~0123abcd", 3}};
  const auto in_use = [&](const std::string& name, const std::string& content) {
    std::filesystem::create_directories(dir_.path("spool/done/2026/11/22"));
    dir_.write_file("spool/done/2026/11/22/" + name, content);
    return is_in_use(originals, spool_, "done/2026/11/22/" + name);
  };
  EXPECT_TRUE(in_use("a.log", "abc"));
  EXPECT_TRUE(in_use("a.log~0123abcd", "abc"));
  EXPECT_TRUE(in_use("a.log~0123abcd~2", "abc"));
  EXPECT_TRUE(in_use("b~0123abcd", "abc")) << "its own name";
  EXPECT_FALSE(in_use("a.log", "abcd"));
  EXPECT_FALSE(in_use("b", "abc"));
  EXPECT_FALSE(is_in_use(originals, spool_, "done/2026/11/22/gone"));
}

TEST_F(OriginalsTest, OnlyWhatWeWroteIsBelieved) {
  const Original original{"a log", 1234567890123};
  EXPECT_EQ(parse_original(original_text(original)), original);
  for (const char* text : {"", "\n", "a", "a\n", "a\nx\n", "a\n12", "a\n12\n\n", "a\n-1\n",
                           "\n12\n", "a\n99999999999999999999\n"}) {
    EXPECT_EQ(parse_original(text), std::nullopt) << text;
  }
  std::filesystem::create_symlink("/etc/passwd", dir_.path("spool/rejects/.x.original"));
  dir_.write_file("spool/rejects/x.reasons.csv", "");
  EXPECT_THAT(InUse(), IsEmpty());
}

}  // namespace
}  // namespace caravel::watcher
