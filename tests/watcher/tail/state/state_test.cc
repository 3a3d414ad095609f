// The state as text.
#include <gmock/gmock.h>

#include <string>

#include "watcher/tail/state/state.h"

namespace caravel::tail {
namespace {

using testing::HasSubstr;

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
  log.aside = log.begun = position;
  log.pending = {Pending{m, position}, Pending{m, position, true, position}};
  log.half_open = true;
  log.known = {{{1, 2, -3}, 4, 5, -6, std::string(32, 'b'), true, 0},
               {{7, 8, 9}, 0, 1, 2, "", false, 1}};
  log.first_look = FirstLook{{1, 2, 3}, 4};
  log.targets = {"/c d", "/e"};
  log.losses = {{1'700'000'000'000'000'000, "a line\nof = b"}, {1, "c"}};
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

}  // namespace
}  // namespace caravel::tail
