#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace caravel {

Error with_context(std::string_view context, Error error) {
  // In front: callers add what they were doing from the inside out, so that the message reads from
  // the outside in, "upload a.log: POST /db: timeout".
  error.message.insert(0, std::string(context) + ": ");
  return error;
}

Error system_error(std::string_view context, int errno_value) {
  // Most of what errno says passes: a full disk, too many open files, a disk that does not answer.
  // The cases below stay as they are until somebody changes rights or names.
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
  // Not strerror(3): its text depends on the locale, and messages should not.
  const char* const description = ::strerrordesc_np(errno_value);
  Error error{kind,
              std::string(context) + ": " +
                  (description != nullptr ? description : "error " + std::to_string(errno_value))};
  // Kept for callers that do something else for one errno, such as a full disk.
  error.system = errno_value;
  return error;
}

void Errors::add(Error error) {
  if (!all_) {
    all_ = std::move(error);
    return;
  }
  all_->others.push_back(std::move(error.message));
  for (std::string& other : error.others) all_->others.push_back(std::move(other));
}

Result<> Errors::result() const {
  if (!all_) return {};
  return tl::unexpected(*all_);
}

}  // namespace caravel
