#include "watcher/tail/logs/followed_logs.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/follow/losses.h"
#include "watcher/tail/names/glob.h"

namespace caravel::tail {
namespace {

/// After so many looks in a row that found nothing of a log, its file is given up, so that another
/// log may find it under another name; after more of them, the log is forgotten. The state file
/// counts them up to kForgottenAfter.
constexpr unsigned kFileGivenUpAfter = 2;
constexpr unsigned kForgottenAfter = 4;
/// A file that no log needs is held for a while: one of a log may still be written to, any other
/// may get the name by which it is known as a log's.
constexpr std::chrono::seconds kHeldAtLeast{2};

std::set<std::string> set_of(std::vector<std::string> paths) {
  return {std::make_move_iterator(paths.begin()), std::make_move_iterator(paths.end())};
}

}  // namespace

/// The follower refers to the state, so the log stays at its place in memory (unique_ptr).
FollowedLog& FollowedLogs::add(LogState state) {
  auto log = std::make_unique<FollowedLog>();
  log->state = std::move(state);
  const OtherLogs& others = *this;
  log->follower = std::make_unique<LogFollower>(log->state, follower_rules_, others, held_,
                                                unpacker_, notices_);
  logs_.push_back(std::move(log));
  return *logs_.back();
}

FollowedLog& FollowedLogs::restore(LogState state) {
  state.log = plain_path(state.log);
  FollowedLog& log = add(std::move(state));
  log.begun = !log.state.first_look;
  // All of it was read from the state file: what is pending is announced, and may be damaged.
  log.run_saved = true;
  log.announced = Announced::yes;
  log.verify_pending = !log.state.pending.empty();
  log.followed = std::any_of(rules_.logs.begin(), rules_.logs.end(), [&](const std::string& named) {
    return named == log.state.log || matches(named, log.state.log);
  });
  return log;
}

void FollowedLogs::add_new(const std::string& path, const StartRules& start) {
  LogState state;
  state.log = path;
  state.run = random_run();
  add(std::move(state)).start = start;
}

void FollowedLogs::find() {
  patterns_.forget_trouble();
  std::vector<std::string> known;
  for (const auto& log : logs_) known.push_back(log->state.log);
  std::sort(known.begin(), known.end());
  const auto add_unless_known = [&](const std::string& path, const StartRules& start) {
    const auto place = std::lower_bound(known.begin(), known.end(), path);
    if (place != known.end() && *place == path) return;
    // Sorted insertion: matching_logs() and the search above need `known` in order.
    known.insert(place, path);
    add_new(path, start);
  };
  const StartRules was_there{rules_.from_start, INT64_MAX};
  for (const std::string& log : rules_.logs) {
    if (!is_pattern_to_expand(log)) {
      add_unless_known(log, was_there);
      continue;
    }
    const LogPatterns::Look look = patterns_.look(log, known);
    for (const std::string& path : look.logs) {
      if (std::binary_search(known.begin(), known.end(), path)) continue;
      if (is_in_outbox(path) || is_read_already(path)) continue;
      const bool is_new = look.remembered && !was_overlooked(path, *look.remembered);
      // A log that appeared since the last look is new as a whole, with what was rotated already.
      add_unless_known(path, is_new ? StartRules{true, look.remembered->since} : was_there);
    }
  }
  // Those that are named have their rotated files.
  std::erase_if(known, [&](const std::string& path) {
    return std::find(rules_.logs.begin(), rules_.logs.end(), path) != rules_.logs.end();
  });
  handovers_.begin_look(std::move(known));
}

std::size_t FollowedLogs::open_files() const {
  return static_cast<std::size_t>(std::count_if(
      logs_.begin(), logs_.end(), [](const auto& log) { return log->follower->file().is_open(); }));
}

Handovers::FirstLine FollowedLogs::first_line_of(const FollowedLog& log) const {
  const LogState& state = log.state;
  const OpenFile& file = log.follower->file();
  // What came before in the log itself ended with whole lines, or left word (`half_open`).
  if (state.sequence > 0 || !state.known.empty() || file.is_rotated()) {
    return Handovers::FirstLine::whole;
  }
  const std::int64_t grace = std::chrono::nanoseconds(rules_.grace).count();
  return handovers_.first_line_of(state.log, file.stamp(), file_time() - grace);
}

std::set<std::string> FollowedLogs::directories() const {
  std::set<std::string> directories;
  for (const auto& log : logs_) {
    if (log->followed) directories.merge(set_of(log->follower->directories()));
  }
  // Patterns find logs in directories that have none yet.
  for (const std::string& log : rules_.logs) {
    const std::string directory = directory_of(log);
    if (!is_pattern(directory)) directories.insert(directory);
  }
  const auto outbox = stamp_of(rules_.outbox);
  std::erase_if(directories, [&](const std::string& directory) {
    const auto stamp = stamp_of(directory);
    return outbox && *outbox && stamp && *stamp && same_file((*outbox)->id, (*stamp)->id);
  });
  return directories;
}

std::set<std::string> FollowedLogs::paths() const {
  std::set<std::string> paths;
  for (const auto& log : logs_) paths.insert(log->state.log);
  return paths;
}

void FollowedLogs::look_through() {
  for (const auto& log : logs_) log->follower->look_through();
}

void FollowedLogs::release_held(const Moment& now) {
  using Patience = std::optional<std::chrono::milliseconds>;
  held_.release(now, [&](const HeldFile& file) -> Patience {
    bool owned = false;
    for (const auto& log : logs_) {
      if (!log->followed || !log->follower->owns(file)) continue;
      if (log->follower->needs(file)) return std::nullopt;
      owned = true;
    }
    return std::max<std::chrono::milliseconds>(owned ? 2 * rules_.grace : rules_.grace / 2,
                                               kHeldAtLeast);
  });
}

void FollowedLogs::say_if_lost(const std::string& path, const std::string& what) {
  const auto whose = std::find_if(logs_.begin(), logs_.end(), [&](const auto& log) {
    return log->followed && log->follower->is_name_of_log(path);
  });
  if (whose == logs_.end()) return;
  say_loss((*whose)->state, notices_, what);
  changed_ = true;
}

const LogState* FollowedLogs::reader_of(const FileId& id, const LogState& asking) const {
  const auto asks = [&](const auto& log) { return &log->state == &asking; };
  const auto who = std::find_if(logs_.begin(), logs_.end(), asks);
  bool earlier = true;
  for (const auto& log : logs_) {
    if (asks(log)) {
      earlier = false;
      continue;
    }
    if (!log->followed) continue;
    const LogFollower& other = *log->follower;
    // If two logs are two names of one file, the log that is named first has it, also while that
    // log still reads an older file.
    if (other.file().is(id) || (earlier && other.has_name(id))) return &log->state;
    // At a start no file is open yet: then the log whose state speaks of the file has it.
    if (other.is_reading(id) && !(*who)->follower->is_reading(id)) return &log->state;
  }
  return nullptr;
}

std::optional<Position> FollowedLogs::read_up_to(const Sibling& file,
                                                 const LogState& asking) const {
  // Logs that are not followed any more are asked too: their states still say how far they came.
  for (const auto& log : logs_) {
    if (&log->state == &asking) continue;
    if (auto position = log->follower->position_of(file)) return position;
  }
  return std::nullopt;
}

/// Whether a followed log is reading the file at `path`: it was just rotated to a name that a
/// pattern matches, and is read to its end by the log that it was.
bool FollowedLogs::is_read_already(const std::string& path) const {
  const auto stamp = stamp_of(path);
  if (!stamp || !*stamp) return false;
  return std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) {
    return log->followed && log->follower->is_reading((*stamp)->id);
  });
}

/// Whether `path` lies in the outbox: extracts must not be followed, or they would be cut into
/// extracts for ever.
bool FollowedLogs::is_in_outbox(const std::string& path) {
  const auto directory = stamp_of(directory_of(path));
  if (!directory || !*directory) return false;
  for (const std::string& ours : {rules_.outbox, rules_.outbox + "/sent"}) {
    const auto stamp = stamp_of(ours);
    if (!stamp || !*stamp || !same_file((*stamp)->id, (*directory)->id)) continue;
    notices_.set(ours + "\nlogs", printable(ours) +
                                      ": a pattern of logs matches files of the outbox; "
                                      "they are left alone");
    return true;
  }
  return false;
}

void FollowedLogs::forget_deserted() {
  // All are asked before any is taken out: one log's answer looks at the others.
  std::vector<const FollowedLog*> forgotten;
  for (const auto& log : logs_) {
    if (is_to_be_forgotten(*log)) forgotten.push_back(log.get());
  }
  if (forgotten.empty()) return;
  // Messages about forgotten logs end without a word: nobody would ever find these logs in order
  // again.
  notices_.clear_if([&](const std::string& subject) {
    const std::string path = subject.substr(0, subject.find('\n'));
    return std::any_of(forgotten.begin(), forgotten.end(),
                       [&](const FollowedLog* log) { return log->state.log == path; });
  });
  std::erase_if(logs_, [&](const auto& log) {
    return std::find(forgotten.begin(), forgotten.end(), log.get()) != forgotten.end();
  });
  changed_ = true;
}

/// A log that only a pattern found is forgotten when its name is gone, because the number of such
/// logs has no other limit. But not at once, so that its file may first be found under another
/// name; nor while its directory is empty, because its file system may not be mounted; nor while
/// rotated files remain, which would be read again if the log came back.
bool FollowedLogs::is_to_be_forgotten(FollowedLog& log) {
  unsigned& looks = log.state.deserted_looks;
  if (!log.followed || !log.follower->deserted() || !log.state.pending.empty()) {
    if (std::exchange(looks, 0) != 0) changed_ = true;
    return false;
  }
  const auto names = names_in(directory_of(log.state.log));
  if (!names || names->empty()) return false;
  if (looks < kForgottenAfter) {
    if (++looks == kFileGivenUpAfter) log.follower->give_up_lost_file();
    changed_ = true;
  }
  const bool named =
      std::find(rules_.logs.begin(), rules_.logs.end(), log.state.log) != rules_.logs.end();
  return looks == kForgottenAfter && !named && !log.follower->has_rotated_files();
}

State FollowedLogs::to_save() const {
  State state;
  state.patterns = patterns_.remembered(rules_.logs);
  for (const auto& log : logs_) {
    // A log that could not be begun yet has nothing to remember. If it were saved, the next start
    // would take the place where it begins for decided.
    if (log->begun || log->state.first_look) state.logs.push_back(log->state);
  }
  return state;
}

/// From here until note_saved(), the state on the disk may be the old one or the new one.
void FollowedLogs::note_prepared() {
  for (const auto& log : logs_) {
    if (log->announced == Announced::no) log->announced = Announced::maybe;
  }
}

void FollowedLogs::note_saved() {
  for (const auto& log : logs_) {
    log->announced = Announced::yes;
    log->run_saved = log->begun || log->state.first_look;
  }
  static_cast<void>(patterns_.take_changed());
  changed_ = false;
}

bool FollowedLogs::changed() {
  if (patterns_.take_changed()) changed_ = true;
  return changed_;
}

}  // namespace caravel::tail
