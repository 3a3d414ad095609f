#include "formatter/records/gather.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using test::FormatRun;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLog = R"(
identity: position
time: [Day, At]
columns: [Day, At, Level, Message]
kinds:
  - kind: entry
    line: '{Day:date} {At:time} {Level:word} {Message:rest}'
)";

Result<Format> Compile(const std::string& keys) {
  return test::CompileYaml("format: f\n" + keys + kLog);
}

FormatRun Gathered(const std::string& keys, std::string_view extract) {
  const auto format = Compile(keys);
  if (!format) throw std::runtime_error(format.error().message);
  FormatRequest request;
  request.format = &*format;
  FormatRun run = test::Format(extract, request);
  run.result.format = nullptr;  // it ends with this call
  return run;
}

constexpr const char* kWhen = R"(continues: {when: '^\s|^Caused by:'})";
constexpr const char* kStarts = "continues: {starts: '{date} {time} {word}'}";

constexpr std::string_view kTrace =
    "2024-02-29 07:58:01 ERROR it failed\r\n"
    "java.lang.Error: no\r\n"
    "\tat a.b(C.java:1)  \r\n"
    "Caused by: x, \"y\"\r\n"
    "2024-02-29 07:58:02 INFO well\r\n";

TEST(RecordsThatContinue, AreJoinedToTheLineThatStartsThem) {
  const FormatRun run = Gathered(kStarts, kTrace);
  EXPECT_EQ(run.csv,
            "Day,At,Level,Message\n"
            "2024-02-29,07:58:01,ERROR,\"it failed\njava.lang.Error: no\n\tat a.b(C.java:1)\n"
            "Caused by: x, \"\"y\"\"\"\n"
            "2024-02-29,07:58:02,INFO,well\n");
  EXPECT_THAT(run.lines, ElementsAre(1, 5));
  EXPECT_EQ(run.counts(), "5 = 2 rows + 0 dropped + 0 rejected");
  EXPECT_EQ(run.result.counts.more_lines, 3U);
  EXPECT_EQ(Gathered("starts: '{date} {time} {word}'", kTrace).csv, run.csv) << "the short way";
}

TEST(RecordsThatContinue, AreJoinedByLinesThatMatchAnExpression) {
  const FormatRun run = Gathered(kWhen, kTrace);
  EXPECT_EQ(run.counts(), "5 = 2 rows + 0 dropped + 3 rejected")
      << "the second line does not go on, and what follows goes on from there";
  EXPECT_EQ(run.rejects, "java.lang.Error: no\r\n\tat a.b(C.java:1)  \r\nCaused by: x, \"y\"\r\n");
}

TEST(RecordsThatContinue, HaveOneIdHoweverTheirLinesEnd) {
  std::string unix(kTrace);
  std::erase(unix, '\r');
  EXPECT_EQ(Gathered(kStarts, kTrace).csv, Gathered(kStarts, unix).csv);
}

TEST(RecordsThatContinue, AreBounded) {
  std::string trace = "2024-02-29 07:58:01 ERROR it failed\n";
  for (int i = 0; i < 999; ++i) trace += "\tat\n";
  const std::string next = "2024-02-29 07:58:02 INFO well\n";
  EXPECT_EQ(Gathered(kStarts, trace + next).counts(), "1001 = 2 rows + 0 dropped + 0 rejected");
  const FormatRun run = Gathered(kStarts, trace + "\tat\n" + next);
  EXPECT_EQ(run.counts(), "1002 = 1 rows + 0 dropped + 1001 rejected");
  EXPECT_THAT(run.reasons, HasSubstr("1,0,a record over max_record\n2,36,"));
}

TEST(RecordsThatContinue, EndWithTheExtract) {
  EXPECT_EQ(Gathered(kStarts, "2024-02-29 07:58:01 E x\n\tat\n").counts(),
            "2 = 1 rows + 0 dropped + 0 rejected");
  const FormatRun cut = Gathered(kStarts, "2024-02-29 07:58:01 E x\n\tat\n\tcut");
  EXPECT_EQ(cut.counts(), "3 = 1 rows + 0 dropped + 1 rejected");
  EXPECT_EQ(cut.cut, "\tcut");
  const FormatRun begun = Gathered(kStarts, "\tat\n\tat\n2024-02-29 07:58:01 E x\n");
  EXPECT_EQ(begun.counts(), "3 = 1 rows + 0 dropped + 2 rejected");
  EXPECT_EQ(begun.reasons.substr(0, 28), "line,offset,reason\n1,0,expec");
}

TEST(RecordsThatContinue, MayGoOnWithBlankLinesOnly) {
  const FormatRun run = Gathered(
      kStarts, "2024-02-29 07:58:01 E x\n\n \n2024-02-29 07:58:02 E\n\n2024-02-29 07:58:03 E z\n");
  EXPECT_EQ(run.csv, "Day,At,Level,Message\n2024-02-29,07:58:01,E,x\n2024-02-29,07:58:03,E,z\n");
  EXPECT_EQ(run.counts(), "6 = 2 rows + 0 dropped + 2 rejected");
  EXPECT_EQ(run.rejects, "2024-02-29 07:58:02 E\n\n");
}

TEST(RecordsThatContinue, AreSaidInOneWay) {
  const struct {
    const char* keys;
    const char* why;
  } cases[] = {
      {"continues: {}", "continues: wants either"},
      {"continues: {when: '^x', starts: '{word}'}", "continues: wants either"},
      {"continues: {when: '^x'}\nstarts: '{word}'", "continues: wants either"},
      {"continues: {when: '('}", "continues.when: is no regular expression"},
      {"continues: {when: 'x*'}", "continues.when: matches an empty line"},
      {"continues: {starts: '{itn}'}", "continues.starts: unknown type 'itn'"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.keys);
    const auto format = Compile(c.keys);
    ASSERT_FALSE(format);
    EXPECT_THAT(format.error().message, HasSubstr(c.why));
  }
  const auto kind = test::CompileYaml(
      "format: f\nidentity: position\ncontinues: {when: '^x'}\ncolumns: [A]\n"
      "kinds: [{kind: k, line: '{A:word}'}]\n");
  ASSERT_FALSE(kind);
  EXPECT_THAT(kind.error().message, HasSubstr("must end with a capture such as {Message:rest}"));
}

}  // namespace
}  // namespace caravel::formatter
