// What inotify(7) reports of directories, as values. Pure: the bytes come from elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caravel::tail {

struct DirectoryEvent {
  int watch = -1;
  std::uint32_t mask = 0;  // of <sys/inotify.h>
  std::uint32_t cookie = 0;
  std::string name;
};

/// What one read(2) returned. What is cut off at its end is left out.
[[nodiscard]] std::vector<DirectoryEvent> decode_events(std::string_view bytes);

/// The names of files that appeared and were not opened yet, through the renames that follow before
/// they are. Paths in, paths out.
class Appeared {
 public:
  void note_created(const std::string& path);
  /// Both names are in watched directories. If the file is one that appeared lately, it is waited
  /// for under its new name.
  void note_renamed(const std::string& from, const std::string& to);
  /// Deleted, or renamed to where nobody looks.
  void note_gone(const std::string& path);

  /// The files to be opened now, the oldest first. They may be renamed while they are opened, so
  /// they are remembered until the next call: a rename that comes later offers them once more.
  [[nodiscard]] std::vector<std::string> take();
  /// Names of files that were gone before take() offered them; of very many, some.
  [[nodiscard]] std::vector<std::string> take_missed() { return std::exchange(missed_, {}); }

 private:
  struct Waiting {
    std::string path;
    bool was_offered;  // under another name, so it was opened, as a rule
  };
  /// True if the file was waited for and never offered.
  [[nodiscard]] bool forget(const std::string& path);

  std::vector<Waiting> waiting_;
  std::vector<std::string> offered_;  // by the last take()
  std::vector<std::string> missed_;
};

}  // namespace caravel::tail
