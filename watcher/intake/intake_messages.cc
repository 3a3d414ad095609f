#include "watcher/intake/intake_messages.h"

#include <algorithm>
#include <iterator>

#include "watcher/files/directory.h"

namespace caravel::watcher {

void IntakeMessages::forget_vanished_files(const std::string& directory, int directory_fd) {
  files_.clear_if([&](const std::string& subject) {
    if (!subject.starts_with(directory + "/")) return false;
    const std::string name = subject.substr(directory.size() + 1);
    // A slash: the file lies in another drop directory, below this one.
    if (name.find('/') != std::string::npos) return false;
    // If nobody can tell, the fault is kept: to forget it would say it again at the next look.
    return !exists_at(directory_fd, name).value_or(true);
  });
}

void IntakeMessages::add(Notices& notices, std::string_view subject, const Error& error) {
  ++faults_;
  notices.set(subject, error.message);
}

std::vector<std::string> IntakeMessages::take() {
  std::vector<std::string> messages = service_.take();
  std::ranges::move(files_.take(), std::back_inserter(messages));
  return messages;
}

}  // namespace caravel::watcher
