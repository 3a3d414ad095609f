#include "formatter/input/line_splitter.h"

#include <fcntl.h>
#include <unistd.h>

#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "formatter/patterns/pattern.h"
#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;

constexpr std::size_t kReadChunk = 256 * 1024;  // as in line_splitter.cc

/// A whole line: pieces are put together again.
struct Seen {
  std::string text;
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  bool terminated = false;
  bool oversized = false;
  bool operator==(const Seen&) const = default;
};

void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.number << "@" << seen.offset << " " << testing::PrintToString(seen.text)
       << (seen.terminated ? "" : " unterminated") << (seen.oversized ? " oversized" : "");
}

std::vector<Seen> AllLines(LineSplitter& splitter) {
  std::vector<Seen> lines;
  Line line;
  bool in_pieces = false;
  for (;;) {
    const auto more = splitter.next(line);
    EXPECT_TRUE(more);
    if (!more || !*more) break;
    // As the formatter does: it overwrites the byte behind the line for a while, and may read
    // kReadableBehind bytes further.
    const char borrowed = std::exchange(*line.end, '\n');
    for (std::size_t i = 0; i <= kReadableBehind; ++i) {
      [[maybe_unused]] const volatile char read = line.end[i];
    }
    *line.end = borrowed;
    if (in_pieces) {
      lines.back().text += line.text();
      EXPECT_EQ(line.number, lines.back().number);
    } else {
      lines.push_back({std::string(line.text()), line.number, line.offset, false, line.oversized});
    }
    lines.back().terminated = line.terminated;
    in_pieces = line.oversized && !line.last_piece;
    EXPECT_TRUE(!line.terminated || line.last_piece);
    if (line.ascii) {
      for (const char c : line.text()) EXPECT_EQ(c & 0x80, 0);
    }
  }
  EXPECT_FALSE(in_pieces) << "the last piece of the last line is missing";
  return lines;
}

/// The lines that the splitter should find, found in a simple, slow way.
std::vector<Seen> Expected(std::string_view text, std::size_t max_line) {
  std::vector<Seen> lines;
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.size(), text.find('\n', at));
    const std::string line(text.substr(at, end - at));
    lines.push_back({line, lines.size() + 1, at, end<text.size(), line.size()> max_line});
    at = end + 1;
  }
  return lines;
}

class LineSplitterTest : public testing::Test {
 protected:
  std::vector<Seen> Split(std::string_view text, std::size_t max_line = 1 << 20) {
    auto input = Input::open(*open_file(dir_.write_file("f", text), O_RDONLY), {});
    LineSplitter splitter(*input, max_line);
    return AllLines(splitter);
  }
  test::TempDir dir_;
};

TEST_F(LineSplitterTest, SplitsAtLineFeeds) {
  EXPECT_THAT(Split("a\nbc\n\nd"), ElementsAre(Seen{"a", 1, 0, true}, Seen{"bc", 2, 2, true},
                                               Seen{"", 3, 5, true}, Seen{"d", 4, 6, false}));
  EXPECT_THAT(Split(""), ElementsAre());
  EXPECT_THAT(Split("\n"), ElementsAre(Seen{"", 1, 0, true}));
  EXPECT_THAT(Split("a"), ElementsAre(Seen{"a", 1, 0, false}));
  EXPECT_THAT(Split("a\r\nb\rc\n"), ElementsAre(Seen{"a\r", 1, 0, true}, Seen{"b\rc", 2, 3, true}));
  EXPECT_THAT(Split(std::string_view("a\0b\n", 4)),
              ElementsAre(Seen{std::string("a\0b", 3), 1, 0, true}));
}

TEST_F(LineSplitterTest, SkipsOneByteOrderMark) {
  EXPECT_THAT(Split("\xef\xbb\xbf"
                    "a\n"),
              ElementsAre(Seen{"a", 1, 3, true}));
  EXPECT_THAT(Split("\xef\xbb\xbf"), ElementsAre());
  EXPECT_THAT(Split("\xef\xbb\xbf\n"), ElementsAre(Seen{"", 1, 3, true}));
  EXPECT_THAT(Split("\xef\xbb"), ElementsAre(Seen{"\xef\xbb", 1, 0, false}));
  EXPECT_THAT(Split("\xef\xbb\xbf\xef\xbb\xbf\n"), ElementsAre(Seen{"\xef\xbb\xbf", 1, 3, true}));
  EXPECT_THAT(Split("a\n\xef\xbb\xbf\n"),
              ElementsAre(Seen{"a", 1, 0, true}, Seen{"\xef\xbb\xbf", 2, 2, true}));
}

TEST_F(LineSplitterTest, FindsTheSameLinesWhereverTheBufferEnds) {
  for (const std::size_t first :
       {kReadChunk - 3, kReadChunk - 2, kReadChunk - 1, kReadChunk, kReadChunk + 1}) {
    SCOPED_TRACE(first);
    std::string text(first, 'x');
    text += "\nsecond\r\n" + std::string(kReadChunk - 9, 'y') + "\n" +
            std::string(2 * kReadChunk, 'z') + "\nend";
    EXPECT_TRUE(Split(text) == Expected(text, 1 << 20));
  }
}

TEST_F(LineSplitterTest, MarksLinesOverTheLimitAndCountsThemOnce) {
  for (const std::size_t max_line : {8U, 9U, 10U, 11U}) {
    for (const char* end : {"", "\n", "\r\n", "\nmore\n", "\n\n"}) {
      SCOPED_TRACE(std::to_string(max_line) + testing::PrintToString(end));
      const std::string text = "ab\n" + std::string(10, 'x') + end;
      EXPECT_EQ(Split(text, max_line), Expected(text, max_line));
    }
  }
}

TEST_F(LineSplitterTest, GivesHugeLinesInPieces) {
  for (const std::size_t size : {kReadChunk - 1, kReadChunk, kReadChunk + 1, kReadChunk + 100,
                                 kReadChunk + 101, 3 * kReadChunk, 5 * kReadChunk + 77}) {
    for (const char* end : {"", "\n", "\nnext\n"}) {
      SCOPED_TRACE(std::to_string(size) + testing::PrintToString(end));
      const std::string text = "a\n" + std::string(size, 'x') + end;
      EXPECT_TRUE(Split(text, 100) == Expected(text, 100));
    }
  }
}

TEST_F(LineSplitterTest, NeedsNoMoreThanOneByteAtATime) {
  for (const char* text : {"\xef\xbb\xbf"
                           "a\nbb\r\nc",
                           "a\n", "\xef\xbb\n", "\n\n", "0123456789\n01234567\n012345678"}) {
    SCOPED_TRACE(text);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    auto input = [&] {
      // The magic number is peeked at when the input is opened: the writer must be at work.
      std::thread writer([&] {
        for (const char* c = text; *c != '\0'; ++c) EXPECT_TRUE(write_all(ends[1], {c, 1}));
        ::close(ends[1]);
      });
      auto opened = Input::open(UniqueFd(ends[0]), {});
      writer.join();
      return opened;
    }();
    ASSERT_TRUE(input);
    LineSplitter splitter(*input, 8);
    EXPECT_EQ(AllLines(splitter), Expected(text, 8));
  }
}

TEST_F(LineSplitterTest, AgreesWithTheSlowWayOnAnything) {
  constexpr unsigned kSeed = 281;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  constexpr std::string_view kBytes = "abc\n\r \xef\xbb\xbf";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const std::size_t size = random() % (round % 10 == 0 ? 600'000 : 200);
    while (text.size() < size) {
      text.append(random() % (round % 3 == 0 ? 300 : 5), 'x');
      text += kBytes[random() % kBytes.size()];
    }
    const std::size_t max_line = 3 + random() % 300;
    SCOPED_TRACE(round);
    ASSERT_TRUE(Split(text, max_line) == Expected(text, max_line));
  }
}

TEST_F(LineSplitterTest, PeeksWithoutTaking) {
  const std::string text =
      "\xef\xbb\xbf"
      "one\r\ntwo\nthree";
  auto input = Input::open(*open_file(dir_.write_file("f", text), O_RDONLY), {});
  LineSplitter splitter(*input, 100);
  EXPECT_THAT(splitter.peek(1).value(), ElementsAre("one\r"));
  EXPECT_THAT(splitter.peek(64).value(), ElementsAre("one\r", "two")) << "complete lines only";
  EXPECT_EQ(AllLines(splitter), Expected(text, 100));
  EXPECT_EQ(splitter.bytes(), text.size());
}

TEST_F(LineSplitterTest, PeeksNoFurtherThanTheLongestLine) {
  for (const std::size_t size : {kReadChunk - 50, kReadChunk, 2 * kReadChunk}) {
    SCOPED_TRACE(size);
    const std::string text = std::string(size, 'x') + "\nlast\n";
    auto input = Input::open(*open_file(dir_.write_file("f", text), O_RDONLY), {});
    LineSplitter splitter(*input, 100);
    ASSERT_TRUE(splitter.peek(64));
    EXPECT_TRUE(AllLines(splitter) == Expected(text, 100));
  }
}

/// A record of `lines` lines from where the splitter is.
Line Grown(LineSplitter& splitter, std::uint64_t lines, const RecordLimits& limits = {}) {
  Line line;
  EXPECT_TRUE(*splitter.next(line));
  while (line.lines < lines && *splitter.extend(line, limits)) {
  }
  return line;
}

TEST_F(LineSplitterTest, GrowsRecordsAndGivesTheirLinesBack) {
  auto input = Input::open(*open_file(dir_.write_file("f", "a\nbb\n\nc\nd"), O_RDONLY), {});
  LineSplitter splitter(*input, 100);
  Line line = Grown(splitter, 3);
  EXPECT_EQ(line.text(), "a\nbb\n");
  EXPECT_EQ(line.lines, 3U);
  EXPECT_TRUE(line.terminated);
  splitter.shrink(line, 1, 1);
  EXPECT_EQ(line.text(), "a");
  line = Grown(splitter, 2);
  EXPECT_EQ(line.text(), "bb\n");
  EXPECT_EQ(line.number, 2U);
  EXPECT_EQ(line.offset, 2U);
  line = Grown(splitter, 9);
  EXPECT_EQ(line.text(), "c\nd");
  EXPECT_EQ(line.number, 4U);
  EXPECT_EQ(line.lines, 2U);
  EXPECT_FALSE(line.terminated);
  EXPECT_FALSE(*splitter.next(line));
}

TEST_F(LineSplitterTest, GrowsRecordsWithinTheirLimitsOnly) {
  const std::string text = "a\nb\n" + std::string(200, 'x') + "\nc\n";
  const auto grown = [&](std::uint64_t lines, const RecordLimits& limits) {
    auto input = Input::open(*open_file(dir_.write_file("f", text), O_RDONLY), {});
    LineSplitter splitter(*input, 100);
    const Line line = Grown(splitter, lines, limits);
    const std::string record(line.text());
    Line next;
    EXPECT_TRUE(*splitter.next(next));
    EXPECT_EQ(next.number, line.number + line.lines) << "nothing is lost";
    return record;
  };
  EXPECT_EQ(grown(9, {.bytes = 2, .lines = 9}), "a");
  EXPECT_EQ(grown(9, {.bytes = 3, .lines = 9}), "a\nb");
  EXPECT_EQ(grown(9, {.bytes = 9, .lines = 1}), "a");
  EXPECT_EQ(grown(9, {.bytes = 999, .lines = 9}), "a\nb") << "a line that comes in pieces";
}

TEST_F(LineSplitterTest, GrowsRecordsOverAnyNumberOfReads) {
  std::string text;
  for (int i = 0; text.size() < 3 * kReadChunk; ++i) {
    text += std::to_string(i) + std::string(97, 'y') + "\n";
  }
  auto input =
      Input::open(*open_file(dir_.write_file("f", "first\n" + text + "last\n"), O_RDONLY), {});
  LineSplitter splitter(*input, 200);
  Line line;
  ASSERT_TRUE(*splitter.next(line));
  const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  line = Grown(splitter, lines, {.bytes = text.size(), .lines = lines});
  EXPECT_EQ(std::string(line.text()) + "\n", text);
  ASSERT_TRUE(*splitter.next(line));
  EXPECT_EQ(line.text(), "last");
  EXPECT_EQ(line.number, lines + 2);
  EXPECT_EQ(line.offset, text.size() + 6);
}

}  // namespace
}  // namespace caravel::formatter
