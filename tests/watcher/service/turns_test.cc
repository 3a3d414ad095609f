// Whose turn it is: no feed and no store takes all workers for itself.
#include "watcher/service/turns.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

#include "watcher/pipeline/group/run_together.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TurnsTest : public testing::Test {
 protected:
  /// Feeds by name, each with its store.
  void Configure(const std::vector<std::pair<std::string, std::string>>& feeds,
                 std::size_t workers) {
    for (const auto& [name, store] : feeds) {
      FeedConfig feed;
      feed.name = name;
      feed.store = store;
      feeds_.push_back(feed);
    }
    turns_.emplace(feeds_, workers, [](const FeedConfig& feed) { return feed.store == "groups"; });
  }
  void Add(const std::string& feed, int count, std::uint64_t bytes = 100, bool is_new = true) {
    for (int i = 0; i < count; ++i) {
      ReadyExtract extract;
      extract.bytes = bytes;
      extract.is_new = is_new;
      extract.feed = Find(feed);
      extract.claim.name = feed + std::to_string(++added_[feed]);
      turns_->add(extract);
    }
  }
  /// The names of all that may be loaded at the moment; they stay in work.
  std::vector<std::string> TakeAll() {
    std::vector<std::string> names;
    for (auto group = turns_->take(); !group.empty(); group = turns_->take()) {
      for (const ReadyExtract& extract : group) {
        names.push_back(extract.claim.name);
        taken_.push_back(extract);
      }
    }
    return names;
  }
  ReadyExtract Taken(const std::string& name) {
    for (auto extract = taken_.begin(); extract != taken_.end(); ++extract) {
      if (extract->claim.name != name) continue;
      ReadyExtract found = *extract;
      taken_.erase(extract);
      return found;
    }
    throw std::logic_error(name);
  }
  void Finish(const std::string& name) { turns_->give_back(Taken(name).feed); }
  const FeedConfig* Find(const std::string& name) const {
    for (const FeedConfig& feed : feeds_) {
      if (feed.name == name) return &feed;
    }
    return nullptr;
  }

  std::vector<FeedConfig> feeds_;
  std::optional<Turns> turns_;
  std::map<std::string, int> added_;
  std::vector<ReadyExtract> taken_;
};

TEST_F(TurnsTest, AFeedHasOneExtractInWorkAndKeepsItsOrder) {
  Configure({{"a", "s"}, {"b", "s"}}, 8);
  Add("a", 3);
  Add("b", 1);
  EXPECT_THAT(TakeAll(), ElementsAre("a1", "b1"));
  Finish("a1");
  EXPECT_THAT(TakeAll(), ElementsAre("a2"));
}

TEST_F(TurnsTest, FeedsTakeTurns) {
  Configure({{"a", "s"}, {"b", "s"}, {"c", "s"}}, 1);
  Add("a", 100);
  Add("b", 2);
  Add("c", 1);
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) {
    const auto names = TakeAll();
    ASSERT_THAT(names, SizeIs(1));
    order.push_back(names.front());
    Finish(names.front());
  }
  EXPECT_THAT(order, ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
}

TEST_F(TurnsTest, AStoreThatDoesNotAnswerLeavesAWorkerToEachOther) {
  std::vector<std::pair<std::string, std::string>> feeds;
  for (int i = 0; i < 100; ++i) feeds.emplace_back("dead" + std::to_string(i), "dead");
  feeds.emplace_back("x", "good");
  feeds.emplace_back("y", "fine");
  Configure(feeds, 16);
  for (int i = 0; i < 100; ++i) Add("dead" + std::to_string(i), 1);
  EXPECT_THAT(TakeAll(), SizeIs(14));  // for as long as it is down
  Add("x", 2);
  Add("y", 1);
  EXPECT_THAT(TakeAll(), ElementsAre("x1", "y1"));
  Finish("x1");
  EXPECT_THAT(TakeAll(), ElementsAre("x2"));
}

TEST_F(TurnsTest, FewerWorkersThanStoresStillWork) {
  Configure({{"a", "s"}, {"b", "t"}, {"c", "u"}}, 3);
  turns_->set_workers(1);  // the system granted no more
  Add("a", 1);
  Add("b", 1);
  Add("c", 1);
  for (const char* name : {"a1", "b1", "c1"}) {
    EXPECT_THAT(TakeAll(), ElementsAre(name));
    Finish(name);
  }
}

TEST_F(TurnsTest, SmallExtractsThatWaitGoTogetherIfTheirStoreTakesGroups) {
  Configure({{"a", "groups"}, {"b", "s"}}, 8);
  Add("a", 3);
  Add("b", 3);
  EXPECT_THAT(TakeAll(), ElementsAre("a1", "a2", "a3", "b1"));
  Add("a", 1);
  EXPECT_THAT(TakeAll(), IsEmpty()) << "the feed is busy";
  Finish("a1");
  EXPECT_THAT(TakeAll(), ElementsAre("a4")) << "a single one waits for no other";
}

TEST_F(TurnsTest, AGroupHasBounds) {
  Configure({{"a", "groups"}}, 1);
  Add("a", 2);
  Add("a", 1, kMostBytesOfOne + 1);  // a3, too large
  Add("a", 1, 100, false);           // a4, was tried before
  Add("a", static_cast<int>(kMostTogether) + 1);
  EXPECT_THAT(TakeAll(), ElementsAre("a1", "a2"));
  for (const char* name : {"a3", "a4"}) {
    turns_->give_back(Find("a"));
    EXPECT_THAT(TakeAll(), ElementsAre(name));
  }
  turns_->give_back(Find("a"));
  EXPECT_THAT(TakeAll(), SizeIs(kMostTogether));
  turns_->give_back(Find("a"));
  EXPECT_THAT(TakeAll(), SizeIs(1));
  Add("a", 100, kMostBytesOfOne);
  turns_->give_back(Find("a"));
  EXPECT_THAT(TakeAll(), SizeIs(kMostBytesTogether / kMostBytesOfOne)) << "bytes count too";
}

}  // namespace
}  // namespace caravel::watcher
