// The quick way writes what the thorough way writes, and it does take the lines that it is for.
#include <gtest/gtest.h>

#include <random>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/quick/line_matcher.h"
#include "formatter/records/matcher.h"
#include "tests/formatter/both_ways.h"
#include "tests/formatter/format_run.h"
#include "tests/formatter/quick/made_formats.h"

namespace caravel::formatter {
namespace {

FormatSet AllFormats() {
  FormatSet formats = *FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
  for (const char* const yaml : test::kMadeFormats) {
    auto format = test::CompileYaml(yaml);
    if (!format) throw std::runtime_error(format.error().message);
    formats.add(std::move(*format));
  }
  return formats;
}

/// Lines of the made formats; the shipped ones have examples.
const std::vector<std::string> kMadeLines = {"mode=on12 x y",
                                             "mode=once3 ann",
                                             "mode=on [hi] n:5",
                                             "mode=off  [lo]  n:6",
                                             "mode=on [x] n:7 rest, of it",
                                             "mode=zz [hi] n:8 r \"q\"",
                                             "mode=a [b] c",
                                             "mode=o5 z",
                                             "2012-03-09 09:48:00+01:ann took 1.5",
                                             "2012-03-09 09:48:00.123+01:30:bob took 1",
                                             "2012-03-09 09:48:00,123+0100:bob took 1",
                                             "09/Mar/2012 09:48:00 +0100 ann, took 12345",
                                             "09/Mar/2012 09:48:00 +01 ann,x, took 123456",
                                             "ann [5] \"what, is\" more of it",
                                             "ann [x [5] \"wh\" z",
                                             "bob [7]: what; why",
                                             "bob [7]: what; why;x",
                                             "<me> \"q\\\"x\" 7",
                                             "<me> 192.0.2.1 12.5",
                                             "[1] \"\" ",
                                             "At,Who,What",
                                             "2012-03-09T09:48:00Z,ann,\"a, b\"",
                                             "2012-03-09T09:48:00Z,,x",
                                             "17,bob,\"x\""};

std::string ChangedALittle(std::string line, std::mt19937& random) {
  const std::string pieces = std::string(" \t,\"\\\r:;[]-+09/aZ.=\0\xc3", 22);
  for (char& c : line) {
    if (c >= '0' && c <= '9' && random() % 4 == 0) c = static_cast<char>('0' + random() % 10);
  }
  for (std::size_t changes = random() % 8 == 0 ? 2 : 0; changes > 0; --changes) {
    const std::size_t at = random() % (line.size() + 1);
    if (random() % 2 == 0) line.erase(at, random() % 3);
    line.insert(std::min(at, line.size()), 1, pieces[random() % pieces.size()]);
  }
  return line;
}

TEST(QuickLines, BothWaysComeToTheSameInEachFormat) {
  const FormatSet formats = AllFormats();
  std::mt19937 random(1);
  for (const auto& format : formats.all()) {
    SCOPED_TRACE(format->name);
    std::vector<std::string> samples = kMadeLines;
    for (const Example& example : format->examples) {
      samples.insert(samples.end(), example.lines.begin(), example.lines.end());
    }
    for (int round = 0; round < 12; ++round) {
      // Half of the rounds are of lines that are mostly the format's own.
      const std::size_t from = round % 2 == 0 && !format->examples.empty() ? kMadeLines.size() : 0;
      std::string text = samples[from] + '\n';
      for (int line = 0; line < 60; ++line) {
        text += ChangedALittle(samples[from + random() % (samples.size() - from)], random);
        text += random() % 16 == 0 ? "\r\n" : "\n";
      }
      FormatRequest request;
      request.format = format.get();
      request.years = YearTable::fixed(std::chrono::year(2011 + round % 2));
      request.max_line = round % 3 == 0 ? 150 : 1 << 14;
      EXPECT_EQ(test::CompareBothWays(text, request, round % 4 != 0), "");
    }
  }
}

TEST(QuickLines, AFirstLineThatIsAPieceIsNoRow) {
  FormatRequest request;
  request.formats = &test::ShippedFormats();
  request.years = YearTable::fixed(std::chrono::year(2012));
  request.first_line = hash_bytes("the log's first line");
  request.begins_with_piece = true;
  request.log_offset = 4711;
  request.quick_from = 0;
  const std::string line =
      "09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:3677517/-760914 [Valid] Adher:3 [Valid] "
      "Odom:2668 [Valid] DGPS:On FOM:2\n";
  const auto run = test::Format(line + line + line, request);
  EXPECT_EQ(run.counts(), "3 = 2 rows + 0 dropped + 1 rejected");
}

TEST(QuickLines, AnOpMayBeAValueInOneKindAndPartOfARunInAnother) {
  // The choice at the end of the one is followed by a comma in the other.
  std::string text;
  for (int i = 10; i < 60; ++i) {
    text += "07:00:" + std::to_string(i) + ",02/28,2109,0/0,V,-1,V";
    text += i % 3 == 0 ? "\n" : i % 3 == 1 ? ",28,1,30\n" : ",28,1\n";
  }
  FormatRequest request;
  request.format = test::ShippedFormats().find("spysocket-v2.1");
  request.years = YearTable::fixed(std::chrono::year(2012));
  EXPECT_EQ(test::CompareBothWays(text, request), "");
}

TEST(QuickLines, WhatWasLearntOfOneStepIsNotTakenForAnother) {
  // Of the first two kinds "MT_LOCATION" failed, further on of the third "Arrival": what stands
  // there does not stand where the first failed.
  const std::string begin = "09:48:02 03/09 V.1.3195 H.0.0 ";
  const std::string end =
      "Dwell:22 Rte:73 Dir:1 TP:339 Stop:1470 Svc:1 Blk:221 Lat/Lon:3686830/-7632705 [Valid] "
      "Adher:2 "
      "[Valid] Odom:1924 [Valid] DGPS:On FOM:2\n";
  std::string text;
  for (int i = 0; i < 20; ++i) text += begin + "MT_TIMEPOINTCROSSING Time:09:48:02 " + end;
  text += begin + end;
  FormatRequest request;
  request.format = test::ShippedFormats().find("spysocket");
  request.years = YearTable::fixed(std::chrono::year(2012));
  EXPECT_EQ(test::CompareBothWays(text + text, request), "");
}

TEST(QuickLines, BlanksAheadOfALineBelongToNoText) {
  const auto made = test::CompileYaml(test::kMadeFormats[2]);
  FormatRequest request;
  request.format = &*made;
  const std::string line = "ann [5] \"what\" more\n";
  EXPECT_EQ(test::CompareBothWays(line + line + " " + line, request), "");
}

TEST(QuickLines, ALogWhoseLinesEndInCrLfComesToTheSame) {
  std::string text;
  for (int i = 10; i < 60; ++i) {
    text += "09:48:" + std::to_string(i) +
            " 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:3677517/-760914 [Valid] Adher:3 [Valid] "
            "Odom:2668 [Valid] DGPS:On FOM:2\r\n";
  }
  FormatRequest request;
  request.format = test::ShippedFormats().find("spysocket");
  request.years = YearTable::fixed(std::chrono::year(2012));
  EXPECT_EQ(test::CompareBothWays(text, request), "");
}

/// Matches `line` with one matcher again and again: learnt runs are used from the second time on.
template <class Bytes>
bool MatchesTwice(const Format& format, std::string line) {
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  LineMatcher matcher(format, years, *QuickProgram::lower(format));
  line += '\n';
  const std::size_t size = line.size() - 1;
  line.append(kBehindLine, '\xff');
  constexpr auto kMatched = LineMatcher::Outcome::matched;
  return matcher.match<Bytes>(line.data()) == kMatched &&
         matcher.match<Bytes>(line.data()) == kMatched && matcher.end() == line.data() + size;
}

TEST(LineMatcher, TakesEachExampleThatIsARowOrDropped) {
  // Of these formats the quick way is sure: no text of theirs may end later.
  for (const char* const name : {"spysocket", "spysocket-v2.1", "spysocket-v3"}) {
    const Format& format = *test::ShippedFormats().find(name);
    for (const Example& example : format.examples) {
      if (!example.rejects.empty()) continue;
      for (const std::string& line : example.lines) {
        EXPECT_TRUE(MatchesTwice<SixteenBytes>(format, line)) << line;
        EXPECT_TRUE(MatchesTwice<PortableSixteenBytes>(format, line)) << line;
      }
    }
  }
}

TEST(LineMatcher, LeavesWhatItIsNotSureOf) {
  const Format& format = *test::ShippedFormats().find("nginx");
  const std::string line =
      R"(192.0.2.7 - - [09/Mar/2012:09:48:00 +0100] "GET / HTTP/1.1" 200 612 "-" "curl")";
  EXPECT_TRUE(MatchesTwice<SixteenBytes>(format, line));
  EXPECT_FALSE(MatchesTwice<SixteenBytes>(format, line + " ")) << "a blank at its end";
  EXPECT_FALSE(MatchesTwice<SixteenBytes>(format, line + "x")) << "text is left over";
  EXPECT_FALSE(MatchesTwice<SixteenBytes>(format, line.substr(0, line.size() - 1))) << "cut off";
}

TEST(LineMatcher, TakesBlanksOfAnyNumber) {
  const Format& format = *test::ShippedFormats().find("spysocket");
  const std::string line = format.examples.front().lines.front();
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  LineMatcher matcher(format, years, *QuickProgram::lower(format));
  for (const std::string blanks :
       {" ", "\t", " \t ", "        ", "                                        "}) {
    std::string other;
    for (const char c : line) other += c == ' ' ? blanks : std::string(1, c);
    const std::size_t size = other.size();
    other.append("\n").append(kBehindLine, '\xff');
    EXPECT_EQ(matcher.match<SixteenBytes>(other.data()), LineMatcher::Outcome::matched);
    EXPECT_EQ(matcher.end(), other.data() + size);
    EXPECT_EQ(std::string(matcher.state().captures[2].text()), "V.1.2683");
  }
}

TEST(LineMatcher, KnowsTheReasonOfAReject) {
  const Format& format = *test::ShippedFormats().find("spysocket");
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  LineMatcher quick(format, years, *QuickProgram::lower(format));
  Matcher thorough(format, years);
  std::mt19937 random(5);
  int failed = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::vector<Example>& examples = format.examples;
    std::string line = ChangedALittle(examples[random() % examples.size()].lines.front(), random);
    if (line.find('\0') != line.npos || line.find('\xc3') != line.npos) continue;
    for (auto at = line.find("  "); at != line.npos; at = line.find("  ")) line.erase(at, 1);
    const std::size_t size = line.size();
    line.append("\n").append(kBehindLine, '\xff');
    if (quick.match<SixteenBytes>(line.data()) != LineMatcher::Outcome::failed) continue;
    if (line[size - 1] <= ' ') continue;
    ++failed;
    ASSERT_FALSE(thorough.match(line.data(), line.data() + size)) << line;
    EXPECT_EQ(quick.furthest().reason(format, line.data()), thorough.reason(line.data())) << line;
  }
  EXPECT_GT(failed, 100);
}

TEST(QuickProgram, ARunEndsWhereItsMeaningWouldDependOnWhatFollows) {
  const auto fixed = [](std::string_view text, std::size_t index) {
    return is_fixed(Pattern::compile(text, false)->ops(), index);
  };
  EXPECT_TRUE(fixed("{A:choice(on,off)} {B:int}", 0));
  EXPECT_FALSE(fixed("{A:choice(on,once)} {B:int}", 0)) << "on, or the beginning of once";
  EXPECT_FALSE(fixed("{A:choice(a,b)}{B:int}", 0)) << "nothing stands behind it";
  EXPECT_TRUE(fixed("{A:offset} {B:int}", 0));
  EXPECT_FALSE(fixed("{A:offset}:{B:int}", 0)) << "+01:30";
  EXPECT_FALSE(fixed("{A:int} {B:int}", 0)) << "another one in each line";
}

}  // namespace
}  // namespace caravel::formatter
