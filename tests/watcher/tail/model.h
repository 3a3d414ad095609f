// The model test's agent beside its application: what happens to both, and the comparison.
#pragma once

#include "tests/watcher/tail/model_application.h"

namespace caravel::tail {

class Model : public ModelApplication {
 public:
  explicit Model(unsigned seed) : ModelApplication(seed) {
    options.max_bytes = 300;
    options.grace = std::chrono::seconds(3);
    if (Chance(0.7)) NewLog();
    EXPECT_NO_FATAL_FAILURE(Start());
    EXPECT_NO_FATAL_FAILURE(Pass());
  }
  void Act() {
    switch (Pick(19)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Write();
      case 4:
        return RenameAndCreate();
      case 5:
        return CopyTruncate();
      case 6:
        return TruncateInPlace();
      case 7:
        return DeleteAndCreate();
      case 8:
        return PutSomethingElseInPlace();
      case 9:
        return CrashSomewhere();
      case 10:
        return FillTheDisk();
      case 11:
        return StopForAWhile();
      case 12:
        return Fetch();
      case 13:
        return MoveTheClock();
      case 14:
        return CutPower();
      case 15:
      case 16:
        return RotateAndPackAtOnce();
      default:
        return Live();
    }
  }

  /// Lets the agent come to rest with a whole disk, then compares what came out with what was
  /// written.
  void Check() {
    disk.heal();
    if (writer_ < 0) NewLog();
    FinishLine();
    ASSERT_NO_FATAL_FAILURE(Run());
    for (int i = 0; i < 40; ++i) ASSERT_NO_FATAL_FAILURE(Pass());
    Fetch();
    const std::string expected = Expected();
    std::string got;
    std::string run;
    std::uint64_t sequence = 0;
    for (const auto& [name, content] : fetched_) {
      const auto parts = watcher::parse_tail_name(name);
      if (run.empty()) run = parts->run;
      ASSERT_EQ(parts->run, run);
      ASSERT_EQ(parts->sequence, ++sequence);
      // The first half of a line, whose other half is in a truncated file.
      if (content.ends_with('\n')) got += content;
    }
    if (got != expected) {
      const auto at = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end());
      const auto from = std::max<std::ptrdiff_t>(at.first - got.begin() - 100, 0);
      FAIL() << "differs at byte " << at.first - got.begin() << " of " << got.size() << " ("
             << expected.size() << " expected)\n--- got\n"
             << got.substr(static_cast<std::size_t>(from), 300) << "\n--- expected\n"
             << expected.substr(static_cast<std::size_t>(from), 300) << "\n--- history\n"
             << history_ << "\n--- messages\n"
             << AllMessages();
    }
  }

  [[nodiscard]] std::size_t lines() const {
    std::size_t lines = 0;
    for (const Generation& generation : generations_) lines += generation.Lines();
    return lines;
  }

 private:
  void RenameAndCreate() {
    if (writer_ < 0) return;
    Note("rename and create");
    if (Chance(0.7)) FinishLine();
    if (symlinks_) return NewLog();
    Rename(In("app.log"), NextName());
    // The writer has not noticed the rotation yet and writes into the renamed file.
    for (std::size_t i = Pick(3); i > 0; --i) {
      Write();
      if (Chance(0.5)) Live();
    }
    FinishLine();
    NewLog();
  }
  /// Several rotations between two looks. What the agent saw appear, it holds: then the rotated
  /// file may be packed, or deleted, at once.
  void RotateAndPackAtOnce() {
    // Where names are gone and the clock was set, nothing tells the order.
    if (writer_ < 0 || symlinks_ || clock_steps_) return;
    Note("rotate and pack at once");
    for (std::size_t i = 1 + Pick(3); i > 0; --i) {
      FinishLine();
      struct stat status {};
      ::fstat(writer_, &status);
      const std::string name = Log(NextName());
      fs::rename(Log(In("app.log")), name);
      NewLog();
      Write();
      if (!See() || !AgentHolds(status.st_ino) || Chance(0.3)) continue;
      const std::string packed = name + ".gz";
      std::ofstream(packed) << "packed";
      fs::last_write_time(packed, fs::last_write_time(name));
      fs::remove(name);
      if (Chance(0.5)) fs::remove(packed);
      generations_[generations_.size() - 2].deleted = true;
      Note("packed generation " + std::to_string(generations_.size() - 2));
    }
  }
  /// Lets the agent open what has appeared, as its thread does; no log is looked at.
  bool See() {
    if (!agent) return false;
    const Step step = agent->step(now);
    messages.insert(messages.end(), step.messages.begin(), step.messages.end());
    return true;
  }
  void CopyTruncate() {
    if (writer_ < 0 || symlinks_) return;
    Note("copytruncate");
    const std::string name = Log(NextName());
    const std::string copied = generations_.back().content;
    fs::copy_file(Log(In("app.log")), name);
    const int copy = ::open(name.c_str(), O_WRONLY);
    Stamp(copy);
    ::close(copy);
    const bool lose = Chance(0.3);
    if (lose) Write();  // between copy and truncation: lost to every reader
    generations_.back().content = copied;
    TruncateWriter();
  }
  void TruncateWriter() {
    ASSERT_EQ(::ftruncate(writer_, 0), 0);
    Stamp(writer_);
    generations_.emplace_back();
    Note("truncated, generation " + std::to_string(generations_.size() - 1));
    if (Chance(0.5)) Write();  // the log may grow beyond its old end at once
    if (Chance(0.3)) Write();
  }
  /// Whether the agent is at rest, or dead without an announced extract. What is published at this
  /// moment is then all that ever will be of a file that vanishes next.
  bool AtRest() {
    if (agent) {
      disk.heal();
      Pass();
      return true;
    }
    const auto state = parse_state(ReadAll(options.state));
    return state && std::none_of(state->logs.begin(), state->logs.end(),
                                 [](const LogState& log) { return !log.pending.empty(); });
  }
  void TruncateInPlace() {
    if (writer_ < 0 || !AtRest()) return;
    Note("truncate in place");
    if (Chance(0.5)) Write();
    generations_.back().limit = PublishedOf(generations_.size() - 1);
    TruncateWriter();
  }
  void DeleteAndCreate() {
    if (writer_ < 0 || symlinks_ || !AtRest()) return;
    Note("delete");
    if (Chance(0.5)) Write();
    FinishLine();
    // Where names are gone and the clock was set, nothing tells the order.
    for (int i = 0; clock_steps_ && agent && i < 40; ++i) Pass();
    struct stat status {};
    ::fstat(writer_, &status);
    fs::remove(Log(In("app.log")));
    Generation& generation = generations_.back();
    generation.deleted = true;
    if (!AgentHolds(status.st_ino)) generation.limit = PublishedOf(generations_.size() - 1);
    if (Chance(0.5)) Live();
    NewLog();
  }
  bool AgentHolds(ino_t inode) const {
    if (!agent) return false;
    for (int fd = 3; fd < 256; ++fd) {
      struct stat status {};
      if (fd != writer_ && ::fstat(fd, &status) == 0 && status.st_ino == inode) return true;
    }
    return false;
  }
  void PutSomethingElseInPlace() {
    if (writer_ < 0 || symlinks_) return;
    Note("something else in its place");
    FinishLine();
    Rename(In("app.log"), NextName());
    if (Chance(0.5)) {
      fs::create_directory(Log(In("app.log")));
    } else {
      ASSERT_EQ(::mkfifo(Log(In("app.log")).c_str(), 0644), 0);
    }
    Live();
    fs::remove(Log(In("app.log")));
    NewLog();
  }

  // --- the agent

  void Run() {
    if (!agent) Start();
  }
  void Live() {
    Note("agent lives");
    try {
      Run();
      Pass(std::chrono::milliseconds(500 + Pick(3000)));
    } catch (const Crash&) {
      Dies();
    }
  }
  void CrashSomewhere() {
    const int operations = static_cast<int>(1 + Pick(40));
    Note("crash in " + std::to_string(operations));
    disk.crash_in(operations, Chance(0.5));
    for (int i = 0; i < 3; ++i) {
      Write();
      Live();
    }
    disk.heal();
  }
  /// The logs themselves come back whole: the application syncs them, not the agent.
  void CutPower() {
    if (Chance(0.5)) {
      disk.crash_in(static_cast<int>(1 + Pick(40)), Chance(0.5));
      Write();
      Live();
      disk.heal();
    }
    Note("power cut");
    agent.reset();
    disk.cut_power(random_);
    power_was_cut_ = true;
    Dies();
  }
  void FillTheDisk() {
    Note("disk full");
    disk.break_operations([this] { return Chance(0.4); }, ENOSPC);
    for (int i = 0; i < 3; ++i) {
      Write();
      Run1();
    }
    disk.heal();
  }
  /// One step of the agent. On a failing disk it may not even start; a later call tries again.
  void Run1() {
    if (!agent) {
      auto opened = Agent::open(options, disk);
      if (!opened) return;
      agent = std::move(*opened);
    }
    Pass(std::chrono::seconds(1));
  }
  void StopForAWhile() {
    Note("stop");
    Dies();
    for (std::size_t i = Pick(4); i > 0; --i) {
      switch (Pick(4)) {
        case 0:
          RenameAndCreateUnseen();
          break;
        case 1:
          CopyTruncate();
          break;
        default:
          Write();
      }
    }
  }
  void RenameAndCreateUnseen() {
    if (writer_ < 0) return;
    FinishLine();
    if (!symlinks_) {
      const std::string name = NextName();
      Rename(In("app.log"), name);
      if (Chance(0.4)) Pack(name);
    }
    NewLog();
  }
  /// Nobody has seen the file under this name, and perhaps never at all.
  void Pack(const std::string& name) {
    NoteWhatIsRead();
    if (set_back_unread_) return;
    Note("packed " + name);
    packed_unread_ = true;
    const auto modified = fs::last_write_time(Log(name));
    std::ofstream(Log(name + ".gz"), std::ios::binary) << Gzip(ReadAll(Log(name)));
    // gzip(1) keeps the time of the last write, many loggers do not.
    if (clock_steps_ || Chance(0.7)) {
      fs::last_write_time(Log(name + ".gz"), modified);
    } else {
      const UniqueFd file(::open(Log(name + ".gz").c_str(), O_WRONLY));
      Stamp(file.get());
    }
    fs::remove(Log(name));
  }
  void Dies() {
    Note("agent ends");
    agent.reset();
    // A deleted file could be read only through the agent's open descriptor, which is gone now.
    for (std::size_t i = 0; i < generations_.size(); ++i) {
      if (generations_[i].deleted) {
        generations_[i].limit = std::min(generations_[i].limit, PublishedOf(i));
      }
    }
  }
  void MoveTheClock() {
    if (!clock_steps_) return;
    Note("clock step");
    // The clock is set back only where the numbers of rotated files descend, and of files that the
    // agent has not read none was packed: else it may misjudge the order (docs/tail.md, Limits).
    NoteWhatIsRead();
    const int hours = static_cast<int>(Pick(200)) - (upwards_ || packed_unread_ ? 0 : 100);
    set_back_unread_ = set_back_unread_ || hours < 0;
    now.wall += std::chrono::hours(hours);
  }

  // --- what came out

  void Fetch() {
    for (const auto& [name, content] : Extracts()) {
      const fs::path manifest = Outbox() / (name + ".manifest");
      // After a power loss an extract may come a second time, without its manifest, if the removal
      // of the file was not synced.
      const auto before = fetched_.find(name);
      const bool again = before != fetched_.end();
      EXPECT_TRUE(!again || (power_was_cut_ && before->second == content))
          << name << " came twice\n"
          << history_;
      EXPECT_TRUE(again || fs::exists(manifest)) << name << ": its manifest must come first";
      if (fs::exists(manifest)) {
        const auto parsed = watcher::parse_manifest(ReadAll(manifest));
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->bytes, content.size());
        disk.taken_away(manifest);
      }
      fetched_[name] = content;
      disk.taken_away(Outbox() / name);
    }
  }

  void NoteWhatIsRead() {
    if (generations_.empty() || Published() < LinesBefore(generations_.size() - 1)) return;
    packed_unread_ = set_back_unread_ = false;
  }
  // Since the agent had read all:
  bool packed_unread_ = false;
  bool set_back_unread_ = false;
};

}  // namespace caravel::tail
