#include "watcher/tail/logs/log_patterns.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {

bool is_pattern_to_expand(const std::string& log) {
  return is_pattern(log) && !is_there(log).value_or(false);
}

bool was_overlooked(const std::string& path, const Pattern& pattern) {
  // All directories could be looked through at the first look: what it did not find was not there.
  if (!pattern.partly) return false;
  const auto stamp = stamp_of(path);
  if (!stamp || !*stamp) return false;
  const FileId& id = (*stamp)->id;
  // Born before the first look: then the log lay there, in the directory that could not be read.
  return (id.born != 0 ? id.born : (*stamp)->modified) < pattern.since;
}

void LogPatterns::restore(std::vector<Pattern> patterns) {
  patterns_ = std::move(patterns);
  for (Pattern& pattern : patterns_) {
    if (pattern.since != 0) continue;
    // An older agent wrote no time: what is born from now on is new.
    pattern.since = file_time();
    changed_ = true;
  }
}

Pattern* LogPatterns::find(const std::string& glob) {
  const auto found = std::find_if(patterns_.begin(), patterns_.end(),
                                  [&](const Pattern& pattern) { return pattern.glob == glob; });
  return found != patterns_.end() ? &*found : nullptr;
}

std::vector<Pattern> LogPatterns::remembered(const std::vector<std::string>& globs) const {
  std::vector<Pattern> out;
  // Patterns that the options do not name any more are forgotten: if they are named again later,
  // they begin anew.
  for (const std::string& glob : globs) {
    if (!is_pattern_to_expand(glob)) continue;
    for (const Pattern& pattern : patterns_) {
      if (pattern.glob == glob) out.push_back(pattern);
    }
  }
  return out;
}

LogPatterns::Look LogPatterns::look(const std::string& glob,
                                    const std::vector<std::string>& known) {
  // The time is taken before the directories are read: what is born meanwhile is new, also if this
  // look missed it.
  const std::int64_t before = file_time();
  Matches found = matching_logs(glob, known);
  Pattern* const remembered = find(glob);
  const bool is_followed = std::any_of(known.begin(), known.end(),
                                       [&](const std::string& log) { return matches(glob, log); });
  say_what_matches(glob, found, is_followed);
  if (remembered == nullptr) say_what_counts_as_rotated(found);
  say_if_unreadable(glob, found.unreadable);
  const bool partly = found.unreadable.has_value();
  // If the pattern found logs, it is of use, and the message is enough: --once does not fail for
  // it.
  in_trouble_ = in_trouble_ || (partly && found.logs.empty());

  Look look{std::move(found.logs), std::nullopt};
  if (remembered == nullptr) {
    patterns_.push_back({glob, before, partly});
    changed_ = true;
    return look;
  }
  look.remembered = *remembered;
  // The directory can be read now. What lay there has been found by this look; what appears in it
  // from now on is new.
  if (remembered->partly && !partly) {
    remembered->partly = false;
    changed_ = true;
  }
  return look;
}

void LogPatterns::say_if_unreadable(const std::string& glob, const std::optional<Error>& error) {
  const std::string subject = glob + "\nunreadable";
  if (error) {
    notices_.set(subject,
                 printable(glob) + ": not all of it can be looked through: " + error->message);
  } else {
    notices_.clear(subject, printable(glob) + ": all of it can be looked through again");
  }
}

void LogPatterns::say_what_matches(const std::string& glob, const Matches& found,
                                   bool is_followed) {
  const std::string none = glob + "\nnone";
  if (found.logs.empty() && !is_followed && !found.unreadable) {
    notices_.set(none, printable(glob) + ": no file matches; waiting");
  } else if (!found.logs.empty()) {
    notices_.clear(none, printable(glob) + ": a file matches now");
  }
  if (found.too_many) {
    notices_.set(glob + "\nmany",
                 printable(glob) + ": matches too many files; 10000 of them are followed");
  }
}

void LogPatterns::say_what_counts_as_rotated(const Matches& found) {
  // Said at the first look only: later such a file is what a rotation made.
  if (found.numbered.empty()) return;
  const std::string& first = found.numbered.front();
  const std::size_t more = found.numbered.size() - 1;
  notices_.say(printable(first) + (more > 0 ? " and " + std::to_string(more) + " more" : "") +
               ": taken for a rotated file of the log beside it, by its name; to follow it as a "
               "log, name it without a pattern");
}

}  // namespace caravel::tail
