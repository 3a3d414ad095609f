#include "watcher/tail/names/glob.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/rotation.h"
#include "watcher/tail/names/wildcard.h"

namespace caravel::tail {
namespace {

/// Each log costs a descriptor and some kilobytes: a pattern that matches half a disk is a mistake.
constexpr std::size_t kMostMatches = 10'000;

/// Appends the files that match `rest` below `prefix` (empty, or ending in a slash), a component of
/// the path at a time. `unreadable` becomes the first place that could not be looked at;
/// the others are still searched.
void expand(const std::string& prefix, std::string_view rest, std::vector<std::string>& out,
            std::optional<Error>& unreadable) {
  // One more than are followed, so that matching_logs() knows that there are more.
  if (out.size() > kMostMatches) return;
  const std::size_t slash = rest.find('/');
  const std::string component(rest.substr(0, slash));
  const bool last = slash == std::string_view::npos;
  const auto go_on = [&](const std::string& name) {
    const std::string path = prefix + name;
    struct stat status {};
    if (!last) {
      expand(path + "/", rest.substr(slash + 1), out, unreadable);
    } else if (::stat(path.c_str(), &status) == 0) {
      if (S_ISREG(status.st_mode)) out.push_back(path);
    } else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && !unreadable) {
      // After those the name is gone, or a symlink that leads nowhere. After any other failure (a
      // missing right, a disk that does not answer) a log may be there.
      unreadable = system_error("stat " + path, errno);
    }
  };
  // A component without wildcards is not looked for in its directory, which may be one that can be
  // passed through and not listed (path_resolution(7)).
  if (!is_pattern(component)) return go_on(component);
  const auto names = names_in(prefix.empty() ? "." : prefix);
  // ENOTDIR: a file matched where the pattern wants a directory; other matches may be directories.
  if (!names && names.error().system != ENOTDIR && !unreadable) unreadable = names.error();
  if (!names) return;
  for (const std::string& name : *names) {
    if (wildcard_matches(component, name)) go_on(name);
  }
}

}  // namespace

bool is_pattern(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view path) {
  for (;;) {
    const std::size_t pattern_end = pattern.find('/');
    const std::size_t path_end = path.find('/');
    if ((pattern_end == std::string_view::npos) != (path_end == std::string_view::npos))
      return false;
    if (!wildcard_matches(pattern.substr(0, pattern_end), path.substr(0, path_end))) return false;
    if (path_end == std::string_view::npos) return true;
    pattern.remove_prefix(pattern_end + 1);
    path.remove_prefix(path_end + 1);
  }
}

std::vector<std::string> files_matching(const std::string& pattern) {
  std::vector<std::string> found;
  std::optional<Error> unreadable;
  expand("", pattern, found, unreadable);
  return found;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Matches matching_logs(const std::string& pattern, const std::vector<std::string>& known) {
  std::vector<std::string> found;
  Matches out;
  expand("", pattern, found, out.unreadable);
  std::sort(found.begin(), found.end());
  out.too_many = found.size() > kMostMatches;
  if (out.too_many) found.resize(kMostMatches);
  // A rotated file is read as part of its log. But its name may as well be that of another
  // program's log: with a date that is unlikely, with a number ("node-1.log" beside "node.log") it
  // is worth a message.
  for (const std::string& path : found) {
    const std::string name = base_of(path);
    const std::string directory = path.substr(0, path.size() - name.size());
    const std::vector<std::string> bases = bases_of(name);
    const auto base = std::find_if(bases.begin(), bases.end(), [&](const std::string& other) {
      const std::string log = directory + other;
      return std::binary_search(found.begin(), found.end(), log) ||
             (std::binary_search(known.begin(), known.end(), log) && matches(pattern, log));
    });
    if (base != bases.end()) {
      if (!is_date(*rotation_of(name, *base)) && !name.starts_with(*base)) {
        out.numbered.push_back(path);
      }
    } else if (!is_packed(name)) {
      out.logs.push_back(path);
    }
  }
  return out;
}

}  // namespace caravel::tail
