// Random writes, rotations, crashes and full disks against a model of what must come out: the
// complete lines of the log's history, once, in order.
#include "tests/watcher/tail/model.h"

namespace caravel::tail {
namespace {

class TailModel : public testing::TestWithParam<unsigned> {};

TEST_P(TailModel, EveryCompleteLineComesOutOnceAndInOrder) {
  const char* const chosen = std::getenv("CARAVEL_TAIL_SEED");
  constexpr unsigned kSeeds = 20;
  constexpr int kSteps = 150;
  for (unsigned i = 0; i < kSeeds; ++i) {
    const unsigned seed =
        chosen != nullptr ? static_cast<unsigned>(std::atoi(chosen)) : GetParam() * kSeeds + i;
    SCOPED_TRACE("CARAVEL_TAIL_SEED=" + std::to_string(seed));
    Model model(seed);
    const char* const steps = std::getenv("CARAVEL_TAIL_STEPS");
    for (int step = 0; step < (steps != nullptr ? std::atoi(steps) : kSteps); ++step) {
      ASSERT_NO_FATAL_FAILURE(model.Act());
    }
    ASSERT_NO_FATAL_FAILURE(model.Check());
    EXPECT_GT(model.lines(), 50U);
    if (chosen != nullptr) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TailModel, testing::Range(0U, 4U));

}  // namespace
}  // namespace caravel::tail
