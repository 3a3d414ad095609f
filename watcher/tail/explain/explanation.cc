#include "watcher/tail/explain/explanation.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/notices.h"
#include "base/text.h"
#include "watcher/exchange/key_value.h"
#include "watcher/tail/explain/running_agent.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/follow/kinship.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/follow/log_files.h"
#include "watcher/tail/follow/open_file.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/names/order.h"
#include "watcher/tail/state/state_file.h"

namespace caravel::tail {
namespace {

std::string time_text(std::int64_t nanoseconds) {
  using Clock = std::chrono::system_clock;
  const auto since =
      std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(nanoseconds));
  return watcher::format_utc(Clock::time_point(since));
}

std::string bytes(std::uint64_t count) { return std::to_string(count) + " bytes"; }

/// All logs of the state; what the running agent has open is not known to it.
class SavedLogs : public OtherLogs {
 public:
  explicit SavedLogs(const State& state) : state_(state) {}
  [[nodiscard]] const LogState* reader_of(const FileId& id, const LogState& asking) const override {
    for (const LogState& log : state_.logs) {
      if (log.log == asking.log) continue;
      for (const auto& file : {log.file, log.aside}) {
        if (file && same_file(file->id, id)) return &log;
      }
    }
    return nullptr;
  }
  [[nodiscard]] std::optional<Position> read_up_to(const Sibling& /*file*/,
                                                   const LogState& /*asking*/) const override {
    return std::nullopt;
  }

 private:
  const State& state_;
};

/// One log, looked at as its follower does it.
class Explanation {
 public:
  Explanation(const Explained& agent, const State& state, LogState log)
      : agent_(agent), log_(std::move(log)), others_(state) {}

  [[nodiscard]] Result<std::string> text() {
    CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(log_.log));
    if (live && !live->regular) live.reset();
    tell_of_log(live.has_value());
    CARAVEL_ASSIGN_OR_RETURN(auto all, candidates(live));
    CARAVEL_TRY(files_.note_look(live ? std::optional<FileId>(live->id) : std::nullopt));
    CARAVEL_ASSIGN_OR_RETURN(auto files, files_.list(live));
    tell_of_files(files, live.has_value());
    tell_of_others(all, files);
    tell_of_agent();
    tell_of_losses();
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + '\n'; }

  void tell_of_log(bool there) {
    line(printable(log_.log) + (there ? "" : ": does not exist now"));
    for (std::size_t i = 0; i < log_.targets.size(); ++i) {
      line((i == 0 ? "  leads to " : "  led before to ") + printable(log_.targets[i]));
    }
    if (log_.looked == 0 && log_.run.empty()) {
      line("  was never looked at by an agent with this state");
    } else {
      line("  run " + log_.run + ": " + std::to_string(log_.sequence) + " extracts" +
           (log_.looked != 0 ? "; last looked at " + time_text(log_.looked) : ""));
    }
    if (!log_.pending.empty()) {
      line("  " + std::to_string(log_.pending.size()) +
           " more are announced and not published yet");
    }
  }

  /// What lies beside the log and is named like one of its files.
  [[nodiscard]] Result<std::vector<Sibling>> candidates(const std::optional<Stamp>& live) const {
    return rotated_siblings(log_.log, live, log_.shapes);
  }

  void tell_of_files(std::vector<Sibling> files, bool there) {
    line("files, oldest first:");
    std::optional<Sibling> live;
    if (there && !files.empty() && files.back().rotation.empty()) {
      live = std::move(files.back());
      files.pop_back();
    }
    sort_by_writing(files, nullptr, nullptr);
    if (live) files.push_back(std::move(*live));
    for (const Sibling& file : files) {
      line("  " + shown_name(file.path) + "  " + bytes(file.stamp.size) + ", " + progress(file) +
           "  [" + reason(file) + "]");
    }
    if (files.empty()) line("  none");
    if (log_.file && std::none_of(files.begin(), files.end(), [&](const Sibling& file) {
          return same_file(file.stamp.id, log_.file->id);
        })) {
      line("  (the file that was read up to byte " + std::to_string(log_.file->offset) +
           " has none of these names now)");
    }
  }

  /// Within the log's directory the name alone, else the path.
  [[nodiscard]] std::string shown_name(const std::string& path) const {
    return printable(directory_of(path) == directory_of(log_.log) ? base_of(path) : path);
  }

  [[nodiscard]] std::string progress(const Sibling& file) const {
    const auto is_it = [&](const std::optional<Position>& position) {
      return position && same_file(position->id, file.stamp.id);
    };
    if (is_it(log_.file)) return "being read: up to byte " + std::to_string(log_.file->offset);
    if (is_it(log_.aside)) return "waits, read up to byte " + std::to_string(log_.aside->offset);
    const Known* const known = known_.find(file.stamp.id);
    if (known == nullptr) {
      return log_.first_look ? "not to be read yet" : "not read yet";
    }
    if (!known->read) return "not to be read: it lay there before, or its text was read before";
    if (file.packed || file.stamp.size == known->size) return "read";
    return "read up to byte " + std::to_string(known->offset) + ", changed since";
  }

  [[nodiscard]] std::string reason(const Sibling& file) const {
    if (file.rotation.empty()) return "the log itself";
    if (file.rotation == "target") return "the log's link led to it";
    switch (file.proof) {
      case Proof::gap:
        return "named like the log's other files, and not written at the same time";
      case Proof::touch:
        return "named like the log's next file, and begun when the one before it was finished";
      case Proof::none:
        break;
    }
    const auto by_name = kin_of(base_of(file.path), base_of(log_.log), log_.shapes);
    const bool beside = directory_of(file.path) == directory_of(log_.log);
    if (by_name && beside) return "its name";
    return log_.targets.empty() ? "--siblings" : "its name, beside what the log leads to";
  }

  void tell_of_others(const std::vector<Sibling>& all, const std::vector<Sibling>& files) {
    for (const Sibling& candidate : all) {
      const bool taken = std::any_of(files.begin(), files.end(), [&](const Sibling& file) {
        return same_file(file.stamp.id, candidate.stamp.id);
      });
      if (taken) continue;
      line("  not the log's: " + shown_name(candidate.path) + "  [" +
           (candidate.proof == Proof::none
                ? std::string("another LOG reads it")
                : std::string("its times do not show that it was written in turn with the log; if "
                              "it is one of its files, say so with --siblings")) +
           "]");
    }
  }

  void tell_of_agent() {
    const RunningAgent agent = find_running_agent(agent_.state, files_.kinship().directories());
    if (agent.pid == 0) {
      line("no agent runs with this state");
      return;
    }
    const std::string who = "agent " + std::to_string(agent.pid);
    if (!agent.may_look) {
      line(who + " runs; what it holds open, only its user and root may see");
      return;
    }
    line(who + " runs and holds open" + (agent.files.empty() ? ": nothing here" : ":"));
    for (const OpenedFile& file : agent.files) {
      line("  " + shown_name(file.path) + "  " + bytes(file.size));
    }
  }

  void tell_of_losses() {
    line(log_.losses.empty() ? "nothing is known to have been missed" : "missed:");
    for (const Loss& loss : log_.losses) line("  " + time_text(loss.when) + "  " + loss.what);
  }

  const Explained& agent_;
  LogState log_;
  SavedLogs others_;
  Notices notices_;
  HeldFiles held_{0};
  FollowerRules rules_{agent_.grace, agent_.logs, agent_.siblings};
  OpenFile open_{rules_.grace};
  KnownFiles known_{log_, notices_};
  LogFiles files_{log_, rules_, others_, known_, open_, held_};
  std::string out_;
};

}  // namespace

Result<std::string> explain_log(const Explained& agent, const std::string& log) {
  CARAVEL_ASSIGN_OR_RETURN(auto saved, read_state(agent.state));
  const State state = saved ? std::move(*saved) : State{};
  const std::string path = plain_path(log);
  const auto found = std::find_if(state.logs.begin(), state.logs.end(),
                                  [&](const LogState& known) { return known.log == path; });
  LogState of_log;
  of_log.log = path;
  if (found != state.logs.end()) of_log = *found;
  return Explanation(agent, state, std::move(of_log)).text();
}

}  // namespace caravel::tail
