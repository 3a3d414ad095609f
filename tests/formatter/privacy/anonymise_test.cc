#include "formatter/privacy/anonymise.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "formatter/privacy/packer.h"
#include "formatter/privacy/removed.h"
#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kDoors = R"(format: doors
identity: position
time: [Day, Time]
key: Client
columns: [Day, Time, Client, Who, Door]
privacy: {Client: truncate, Who: hash, Note: drop}
hash_key: daily
kinds:
  - kind: opened
    line: '{Day:date} {Time:time} {Client:word} {Who:quoted} opened {Door:int}'
  - kind: note
    action: drop
    line: '{date} {time} note {Note:rest}'
)";

/// kDoors, or with one part replaced.
Format Doors(std::string_view part = "", std::string_view by = "") {
  std::string yaml = kDoors;
  if (!part.empty()) yaml.replace(yaml.find(part), part.size(), by);
  auto format = test::CompileYaml(yaml);
  if (!format) throw std::runtime_error(format.error().message);
  return std::move(*format);
}

HashKeys TestKeys() {
  return {[](std::string_view day) -> Result<std::optional<std::string_view>> {
            if (day == "20240101") return std::nullopt;
            static std::string key;
            key = "key of " + std::string(day);
            return key;
          },
          "a mark"};
}

struct Outcome {
  Anonymised result;
  std::string text;  // as it was written
};

Outcome Anonymise(const Format& format, std::string_view bytes, std::size_t max_line = 1 << 20,
                  bool accept_unterminated = false) {
  const test::TempDir dir;
  auto input = Input::open(*open_file(dir.write_file("in", bytes), O_RDONLY), {});
  AnonymiseRequest request{format, YearTable::fixed(std::chrono::year(2024))};
  request.max_line = max_line;
  request.accept_unterminated = accept_unterminated;
  Outcome outcome;
  {
    const UniqueFd out = *open_file(dir.path("out"), O_WRONLY | O_CREAT);
    Output output(out.get());
    auto result = anonymise_extract(*input, request, TestKeys(), output);
    if (!result) throw std::runtime_error(result.error().message);
    outcome.result = std::move(*result);
  }
  outcome.text = dir.read_file("out");
  return outcome;
}

std::string Packed(Input::Packing packing, std::string_view bytes) {
  const test::TempDir dir;
  {
    const UniqueFd out = *open_file(dir.path("out"), O_WRONLY | O_CREAT);
    Output output(out.get());
    auto packer = Packer::open(packing, output);
    EXPECT_TRUE(packer->add(bytes));
    EXPECT_TRUE(packer->finish());
    EXPECT_TRUE(output.flush());
  }
  return dir.read_file("out");
}

std::string Unpacked(const std::string& bytes) {
  const test::TempDir dir;
  auto input = Input::open(*open_file(dir.write_file("in", bytes), O_RDONLY), {});
  std::string text(1 << 20, '\0');
  std::size_t size = 0;
  for (;;) {
    const auto got = input->read(text.data() + size, text.size() - size);
    EXPECT_TRUE(got) << got.error().message;
    if (!got || *got == 0) break;
    size += *got;
  }
  text.resize(size);
  return text;
}

constexpr std::string_view kLine = "2024-02-29 07:58:01 192.0.2.17 \"Ann\" opened 17\n";

TEST(Anonymise, WritesTheNamedValuesAnewAndLeavesAllElse) {
  const Outcome outcome = Anonymise(Doors(), kLine);
  const std::string hash = hashed_value("key of 20240229", "a mark", "doors", "Who", "Ann");
  ASSERT_EQ(hash.size(), 24U);
  EXPECT_EQ(outcome.text, "2024-02-29 07:58:01 192.0.2.0 \"" + hash + "\" opened 17\n");
  EXPECT_EQ(outcome.result.lines, 1U);
  EXPECT_EQ(outcome.result.removed, 0U);
}

TEST(Anonymise, ALineKeepsItsLengthSoThatThoseBehindItKeepTheirPlaces) {
  auto yaml = std::string(kDoors);
  yaml.replace(yaml.find("Who: hash"), 9, "Who: drop");
  yaml.replace(yaml.find("hash_key: daily\n"), 16, "");
  const auto format = test::CompileYaml(yaml);
  ASSERT_TRUE(format) << format.error().message;
  const std::string text = "\xef\xbb\xbf" + std::string(kLine) +
                           "2024-02-29 07:58:02 note of Ann\r\n\nrubbish of Ann\n" +
                           std::string(kLine) + "2024-02-29 07:58:03 192.0.2.1";
  const Outcome outcome = Anonymise(*format, text);
  EXPECT_EQ(outcome.text.size(), text.size());
  EXPECT_THAT(outcome.text, Not(HasSubstr("Ann")));
  EXPECT_THAT(outcome.text, Not(HasSubstr("192.0.2.1")));
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(text[i] == '\n', outcome.text[i] == '\n') << "byte " << i;
  }
}

TEST(Anonymise, WhatWasWrittenIsLeftAlone) {
  const Format format = Doors();
  const std::string text = std::string(kLine) +
                           "2024-02-29 07:58:02 note of Ann   \n"
                           "  2024-02-29 07:58:03 ann.example.org \"\" opened 17 \t\r\n"
                           "rubbish\xff\n"
                           "rubbish of Ann who came by\n\n x \n" +
                           std::string(1, '\0') + "\n" + std::string(100, 'x') + "\n" +
                           "2024-01-01 07:58:01 192.0.2.17 \"Ann\" opened 17\n" + "no end";
  const Outcome once = Anonymise(format, text, 80);
  const Outcome twice = Anonymise(format, once.text, 80);
  EXPECT_EQ(once.text, twice.text);
  EXPECT_EQ(once.result.lines, twice.result.lines);
  EXPECT_EQ(twice.result.forgotten, 0U) << "what was hashed, or removed, needs no salt";
}

TEST(Anonymise, ValuesOfOneDayStayEqualAndThoseOfTwoDaysDoNot) {
  const std::string key = "k";
  const auto hash = [&](std::string_view day, std::string_view value) {
    return hashed_value(day, "m", "f", "c", value);
  };
  EXPECT_EQ(hash("1", "Ann"), hash("1", "Ann"));
  EXPECT_NE(hash("1", "Ann"), hash("2", "Ann"));
  EXPECT_NE(hash("1", "Ann"), hash("1", "Bob"));
  EXPECT_NE(hashed_value(key, "m", "f", "c", "Ann"), hashed_value(key, "m", "f", "d", "Ann"));
  EXPECT_TRUE(is_hashed_value("m", hash("1", "Ann")));
  EXPECT_FALSE(is_hashed_value("n", hash("1", "Ann"))) << "another host's hash is hashed again";
  EXPECT_FALSE(is_hashed_value("m", "000000000000000000000000")) << "nobody can pretend";
}

TEST(Anonymise, NothingIsKeptOfALineThatNoKindTakes) {
  const Outcome outcome = Anonymise(
      Doors(),
      "a line of Ann at 192.0.2.17, which nobody expected and which is long enough for a reason\n");
  EXPECT_THAT(outcome.text, StartsWith("\xff removed: expected "));
  EXPECT_THAT(outcome.text, Not(HasSubstr("Ann")));
  EXPECT_EQ(outcome.result.removed, 1U);
}

TEST(Anonymise, ScrubbingKeepsWhatIsNobodys) {
  const Format format = Doors("kinds:", "unmatched: scrub\nkinds:");
  EXPECT_EQ(Anonymise(format, "error for ann@example.org\n").text, "error for -              \n");
  // Without what was taken out it would be a note.
  const Format notes = Doors("note {Note:rest}'",
                             "note {Note:rest}'\n  - kind: bare\n    action: "
                             "drop\n    line: '{word} -'\nunmatched: scrub");
  EXPECT_THAT(Anonymise(notes, "a 10.20.30.40\n").text, StartsWith("\xff"))
      << "it must not become a line that nobody wrote";
}

TEST(Anonymise, WhatIsNoTextAndWhatIsCutOffIsRemoved) {
  const Format format = Doors();
  for (const std::string& line : {std::string("2024-02-29 07:58:02 note Ann\xff\n"),
                                  std::string("2024-02-29 07:58:02 note Ann\0\n", 30),
                                  std::string("2024-02-29 07:58:02 note Ann, without an end"),
                                  "2024-02-29 07:58:02 note Ann " + std::string(200, 'x') + "\n"}) {
    SCOPED_TRACE(line);
    const Outcome outcome = Anonymise(format, line, 80);
    EXPECT_THAT(outcome.text, StartsWith("\xff"));
    EXPECT_THAT(outcome.text, Not(HasSubstr("Ann")));
    EXPECT_EQ(outcome.text.size(), line.size());
    EXPECT_EQ(outcome.result.removed, 1U);
  }
  EXPECT_EQ(Anonymise(format, "2024-02-29 07:58:02 note Ann", 80, true).text,
            "2024-02-29 07:58:02 note -  ");
}

TEST(Anonymise, ADayWhoseSaltWasForgottenIsToldAndNotKept) {
  const Outcome outcome =
      Anonymise(Doors(), "2024-01-01 07:58:01 192.0.2.17 \"Ann\" opened 17\n" + std::string(kLine));
  EXPECT_EQ(outcome.result.forgotten, 1U);
  EXPECT_EQ(outcome.result.forgotten_day, "20240101");
  EXPECT_THAT(outcome.text, Not(HasSubstr("Ann")));
  EXPECT_THAT(outcome.text, StartsWith("\xff removed: the salt"));
}

TEST(Anonymise, NoReasonSmugglesTextThrough) {
  const Format format = Doors();
  for (const char* line : {"\xff removed: Ann was here, and nobody else\n",
                           "\xff removed: expected Ann at byte 3 (opened)\n",
                           "\xff removed: expected a date that exists at byte Ann (opened)\n",
                           "\xff removed: expected a date that exists at byte 0 (Ann)\n"}) {
    SCOPED_TRACE(line);
    EXPECT_THAT(Anonymise(format, line).text, Not(HasSubstr("Ann")));
  }
}

TEST(Anonymise, TheFormatterRejectsARemovedLineWithItsReason) {
  const Format format = Doors("kinds:",
                              "kinds:\n  - kind: any\n    action: drop\n    line: "
                              "'any {Note:rest}'");
  const Outcome outcome = Anonymise(format, std::string(kLine) +
                                                "a line of Ann, and some more of "
                                                "it so that it is long\n\xff\n");
  FormatRequest request;
  request.format = &format;
  const test::FormatRun run = test::Format(outcome.text, request);
  ASSERT_TRUE(run.ok) << run.error.message;
  EXPECT_EQ(run.counts(), "3 = 1 rows + 0 dropped + 2 rejected");
  EXPECT_THAT(run.reasons, HasSubstr("removed: expected "));
  EXPECT_THAT(run.reasons, HasSubstr("removed: it could not be made anonymous"));
}

TEST(Anonymise, ACopyIsPackedAsItCame) {
  for (const auto packing : {Input::Packing::gzip, Input::Packing::zstd, Input::Packing::none}) {
    SCOPED_TRACE(static_cast<int>(packing));
    const std::string packed = Packed(packing, kLine);
    const Outcome outcome = Anonymise(Doors(), packed);
    EXPECT_FALSE(outcome.result.damage);
    EXPECT_EQ(outcome.text.substr(0, 2) == packed.substr(0, 2), true);
    EXPECT_EQ(Unpacked(outcome.text), Anonymise(Doors(), kLine).text);
  }
}

TEST(Anonymise, OfADamagedFileTheReadablePartIsKept) {
  std::string lines;
  for (int i = 0; i < 9000; ++i) lines += kLine;
  std::string packed = Packed(Input::Packing::gzip, lines);
  packed.resize(packed.size() - 8);
  const Outcome outcome = Anonymise(Doors(), packed);
  ASSERT_TRUE(outcome.result.damage);
  EXPECT_EQ(outcome.result.damage->kind, ErrorKind::content);
  EXPECT_EQ(outcome.result.original.packed, "");
  EXPECT_THAT(Unpacked(outcome.text.substr(0, outcome.text.size())), Not(HasSubstr("Ann")));
}

}  // namespace
}  // namespace caravel::formatter
