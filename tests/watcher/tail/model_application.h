// The model test's application: it writes and rotates a log, and knows what must come out.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <random>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

namespace fs = std::filesystem;

/// The log's text from its creation, or from a truncation, up to the next one.
struct Generation {
  std::string content;           // all that a reader could read, if quick enough
  std::size_t limit = SIZE_MAX;  // lines; the others vanished before they were read
  bool deleted = false;
  [[nodiscard]] std::size_t Lines() const {
    const auto lines = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
    return std::min(lines, limit);
  }
};

class ModelApplication : public TailFixture {
 protected:
  /// The seed decides which kinds of trouble a run has.
  explicit ModelApplication(unsigned seed)
      : random_(seed),
        clock_steps_(seed % 3 == 1),
        symlinks_(seed % 4 == 3),
        linked_(!symlinks_ && seed % 7 == 4),
        upwards_(seed % 5 == 2),
        olddir_(!symlinks_ && !linked_ && seed % 5 == 3) {
    if (seed % 6 == 5) options.record_start = "line [1-4]";
    if (olddir_) {
      fs::create_directory(Log("old"));
      options.siblings = {"old/{}-*"};
    }
    if (!linked_) return;
    fs::create_directory(Log("data"));
    fs::create_symlink("data/app.log", Log());
  }
  ~ModelApplication() { CloseWriter(); }

  std::size_t Pick(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool Chance(double p) { return std::bernoulli_distribution(p)(random_); }
  void Note(const std::string& what) { history_ += what + "\n"; }

  void Stamp(int fd) {
    now.wall += std::chrono::milliseconds(1);
    // A file that was last written before it was born would tell of a clock that was set.
    if (!clock_steps_) now.wall = std::max(now.wall, std::chrono::system_clock::now());
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

  /// The path that the application uses for `name`: if the log is a link, the application only
  /// knows the directory that it leads to.
  [[nodiscard]] std::string In(const std::string& name) const {
    return linked_ ? "data/" + name : name;
  }
  /// Makes a new file under the log's name; the writer goes over to it.
  void NewLog() {
    CloseWriter();
    std::string path = Log(In("app.log"));
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
      const std::size_t part = 1 + Pick(rest_.rfind('#'));
      text += rest_.substr(0, part);
      rest_.erase(0, part);
    }
    if (text.empty()) return;
    Note("write up to line " + std::to_string(line_));
    Put(text);
  }
  /// A line has its number at the end, too, and is never cut within it. So a file that begins with
  /// the rest of a line after a truncation does not begin as it did before. (No reader could tell a
  /// file that became the same again from one that nothing happened to.)
  std::string Line() {
    const std::size_t length = Chance(0.03) ? 900 : Pick(60);
    const std::string number = std::to_string(++line_);
    return "line " + number + std::string(length, '.') + "#" + number + "\n";
  }

  /// The name that the log gets at its next rotation; older files are renamed to make room for it.
  std::string NextName() {
    // Files that were read to their ends may be deleted, as logrotate's `rotate` count does.
    const bool all_read = Published() >= LinesBefore(generations_.size() - 1);
    const auto may_go = [&](int i) {
      for (const char* const packed : {"", ".gz"}) {
        const std::string name = Log(In("app.log." + std::to_string(i) + packed));
        if (fs::exists(name) && all_read && Chance(0.5)) fs::remove(name);
      }
    };
    if (olddir_) {
      char name[32];
      std::snprintf(name, sizeof name, "old/app.log-%08d", ++rotated_);
      return name;
    }
    if (upwards_) {
      for (int i = std::max(rotated_ - 30, 1); i < rotated_ - 2; ++i) may_go(i);
      LetItBeOld();
      return In("app.log." + std::to_string(++rotated_));
    }
    for (int i = 30; i > 0; --i) {
      for (const char* const packed : {"", ".gz"}) {
        const std::string name = In("app.log." + std::to_string(i) + packed);
        if (!fs::exists(Log(name))) continue;
        Rename(name, In("app.log." + std::to_string(i + 1) + packed));
      }
    }
    for (int i = 30; i > 3; --i) may_go(i);
    return In("app.log.1");
  }

  // --- what came out

  /// How many lines are published, or announced for good.
  std::size_t Published() const {
    std::map<std::string, std::size_t> lines;
    const auto count = [&](const std::map<std::string, std::string>& extracts) {
      for (const auto& [name, content] : extracts) {
        lines[name] = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n'));
      }
    };
    count(fetched_);
    count(Extracts());
    if (const auto state = parse_state(ReadAll(options.state))) {
      for (const LogState& log : state->logs) {
        for (const Pending& pending : log.pending) {
          const watcher::Manifest& m = pending.manifest;
          const std::string name = watcher::extract_name(m.log, m.host, m.run, m.sequence);
          // A piece of a line, of which the manifest counts none, may end with a line end.
          const fs::path built = Outbox() / ("." + name + ".tmp");
          if (fs::exists(built)) count({{name, ReadAll(built)}});
        }
      }
    }
    std::size_t all = 0;
    for (const auto& [name, of_one] : lines) all += of_one;
    return all;
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
  bool symlinks_;  // each file has a name of its own; the log is a link to the newest
  bool linked_;    // the log is a link to a file in another directory, which is rotated there
  bool upwards_;
  bool olddir_;  // rotated files are moved into another directory
  int rotated_ = 0;
  int writer_ = -1;
  int target_ = 0;
  int line_ = 0;
  std::string rest_;  // of the line that is half written
  std::vector<Generation> generations_;
  std::map<std::string, std::string> fetched_;
  bool power_was_cut_ = false;
  std::string history_;
};

}  // namespace caravel::tail
