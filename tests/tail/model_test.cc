// Random writes, rotations, crashes and full disks against a model of what must come out: the
// complete lines of the log's history, once, in order.
#include <fcntl.h>

#include <filesystem>
#include <random>

#include "tests/tail/tail_fixture.h"
#include "watcher/tail/state.h"

namespace caravel::tail {
namespace {

namespace fs = std::filesystem;

/// One file that the log was, as long as it lasted.
struct Generation {
  std::string content;           // what a reader that is quick enough can see
  std::size_t limit = SIZE_MAX;  // so many lines at most: the rest vanished unread
  bool deleted = false;
  [[nodiscard]] std::size_t Lines() const {
    const auto lines = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
    return std::min(lines, limit);
  }
};

class Model : public TailFixture {
 public:
  /// Seeds differ in what may happen: clocks that go back make mtimes useless, and these are all
  /// that tells unread files when the last one read is gone. docs/tail.md says so.
  explicit Model(unsigned seed)
      : random_(seed), clock_steps_(seed % 3 == 1), symlinks_(seed % 4 == 3) {
    options.max_bytes = 300;
    options.grace = std::chrono::seconds(3);
    if (Chance(0.7)) NewLog();
    EXPECT_NO_FATAL_FAILURE(Start());
    EXPECT_NO_FATAL_FAILURE(Pass());
  }
  ~Model() { CloseWriter(); }

  void Act() {
    switch (Pick(16)) {
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
      default:
        return Live();
    }
  }

  /// Everything settles; then what came out is compared.
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
      got += content;
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
  std::size_t Pick(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool Chance(double p) { return std::bernoulli_distribution(p)(random_); }
  void Note(const std::string& what) { history_ += what + "\n"; }

  void Stamp(int fd) {
    now.wall += std::chrono::milliseconds(1);
    const auto since = now.wall.time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    const timespec time{seconds.count(), std::chrono::nanoseconds(since - seconds).count()};
    const timespec times[] = {time, time};
    ASSERT_EQ(::futimens(fd, times), 0);
  }
  void CloseWriter() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }

  // --- the application

  /// A new file under the log's name; the writer goes over to it.
  void NewLog() {
    CloseWriter();
    std::string path = Log();
    if (symlinks_) {
      char name[32];
      std::snprintf(name, sizeof name, "app-%08d.log", ++target_);
      path = Log(name);
    }
    writer_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0644);
    ASSERT_GE(writer_, 0) << path;
    Stamp(writer_);
    if (symlinks_) {
      fs::create_symlink(path, Log("new"));
      Rename("new", "app.log");
    }
    generations_.emplace_back();
    rest_.clear();
    Note("new log, generation " + std::to_string(generations_.size() - 1));
  }
  void Put(const std::string& bytes) {
    ASSERT_EQ(::write(writer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    generations_.back().content += bytes;
    Stamp(writer_);
  }
  void FinishLine() {
    if (!rest_.empty()) Put(std::exchange(rest_, {}));
  }
  void Write() {
    if (writer_ < 0) return NewLog();
    FinishLine();
    const std::size_t lines = Pick(6);
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) text += Line();
    if (Chance(0.4)) {
      rest_ = Line();
      const std::size_t part = 1 + Pick(rest_.size() - 1);
      text += rest_.substr(0, part);
      rest_.erase(0, part);
    }
    if (text.empty()) return;
    Note("write up to line " + std::to_string(line_));
    Put(text);
  }
  std::string Line() {
    const std::size_t length = Chance(0.03) ? 900 : Pick(60);
    return "line " + std::to_string(++line_) + std::string(length, '.') + "\n";
  }

  void ShiftRotated() {
    for (int i = 30; i > 0; --i) {
      if (fs::exists(Log("app.log." + std::to_string(i)))) {
        Rename("app.log." + std::to_string(i), "app.log." + std::to_string(i + 1));
      }
    }
    // What all of was read may go, as logrotate's count wills it.
    for (int i = 30; i > 3 && !clock_steps_; --i) {
      const std::string name = Log("app.log." + std::to_string(i));
      if (fs::exists(name) && Published() >= LinesBefore(generations_.size() - 1) && Chance(0.5)) {
        fs::remove(name);
      }
    }
  }
  void RenameAndCreate() {
    if (writer_ < 0) return;
    Note("rename and create");
    if (Chance(0.7)) FinishLine();
    if (symlinks_) return NewLog();
    ShiftRotated();
    Rename("app.log", "app.log.1");
    // The writer has not noticed yet.
    for (std::size_t i = Pick(3); i > 0; --i) {
      Write();
      if (Chance(0.5)) Live();
    }
    FinishLine();
    NewLog();
  }
  void CopyTruncate() {
    if (writer_ < 0 || symlinks_ || clock_steps_) return;
    Note("copytruncate");
    ShiftRotated();
    const std::string copied = generations_.back().content;
    fs::copy_file(Log(), Log("app.log.1"));
    const int copy = ::open(Log("app.log.1").c_str(), O_WRONLY);
    Stamp(copy);
    ::close(copy);
    const bool lose = Chance(0.3);
    if (lose) Write();  // between copy and truncation: nobody can ever read it
    generations_.back().content = copied;
    TruncateWriter();
  }
  void TruncateWriter() {
    ASSERT_EQ(::ftruncate(writer_, 0), 0);
    Stamp(writer_);
    generations_.emplace_back();
    Note("truncated, generation " + std::to_string(generations_.size() - 1));
    if (Chance(0.5)) Write();  // it may grow beyond the old end at once
    if (Chance(0.3)) Write();
  }
  /// The agent is at rest, or dead and has announced nothing: what is published now is all that
  /// ever will be of what vanishes next.
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
    if (writer_ < 0 || clock_steps_ || !AtRest()) return;
    Note("truncate in place");
    if (Chance(0.5)) Write();
    generations_.back().limit = PublishedOf(generations_.size() - 1);
    TruncateWriter();
  }
  void DeleteAndCreate() {
    if (writer_ < 0 || clock_steps_ || symlinks_ || !AtRest()) return;
    Note("delete");
    if (Chance(0.5)) Write();
    struct stat status {};
    ::fstat(writer_, &status);
    fs::remove(Log());
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
    ShiftRotated();
    Rename("app.log", "app.log.1");
    if (Chance(0.5)) {
      fs::create_directory(Log());
    } else {
      ASSERT_EQ(::mkfifo(Log().c_str(), 0644), 0);
    }
    Live();
    fs::remove(Log());
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
  void FillTheDisk() {
    Note("disk full");
    disk.break_operations([this] { return Chance(0.4); }, ENOSPC);
    for (int i = 0; i < 3; ++i) {
      Write();
      Run1();
    }
    disk.heal();
  }
  /// With a failing disk even the start may fail; then it is tried again later.
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
      ShiftRotated();
      Rename("app.log", "app.log.1");
    }
    NewLog();
  }
  void Dies() {
    Note("agent ends");
    agent.reset();
    // What only its open descriptor could still read is gone with it.
    for (std::size_t i = 0; i < generations_.size(); ++i) {
      if (generations_[i].deleted) {
        generations_[i].limit = std::min(generations_[i].limit, PublishedOf(i));
      }
    }
  }
  void MoveTheClock() {
    if (!clock_steps_) return;
    Note("clock step");
    now.wall += std::chrono::hours(static_cast<int>(Pick(200)) - 100);
  }

  // --- what came out

  void Fetch() {
    for (const auto& [name, content] : Extracts()) {
      const fs::path manifest = Outbox() / (name + ".manifest");
      EXPECT_TRUE(fs::exists(manifest)) << name << ": its manifest must come first";
      EXPECT_FALSE(fetched_.contains(name)) << name << " came twice\n" << history_;
      const auto parsed = watcher::parse_manifest(ReadAll(manifest));
      ASSERT_TRUE(parsed.has_value());
      EXPECT_EQ(parsed->bytes, content.size());
      fetched_[name] = content;
      fs::remove(manifest);
      fs::remove(Outbox() / name);
    }
  }
  /// Lines that are published or announced for good.
  std::size_t Published() const {
    std::size_t lines = 0;
    const auto count = [&](const std::map<std::string, std::string>& extracts) {
      for (const auto& [name, content] : extracts) {
        lines += static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
      }
    };
    count(fetched_);
    count(Extracts());
    const auto state = parse_state(ReadAll(options.state));
    if (!state) return lines;
    for (const LogState& log : state->logs) {
      for (const Pending& pending : log.pending) {
        const watcher::Manifest& m = pending.manifest;
        const std::string name = watcher::extract_name(m.log, m.host, m.run, m.sequence);
        if (fs::exists(Outbox() / ("." + name + ".tmp"))) lines += m.lines;
      }
    }
    return lines;
  }
  std::size_t LinesBefore(std::size_t generation) const {
    std::size_t lines = 0;
    for (std::size_t i = 0; i < generation; ++i) lines += generations_[i].Lines();
    return lines;
  }
  std::size_t PublishedOf(std::size_t generation) const {
    const std::size_t published = Published();
    const std::size_t before = LinesBefore(generation);
    return published > before ? published - before : 0;
  }
  std::string Expected() const {
    std::string all;
    for (const Generation& generation : generations_) {
      std::size_t end = 0;
      for (std::size_t i = generation.Lines(); i > 0; --i) {
        end = generation.content.find('\n', end) + 1;
      }
      all += generation.content.substr(0, end);
    }
    return all;
  }

  std::mt19937 random_;
  bool clock_steps_;
  bool symlinks_;
  int writer_ = -1;
  int target_ = 0;
  int line_ = 0;
  std::string rest_;  // of the line that is half written
  std::vector<Generation> generations_;
  std::map<std::string, std::string> fetched_;
  std::string history_;
};

class TailModel : public testing::TestWithParam<unsigned> {};

TEST_P(TailModel, EveryCompleteLineComesOutOnceAndInOrder) {
  const char* const chosen = std::getenv("CARAVEL_TAIL_SEED");
  constexpr unsigned kSeeds = 20;
  constexpr int kSteps = 150;
  for (unsigned i = 0; i < kSeeds; ++i) {
    const unsigned seed =
        chosen != nullptr ? static_cast<unsigned>(std::atoi(chosen)) : GetParam() * kSeeds + i;
    SCOPED_TRACE("CARAVEL_TAIL_SEED=" + std::to_string(seed));
    Model model(seed);
    const char* const steps = std::getenv("CARAVEL_TAIL_STEPS");
    for (int step = 0; step < (steps != nullptr ? std::atoi(steps) : kSteps); ++step) {
      ASSERT_NO_FATAL_FAILURE(model.Act());
    }
    ASSERT_NO_FATAL_FAILURE(model.Check());
    EXPECT_GT(model.lines(), 50U);
    if (chosen != nullptr) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TailModel, testing::Range(0U, 4U));

}  // namespace
}  // namespace caravel::tail
