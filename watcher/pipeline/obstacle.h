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
  /// Waiting here is no use: the run ends so, and the file stays where it is.
  Obstacle(Ending with, std::string why) : error{ErrorKind::retry, std::move(why)}, ending(with) {}

  Error error;
  std::optional<Ending> ending;
};

template <class T = void>
using StepResult = tl::expected<T, Obstacle>;

[[nodiscard]] inline tl::unexpected<Obstacle> leave(Ending ending, std::string why) {
  return tl::unexpected<Obstacle>(Obstacle(ending, std::move(why)));
}

}  // namespace caravel::watcher
