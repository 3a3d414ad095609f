// The agent's start and what it keeps on the disk: lock, state, place-taking after a crash, and
// which logs there are.
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "watcher/tail/agent.h"
#include "watcher/tail/files/glob.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kMaxStateBytes = 64 << 20;

/// Looks in a row that found nothing of a log.
constexpr unsigned kGivenUpAfter = 2;
constexpr unsigned kForgottenAfter = 4;

/// A file that the manifest speaks of and that still has the extract's bytes where it says.
Result<bool> take_place(const Sibling& file, const watcher::Manifest& manifest, Cutter& cutter,
                        Position& position) {
  if (file.packed || file.stamp.id.inode != manifest.inode || file.stamp.size < manifest.last) {
    return false;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(file.path));
  auto read = cutter.read(fd.get(), {manifest.first, manifest.last});
  if (!read || read->sha256 != manifest.sha256) return false;
  position.id = file.stamp.id;
  position.modified = file.stamp.modified;
  CARAVEL_TRY(move_to(fd.get(), manifest.last, position));
  return true;
}

const Pattern* find_pattern(const std::vector<Pattern>& patterns, const std::string& glob) {
  const auto found = std::find_if(patterns.begin(), patterns.end(),
                                  [&](const Pattern& pattern) { return pattern.glob == glob; });
  return found != patterns.end() ? &*found : nullptr;
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::open(AgentOptions options, Disk& disk) {
  std::unique_ptr<Agent> agent(new Agent(std::move(options), disk));
  CARAVEL_TRY(agent->load());
  return agent;
}

Result<> Agent::load() {
  CARAVEL_TRY(outbox_.open());
  // Before the disk is full. If that fails, it is tried again when it is needed.
  if (sender_) static_cast<void>(make_directory(options_.outbox + "/sent"));
  CARAVEL_TRY(make_directory(directory_of(options_.state)));
  const std::string lock = options_.state + ".lock";
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(lock, O_RDWR | O_CREAT | O_NOFOLLOW));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_with_errno("lock " + lock, errno);
    return fail(ErrorKind::fault, options_.state + ": another agent works with this state");
  }
  lock_ = std::move(fd);

  State state;
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of(options_.state));
  if (stamp) {
    // The limit is also what read_file() allocates.
    CARAVEL_ASSIGN_OR_RETURN(
        auto text, read_file(options_.state, std::min<std::size_t>(stamp->size, kMaxStateBytes)));
    auto parsed = parse_state(text);
    if (!parsed) return tl::unexpected(with_context(options_.state, parsed.error()));
    state = std::move(*parsed);
    // A crash may have come between its rename and the sync; what is published now relies on it.
    CARAVEL_TRY(disk_.sync_directory(directory_of(options_.state)));
  }
  patterns_ = std::move(state.patterns);
  // Of an older agent's: from now on.
  for (Pattern& pattern : patterns_) {
    if (pattern.since != 0) continue;
    pattern.since = file_time();
    dirty_ = true;
  }
  std::vector<std::string> runs;
  std::vector<std::string> keep;
  for (LogState& saved : state.logs) {
    saved.log = plain_path(saved.log);
    runs.push_back(saved.run);
    for (const Pending& one : saved.pending) keep.push_back(Outbox::name_of(one.manifest));
    Log& log = add_log(std::move(saved));
    log.begun = !log.state.first_look;
    log.run_saved = true;
    log.announced = Log::Announced::yes;
    log.verify_pending = !log.state.pending.empty();
    log.followed = std::any_of(options_.logs.begin(), options_.logs.end(), [&](const auto& named) {
      return named == log.state.log || matches(named, log.state.log);
    });
    CARAVEL_TRY(catch_up(log));
  }
  CARAVEL_TRY(outbox_.sweep(runs, keep));
  find_logs();
  if (!dirty_) return {};
  // A full disk is no reason not to begin: steps save it, and may make room.
  auto saved = save();
  return saved || saved.error().kind == ErrorKind::retry ? Result<>() : saved;
}

/// The state may be older than the outbox (it was put back from a backup): the last manifest of the
/// run tells where the log stands.
Result<> Agent::catch_up(Log& log) {
  const std::uint64_t known =
      log.state.pending.empty() ? log.state.sequence : log.state.pending.back().manifest.sequence;
  CARAVEL_ASSIGN_OR_RETURN(auto newest, outbox_.newest_manifest(log.state.run, known));
  if (!newest) return {};
  const watcher::Manifest& manifest = *newest;
  notices_.say(printable(log.state.log) + ": the state is older than extract " +
               std::to_string(manifest.sequence) + " in the outbox; going on behind that");
  CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(log.state.log));
  CARAVEL_ASSIGN_OR_RETURN(auto files, rotated_siblings(log.state.log, live));
  if (live && live->regular) files.push_back(Sibling{log.state.log, {}, *live, false});
  Position position;
  bool found = false;
  for (const Sibling& file : files) {
    CARAVEL_ASSIGN_OR_RETURN(auto taken, take_place(file, manifest, cutter_, position));
    found = taken;
    if (found) break;
  }
  if (!found) {
    position.id = {manifest.device, manifest.inode, 0};
    position.offset = manifest.last;
    position.head = position.tail = "-";  // matches no file
    position.modified =
        std::chrono::duration_cast<std::chrono::nanoseconds>(manifest.cut.time_since_epoch())
            .count();
  }
  position.first_line = manifest.first_line;
  log.state.sequence = manifest.sequence;
  log.state.file = position;
  if (log.state.aside && same_file(log.state.aside->id, position.id)) log.state.aside.reset();
  log.state.since = position.modified;  // the memory is older, too
  log.state.pending.clear();
  dirty_ = true;
  return {};
}

Result<> Agent::save() {
  State state;
  for (const std::string& log : options_.logs) {
    if (!is_pattern(log) || is_there(log).value_or(false)) continue;
    if (const Pattern* pattern = find_pattern(patterns_, log)) state.patterns.push_back(*pattern);
  }
  for (const auto& log : logs_) {
    if (log->begun || log->state.first_look) state.logs.push_back(log->state);
  }
  CARAVEL_TRY(outbox_.sync_names(true));
  CARAVEL_TRY(prepare_file(disk_, options_.state, format_state(state)));
  for (const auto& log : logs_) {
    if (log->announced == Log::Announced::no) log->announced = Log::Announced::maybe;
  }
  CARAVEL_TRY(put_in_place(disk_, options_.state));
  for (const auto& log : logs_) {
    log->announced = Log::Announced::yes;
    log->run_saved = log->begun || log->state.first_look;
  }
  dirty_ = false;
  return {};
}

void Agent::add_new_log(const std::string& path, const Pattern* known_pattern) {
  LogState state;
  state.log = path;
  state.run = random_run();
  Log& log = add_log(std::move(state));
  if (known_pattern == nullptr) return;
  // All of it is new, be it rotated already.
  log.from_start = true;
  log.rotated_since = known_pattern->since;
}

/// Whether it may have lain there unseen when the pattern was first looked for.
bool Agent::was_overlooked(const std::string& path, const Pattern& pattern) {
  if (!pattern.partly) return false;
  const auto stamp = stamp_of(path);
  if (!stamp || !*stamp) return false;
  const FileId& id = (*stamp)->id;
  return (id.born != 0 ? id.born : (*stamp)->modified) < pattern.since;
}

void Agent::find_logs() {
  cannot_look_ = false;
  std::vector<std::string> known;
  for (const auto& log : logs_) known.push_back(log->state.log);
  std::sort(known.begin(), known.end());
  const auto add = [&](const std::string& path, const Pattern* known_pattern) {
    const auto place = std::lower_bound(known.begin(), known.end(), path);
    if (place != known.end() && *place == path) return;
    known.insert(place, path);
    add_new_log(path, known_pattern);
  };
  for (const std::string& log : options_.logs) {
    if (!is_pattern(log) || is_there(log).value_or(false)) {
      add(log, nullptr);
      continue;
    }
    const Pattern* const looked_before = find_pattern(patterns_, log);
    const std::int64_t before = file_time();
    const Matches found = matching_logs(log, known);
    say_what_matches(log, found, looked_before != nullptr);
    for (const std::string& path : found.logs) {
      if (!std::binary_search(known.begin(), known.end(), path) && !is_read_or_ours(path)) {
        const bool is_old = looked_before != nullptr && was_overlooked(path, *looked_before);
        add(path, is_old ? nullptr : looked_before);
      }
    }
    say_if_unreadable(log, found.unreadable);
    const bool partly = found.unreadable.has_value();
    cannot_look_ = cannot_look_ || (partly && found.logs.empty());
    if (looked_before == nullptr) {
      patterns_.push_back({log, before, partly});
      dirty_ = true;
    } else if (looked_before->partly && !partly) {
      std::find_if(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
        return pattern.glob == log;
      })->partly = false;
      dirty_ = true;
    }
  }
}

const LogState* Agent::reader_of(const FileId& id, const LogFollower& asking) const {
  bool earlier = true;
  for (const auto& log : logs_) {
    const LogFollower& other = *log->follower;
    if (&other == &asking) earlier = false;
    if (&other == &asking || !log->followed) continue;
    // Of two names for one file it is always the first one's, also while that reads an older one.
    if (other.has_open(id) || (earlier && other.has_name(id))) return &log->state;
    // At a start nothing is open yet.
    if (other.is_reading(id) && !asking.is_reading(id)) return &log->state;
  }
  return nullptr;
}

std::optional<Position> Agent::read_up_to(const Sibling& file, const LogFollower& asking) const {
  for (const auto& log : logs_) {
    if (log->follower.get() == &asking) continue;
    if (auto position = log->follower->position_of(file)) return position;
  }
  return std::nullopt;
}

/// A log that was just rotated to a name that a pattern matches is read to its end where it was.
bool Agent::is_read_or_ours(const std::string& path) {
  const auto stamp = stamp_of(path);
  if (!stamp || !*stamp) return false;
  if (in_outbox(path)) return true;
  return std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) {
    return log->followed && log->follower->is_reading((*stamp)->id);
  });
}

/// Extracts are no logs: they would be cut into extracts for ever.
bool Agent::in_outbox(const std::string& path) {
  const auto directory = stamp_of(directory_of(path));
  if (!directory || !*directory) return false;
  for (const std::string& ours : {options_.outbox, options_.outbox + "/sent"}) {
    const auto stamp = stamp_of(ours);
    if (!stamp || !*stamp || !same_file((*stamp)->id, (*directory)->id)) continue;
    notices_.set(ours + "\nlogs", printable(ours) +
                                      ": a pattern of logs matches files of the outbox; "
                                      "they are left alone");
    return true;
  }
  return false;
}

void Agent::say_if_unreadable(const std::string& pattern, const std::optional<Error>& error) {
  const std::string subject = pattern + "\nunreadable";
  if (error) {
    notices_.set(subject,
                 printable(pattern) + ": not all of it can be looked through: " + error->message);
  } else {
    notices_.clear(subject, printable(pattern) + ": all of it can be looked through again");
  }
}

void Agent::say_what_matches(const std::string& pattern, const Matches& found, bool looked_before) {
  const std::string none = pattern + "\nnone";
  const bool followed = std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) {
    return matches(pattern, log->state.log);
  });
  if (found.logs.empty() && !followed && !found.unreadable) {
    notices_.set(none, printable(pattern) + ": no file matches; waiting");
  } else if (!found.logs.empty()) {
    notices_.clear(none, printable(pattern) + ": a file matches now");
  }
  if (found.too_many) {
    notices_.set(pattern + "\nmany",
                 printable(pattern) + ": matches too many files; 10000 of them are followed");
  }
  if (looked_before || found.numbered.empty()) return;
  const std::string& first = found.numbered.front();
  const std::size_t more = found.numbered.size() - 1;
  notices_.say(printable(first) + (more > 0 ? " and " + std::to_string(more) + " more" : "") +
               ": taken for a rotated file of the log beside it, by its name; to follow it as a "
               "log, name it without a pattern");
}

/// Logs whose name is gone. What only a pattern named is forgotten, for their number has no other
/// limit. Not at once, so that the file is found by another name before; nor while the directory is
/// empty: its file system may not be mounted; nor while rotated files remain, which would be read
/// again if the log came back.
void Agent::look_after_deserted() {
  const auto forget = [&](const std::unique_ptr<Log>& log) {
    unsigned& looks = log->state.deserted_looks;
    if (!log->followed || !log->follower->deserted() || !log->state.pending.empty()) {
      if (std::exchange(looks, 0) != 0) dirty_ = true;
      return false;
    }
    const auto names = names_in(directory_of(log->state.log));
    if (!names || names->empty()) return false;
    if (looks < kForgottenAfter) {
      if (++looks == kGivenUpAfter) log->follower->give_up();
      dirty_ = true;
    }
    const bool named = std::find(options_.logs.begin(), options_.logs.end(), log->state.log) !=
                       options_.logs.end();
    return looks == kForgottenAfter && !named && !log->follower->has_rotated_files();
  };
  if (std::erase_if(logs_, forget) > 0) dirty_ = true;
}

}  // namespace caravel::tail
