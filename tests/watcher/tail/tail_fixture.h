// A directory of its own, a disk that fails on demand, and an agent driven by hand.
#pragma once

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/moment.h"
#include "tests/watcher/tail/fault_disk.h"
#include "watcher/tail/agent.h"

namespace caravel::tail {

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// `text` as one member of a gzip file.
inline std::string Gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

class TailFixture {
  /// The test's directory lies in memory, because ext4 flushes at every rename that replaces a
  /// file. With TMPDIR on a real disk the model test also meets inode numbers that are used again.
  static std::filesystem::path NewDirectory() {
    const bool memory = std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK) == 0;
    std::string pattern = (memory ? "/dev/shm/" : ::testing::TempDir()) + "tail.XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  std::filesystem::path directory_ = NewDirectory();

 public:
  TailFixture() {
    std::filesystem::create_directory(directory_ / "logs");
    std::filesystem::create_directory(Lost());
    options.logs = {Log()};
    options.outbox = directory_ / "outbox";
    options.state = directory_ / "state" / "state";
    options.host = "host";
    options.interval = std::chrono::seconds(1);
    options.from_start = true;
  }
  ~TailFixture() {
    agent.reset();
    std::filesystem::remove_all(directory_);
  }
  TailFixture(const TailFixture&) = delete;
  TailFixture& operator=(const TailFixture&) = delete;

  [[nodiscard]] std::string Log(const std::string& name = "app.log") const {
    return directory_ / "logs" / name;
  }
  [[nodiscard]] std::filesystem::path Outbox() const { return options.outbox; }
  /// Where the fault disk keeps what a power loss may bring back.
  [[nodiscard]] std::filesystem::path Lost() const { return directory_ / "lost"; }

  void Append(const std::string& text, const std::string& name = "app.log") const {
    std::ofstream(Log(name), std::ios::app | std::ios::binary) << text;
  }
  void Rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(Log(from), Log(to));
  }
  void Truncate(const std::string& name = "app.log") const {
    std::filesystem::resize_file(Log(name), 0);
  }

  /// Waits until the file system's clock, which has steps of some milliseconds, has gone on: files
  /// that are made before and after have different times.
  static void NextTick() {
    timespec first{};
    timespec last{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &first);
    do {
      ::clock_gettime(CLOCK_REALTIME_COARSE, &last);
    } while (last.tv_sec == first.tv_sec && last.tv_nsec == first.tv_nsec);
  }

  /// Afterwards, all files that are there now are older than file_time(). That clock may lag behind
  /// the times of files by a step, so two are waited for.
  static void LetItBeOld() {
    NextTick();
    NextTick();
  }

  void Start() {
    auto opened = Agent::open(options, other_disk != nullptr ? *other_disk : disk);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    agent = std::move(*opened);
  }
  void Stop() { agent.reset(); }
  void Restart() {
    Stop();
    Start();
  }
  /// Lets time pass, then steps until nothing more is to be done at this time.
  void Pass(std::chrono::milliseconds time = std::chrono::seconds(1)) {
    now.steady += time;
    now.wall += time;
    if (!agent) Start();
    for (int i = 0; i < 10'000; ++i) {
      const Step step = agent->step(now);
      messages.insert(messages.end(), step.messages.begin(), step.messages.end());
      trouble = step.trouble;
      if (step.idle || step.wake > now.steady) return;
    }
    FAIL() << "it never comes to rest";
  }
  /// Long enough for a rotated file to count as finished.
  void PassGrace() {
    for (int i = 0; i < 8; ++i) Pass();
  }

  /// All extracts, waiting and sent: name -> content. The order is that of their names: by log, run
  /// and sequence.
  [[nodiscard]] std::map<std::string, std::string> Extracts() const {
    std::map<std::string, std::string> extracts;
    for (const auto& directory : {Outbox(), Outbox() / "sent"}) {
      if (!std::filesystem::exists(directory)) continue;
      for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const std::string name = entry.path().filename();
        if (watcher::parse_tail_name(name) && name[0] != '.') {
          extracts[name] = ReadAll(entry.path());
        }
      }
    }
    return extracts;
  }
  [[nodiscard]] std::string Sent() const {
    std::string all;
    for (const auto& [name, content] : Extracts()) all += content;
    return all;
  }
  /// What was cut from one log.
  [[nodiscard]] std::string OfLog(const std::string& name) const {
    std::string all;
    for (const auto& [extract, content] : Extracts()) {
      if (extract.starts_with(name + ".")) all += content;
    }
    return all;
  }
  [[nodiscard]] watcher::Manifest ManifestOf(const std::string& extract) const {
    auto manifest = watcher::parse_manifest(ReadAll(Outbox() / (extract + ".manifest")));
    EXPECT_TRUE(manifest.has_value()) << manifest.error().message;
    return manifest ? *manifest : watcher::Manifest{};
  }
  [[nodiscard]] std::string AllMessages() const {
    std::string all;
    for (const std::string& message : messages) all += message + "\n";
    return all;
  }

  AgentOptions options;
  FaultDisk disk{Lost()};
  Disk* other_disk = nullptr;  // used instead of `disk`: by two threads at once
  std::unique_ptr<Agent> agent;
  Moment now{std::chrono::steady_clock::time_point(std::chrono::hours(100)),
             std::chrono::system_clock::now()};
  std::vector<std::string> messages;
  bool trouble = false;
};

}  // namespace caravel::tail
