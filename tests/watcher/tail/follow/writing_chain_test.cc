#include "watcher/tail/follow/writing_chain.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace caravel::tail {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(WritingChain, JoinsWhatWasWrittenInTurn) {
  constexpr auto kSure = Proof::none;
  constexpr auto kGap = Proof::gap;
  constexpr auto kTouch = Proof::touch;
  struct File {
    int born;  // all in seconds
    int modified;
    Proof proof;
    bool is_log = false;
  };
  struct Case {
    const char* what;
    std::vector<File> files;
    std::vector<bool> ours;
  };
  const Case cases[] = {
      {"counted down: app.log.0, .1, .2",
       {{30, 40, kSure, true}, {20, 30, kTouch}, {10, 20, kTouch}},
       {true, true, true}},
      {"counted up: app.log, app1.log, app2.log",
       {{10, 20, kSure, true}, {20, 30, kTouch}, {30, 40, kTouch}},
       {true, true, true}},
      {"another program's, written meanwhile",
       {{10, 40, kSure, true}, {20, 30, kTouch}, {20, 50, kGap}},
       {true, false, false}},
      {"another program's, which began later",
       {{10, 20, kSure, true}, {30, 40, kTouch}},
       {true, false}},
      {"a calm log, whose files a link names",
       {{10, 20, kSure, true}, {30, 40, kGap}},
       {true, true}},
      {"an older one of another program", {{30, 40, kSure, true}, {10, 20, kTouch}}, {true, false}},
      {"the log is still written: too early to tell",
       {{10, 99, kSure, true}, {99, 99, kTouch}},
       {true, false}},
      {"without the log: after the newest sure file",
       {{10, 20, kSure}, {20, 30, kTouch}},
       {true, true}},
      {"nothing is sure", {{10, 20, kTouch}, {20, 30, kGap}}, {false, false}},
      {"a link of the chain is another's",
       {{10, 20, kSure, true}, {20, 30, kTouch}, {25, 90, kTouch}, {30, 35, kTouch}},
       {true, true, false, true}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    std::vector<ChainLink> links;
    for (const File& f : c.files) {
      links.push_back({f.born * kSecond, f.modified * kSecond, f.proof, f.is_log});
    }
    EXPECT_EQ(written_in_turn(links, 100 * kSecond, 2 * kSecond), c.ours);
  }
}

}  // namespace
}  // namespace caravel::tail
