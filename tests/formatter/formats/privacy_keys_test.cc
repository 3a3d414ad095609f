#include "formatter/formats/privacy_keys.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kFormat = R"(format: f
identity: position
time: [At]
columns: [At, Client, Who, Agent]
privacy: {Client: truncate, Who: hash, Ident: drop, Agent: generalise, At: generalise}
hash_key: secret.key
unmatched: scrub
kinds:
  - kind: a
    line: "{At:timestamp} {Client:ip} {Ident:word} {Who:word} {Agent:quoted}"
  - kind: b
    action: drop
    line: "noise {Who:word}"
)";

std::string With(std::string_view part, std::string_view by) {
  std::string yaml = kFormat;
  const std::size_t at = yaml.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return yaml.replace(at, part.size(), by);
}

TEST(PrivacyKeys, AreReadIntoEachKind) {
  const auto format = test::CompileYaml(kFormat);
  ASSERT_TRUE(format) << format.error().message;
  ASSERT_TRUE(format->privacy);
  EXPECT_TRUE(format->privacy->scrub);
  EXPECT_TRUE(format->privacy->hashes);
  EXPECT_EQ(format->privacy->key_file, "secret.key");
  EXPECT_FALSE(format->detect) << "it must be named";
  EXPECT_THAT(format->kinds[0].privacy,
              ElementsAre(PrivacyAct{0, PrivacyRule::hour}, PrivacyAct{1, PrivacyRule::truncate},
                          PrivacyAct{2, PrivacyRule::drop}, PrivacyAct{3, PrivacyRule::hash},
                          PrivacyAct{4, PrivacyRule::agent}));
  EXPECT_THAT(format->kinds[1].privacy, ElementsAre(PrivacyAct{0, PrivacyRule::drop}))
      << "nothing has to stay equal in a line that makes no row";
}

TEST(PrivacyKeys, DailySaltsAreKeptAWeekUnlessTheFormatSaysSo) {
  const auto week = test::CompileYaml(With("secret.key", "daily"));
  ASSERT_TRUE(week) << week.error().message;
  EXPECT_EQ(week->privacy->key_file, "");
  EXPECT_EQ(week->privacy->keep_salt, std::chrono::hours(7 * 24));
  const auto day = test::CompileYaml(With("secret.key", "daily\nkeep_salt: 36h"));
  ASSERT_TRUE(day) << day.error().message;
  EXPECT_EQ(day->privacy->keep_salt, std::chrono::hours(36));
}

TEST(PrivacyKeys, EveryMistakeHasOneClearMessage) {
  const struct {
    const char* part;
    const char* by;
    const char* message;
  } kCases[] = {
      {"Ident: drop", "Ident: drop, Idnet: drop", "no kind captures 'Idnet'"},
      {"Ident: drop", "Ident: hide", "privacy.Ident"},
      {"Client: truncate", "Client: hash", "capture it as 'word'"},
      {"At: generalise", "At: drop", "type 'timestamp' cannot be written so"},
      {"{Ident:word} {", "{Ident:word}-{", "would end at the '-'"},
      {"hash_key: secret.key\n", "", "`hash` needs `hash_key`"},
      {"Who: hash", "Who: drop", "nothing in `privacy` says `hash`"},
      {"hash_key: secret.key", "hash_key: secret.key\nkeep_salt: 7d",
       "belongs to `hash_key: daily`"},
      {"hash_key: secret.key", "hash_key: daily\ndetect: true", "never found, it must be named"},
      {"format: f", "format: 'a b'\nkeep_salt: 7d", "belongs to `hash_key: daily`"},
      {"unmatched: scrub", "unmatched: keep", "unmatched"},
      {"unmatched: scrub", "encoding: latin-1", "UTF-8 only"},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.by);
    const auto format = test::CompileYaml(With(one.part, one.by));
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().kind, ErrorKind::usage);
    EXPECT_THAT(format.error().message, HasSubstr(one.message));
  }
}

TEST(PrivacyKeys, DailySaltsNeedAFolderNameAndDays) {
  std::string yaml = With("secret.key", "daily");
  yaml.replace(yaml.find("format: f"), 9, "format: '../f'");
  auto format = test::CompileYaml(yaml);
  ASSERT_FALSE(format);
  EXPECT_THAT(format.error().message, HasSubstr("[A-Za-z0-9._-]"));
  yaml = With("secret.key", "daily");
  yaml.replace(yaml.find("time: [At]\n"), 11, "");
  format = test::CompileYaml(yaml);
  ASSERT_FALSE(format);
  EXPECT_THAT(format.error().message, HasSubstr("a salt belongs to a day"));
}

TEST(PrivacyKeys, AreRefusedWhereTheyWouldBeIgnored) {
  for (const char* reader : {"csv", "jsonl"}) {
    const auto format = test::CompileYaml(std::string("format: f\nidentity: position\nreader: ") +
                                          reader + "\nprivacy: {Who: drop}\n");
    ASSERT_FALSE(format);
    EXPECT_THAT(format.error().message, HasSubstr("`reader: pattern` only"));
  }
  const auto joined = test::CompileYaml(
      "format: f\nidentity: position\ncolumns: [Who, Text]\nprivacy: {Who: drop}\n"
      "continues: {when: '^ '}\nkinds:\n  - {kind: a, line: '{Who:word} {Text:rest}'}\n");
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().message, HasSubstr("does not go with `privacy`"));
  const auto format = test::CompileYaml(
      "format: f\nidentity: position\ncolumns: [Who]\nunmatched: drop\nkinds:\n"
      "  - {kind: a, line: '{Who:word}'}\n");
  ASSERT_FALSE(format);
  EXPECT_THAT(format.error().message, HasSubstr("belongs to a format with `privacy`"));
}

}  // namespace
}  // namespace caravel::formatter
