// Loads whose command was killed: settled by the next who looks, and never under a living one.
#include "watcher/spool/by_hand.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <gmock/gmock.h>

#include "tests/support/spool_fixture.h"
#include "watcher/ledger/extracts.h"

namespace caravel::watcher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ByHandTest : public SpoolTest {
 protected:
  std::string Begun(Origin origin = Origin::process) {
    if (!ledger_) Configure("feeds:\n  hrt: {format: spysocket}\n");
    NewClaim row;
    row.claim = make_claim_id(now_.wall += std::chrono::seconds(1));
    row.feed = "hrt";
    row.name = "a.log";
    row.origin = origin;
    row.path = "/somewhere/a.log";
    Must(ledger_->extracts().commit_claims({row}, now_.wall));
    return row.claim;
  }
  std::vector<std::string> Settle() {
    return Must(settle_broken_off_loads(config_.state, &*spool_, *ledger_, now_.wall));
  }
  State StateOf(const std::string& claim) {
    return Must(ledger_->extracts().find_claim(claim)).value().state;
  }
};

TEST_F(ByHandTest, ALoadThatNobodyIsAtIsSettledAndSaidOnce) {
  const std::string claim = Begun();
  const std::string other = Begun(Origin::upload);
  dir_.write_file("spool/csv/.tmp-" + claim + ".csv", "half");
  dir_.write_file("spool/rejects/.tmp-" + claim + ".rejects", "half");
  dir_.write_file("spool/csv/.tmp-" + make_claim_id(now_.wall) + ".csv", "another's");
  EXPECT_THAT(Settle(), ElementsAre(HasSubstr("`caravel process`"), HasSubstr("`caravel upload`")));
  EXPECT_EQ(StateOf(claim), State::failed);
  EXPECT_EQ(StateOf(other), State::failed);
  EXPECT_THAT(Settle(), IsEmpty());
  EXPECT_EQ(dir_.list("spool/csv").size(), 1U);
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
}

TEST_F(ByHandTest, ALoadThatIsStillWorkedOnIsLeftAlone) {
  const std::string claim = Begun();
  const std::string dead = Begun();
  {
    const LoadByHand at_work = Must(LoadByHand::begin(config_.state, claim));
    EXPECT_EQ(Settle().size(), 1U);
    EXPECT_EQ(StateOf(claim), State::claimed);
    EXPECT_EQ(StateOf(dead), State::failed);
    EXPECT_FALSE(LoadByHand::begin(config_.state, claim)) << "one command at a time";
  }
  EXPECT_EQ(Settle().size(), 1U);
}

TEST_F(ByHandTest, AKilledProcessLeavesNothingThatLooksAlive) {
  const std::string claim = Begun();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto at_work = LoadByHand::begin(config_.state, claim);
    const char byte = at_work ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_THAT(Settle(), IsEmpty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(Settle().size(), 1U);
  EXPECT_EQ(StateOf(claim), State::failed);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(ByHandTest, WhatEndedWellOrCameByItselfIsNoMatterOfTheirs) {
  const std::string dropped = Begun(Origin::drop);
  const std::string captured = Begun(Origin::capture);
  EXPECT_THAT(Settle(), IsEmpty());
  EXPECT_EQ(StateOf(dropped), State::claimed);
  EXPECT_EQ(StateOf(captured), State::claimed);
}

}  // namespace
}  // namespace caravel::watcher
