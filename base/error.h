// The one error type. A kind answers "what now?"; a message says what, where, and what to do.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace caravel {

/// What the caller should do about an error.
enum class ErrorKind {
  retry,    // passing: the store is down, the disk is full. Wait with backoff, then go on.
  fault,    // configuration or rights are wrong (401, a vanished database): say so, retry slowly.
  refused,  // the other side takes nothing of this one: wait as for a fault, and let others pass.
  content,  // the file itself is at fault: set it aside.
  usage,    // the command line or the configuration is wrong: stop, exit 2.
  stopped,  // we were asked to stop: leave everything as it is.
};

struct Error {
  ErrorKind kind = ErrorKind::retry;
  std::string message;
  /// How long the other side asked us to wait (HTTP Retry-After).
  std::optional<std::chrono::seconds> retry_after{};
  /// errno, where the system said it; else 0.
  int system = 0;
  /// What else is wrong, each a message like the first: all mistakes of a file are told at once.
  std::vector<std::string> others{};
};

template <class T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

/// "context: message"; the kind stays.
[[nodiscard]] Error with_context(std::string_view context, Error error);

/// "context: strerror(errno_value)", with the kind that errno stands for (a full disk: retry;
/// a missing right: fault).
[[nodiscard]] Error system_error(std::string_view context, int errno_value);

[[nodiscard]] inline tl::unexpected<Error> fail_with_errno(std::string_view context,
                                                           int errno_value) {
  return tl::unexpected<Error>(system_error(context, errno_value));
}

/// Gathers errors that are to be told at once.
class Errors {
 public:
  void add(Error error);
  void add(Result<> result) {
    if (!result) add(std::move(result).error());
  }
  [[nodiscard]] bool empty() const { return !all_; }
  /// The first error with all others, or none.
  [[nodiscard]] Result<> result() const;

 private:
  std::optional<Error> all_;
};

}  // namespace caravel

/// Returns the error of `expression`, a Result, to our own caller.
#define CARAVEL_TRY(expression)                                                         \
  do {                                                                                  \
    auto caravel_try_result = (expression);                                             \
    if (!caravel_try_result)                                                            \
      return ::tl::unexpected<::caravel::Error>(std::move(caravel_try_result).error()); \
  } while (false)

/// Initialises or assigns `target` with the value of an expression, a Result, or returns its error
/// to our own caller: CARAVEL_ASSIGN_OR_RETURN(auto bytes, read_file(path, kMost));
#define CARAVEL_ASSIGN_OR_RETURN(target, ...) \
  CARAVEL_ASSIGN_OR_RETURN_AS(CARAVEL_NAME_OF_LINE(caravel_result_, __LINE__), target, __VA_ARGS__)

#define CARAVEL_NAME_OF_LINE(prefix, line) CARAVEL_NAME_JOINED(prefix, line)
#define CARAVEL_NAME_JOINED(prefix, line) prefix##line
#define CARAVEL_ASSIGN_OR_RETURN_AS(result, target, ...)                             \
  auto result = (__VA_ARGS__);                                                       \
  if (!result) return ::tl::unexpected<::caravel::Error>(std::move(result).error()); \
  target = std::move(*result)
