// Why a step of the pipeline did not succeed. Internal to the pipeline.
#pragma once

#include <optional>
#include <utility>

#include "base/error.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

struct Obstacle {
  /// Implicit, so that the error of any call can be passed on as it is: the step is then tried
  /// again after a wait, or refused for its content, by the kind of the error.
  Obstacle(Error because) : error(std::move(because)) {}
  /// The store is in trouble, and so are all extracts of the feed: nobody passes this one.
  static Obstacle of_store(Error because) {
    Obstacle obstacle(std::move(because));
    obstacle.store = true;
    return obstacle;
  }
  /// Waiting here is no use: the run ends so, and the file stays where it is.
  Obstacle(Ending with, std::string why) : error{ErrorKind::retry, std::move(why)}, ending(with) {}

  Error error;
  std::optional<Ending> ending;
  bool store = false;  // else the trouble is here: with this file, or with a directory of ours
};

/// CARAVEL_TRY for a StepResult: what the obstacle says of itself is kept.
#define CARAVEL_TRY_STEP(expression)                                                           \
  do {                                                                                         \
    auto caravel_step_result = (expression);                                                   \
    if (!caravel_step_result) return ::tl::unexpected(std::move(caravel_step_result).error()); \
  } while (false)

template <class T = void>
using StepResult = tl::expected<T, Obstacle>;

[[nodiscard]] inline tl::unexpected<Obstacle> leave(Ending ending, std::string why) {
  return tl::unexpected<Obstacle>(Obstacle(ending, std::move(why)));
}

}  // namespace caravel::watcher
