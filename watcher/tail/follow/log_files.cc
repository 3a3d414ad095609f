#include "watcher/tail/follow/log_files.h"

#include <algorithm>
#include <cstddef>

#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/glob.h"

namespace caravel::tail {
namespace {

/// So many places are remembered to which a log's symlink led, the present one included.
constexpr std::size_t kMostTargets = 4;

}  // namespace

Result<> LogFiles::note_look(const std::optional<FileId>& live) {
  live_ = live;
  const std::int64_t looked = std::exchange(state_.looked, file_time());
  const std::string target = link_target(state_.log);
  std::vector<std::string>& targets = state_.targets;
  if (target.empty() || (!targets.empty() && targets.front() == target)) return {};
  const bool is_new = std::erase(targets, target) == 0;
  targets.insert(targets.begin(), target);
  // A link that is swapped every day must not make the state grow for ever: the oldest places go.
  targets.resize(std::min(targets.size(), kMostTargets));
  changed_ = true;
  return is_new ? remember_what_lay_there(target, looked) : Result<>();
}

/// Remembers the rotated files at a new place of the log's symlink as not the log's, if they were
/// there before `looked`, when the log was last looked at and lay elsewhere.
Result<> LogFiles::remember_what_lay_there(const std::string& target, std::int64_t looked) {
  auto files = rotated_siblings(target, std::nullopt);
  if (!files) return lacks_right(files.error()) ? Result<>() : tl::unexpected(files.error());
  for (const Sibling& file : *files) {
    const FileId& id = file.stamp.id;
    const bool ours = is_reading(id) || known_.holds_id(id);
    const bool is_live = live_ && same_file(*live_, id);
    const std::int64_t born =
        id.born != 0 ? std::min(id.born, file.stamp.modified) : file.stamp.modified;
    // A file that was moved here from another file system keeps its mtime and has a new birth time:
    // the earlier of the two counts. An older agent's state has no `looked` (0): then no file was
    // ever looked at.
    if (!ours && !is_live && (looked == 0 || born < looked)) known_.remember_there(file);
  }
  return {};
}

bool LogFiles::is_reading(const FileId& id) const {
  const auto is_it = [&](const std::optional<Position>& p) { return p && same_file(p->id, id); };
  return open_.is(id) || is_it(state_.file) || is_it(state_.aside);
}

/// Whether the options name `path`, or a pattern matches it, as a log other than this one.
bool LogFiles::is_another_log(const std::string& path) const {
  return std::any_of(logs_.begin(), logs_.end(), [&](const std::string& log) {
    return log != state_.log && (log == path || (is_pattern(log) && matches(log, path)));
  });
}

bool LogFiles::another_log_has_a_target() const {
  return std::any_of(state_.targets.begin(), state_.targets.end(),
                     [&](const std::string& target) { return is_another_log(target); });
}

/// Adds what lies at the places where this log's symlink leads or led: the files themselves, except
/// for the one that is the log now, and the rotated files beside them.
Result<> LogFiles::add_files_of_targets(std::vector<Sibling>& files) const {
  const std::string now = link_target(state_.log);
  for (const std::string& target : state_.targets) {
    if (is_another_log(target)) continue;
    auto there = rotated_siblings(target, std::nullopt);
    if (!there && !lacks_right(there.error())) return tl::unexpected(there.error());
    if (!there) there = std::vector<Sibling>();
    const auto stamp = stamp_of(target);
    if (target != now && stamp && *stamp && (*stamp)->regular) {
      there->push_back(Sibling{target, "target", **stamp, false});
    }
    const std::size_t listed = files.size();
    for (Sibling& file : *there) {
      if (live_ && same_file(*live_, file.stamp.id)) continue;
      // Log and target may lie in one directory: then the file is listed already.
      const auto end = files.begin() + static_cast<std::ptrdiff_t>(listed);
      const bool is_listed = std::any_of(files.begin(), end, [&](const Sibling& other) {
        return same_file(other.stamp.id, file.stamp.id);
      });
      if (!is_listed) files.push_back(std::move(file));
    }
  }
  return {};
}

/// Whether another log reads this file, or has it by its name: a file is read by one log only.
bool LogFiles::belongs_to_another_log(const Sibling& file) const {
  const FileId& id = file.stamp.id;
  const bool by_name = std::any_of(logs_.begin(), logs_.end(), [&](const std::string& log) {
    if (log == file.path) return true;
    // The file has a name that a pattern finds, but not this log's pattern. If this log has read it
    // (it was rotated to such a name), it stays this log's.
    return is_pattern(log) && matches(log, file.path) && !matches(log, state_.log) &&
           !is_reading(id) && !known_.holds_id(id);
  });
  return by_name || others_.reader_of(id, state_) != nullptr;
}

Result<std::vector<Sibling>> LogFiles::list(const std::optional<Stamp>& live) const {
  CARAVEL_ASSIGN_OR_RETURN(auto files, rotated_siblings(state_.log, live));
  // If two links lead to one file, what lies beside it is read by the log that reads the file.
  const bool shared = live_ && others_.reader_of(*live_, state_) != nullptr;
  if (!shared) CARAVEL_TRY(add_files_of_targets(files));
  std::erase_if(files, [&](const Sibling& file) { return belongs_to_another_log(file); });
  if (live) files.push_back(Sibling{state_.log, {}, *live, false});
  return files;
}

}  // namespace caravel::tail
