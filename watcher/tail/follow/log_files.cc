#include "watcher/tail/follow/log_files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "watcher/tail/files/paths.h"
#include "watcher/tail/follow/writing_chain.h"
#include "watcher/tail/names/glob.h"

namespace caravel::tail {
namespace {

/// So many places are remembered to which a log's symlink led, the present one included; and so
/// many shapes of names.
constexpr std::size_t kMostTargets = 4;
constexpr std::size_t kMostShapes = 4;

/// The birth, or for a file that was moved here from another file system, and for one on a file
/// system without births, the last write: the earlier of the two.
std::int64_t born_at_latest(const Stamp& stamp) {
  return stamp.id.born != 0 ? std::min(stamp.id.born, stamp.modified) : stamp.modified;
}

/// Keeps one of the entries that are one file (hard links, and what several rules find): the first
/// of those whose name says most.
void keep_each_once(std::vector<Sibling>& files) {
  std::vector<std::size_t> order(files.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const std::uint64_t of_a = files[a].stamp.id.inode;
    const std::uint64_t of_b = files[b].stamp.id.inode;
    return of_a != of_b ? of_a < of_b : files[a].proof < files[b].proof;
  });
  std::vector<bool> again(files.size());
  for (std::size_t i = 1; i < order.size(); ++i) {
    again[order[i]] = same_file(files[order[i]].stamp.id, files[order[i - 1]].stamp.id);
  }
  std::size_t at = 0;
  std::erase_if(files, [&](const Sibling&) { return again[at++]; });
}

}  // namespace

Result<> LogFiles::note_look(const std::optional<FileId>& live) {
  live_ = live;
  const std::int64_t looked = std::exchange(state_.looked, file_time());
  const std::string target = link_target(state_.log);
  std::vector<std::string>& targets = state_.targets;
  if (target.empty() || (!targets.empty() && targets.front() == target)) return {};
  const bool is_new = std::find(targets.begin(), targets.end(), target) == targets.end();
  auto remembered = is_new ? remember_what_lay_there(target, looked) : Result<>();
  std::erase(targets, target);
  targets.insert(targets.begin(), target);
  // A link that is swapped every day must not make the state grow for ever: the oldest places go.
  targets.resize(std::min(targets.size(), kMostTargets));
  changed_ = true;
  return remembered;
}

/// Remembers the rotated files at a new place of the log's symlink as not the log's, if they were
/// there before `looked`, when the log was last looked at and lay elsewhere. Files that are the
/// log's for another reason may still be unread.
Result<> LogFiles::remember_what_lay_there(const std::string& target, std::int64_t looked) {
  auto files = rotated_siblings(target, std::nullopt, kinship_.shapes_beside(target));
  if (!files) return lacks_right(files.error()) ? Result<>() : tl::unexpected(files.error());
  for (const Sibling& file : *files) {
    const FileId& id = file.stamp.id;
    const bool ours = is_reading(id) || known_.holds_id(id) || kinship_.kin_at(file.path);
    const bool is_live = live_ && same_file(*live_, id);
    // A file that was seen to appear, and is held since, is judged by its names like any other.
    const bool is_held = held_.find(id) != nullptr;
    // An older agent's state has no `looked` (0): then no file was ever looked at.
    const bool before = looked == 0 || born_at_latest(file.stamp) < looked;
    if (!ours && !is_live && !is_held && before) known_.remember_there(file);
  }
  return {};
}

bool LogFiles::is_reading(const FileId& id) const {
  const auto is_it = [&](const std::optional<Position>& p) { return p && same_file(p->id, id); };
  return open_.is(id) || is_it(state_.file) || is_it(state_.aside);
}

bool LogFiles::another_log_has_a_target() const {
  return std::any_of(state_.targets.begin(), state_.targets.end(),
                     [&](const std::string& target) { return kinship_.is_another_log(target); });
}

/// Adds what lies at the places where this log's symlink leads or led: the files themselves, except
/// for the one that is the log now, and the rotated files beside them.
Result<> LogFiles::add_files_of_targets(std::vector<Sibling>& files) const {
  const std::string now = link_target(state_.log);
  for (const std::string& target : state_.targets) {
    if (kinship_.is_another_log(target)) continue;
    auto there = rotated_siblings(target, std::nullopt, kinship_.shapes_beside(target));
    if (!there && !lacks_right(there.error())) return tl::unexpected(there.error());
    if (!there) there = std::vector<Sibling>();
    const auto found = target != now ? sibling_at(target, "target") : std::nullopt;
    if (found && *found) there->push_back(**found);
    for (Sibling& file : *there) {
      if (!live_ || !same_file(*live_, file.stamp.id)) files.push_back(std::move(file));
    }
  }
  return {};
}

/// Adds what the user's patterns find.
Result<> LogFiles::add_files_of_patterns(std::vector<Sibling>& files) const {
  for (const std::string& pattern : kinship_.patterns()) {
    for (const std::string& path : files_matching(pattern)) {
      auto kin = kinship_.kin_at(path);
      if (!kin || kinship_.is_own_name(path)) continue;
      CARAVEL_ASSIGN_OR_RETURN(auto file, sibling_at(path, std::move(kin->rotation)));
      if (!file || (live_ && same_file(*live_, file->stamp.id))) continue;
      files.push_back(std::move(*file));
    }
  }
  return {};
}

bool LogFiles::owns(const HeldFile& file) const {
  return std::any_of(file.paths.begin(), file.paths.end(), [&](const std::string& path) {
    return kinship_.is_own_name(path) || kinship_.kin_at(path).has_value();
  });
}

bool LogFiles::appeared_since(std::uint64_t place) const {
  const auto& files = held_.all();
  return std::any_of(files.begin(), files.end(),
                     [&](const HeldFile& file) { return file.appeared > place && owns(file); });
}

/// Adds the held files that no name leads to, or that have a name that says nothing: they had one
/// of the log's names before.
void LogFiles::add_held(std::vector<Sibling>& files) const {
  for (const HeldFile& held : held_.all()) {
    if (!held.fd || (live_ && same_file(*live_, held.id)) || !owns(held)) continue;
    const auto stamp = stamp_of(held.fd.get());
    if (!stamp) continue;
    files.push_back(sibling_of(held, *stamp));
  }
}

Sibling LogFiles::sibling_of(const HeldFile& held, const Stamp& stamp) const {
  // Its name may be another file's by now, and tells nothing of the order.
  Sibling file{held.paths.back(), "moved", stamp};
  if (const auto kin = kinship_.kin_at(file.path)) {
    const bool had_own_name =
        std::any_of(held.paths.begin(), held.paths.end(),
                    [&](const std::string& path) { return kinship_.is_own_name(path); });
    file.proof = had_own_name ? Proof::none : kin->proof;
  }
  file.packed = is_packed(file.path);
  return file;
}

bool LogFiles::is_file_of_log(const HeldFile& held, const Stamp& stamp) const {
  const Sibling file = sibling_of(held, stamp);
  if (belongs_to_another_log(file)) return false;
  if (file.proof == Proof::none || is_joined(file.stamp.id)) return true;
  // The proof may still come: once the log was still for the grace, and is looked at then.
  const std::int64_t grace = std::chrono::nanoseconds(rules_.grace).count();
  return stamp.id.born != 0 && file_time() - stamp.id.born <= 4 * grace;
}

bool LogFiles::is_joined(const FileId& id) const {
  return std::any_of(joined_.begin(), joined_.end(),
                     [&](const FileId& joined) { return same_file(joined, id); });
}

std::vector<Sibling> LogFiles::strangers() const {
  std::vector<Sibling> out;
  const auto directories = kinship_.directories();
  for (const HeldFile& held : held_.all()) {
    const std::string& path = held.paths.back();
    const auto here = std::find(directories.begin(), directories.end(), directory_of(path));
    if (!held.fd || here == directories.end() || owns(held) || is_packed(path)) continue;
    const auto stamp = stamp_of(held.fd.get());
    if (!stamp) continue;
    Sibling file{path, "stranger", *stamp, false, Proof::none, held.fd.get(), held.appeared};
    if (!kinship_.is_a_log_by_pattern(path) && !belongs_to_another_log(file)) {
      out.push_back(std::move(file));
    }
  }
  return out;
}

/// Takes out what has a doubtful name, unless its times show that it was written in turn with the
/// log's other files. What was once taken for the log's stays that.
Result<> LogFiles::drop_unproven(std::vector<Sibling>& files, std::optional<Stamp> live) const {
  const auto doubtful = [](const Sibling& file) { return file.proof != Proof::none; };
  if (std::none_of(files.begin(), files.end(), doubtful)) {
    joined_.clear();
    return {};
  }
  // A look without the log itself asks for it here: the times are compared with it.
  if (!live) {
    CARAVEL_ASSIGN_OR_RETURN(live, stamp_of(state_.log));
  }
  std::vector<ChainLink> links;
  std::vector<std::size_t> place(files.size(), SIZE_MAX);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Sibling& file = files[i];
    const FileId& id = file.stamp.id;
    const Known* const known = known_.find(id);
    const bool ours = is_reading(id) || (known != nullptr && known->read) || is_joined(id);
    const bool sure = ours || !doubtful(file);
    // Without a birth the times tell nothing; and what lay there before tells nothing of the log.
    if (id.born == 0 || (known != nullptr && !ours)) continue;
    // A packer may keep the time of the last write, and its file is born much later.
    const Proof proof = file.packed ? Proof::gap : file.proof;
    if (!sure && kinship_.is_a_log_by_pattern(file.path)) continue;
    place[i] = links.size();
    links.push_back({born_at_latest(file.stamp), file.stamp.modified, sure ? Proof::none : proof});
  }
  if (live && live->id.born != 0) {
    links.push_back({born_at_latest(*live), live->modified, Proof::none, true});
  }
  const std::int64_t grace = std::chrono::nanoseconds(rules_.grace).count();
  const std::vector<bool> ours = written_in_turn(links, file_time(), grace);
  joined_.clear();
  std::size_t at = 0;
  std::erase_if(files, [&](const Sibling& file) {
    const std::size_t link = place[at++];
    if (!doubtful(file)) return false;
    // What lay there before is remembered as such; it stays in the list, to be recognized.
    const bool there = link == SIZE_MAX && known_.holds_id(file.stamp.id);
    if (!there && (link == SIZE_MAX || !ours[link])) return true;
    if (!there) joined_.push_back(file.stamp.id);
    return false;
  });
  return {};
}

/// Whether another log reads this file, or has it by its name: a file is read by one log only.
bool LogFiles::belongs_to_another_log(const Sibling& file) const {
  const FileId& id = file.stamp.id;
  const auto& logs = rules_.logs;
  const bool by_name = std::any_of(logs.begin(), logs.end(), [&](const std::string& log) {
    if (log == file.path) return log != state_.log;
    // The file has a name that a pattern finds, but not this log's pattern. If this log has read it
    // (it was rotated to such a name), it stays this log's.
    return is_pattern(log) && matches(log, file.path) && !matches(log, state_.log) &&
           !is_reading(id) && !known_.holds_id(id);
  });
  return by_name || others_.reader_of(id, state_) != nullptr;
}

Result<std::vector<Sibling>> LogFiles::list(const std::optional<Stamp>& live) const {
  CARAVEL_ASSIGN_OR_RETURN(auto files, rotated_siblings(state_.log, live, state_.shapes));
  // If two links lead to one file, what lies beside it is read by the log that reads the file.
  const bool shared = live_ && others_.reader_of(*live_, state_) != nullptr;
  if (!shared) CARAVEL_TRY(add_files_of_targets(files));
  CARAVEL_TRY(add_files_of_patterns(files));
  add_held(files);
  keep_each_once(files);
  std::erase_if(files, [&](const Sibling& file) { return belongs_to_another_log(file); });
  CARAVEL_TRY(drop_unproven(files, live));
  if (live) files.push_back(Sibling{state_.log, {}, *live});
  for (Sibling& file : files) held_.complete(file);
  // Which packed file is made of which other, no name tells once they were renamed. If a packed
  // file was seen to appear, its original was too.
  const bool any_deleted = std::any_of(files.begin(), files.end(), [](const Sibling& file) {
    return file.held >= 0 && file.stamp.links == 0;
  });
  for (Sibling& file : files) {
    file.original_held = file.packed && file.appeared != 0 && any_deleted;
  }
  return files;
}

Result<std::optional<Sibling>> LogFiles::find_renamed(const FileId& id) {
  for (const std::string& directory : kinship_.directories()) {
    auto found = find_in(directory, id);
    if (!found && !lacks_right(found.error())) return tl::unexpected(found.error());
    if (!found || !*found || kinship_.is_another_log((*found)->path)) continue;
    CARAVEL_TRY(learn_shape(**found));
    return found;
  }
  return std::nullopt;
}

/// A file of the log has a name with digits (rotatelogs gives `current` such a second name). Those
/// that have such a name and were written before it are not the log's.
Result<> LogFiles::learn_shape(const Sibling& file) {
  if (kinship_.is_own_name(file.path) || kinship_.kin_at(file.path)) return {};
  const std::string base = base_of(file.path);
  std::string shape = shape_of(base);
  std::vector<std::string>& shapes = state_.shapes;
  if (shape.empty() || shape == shape_of(base_of(state_.log))) return {};
  if (std::find(shapes.begin(), shapes.end(), shape) != shapes.end()) return {};
  auto files = rotated_siblings(file.path, std::nullopt, {shape});
  if (!files) return lacks_right(files.error()) ? Result<>() : tl::unexpected(files.error());
  for (const Sibling& other : *files) {
    const FileId& id = other.stamp.id;
    const bool older = born_at_latest(other.stamp) < born_at_latest(file.stamp);
    const bool ours = is_reading(id) || known_.holds_id(id) || kinship_.kin_at(other.path);
    if (older && !ours) known_.remember_there(other);
  }
  shapes.insert(shapes.begin(), std::move(shape));
  shapes.resize(std::min(shapes.size(), kMostShapes));
  changed_ = true;
  return {};
}

std::vector<std::uint64_t> LogFiles::inodes() const {
  std::vector<std::uint64_t> inodes;
  for (const std::string& directory : kinship_.directories()) {
    const auto entries = entries_in(directory);
    if (!entries) continue;
    for (const Entry& entry : *entries) inodes.push_back(entry.inode);
  }
  std::sort(inodes.begin(), inodes.end());
  return inodes;
}

}  // namespace caravel::tail
