#include "base/error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace caravel {

Error with_context(std::string_view context, Error error) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

Error system_error(std::string_view context, int errno_value) {
  ErrorKind kind = ErrorKind::retry;
  switch (errno_value) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      kind = ErrorKind::fault;
      break;
    default:
      break;
  }
  return Error{kind, fmt::format("{}: {}", context, std::generic_category().message(errno_value))};
}

}  // namespace caravel
