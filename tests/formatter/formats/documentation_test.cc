// docs/formats.md and docs/sidecar.md are run: their examples are true.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "formatter/check_examples.h"
#include "formatter/patterns/capture_types.h"
#include "formatter/patterns/pattern.h"
#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

std::string Page(const std::string& name) {
  std::ifstream in(CARAVEL_SOURCE_DIR "/docs/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The fenced blocks of a page by what stands behind their fences.
std::multimap<std::string, std::string> Blocks(const std::string& page) {
  std::multimap<std::string, std::string> blocks;
  for (std::size_t at = page.find("\n```"); at != std::string::npos;) {
    const std::size_t title_end = page.find('\n', at + 4);
    const std::size_t end = page.find("\n```\n", title_end);
    EXPECT_NE(end, std::string::npos);
    blocks.emplace(page.substr(at + 4, title_end - at - 4),
                   page.substr(title_end + 1, end - title_end));
    at = page.find("\n```", end + 4);
  }
  return blocks;
}

std::string Block(const std::multimap<std::string, std::string>& blocks, const std::string& title) {
  EXPECT_EQ(blocks.count(title), 1U) << title;
  const auto block = blocks.find(title);
  return block == blocks.end() ? "" : block->second;
}

TEST(FormatsPage, TheExampleMakesTheRowsThatItShows) {
  const auto blocks = Blocks(Page("formats.md"));
  const auto format = test::CompileYaml(Block(blocks, "yaml doors.yaml"));
  ASSERT_TRUE(format) << format.error().message;
  FormatRequest request;
  request.format = &*format;
  const auto run = test::Format(Block(blocks, "text doors.log"), request);
  EXPECT_EQ(run.csv, Block(blocks, "csv doors.csv"));
  EXPECT_EQ(run.reasons, Block(blocks, "text reasons"));
}

TEST(FormatsPage, TheExamplesThatItShowsHold) {
  const auto blocks = Blocks(Page("formats.md"));
  const auto format = test::CompileYaml(Block(blocks, "yaml doors.yaml") +
                                        Block(blocks, "text examples of doors.yaml"));
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->examples.size(), 3U);
  const auto report = check_examples(*format);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->differences, testing::IsEmpty());
}

TEST(FormatsPage, NamesEveryShippedFormat) {
  const std::string page = Page("formats.md");
  const std::size_t table = page.find("\n## Shipped formats\n");
  ASSERT_NE(table, std::string::npos);
  for (const std::string& name : test::ShippedFormats().names()) {
    EXPECT_NE(page.find("`" + name + "`", page.find("\n|", table)), std::string::npos) << name;
  }
}

TEST(FormatsPage, EveryFormatOnItCompiles) {
  const auto blocks = Blocks(Page("formats.md"));
  int formats = 0;
  for (const auto& [title, text] : blocks) {
    if (!title.starts_with("yaml")) continue;
    const auto format = test::CompileYaml(text);
    EXPECT_TRUE(format) << format.error().message;
    ++formats;
  }
  EXPECT_GE(formats, 2);
}

struct Example {
  std::string pattern;
  std::string line;
};

/// The rows of the table of captures: | `{Vehicle:word}` | `V.1.2683` | ...
std::vector<Example> CaptureExamples(const std::string& page) {
  std::vector<Example> examples;
  for (std::size_t at = page.find("\n| `{"); at != std::string::npos;
       at = page.find("\n| `{", at + 1)) {
    const std::size_t open = page.find('`', at) + 1;
    const std::string text = page.substr(open, page.find("` | `", open) - open);
    const std::size_t line_at = open + text.size() + 5;
    examples.push_back({text, page.substr(line_at, page.find("` | ", line_at) - line_at)});
  }
  return examples;
}

TEST(FormatsPage, EveryExampleOfACaptureMatches) {
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  const auto examples = CaptureExamples(Page("formats.md"));
  for (const auto& [text, line] : examples) {
    SCOPED_TRACE(text + " on " + line);
    const auto pattern = Pattern::compile(text, false);
    ASSERT_TRUE(pattern) << pattern.error().message;
    const std::string held = line + std::string(1 + kReadableBehind, '\n');
    MatchState state;
    state.at[0] = held.data();
    EXPECT_EQ(pattern->match(0, held.data() + line.size(), years, state), Pattern::kMatched);
  }
  EXPECT_GE(examples.size(), 20U);
}

TEST(FormatsPage, EveryCaptureTypeHasAnExample) {
  std::set<std::string_view> shown;
  for (const Example& example : CaptureExamples(Page("formats.md"))) {
    const auto pattern = Pattern::compile(example.pattern, false);
    ASSERT_TRUE(pattern) << pattern.error().message;
    for (const Op& op : pattern->ops()) shown.insert(row_of(op.type).name);
  }
  for (const CaptureRow& row : kCaptureRows) {
    EXPECT_TRUE(row.name.empty() || shown.count(row.name) == 1) << row.name;
  }
}

TEST(TimesPage, EveryFormatOnItCompiles) {
  int formats = 0;
  for (const auto& [title, text] : Blocks(Page("times.md"))) {
    if (title != "yaml") continue;
    const auto format = test::CompileYaml(text);
    EXPECT_TRUE(format) << format.error().message;
    ++formats;
  }
  EXPECT_GE(formats, 3);
}

/// The texts between backquotes of a cell.
std::vector<std::string> Quoted(const std::string& cell) {
  std::vector<std::string> texts;
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
    const std::size_t end = cell.find('`', at + 1);
    texts.push_back(cell.substr(at + 1, end - at - 1));
    at = end;
  }
  return texts;
}

/// What makes a whole time of one directive: the rest of a layout, and a text for it.
std::pair<std::string, std::string> Company(char directive) {
  switch (directive) {
    case 'Y':
    case 'y':
      return {"%m %d", "03 09"};
    case 'm':
    case 'b':
    case 'h':
    case 'B':
      return {"%Y %d", "2012 09"};
    case 'd':
    case 'e':
      return {"%Y %m", "2012 03"};
    case 'j':
      return {"%Y", "2012"};
    case 'I':
    case 'l':
      return {"%F %p", "2012-03-09 AM"};
    case 'p':
      return {"%F %I", "2012-03-09 09"};
    case 'M':
      return {"%F %H", "2012-03-09 09"};
    case 'S':
    case 'z':
    case 'Z':
      return {"%F %R", "2012-03-09 09:48"};
    case 'f':
      return {"%F %T", "2012-03-09 09:48:00"};
    case 's':
    case 'F':
    case 'D':
      return {};
    default:
      return {"%F", "2012-03-09"};
  }
}

TEST(TimesPage, ShowsEveryDirectiveWithWhatItTakes) {
  const std::string page = Page("times.md");
  std::string shown;
  for (std::size_t at = page.find("\n| `%"); at != std::string::npos;
       at = page.find("\n| `%", at + 1)) {
    const std::string row = page.substr(at + 1, page.find('\n', at + 1) - at - 1);
    const std::size_t second = row.find(" | ");
    for (const std::string& directive : Quoted(row.substr(0, second))) {
      shown += directive;
      for (const std::string& example : Quoted(row.substr(row.rfind(" | ")))) {
        SCOPED_TRACE(directive + " on '" + example + "'");
        const auto [layout, rest] = Company(directive.at(1));
        const auto compiled = TimeLayout::compile_moment(directive + "|" + layout, {});
        ASSERT_TRUE(compiled) << compiled.error().message;
        const std::string text = example + "|" + rest;
        const std::string held = text + std::string(1 + kReadableBehind, '\n');
        TimeParts parts;
        EXPECT_EQ(compiled->parse(held.data(), parts), held.data() + text.size());
      }
    }
  }
  std::string known = known_directives();
  std::erase_if(known, [](char c) { return c == ',' || c == ' '; });
  std::sort(known.begin(), known.end());
  std::sort(shown.begin(), shown.end());
  EXPECT_EQ(shown, known);
}

TEST(SidecarPage, ItsExampleReads) {
  const test::TempDir dir;
  const std::string sidecar = Block(Blocks(Page("sidecar.md")), "text sidecar");
  auto rows = RowReader::open(
      *open_file(dir.write_file("csv", "Door,Who\n17,\"Ann, Smith\"\n17,\n"), O_RDONLY),
      *open_file(dir.write_file("sidecar", sidecar), O_RDONLY));
  ASSERT_TRUE(rows) << rows.error().message;
  Row row;
  ASSERT_TRUE(rows->next(row).value());
  EXPECT_EQ(row.record, "17,\"Ann, Smith\"");
  ASSERT_TRUE(rows->next(row).value());
  EXPECT_EQ(row.offset, 88U);
  EXPECT_FALSE(rows->next(row).value());
  // The writers agree with the page.
  const SidecarHeader& header = rows->header();
  EXPECT_TRUE(sidecar.starts_with(sidecar_header_text(header)));
  EXPECT_TRUE(sidecar.ends_with(sidecar_end_text(rows->end())));
}

}  // namespace
}  // namespace caravel::formatter
