#include "watcher/files/name_rules.h"
#include "base/text.h"

#include <string>

#include <gtest/gtest.h>

namespace caravel::watcher {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;

TEST(NameRules, EveryNameHasItsKind) {
  const struct {
    std::string name;
    NameKind kind;
  } kCases[] = {
      {"a.log", NameKind::candidate},
      {"a.log.gz", NameKind::candidate},
      {"a.log.zst", NameKind::candidate},
      {"-rf.log", NameKind::candidate},
      {"größe.log", NameKind::candidate},
      {"with blank.log", NameKind::candidate},
      {"..a.log", NameKind::in_progress},
      {"a.log.bz2", NameKind::unmatched},
      {"a.txt", NameKind::unmatched},
      {"a.log.gz.gz", NameKind::unmatched},
      {"a.log.rejects", NameKind::candidate},  // mended, and dropped again
      {"a.log.gz.rejects", NameKind::candidate},
      {"a.txt.rejects", NameKind::unmatched},
      {"a.log.rejects.rejects", NameKind::unmatched},
      {"a.log.manifest", NameKind::manifest},
      {"a.log.gz.manifest", NameKind::manifest},
      {"a.txt.manifest", NameKind::unmatched},
      {".manifest", NameKind::in_progress},
      {".hidden.log", NameKind::in_progress},
      {".a.log.Xy12Zq", NameKind::in_progress},
      {".~tmp~", NameKind::in_progress},
      {"~a.log", NameKind::in_progress},
      {"a.log.part", NameKind::in_progress},
      {"a.log.tmp", NameKind::in_progress},
      {"a.log.filepart", NameKind::in_progress},
      {"a.log.manifest.part", NameKind::in_progress},
      {"a.log~", NameKind::in_progress},
      {"#a.log#", NameKind::in_progress},
      {"#a.log", NameKind::candidate},
      {"", NameKind::unusable},
      {".", NameKind::unusable},
      {"..", NameKind::unusable},
      {"../a.log", NameKind::unusable},
      {std::string("a\0.log", 6), NameKind::unusable},
      {"a\n.log", NameKind::unusable},
      {"a\x1b[2J.log", NameKind::unusable},
      {"a\x7f.log", NameKind::unusable},
      {"a\xC2\x85.log", NameKind::unusable},           // NEL, a C1 control
      {"a\xC2\xA0.log", NameKind::candidate},          // no-break space
      {"a\xFF.log", NameKind::unusable},               // no UTF-8 at all
      {"a\xC0\xAF.log", NameKind::unusable},           // overlong slash
      {"a\xE0\x80\xAF.log", NameKind::unusable},       // overlong slash, longer
      {"a\xED\xA0\x80.log", NameKind::unusable},       // a surrogate
      {"a\xF4\x90\x80\x80.log", NameKind::unusable},   // above U+10FFFF
      {"a\xF0\x9F\x90\xAB.log", NameKind::candidate},  // a camel
      {"a.log\xE2\x82", NameKind::unusable},           // cut off
      {std::string(196, 'x') + ".log", NameKind::candidate},
      {std::string(197, 'x') + ".log", NameKind::unusable},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(printable(c.name));
    const NameVerdict verdict = judge_name(c.name, "*.log");
    EXPECT_EQ(verdict.kind, c.kind);
    const bool taken = c.kind == NameKind::candidate || c.kind == NameKind::manifest;
    EXPECT_EQ(verdict.reason.empty(), taken);
  }
}

TEST(NameRules, AStarMatchesEverythingThatIsNotTemporary) {
  EXPECT_EQ(judge_name("anything", "*").kind, NameKind::candidate);
  EXPECT_EQ(judge_name("anything.part", "*").kind, NameKind::in_progress);
  EXPECT_EQ(judge_name("anything~", "*").kind, NameKind::in_progress);
  EXPECT_EQ(judge_name("#anything#", "*").kind, NameKind::in_progress);
  EXPECT_EQ(judge_name("#", "*").kind, NameKind::candidate);
}

TEST(NameRules, TheBaseNameLosesOnePackingSuffix) {
  EXPECT_EQ(base_name("a.log.gz"), "a.log");
  EXPECT_EQ(base_name("a.log.zst"), "a.log");
  EXPECT_EQ(base_name("a.log"), "a.log");
  EXPECT_EQ(base_name("a.gz.zst"), "a.gz");
  EXPECT_EQ(base_name(".gz"), ".gz");
}

TEST(NameRules, AManifestNamesItsExtract) {
  EXPECT_EQ(manifest_target("a.log.manifest"), "a.log");
  EXPECT_EQ(manifest_target("a.log"), std::nullopt);
  EXPECT_EQ(manifest_target(".manifest"), std::nullopt);
}

TEST(NameRules, TheFirstRealDateInANameCounts) {
  const auto date = [](int y, unsigned m, unsigned d) { return year(y) / month(m) / day(d); };
  EXPECT_EQ(date_in_name("spysocket-2012-03-09.log"), date(2012, 3, 9));
  EXPECT_EQ(date_in_name("2012-03-09"), date(2012, 3, 9));
  EXPECT_EQ(date_in_name("a-2012-02-30-2012-02-29.log"), date(2012, 2, 29));
  EXPECT_EQ(date_in_name("2011-02-29.log"), std::nullopt);
  EXPECT_EQ(date_in_name("12012-03-09.log"), std::nullopt);
  // The ledger could not keep these: read back after a crash, they would give other years, and ids.
  EXPECT_EQ(date_in_name("2999-12-31.log"), std::nullopt);
  EXPECT_EQ(date_in_name("1500-01-01.log"), std::nullopt);
  EXPECT_EQ(date_in_name("2261-12-31.log"), date(2261, 12, 31));
  EXPECT_EQ(date_in_name("2012-03-091.log"), std::nullopt);
  EXPECT_EQ(date_in_name("2012_03_09.log"), std::nullopt);
  EXPECT_EQ(date_in_name("2012-03-0"), std::nullopt);
  EXPECT_EQ(date_in_name("20x2-03-09"), std::nullopt);
  EXPECT_EQ(date_in_name(""), std::nullopt);
}

TEST(NameRules, MessagesShowNoControlCharactersAndNoBrokenUtf8) {
  EXPECT_EQ(printable("größe.log"), "größe.log");
  EXPECT_EQ(printable("a\nb"), "a\\x0Ab");
  EXPECT_EQ(printable("a\x1b[2J"), "a\\x1B[2J");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "b"),
            "a\\xC2\\x9Bb");
  EXPECT_EQ(printable("\xFF"), "\\xFF");
}

}  // namespace
}  // namespace caravel::watcher
