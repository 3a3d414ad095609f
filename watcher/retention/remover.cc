#include "watcher/retention/remover.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace caravel::watcher {
namespace {

/// A directory that we may not write fails for each of its files: a few errors say enough.
constexpr std::size_t kMostErrors = 10;

}  // namespace

bool Remover::remove(int directory_fd, const std::string& name, const Removal& removal) {
  if (tell_) tell_(removal);
  if (mode_ == Mode::remove && ::unlinkat(directory_fd, name.c_str(), 0) != 0) {
    // ENOENT: another process was faster.
    if (errno == ENOENT) return true;
    note(system_error("delete " + printable(name), errno));
    return false;
  }
  ++removed_.files;
  removed_.bytes += removal.bytes;
  return true;
}

void Remover::remove_hidden(int directory_fd, const std::string& name) {
  if (mode_ == Mode::remove) ::unlinkat(directory_fd, name.c_str(), 0);
}

void Remover::remove_directory(int directory_fd, const std::string& name) {
  // Mostly fails with ENOTEMPTY, because something is kept.
  if (mode_ == Mode::remove) ::unlinkat(directory_fd, name.c_str(), AT_REMOVEDIR);
}

void Remover::note(Error error) {
  if (removed_.errors.size() < kMostErrors) removed_.errors.push_back(std::move(error));
}

void Remover::note_fill(const std::string& folder, const Fill& fill) {
  if (fill.is_over()) removed_.overfull.push_back({folder, fill.bytes(), fill.most()});
}

}  // namespace caravel::watcher
