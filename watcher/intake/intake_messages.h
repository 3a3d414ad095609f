// What the intake has to tell a person: events, and faults that last.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/notices.h"

namespace caravel::watcher {

/// Counts every fault, and says a lasting one once (Notices). Faults of single files are kept apart
/// from those of the service: senders choose names, and however many bad files they send, a ledger
/// that cannot be written is still said.
class IntakeMessages {
 public:
  void say(std::string text) { service_.say(std::move(text)); }

  /// How something of the service went: the ledger, a directory. An error is counted, and said
  /// unless it lasts; success ends it and says `at_end`, if that is not empty. Returns whether it
  /// went well.
  template <class T>
  bool check(std::string_view subject, const Result<T>& outcome, const std::string& at_end = {}) {
    return check(service_, subject, outcome, at_end);
  }
  /// The same for one file; its end is not said.
  template <class T>
  bool check_file(std::string_view subject, const Result<T>& outcome) {
    return check(files_, subject, outcome, {});
  }
  void file_fault(std::string_view subject, const Error& error) { add(files_, subject, error); }
  /// What one file waits for; that is no fault. Said once, until file_works().
  void file_waits(std::string_view subject, const std::string& text) { files_.set(subject, text); }
  void file_works(std::string_view subject) { files_.clear(subject); }
  /// Ends the faults of the files DIRECTORY/NAME that are no longer there.
  void forget_vanished_files(const std::string& directory, int directory_fd);

  /// How often something went wrong that a person should see to.
  [[nodiscard]] std::size_t faults() const { return faults_; }
  /// What was said since the last call.
  [[nodiscard]] std::vector<std::string> take();

 private:
  template <class T>
  bool check(Notices& notices, std::string_view subject, const Result<T>& outcome,
             const std::string& at_end) {
    if (!outcome) {
      add(notices, subject, outcome.error());
    } else {
      notices.clear(subject, at_end);
    }
    return outcome.has_value();
  }
  void add(Notices& notices, std::string_view subject, const Error& error);

  Notices service_;
  Notices files_;
  std::size_t faults_ = 0;
};

}  // namespace caravel::watcher
