// What is said of conditions that begin, last and end.
#include "base/notices.h"

#include <gmock/gmock.h>

namespace caravel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NoticesTest, AnEventIsSaidEachTime) {
  Notices notices;
  notices.say("rotated");
  notices.say("rotated");
  EXPECT_THAT(notices.take(), ElementsAre("rotated", "rotated"));
  EXPECT_THAT(notices.take(), IsEmpty());
  EXPECT_FALSE(notices.any());
}

TEST(NoticesTest, AConditionIsSaidWhenItBeginsAndWhenItsTextChanges) {
  Notices notices;
  notices.set("disk", "full");
  notices.set("disk", "full");
  EXPECT_THAT(notices.take(), ElementsAre("full"));
  notices.set("disk", "full");
  notices.set("disk", "read-only");
  EXPECT_THAT(notices.take(), ElementsAre("read-only"));
  EXPECT_TRUE(notices.any());
}

TEST(NoticesTest, ASecondIdenticalOutageIsSaidAgain) {
  Notices notices;
  for (int outage = 0; outage < 2; ++outage) {
    notices.set("disk", "full");
    notices.set("disk", "full");
    EXPECT_THAT(notices.take(), ElementsAre("full"));
    notices.clear("disk", "has room again");
    notices.clear("disk", "has room again");
    EXPECT_THAT(notices.take(), ElementsAre("has room again"));
    EXPECT_FALSE(notices.any());
  }
}

TEST(NoticesTest, AConditionMayEndWithoutAWord) {
  Notices notices;
  notices.set("a.log", "cannot be claimed");
  notices.set("b.log", "cannot be claimed either");
  (void)notices.take();
  notices.clear("a.log");
  notices.clear_if([](const std::string& subject) { return subject == "b.log"; });
  EXPECT_THAT(notices.take(), IsEmpty());
  EXPECT_FALSE(notices.any());
}

TEST(NoticesTest, NamesThatOthersChooseDoNotMakeItGrowWithoutBound) {
  Notices notices(10);
  const auto set_all = [&] {
    for (int i = 0; i < 1000; ++i)
      notices.set("name " + std::to_string(i), "bad " + std::to_string(i));
  };
  set_all();
  EXPECT_EQ(notices.size(), 10U);
  auto said = notices.take();
  ASSERT_THAT(said, SizeIs(11));
  EXPECT_EQ(said.front(), "bad 0");
  EXPECT_THAT(said.back(), HasSubstr("more than 10 faults last at once"));
  set_all();
  EXPECT_THAT(notices.take(), IsEmpty()) << "all of it lasts, and was said";
}

TEST(NoticesTest, BeyondTheBoundAConditionIsNamedOnceThereIsAPlace) {
  Notices notices(4);
  for (const char* name : {"a", "b", "c", "d", "e"})
    notices.set(name, std::string(name) + " is bad");
  (void)notices.take();
  notices.clear("a");
  notices.set("e", "e is bad");
  EXPECT_THAT(notices.take(), ElementsAre("e is bad"));
  notices.set("f", "f is bad");
  EXPECT_THAT(notices.take(), IsEmpty()) << "that there are more was said";
  notices.clear_if([](const std::string& subject) { return subject < "d"; });
  for (const char* name : {"g", "h", "i"}) notices.set(name, std::string(name) + " is bad");
  EXPECT_THAT(notices.take(), ElementsAre("g is bad", "h is bad", HasSubstr("more than 4")));
}

TEST(NoticesTest, WhatIsSaidAtOnceIsBounded) {
  Notices notices(2);
  for (int i = 0; i < 5; ++i) notices.say("event " + std::to_string(i));
  EXPECT_THAT(notices.take(),
              ElementsAre("event 0", "event 1", "event 2", "and 2 more messages at once"));
  notices.say("event 5");
  EXPECT_THAT(notices.take(), ElementsAre("event 5"));
}

}  // namespace
}  // namespace caravel
