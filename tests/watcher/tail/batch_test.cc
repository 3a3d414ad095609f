// A large backlog: extracts that are built together, by two threads.
#include <algorithm>

#include "tests/watcher/tail/small_disk.h"
#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/sha256.h"

namespace caravel::tail {
namespace {

using testing::HasSubstr;

class TailBatch : public TailFixture, public testing::Test {
 protected:
  static std::string Lines(std::size_t bytes, const std::string& word) {
    std::string all;
    while (all.size() < bytes) all += word + std::to_string(all.size()) + "\n";
    return all;
  }
};

TEST_F(TailBatch, ComesOutByteForByte) {
  SmallDisk small;
  // The sizes make pairs of extracts and an odd last one, several batches, and one single extract.
  for (const std::uint64_t max_bytes : {900'000ULL, 1'500'000ULL, 5'000'000ULL, 100'000'000ULL}) {
    SCOPED_TRACE(max_bytes);
    TailFixture f;
    f.other_disk = &small;
    f.options.max_bytes = max_bytes;
    const std::string all = Lines(11'000'000, "line ");
    f.Append(all);
    f.Pass();
    std::string sent;
    for (const auto& [name, content] : f.Extracts()) {
      const watcher::Manifest manifest = f.ManifestOf(name);
      Sha256 sha;
      sha.update(content);
      EXPECT_EQ(manifest.sha256, sha.finish());
      EXPECT_EQ(manifest.first, sent.size());
      EXPECT_EQ(manifest.bytes, content.size());
      EXPECT_EQ(manifest.lines,
                static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')));
      sent += content;
    }
    EXPECT_TRUE(sent == all);
    EXPECT_EQ(f.Extracts().size(), (all.size() + max_bytes - 1) / max_bytes);
  }
}

TEST_F(TailBatch, OneWholeExtractFitsWhereSeveralHalvesDoNot) {
  SmallDisk small(3'000'000);
  other_disk = &small;
  options.max_bytes = 2'000'000;
  const std::string all = Lines(14'000'000, "line ");
  Append(all);
  std::string sent;
  for (int i = 0; i < 8 && sent.size() < all.size(); ++i) {
    Pass();
    EXPECT_FALSE(Extracts().empty());
    sent += Sent();
    for (const auto& [name, content] : Extracts()) {
      ASSERT_TRUE(small.remove(Outbox() / name).has_value());
      ASSERT_TRUE(small.remove(Outbox() / (name + ".manifest")).has_value());
    }
  }
  EXPECT_TRUE(sent == all);
  EXPECT_THAT(AllMessages(), HasSubstr("No space left"));
}

TEST_F(TailBatch, ALogThatIsWrittenAnewMeanwhileIsNeverMixed) {
  const std::string all = Lines(9'000'000, "line ");
  const std::string anew = Lines(10'000'000, "anew ");
  for (const int write : {1, 2, 20, 40, 60, 70}) {
    SCOPED_TRACE(write);
    SmallDisk small;
    TailFixture f;
    f.other_disk = &small;
    f.options.max_bytes = 1'500'000;
    // Some bytes are read before: from a file's start, nothing would tell the old text from the
    // new.
    f.Append(all.substr(0, 70));
    f.Pass();
    f.Append(all.substr(70));
    small.before_write(write, [&] {
      f.Truncate();
      f.Append(anew);
    });
    for (int i = 0; i < 3; ++i) f.Pass();
    const std::string sent = f.Sent();
    ASSERT_GE(sent.size(), anew.size());
    const std::string_view before(sent.data(), sent.size() - anew.size());
    EXPECT_TRUE(std::string_view(sent).substr(before.size()) == anew);
    EXPECT_TRUE(std::string_view(all).starts_with(before));
  }
}

TEST_F(TailBatch, WhatWasCopiedWholeBeforeALogWasWrittenAnewIsNotInVain) {
  const std::string all = Lines(9'000'000, "line ");
  const std::string anew = Lines(10'000'000, "anew ");
  SmallDisk small;
  other_disk = &small;
  options.max_bytes = 1'500'000;
  Append(all.substr(0, 70));
  Pass();
  Append(all.substr(70));
  // When the manifest of extract 3 is begun, the digests of that extract were compared, whatever
  // the other thread has done until then.
  small.once_created(".00000003.", ".manifest", [&] {
    Truncate();
    Append(anew);
  });
  for (int i = 0; i < 3; ++i) Pass();
  const std::string sent = Sent();
  const std::size_t before = sent.size() - std::min(sent.size(), anew.size());
  EXPECT_TRUE(sent == all.substr(0, before) + anew);
  EXPECT_GT(before, 2'999'000U);
}

TEST_F(TailBatch, ALogThatIsWrittenAnewWhileItIsPlannedIsNeverMixed) {
  SmallDisk small;
  other_disk = &small;
  options.max_outbox = 150;
  const auto lines = [](const std::string& word, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += word + std::to_string(100 + i) + "\n";
    return all;
  };
  Append(lines("old", 10));
  Pass();
  const std::string name = Extracts().begin()->first;
  for (const std::string& file : {name, name + ".manifest"}) {
    std::filesystem::create_directory(Outbox() / "sent");
    std::filesystem::rename(Outbox() / file, Outbox() / "sent" / file);
  }
  // The agent makes room for the extract that it saw in the log; just then the log is truncated and
  // written anew, with a line that ends at the same byte.
  Append(lines("old", 13));
  const std::string anew = lines("new", 40);
  small.before_expiry([&] {
    Truncate();
    Append(anew.substr(0, 23 * 7));
  });
  Pass();
  options.max_outbox = 1000;
  Restart();
  Append(anew.substr(23 * 7));
  for (int i = 0; i < 3; ++i) Pass();
  EXPECT_EQ(Sent(), anew);
}

TEST_F(TailBatch, TheCopyOfALogThatIsTruncatedMeanwhileComesFirst) {
  const std::string old = Lines(3000, "old ");
  const std::string anew = Lines(4000, "new ");
  for (int write = 1; write < 8; ++write) {
    SCOPED_TRACE(write);
    SmallDisk small;
    TailFixture f;
    f.other_disk = &small;
    f.options.max_bytes = 100;
    f.Append(old);
    f.Start();
    small.before_write(write, [&] {
      std::filesystem::copy_file(f.Log(), f.Log("app.log.1"));
      f.Truncate();
      f.Append(anew);
    });
    for (int i = 0; i < 3; ++i) f.PassGrace();
    EXPECT_EQ(f.Sent(), old + anew);
  }
}

TEST_F(TailBatch, ExtractsGiveTheirRoomToTheStateThatIsToAnnounceThem) {
  // The state file lies on the outbox's disk, and a fetcher takes what is published.
  for (const std::uintmax_t room : {120'000U, 130'000U, 140'000U, 150'000U, 160'000U}) {
    SCOPED_TRACE(room);
    SmallDisk small(room);
    TailFixture f;
    f.other_disk = &small;
    f.options.max_bytes = 8'192;
    const std::string all = Lines(800'000, "line ");
    f.Append(all);
    std::string sent;
    for (int i = 0; i < 100 && sent.size() < all.size(); ++i) {
      f.Pass();
      for (const auto& [name, content] : f.Extracts()) {
        sent += content;
        ASSERT_TRUE(small.remove(f.Outbox() / name).has_value());
        ASSERT_TRUE(small.remove(f.Outbox() / (name + ".manifest")).has_value());
      }
    }
    EXPECT_TRUE(sent == all);
  }
}

}  // namespace
}  // namespace caravel::tail
