// The agent's pure parts.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/watcher/tail/tail_fixture.h"
#include "watcher/tail/files/sha256.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/options.h"
#include "watcher/tail/outbox/sender.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Sha256Sum, AgreesWithTheStandardEitherWay) {
  // FIPS 180-4 examples; a million a.
  const struct {
    std::string text;
    const char* digest;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto use : {Sha256::Use::best, Sha256::Use::portable}) {
    for (const auto& c : cases) {
      for (const std::size_t piece : {7UL, 63UL, 64UL, 65UL, 100'000UL}) {
        Sha256 sha(use);
        for (std::size_t at = 0; at < c.text.size(); at += piece) {
          sha.update(std::string_view(c.text).substr(at, piece));
        }
        EXPECT_EQ(sha.finish(), c.digest);
      }
    }
  }
}

TEST(Sha256Sum, OfTwoMessagesTogetherIsTheSumOfEach) {
  std::string text;
  while (text.size() < 5000) text += std::to_string(text.size());
  const std::string_view all = text;
  for (const auto use : {Sha256::Use::best, Sha256::Use::portable}) {
    for (const std::size_t rest : {0UL, 1UL, 63UL}) {
      for (const std::size_t size : {0UL, 1UL, 64UL, 130UL, 2048UL}) {
        for (const std::size_t other_size : {0UL, 63UL, 64UL, 1000UL, 2048UL}) {
          SCOPED_TRACE(testing::Message() << rest << " " << size << " " << other_size);
          Sha256 one(use);
          Sha256 other(use);
          one.update(all.substr(0, rest));
          Sha256::update_both(one, all.substr(rest, size), other, all.substr(7, other_size));
          Sha256::update_both(one, all.substr(rest + size, 640), other,
                              all.substr(7 + other_size, 640));
          Sha256 one_alone(use);
          Sha256 other_alone(use);
          one_alone.update(all.substr(0, rest + size + 640));
          other_alone.update(all.substr(7, other_size + 640));
          EXPECT_EQ(one.finish(), one_alone.finish());
          EXPECT_EQ(other.finish(), other_alone.finish());
        }
      }
    }
  }
}

TEST(RotatedName, IsTheLogsNameAndACountOrADate) {
  const struct {
    const char* name;
    const char* rotation;
  } cases[] = {{"app.log.1", "1"},
               {"app.log.12.gz", "12"},
               {"app.log-20240131", "20240131"},
               {"app-20240131.log", "20240131"},
               {"app-2024-01-31.log.zst", "2024-01-31"},
               {"app.log.2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"},
               {"app.1.log", "1"},
               {"app.log.old", "old"},
               {"app.log", nullptr},
               {"app.log.gz", nullptr},
               {"app.log.swp", nullptr},
               {"app.log.1.tmp", nullptr},
               {"app.log.", nullptr},
               {"app2.log", nullptr},
               {"app.login.1", nullptr},
               {"other.log.1", nullptr}};
  for (const auto& c : cases) {
    const auto rotation = rotation_of(c.name, "app.log");
    EXPECT_EQ(rotation.has_value(), c.rotation != nullptr) << c.name;
    if (rotation) {
      EXPECT_EQ(*rotation, c.rotation == nullptr ? "" : c.rotation);
    }
  }
}

TEST(RotatedOrder, GoesByNumberOrDateAndElseByTime) {
  const auto sorted = [](std::vector<std::pair<std::string, int>> files) {
    std::vector<Sibling> siblings;
    for (const auto& [rotation, time] : files) {
      Sibling sibling{rotation, rotation, {}, false};
      sibling.stamp.modified = time;
      siblings.push_back(sibling);
    }
    sort_siblings(siblings, false);
    std::vector<std::string> order;
    for (const Sibling& sibling : siblings) order.push_back(sibling.rotation);
    return order;
  };
  EXPECT_THAT(sorted({{"1", 5}, {"10", 9}, {"2", 7}}), ElementsAre("10", "2", "1"));
  EXPECT_THAT(sorted({{"20240201", 1}, {"20240131", 2}}), ElementsAre("20240131", "20240201"));
  EXPECT_THAT(sorted({{"old", 1}, {"20240131", 2}, {"1", 3}}), ElementsAre("old", "20240131", "1"));
  EXPECT_THAT(
      sorted({{"2024-01-31.10", 1},
              {"2024-02-01.0", 2},
              {"2024-01-31.9", 3},
              {"2024-01-31", 4},
              {"2024-01-31.010", 5}}),
      ElementsAre("2024-01-31", "2024-01-31.9", "2024-01-31.10", "2024-01-31.010", "2024-02-01.0"));
  EXPECT_THAT(sorted({{"202402", 1}, {"20240131", 2}}), ElementsAre("20240131", "202402"));
}

TEST(RotatedNumbers, AscendIfWhatWasReadOrTheRenamesSaySo) {
  struct File {
    const char* number;
    int renamed;
    int modified;
    int born;
  };
  const struct {
    const char* what;
    std::vector<File> files;
    const char* read;
    bool ascend;
  } cases[] = {
      {"logrotate renames all, the highest first", {{"1", 9, 8, 1}, {"2", 9, 5, 1}}, "", false},
      {"... whatever the clock was", {{"1", 9, 5, 1}, {"2", 9, 8, 1}}, "", false},
      {"each was renamed once", {{"1", 5, 5, 1}, {"2", 8, 8, 1}}, "", true},
      {"... and as text they would stand otherwise", {{"10", 8, 8, 1}, {"9", 5, 5, 1}}, "", true},
      {"chowned one after the other", {{"1", 8, 7, 1}, {"2", 9, 5, 1}}, "", false},
      {"the clock was set while they were written", {{"1", 8, 7, 8}, {"2", 9, 5, 9}}, "", true},
      {"all are above what was read", {{"3", 9, 8, 1}, {"4", 9, 5, 1}}, "2", true},
      {"all are below what was read", {{"1", 5, 5, 1}, {"2", 8, 8, 1}}, "3", false},
      {"one says nothing", {{"1", 5, 5, 1}}, "", false},
      {"no number", {{"1", 5, 5, 1}, {"old", 8, 8, 1}}, "", false},
  };
  const auto sibling = [](const File& file) {
    Sibling made{file.number, file.number, {}, false};
    made.stamp.changed = file.renamed;
    made.stamp.modified = file.modified;
    made.stamp.id.born = file.born;
    return made;
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    std::vector<Sibling> files;
    for (const File& file : c.files) files.push_back(sibling(file));
    const Sibling read = sibling({c.read, 0, 0, 0});
    EXPECT_EQ(numbers_ascend(files, *c.read != '\0' ? &read : nullptr, nullptr), c.ascend);
  }
}

TEST(TailState, OfVersionOneIsTakenOver) {
  const std::string digest(32, 'a');
  const std::string text =
      "version=1\n\nlog=/b\nrun=0a1b2c3d\nsequence=1\nsince=0\nfile_device=1\nfile_inode=2\n"
      "file_born=3\nfile_offset=4\nfile_head=" +
      digest + "\nfile_tail=" + digest +
      "\nfile_first_line=\nfile_modified=5\nfile_finished=1\n\nend=1\n";
  const auto state = parse_state(text);
  ASSERT_TRUE(state.has_value()) << state.error().message;
  const LogState& log = state->logs.at(0);
  EXPECT_FALSE(log.file.has_value());
  EXPECT_EQ(log.since, 5);
  ASSERT_EQ(log.known.size(), 1U);
  EXPECT_EQ(log.known[0].offset, 4U);
}

TEST(TailState, OfVersionOneThatIsDamagedIsRefused) {
  const auto state =
      parse_state("version=1\n\nlog=/b\nrun=0a1b2c3d\nsequence=1\nfile_finished=1\n\nend=1\n");
  ASSERT_FALSE(state.has_value());
  EXPECT_THAT(state.error().message, HasSubstr("file_device"));
}

TEST(SendCommand, QuotesThePath) {
  EXPECT_EQ(fill_command("scp {} h:d", "/o/a b"), "scp '/o/a b' h:d");
  EXPECT_EQ(fill_command("send", "/o/it's"), "send '/o/it'\\''s'");
  EXPECT_EQ(fill_command("cp {} x && mv {} y", "$(rm)"), "cp '$(rm)' x && mv '$(rm)' y");
}

TEST(SendBackoff, GrowsToFiveMinutes) {
  EXPECT_EQ(send_backoff(1, 0), milliseconds(1000));
  EXPECT_EQ(send_backoff(1, 1), milliseconds(500));
  EXPECT_EQ(send_backoff(4, 0), milliseconds(8000));
  EXPECT_EQ(send_backoff(50, 0), milliseconds(300'000));
  EXPECT_EQ(send_backoff(~0U, 1), milliseconds(150'000));
}

TEST(TailState, IsReadAsItWasWritten) {
  State state;
  state.patterns = {{"/var/log/*.log", 17}};
  LogState log;
  log.log = "/var/log/a=\n.log";
  log.run = "0a1b2c3d";
  log.sequence = 7;
  log.since = -5;
  state.logs.push_back(log);
  log.log = "/b";
  Position position;
  position.id = {1, 2, 3};
  position.offset = 4;
  position.head = std::string(32, 'a');
  position.tail = "-";
  log.file = position;
  watcher::Manifest m;
  m.host = "h";
  m.log = "/b";
  m.run = log.run;
  m.sequence = 8;
  m.first_line = std::string(32, '0');
  m.last = m.bytes = m.lines = 1;
  m.sha256 = std::string(64, '0');
  log.aside = position;
  log.pending = {Pending{m, position}, Pending{m, position}};
  log.known = {{{1, 2, -3}, 4, 5, -6, std::string(32, 'b'), true, 0},
               {{7, 8, 9}, 0, 1, 2, "", false, 1}};
  log.first_look = FirstLook{{1, 2, 3}, 4};
  log.targets = {"/c d", "/e"};
  log.looked = 7;
  log.deserted_looks = 3;
  state.logs.push_back(log);
  const std::string text = format_state(state);
  const auto parsed = parse_state(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, state);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_state(text.substr(0, size)).has_value()) << size;
  }
}

TEST(TailOptions, ComeFromTheLineAndAFile) {
  TailFixture f;
  f.Append("# comment\noutbox = out\nsend = scp {} a=b\n log=x.log\nlog = /y.log\ninterval = 5s\n",
           "conf");
  auto options = parse_options({"--config", f.Log("conf"), "--interval=10s", "--once"}, "/here");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  const std::string directory = f.Log("");
  EXPECT_EQ(options->agent.outbox, directory + "out");
  EXPECT_EQ(options->agent.send, "scp {} a=b");
  EXPECT_THAT(options->agent.logs, ElementsAre(directory + "x.log", "/y.log"));
  EXPECT_EQ(options->agent.interval, milliseconds(10'000));
  EXPECT_TRUE(options->agent.once);
  f.Append("\xEF\xBB\xBFonce = yes\n", "bom");
  options = parse_options({"--config", f.Log("bom"), "x"}, "/here");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_TRUE(options->agent.once);
  options = parse_options({"--config", f.Log("conf"), "--", "--odd.log"}, "/here");
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->agent.logs, ElementsAre("/here/--odd.log"));
  options = parse_options({"--resend", "0a1b2c3d:00000017"}, "/");
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->resend_sequence, 17U);
}

TEST(TailOptions, SpellAPathInOneWay) {
  for (const char* path :
       {"a/x.log", "./a/x.log", "a//x.log", "/here/./a/x.log", "//here/a/./x.log"}) {
    SCOPED_TRACE(path);
    const auto options = parse_options({"--outbox", path, "--state", path, path}, "/here");
    ASSERT_TRUE(options.has_value());
    EXPECT_THAT(options->agent.logs, ElementsAre("/here/a/x.log"));
    EXPECT_EQ(options->agent.outbox, "/here/a/x.log");
    EXPECT_EQ(options->agent.state, "/here/a/x.log");
  }
  // What ".." means only the file system knows.
  EXPECT_THAT(parse_options({"a/../x.log"}, "/")->agent.logs, ElementsAre("/a/../x.log"));
  EXPECT_FALSE(parse_options({"x.log"}, "").has_value());
}

TEST(TailOptions, AValueIsNoOption) {
  const auto options = parse_options({"--send", "--help", "x.log"}, "/");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->what, Options::What::run);
  EXPECT_EQ(options->agent.send, "--help");
  EXPECT_EQ(parse_options({"x.log", "-h"}, "/")->what, Options::What::help);
}

TEST(TailOptions, NameWhatIsWrong) {
  TailFixture f;
  f.Append("outbox = out\nintervall = 5s\n", "conf");
  f.Append("send = a\nsend = b\n", "conf2");
  f.Append("once = true\n", "conf3");
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{}, "no log is named"},
      {{"--intervall", "5s", "x"}, "did you mean --interval?"},
      {{"--once=1", "x"}, "--once: takes no value"},
      {{"--onc", "x"}, "did you mean --once?"},
      {{"--host", std::string(256, 'h'), "x"}, "longer than 255 bytes"},
      {{"--interval", "5", "x"}, "'5' is not like 30s"},
      {{"--interval"}, "--interval: needs a value"},
      {{"--max-bytes", "0", "x"}, "must be more than 0"},
      {{"--from", "middle", "x"}, "is neither start nor end"},
      {{"--resend", "x:1"}, "is not like"},
      {{"-x"}, "-x: unknown option"},
      {{"--config", f.Log("conf"), "x"}, "conf:2: intervall: unknown"},
      {{"--config", f.Log("conf2"), "x"}, "conf2:2: send: given twice"},
      {{"--config", f.Log("conf3"), "x"}, "conf3:1: once: must be yes or no"},
      {{"--config", "/nowhere", "x"}, "/nowhere"},
      {{""}, "path is empty"},
  };
  for (const auto& c : cases) {
    const auto options = parse_options(c.arguments, "/");
    ASSERT_FALSE(options.has_value()) << c.message;
    EXPECT_EQ(options.error().kind, ErrorKind::usage);
    EXPECT_THAT(options.error().message, HasSubstr(c.message));
  }
}

TEST(TailHelp, FitsOnOneScreen) {
  const std::string_view text = help_text();
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 36);
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace caravel::tail
