// The formatter as a whole: bytes in; CSV, sidecar, rejects and counts out.
#include "formatter/formatter.h"

#include <filesystem>
#include <fstream>
#include <random>

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"
#include "tests/formatter/input/packing.h"

namespace caravel::formatter {
namespace {

using test::FormatAs;
using test::FormatRun;
using test::Gzip;
using test::ShippedFormats;
using test::Zstd;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kGood =
    "09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 "
    "[Valid] Odom:2668 [Valid] DGPS:On FOM:2";
const std::string kDropped =
    "09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:0/0 [Valid] Adher:3 [Valid] Odom:2668 "
    "[Valid] DGPS:On FOM:2";
const std::string kAccess =
    R"(192.0.2.7 - - [09/Mar/2012:09:48:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/7.88")";

FormatRequest Spysocket() {
  FormatRequest request;
  request.format = ShippedFormats().find("spysocket");
  request.years = YearTable::fixed(std::chrono::year(2012));
  return request;
}

FormatRequest Nginx() {
  FormatRequest request;
  request.format = ShippedFormats().find("nginx");
  return request;
}

TEST(Formatter, SortsLinesIntoRowsDroppedAndRejects) {
  const FormatRun run = FormatAs("spysocket", kGood + "\n" + kDropped + "\nbad\r\n\n" + kGood);
  EXPECT_EQ(run.counts(), "5 = 1 rows + 2 dropped + 2 rejected");
  EXPECT_EQ(run.rejects, "bad\r\n");
  EXPECT_EQ(run.cut, kGood);
  const std::uint64_t bad_at = kGood.size() + kDropped.size() + 2;
  EXPECT_EQ(run.reasons, "line,offset,reason\n3," + std::to_string(bad_at) +
                             ",expected a time HH:MM:SS (Time) at byte 0 (location)\n5," +
                             std::to_string(bad_at + 6) + ",no line end (cut off?)\n");
  EXPECT_EQ(run.result.unpacked_bytes, bad_at + 6 + kGood.size());
}

TEST(Formatter, MayTakeALastLineWithoutEnd) {
  FormatRequest request = Spysocket();
  request.accept_unterminated = true;
  const FormatRun run = test::Format(kGood + "\n" + kGood, request);
  EXPECT_EQ(run.counts(), "2 = 2 rows + 0 dropped + 0 rejected");
  EXPECT_EQ(run.id_tails[0], run.id_tails[1]);
}

TEST(Formatter, APieceOfALineIsARejectWhateverItLooksLike) {
  for (const bool named : {true, false}) {
    FormatRequest request = Spysocket();
    if (!named) request.format = nullptr;
    request.begins_with_piece = true;
    request.accept_unterminated = true;
    const FormatRun second = test::Format(kGood + "\n", request);
    ASSERT_TRUE(second.ok) << second.error.message;
    EXPECT_EQ(second.counts(), "1 = 0 rows + 0 dropped + 1 rejected");
    EXPECT_EQ(second.rejects, kGood + "\n");
    const FormatRun first = test::Format(kGood, request);
    ASSERT_TRUE(first.ok) << first.error.message;
    EXPECT_EQ(first.cut, kGood);
    EXPECT_EQ(first.reasons,
              "line,offset,reason\n1,0,a piece of a line that its logger cut in two\n");
    // Whatever a manifest says, the other lines are lines.
    const FormatRun more = test::Format("half\n" + kGood + "\n", request);
    EXPECT_EQ(more.counts(), "2 = 1 rows + 0 dropped + 1 rejected");
  }
}

TEST(Formatter, FindsTheFormatOfASingleLineWithoutEndIfThatMayBeTaken) {
  FormatRequest request;
  request.years = YearTable::fixed(std::chrono::year(2012));
  EXPECT_EQ(test::Format(kGood, request).counts(), "1 = 0 rows + 0 dropped + 1 rejected");
  request.accept_unterminated = true;
  for (const std::string& packed : {kGood, "\xef\xbb\xbf" + kGood, kGood + "\r", Gzip(kGood)}) {
    const FormatRun run = test::Format(packed, request);
    ASSERT_TRUE(run.ok) << run.error.message;
    EXPECT_EQ(run.counts(), "1 = 1 rows + 0 dropped + 0 rejected");
    EXPECT_EQ(run.result.format, ShippedFormats().find("spysocket"));
  }
  const FormatRun other = test::Format("no format takes this", request);
  EXPECT_EQ(other.error.kind, ErrorKind::content);
  request.max_line = 100;
  EXPECT_FALSE(test::Format(kGood, request).ok) << "longer than a line may be";
}

TEST(Formatter, WritesHeadersThoughThereIsNoRow) {
  const FormatRun run = FormatAs("spysocket", "bad\n");
  EXPECT_THAT(run.csv, StartsWith("Date,Time,"));
  EXPECT_EQ(run.result.first_time, "");
  EXPECT_FALSE(run.result.last_date);
}

TEST(Formatter, TakesAnEmptyExtract) {
  for (const char* name : {"", "spysocket", "csv"}) {
    SCOPED_TRACE(name);
    FormatRequest request;
    request.format = ShippedFormats().find(name);
    const FormatRun run = test::Format("", request);
    ASSERT_TRUE(run.ok) << run.error.message;
    EXPECT_EQ(run.counts(), "0 = 0 rows + 0 dropped + 0 rejected");
    EXPECT_EQ(run.result.format, request.format);
    // A format that names its columns writes a header for an empty extract; the others write
    // nothing.
    if (std::string_view(name) == "spysocket") {
      EXPECT_THAT(run.csv, StartsWith("Date,Time,"));
    } else {
      EXPECT_EQ(run.csv, "");
    }
  }
}

TEST(Formatter, ReadsAnExtractThatWasPackedInPieces) {
  const std::string second = "09:48:01" + kGood.substr(8) + "\n";
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0xyz", 11);
  const std::string zeros(512, '\0');
  // The first piece ends in the middle of a line.
  for (const std::string& packed :
       {Gzip(kGood) + Gzip("\n") + Gzip(second), Gzip(kGood) + Gzip("\n" + second) + zeros,
        Zstd(kGood) + Zstd("\n" + second), skippable + Zstd(kGood + "\n" + second),
        skippable + Zstd(kGood) + skippable + Zstd("\n" + second) + skippable}) {
    FormatRequest request;
    request.years = YearTable::fixed(std::chrono::year(2012));
    const FormatRun run = test::Format(packed, request);
    ASSERT_TRUE(run.ok) << run.error.message;
    EXPECT_EQ(run.counts(), "2 = 2 rows + 0 dropped + 0 rejected");
  }
  const FormatRun nothing =
      test::Format(skippable, Spysocket(), {}, {.fixed_size = 0, .name = "a.log.zst"});
  EXPECT_EQ(nothing.counts(), "0 = 0 rows + 0 dropped + 0 rejected");
  EXPECT_TRUE(nothing.ok) << nothing.error.message;
}

TEST(Formatter, RefusesADamagedExtractWholeThoughItsLinesWereGood) {
  const std::string text = kGood + "\n";
  const std::string gzip = Gzip(text);
  const std::string zstd = Zstd(text);
  for (const std::string& packed :
       {gzip + "garbage", gzip + text, gzip + zstd, gzip + gzip.substr(0, 5), zstd + "garbage",
        zstd + text, zstd + gzip, gzip.substr(0, gzip.size() - 1), gzip.substr(0, gzip.size() - 7),
        gzip.substr(0, gzip.size() - 8), zstd.substr(0, zstd.size() - 1)}) {
    const FormatRun run = test::Format(packed, Spysocket());
    EXPECT_FALSE(run.ok);
    EXPECT_EQ(run.error.kind, ErrorKind::content);
    EXPECT_THAT(run.error.message, HasSubstr("data is "));
  }
}

TEST(Formatter, SkipsAByteOrderMarkButCountsItsBytes) {
  const FormatRun run = FormatAs("spysocket", "\xef\xbb\xbf" + kGood + "\n");
  EXPECT_THAT(run.offsets, ElementsAre(3));
  EXPECT_THAT(run.id_tails, ElementsAre(HasSubstr(":3d77a26d6db538205bfa79ecc8c2026f")));
}

TEST(Formatter, RemembersTheLastDateWhoseYearWasFound) {
  const std::string next_day = "00:00:01 03/10" + kDropped.substr(14);
  const FormatRun run = FormatAs("spysocket", kGood + "\n" + next_day + "\nbad\n");
  EXPECT_EQ(run.result.last_date, std::chrono::year(2012) / 3 / 10);
  EXPECT_FALSE(test::Format(kAccess + "\n", Nginx()).result.last_date);
}

TEST(Formatter, WithoutAYearNothingIsInvented) {
  FormatRequest request = Spysocket();
  request.years = YearTable();
  EXPECT_EQ(test::Format(kGood + "\n", request).counts(), "1 = 0 rows + 0 dropped + 1 rejected");
}

TEST(Formatter, LeavesIdsOutIfNobodyWantsThem) {
  const test::TempDir dir;
  auto input = Input::open(*open_file(dir.write_file("f", kGood + "\n"), O_RDONLY), {});
  const UniqueFd csv_fd = *open_file(dir.path("csv"), O_WRONLY | O_CREAT);
  Output csv(csv_fd.get());
  Output sidecar(-1);
  Rejects rejects({"", "", ""});
  const auto result = format_extract(*input, Spysocket(), {csv, sidecar, rejects});
  ASSERT_TRUE(result);
  EXPECT_EQ(sidecar.bytes(), 0U);
  EXPECT_EQ(dir.read_file("csv"), FormatAs("spysocket", kGood + "\n").csv);
}

TEST(Formatter, ReportsAnOutputThatDoesNotTake) {
  const test::TempDir dir;
  auto input = Input::open(*open_file(dir.write_file("f", kGood + "\n"), O_RDONLY), {});
  const UniqueFd full = *open_file("/dev/full", O_WRONLY);
  Output csv(full.get());
  Output sidecar(-1);
  Rejects rejects({"", "", ""});
  const auto result = format_extract(*input, Spysocket(), {csv, sidecar, rejects});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::retry);
}

// ---- identity: position

TEST(PositionIds, AreFrozen) {
  const FormatRun run = test::Format(kAccess + "\n" + kAccess + "\n", Nginx());
  EXPECT_THAT(run.id_tails,
              ElementsAre("20120309T094800Z:192.0.2.7:b42c3b3c098a48a1f7c4141640688ee5",
                          "20120309T094800Z:192.0.2.7:690daa71f57cd13207fab83f5a6678d7"));
}

TEST(PositionIds, CountFromWhatTheManifestSays) {
  FormatRequest request = Nginx();
  request.first_line = hash_bytes("another first line");
  request.log_offset = 1000;
  const FormatRun run = test::Format(kAccess + "\n" + kAccess + "\n", request);
  ASSERT_EQ(run.id_tails.size(), 2U);
  EXPECT_THAT(run.id_tails[1], HasSubstr(":f3e1cd784b21c84dfb45499373e3c943"));
  EXPECT_THAT(run.offsets, ElementsAre(0, kAccess.size() + 1)) << "of the extract, not of the log";
}

TEST(PositionIds, OfACutInTheMiddleOfALogAreThoseOfTheWholeLog) {
  const std::string line_2 = kAccess + "\n";
  const std::string log = "first line, of another kind\n" + line_2 + line_2;
  const FormatRun whole = test::Format(log, Nginx());
  FormatRequest request = Nginx();
  request.first_line = hash_bytes("first line, of another kind");
  request.log_offset = log.size() - line_2.size();
  const FormatRun part = test::Format(line_2, request);
  ASSERT_EQ(whole.id_tails.size(), 2U);
  EXPECT_THAT(part.id_tails, ElementsAre(whole.id_tails[1]));
}

TEST(PositionIds, AreTheSameHoweverTheExtractIsPackedOrCutOrEnded) {
  const std::string line_2 =
      R"(192.0.2.8 - - [09/Mar/2012:09:48:01 +0000] "GET /a HTTP/1.1" 200 5 "-" "-")";
  const std::string text = kAccess + "\n" + line_2 + "\n" + kAccess + "\n";
  const FormatRun whole = test::Format(text, Nginx());
  ASSERT_EQ(whole.id_tails.size(), 3U);
  EXPECT_EQ(test::Format(Gzip(text), Nginx()).id_tails, whole.id_tails);
  EXPECT_EQ(test::Format(Zstd(text), Nginx()).id_tails, whole.id_tails);
  EXPECT_EQ(test::Format(Gzip(text), Nginx(), {}, {.name = "other.gz"}).id_tails, whole.id_tails);
  // A transfer that was cut off, and its re-send, agree on what both have.
  const FormatRun cut = test::Format(text.substr(0, text.size() - 10), Nginx());
  EXPECT_THAT(cut.id_tails, ElementsAre(whole.id_tails[0], whole.id_tails[1]));
}

TEST(PositionIds, TakeTheFirstLineWithoutItsEnd) {
  FormatRequest request = Nginx();
  request.first_line = hash_bytes("first");
  for (const char* first : {"first\n", "first\r\n"}) {
    SCOPED_TRACE(testing::PrintToString(first));
    const FormatRun run = test::Format(first + kAccess + "\n", Nginx());
    request.log_offset = std::string_view(first).size();
    EXPECT_EQ(run.id_tails, test::Format(kAccess + "\n", request).id_tails);
  }
  const FormatRun blank = test::Format(" first\n" + kAccess + "\n", Nginx());
  request.log_offset = 7;
  EXPECT_NE(blank.id_tails, test::Format(kAccess + "\n", request).id_tails)
      << "blanks are part of the first line";
}

TEST(PositionIds, TakeAtMost64KiBOfTheFirstLineWhateverTheLimitOfLines) {
  for (const std::size_t size : {std::size_t{60'000}, std::size_t{65'535}, std::size_t{65'536},
                                 std::size_t{65'537}, std::size_t{600'000}}) {
    for (const char* end : {"\n", "\r\n"}) {
      SCOPED_TRACE(std::to_string(size) + testing::PrintToString(end));
      const std::string first = std::string(size, 'x') + end;
      FormatRequest request = Nginx();
      const std::string with_return = std::string(size, 'x') + "\r";
      // A CR counts only if it is within the 64 KiB and not the line's end.
      request.first_line = hash_bytes(std::string(std::min<std::size_t>(size, 65'536), 'x'));
      request.log_offset = first.size();
      const FormatRun expected = test::Format(kAccess + "\n", request);
      for (const std::size_t max_line : {std::size_t{300}, std::size_t{1} << 20}) {
        request = Nginx();
        request.max_line = max_line;
        EXPECT_EQ(test::Format(first + kAccess + "\n", request).id_tails, expected.id_tails);
      }
    }
  }
}

TEST(PlaceIds, StandForATimeWhereLinesHaveNone) {
  const FormatRun run = FormatAs("jsonl", "{\"a\":1}\n{\"a\":1}\n");
  const std::string first = to_hex(hash_bytes("{\"a\":1}")).substr(0, 8);
  ASSERT_EQ(run.id_tails.size(), 2U);
  EXPECT_THAT(run.id_tails[0], StartsWith(first + "-0000000000000000:-:"));
  EXPECT_THAT(run.id_tails[1], StartsWith(first + "-0000000000000008:-:"));
  EXPECT_EQ(run.result.first_time, "") << "a place is no time";
}

TEST(LineIds, AreTheSameWhereverTheLineStands) {
  const FormatRun a = FormatAs("spysocket", "bad\n" + kGood + "\n");
  const FormatRun b = FormatAs("spysocket", "  " + kGood + "\t\r\n");
  EXPECT_EQ(a.id_tails, b.id_tails);
}

// ---- detection

TEST(Detection, IsByTheFirstLines) {
  const FormatRun run = test::Format("noise\n" + kAccess + "\n", {});
  ASSERT_TRUE(run.ok) << run.error.message;
  EXPECT_EQ(run.result.format->name, "apache");
  EXPECT_EQ(run.counts(), "2 = 1 rows + 0 dropped + 1 rejected");
}

TEST(Detection, RefusesAnExtractThatNoFormatTakes) {
  const FormatRun run = test::Format("no\nsuch\nthing\n", {});
  ASSERT_FALSE(run.ok);
  EXPECT_EQ(run.error.kind, ErrorKind::content);
  EXPECT_THAT(run.error.message,
              StartsWith("no format takes any of its first 3 lines (known: apache"));
}

TEST(Detection, LooksAtCompleteLinesOnly) {
  const FormatRun run = test::Format(kAccess, {});
  ASSERT_TRUE(run.ok) << run.error.message;
  EXPECT_EQ(run.result.format, nullptr);
  EXPECT_EQ(run.counts(), "1 = 0 rows + 0 dropped + 1 rejected");
  EXPECT_EQ(run.cut, kAccess);
}

TEST(Detection, SaysThatAFirstLineIsTooLong) {
  FormatRequest request;
  request.max_line = 500;
  const FormatRun run = test::Format(std::string(600'000, 'x') + "\n" + kAccess + "\n", request);
  ASSERT_FALSE(run.ok);
  EXPECT_EQ(run.error.kind, ErrorKind::content);
  EXPECT_THAT(run.error.message, StartsWith("its first line is longer than 500 bytes"));
}

// ---- what must not bring it down

TEST(Formatter, RefusesDamagedInput) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += kGood + "\n";
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    std::string damaged = packed;
    damaged[damaged.size() - 6] ^= 0x55;
    const FormatRun run = test::Format(damaged, Spysocket());
    ASSERT_FALSE(run.ok);
    EXPECT_EQ(run.error.kind, ErrorKind::content);
    EXPECT_THAT(run.error.message, HasSubstr("data is damaged"));
    const FormatRun cut = test::Format(packed.substr(0, packed.size() / 2), Spysocket());
    ASSERT_FALSE(cut.ok);
    EXPECT_THAT(cut.error.message, HasSubstr("data is cut off"));
  }
}

TEST(Formatter, StopsWhenAsked) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += kGood + "\n";
  StopSignal stop;
  std::uint64_t seen = 0;
  const FormatMonitor monitor{[&](std::uint64_t packed_bytes) {
                                seen = packed_bytes;
                                if (packed_bytes > 1 << 20) stop.request();
                              },
                              &stop};
  const FormatRun run = test::Format(text, Spysocket(), monitor);
  ASSERT_FALSE(run.ok);
  EXPECT_EQ(run.error.kind, ErrorKind::stopped);
  EXPECT_LT(seen, text.size() / 2) << "soon, not at the end";
}

TEST(Formatter, ReportsProgressUpToTheLastByte) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += kGood + "\n";
  std::vector<std::uint64_t> reports;
  const FormatMonitor monitor{[&](std::uint64_t bytes) { reports.push_back(bytes); }, nullptr};
  ASSERT_TRUE(test::Format(text, Spysocket(), monitor).ok);
  EXPECT_GE(reports.size(), text.size() >> 20);
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_EQ(reports.back(), text.size());
}

TEST(Formatter, RefusesWhatUnpacksToTooMuch) {
  FormatRequest request = Spysocket();
  request.max_unpacked = 4 << 20;
  const FormatRun few_lines = test::Format(Gzip(std::string(64 << 20, '\n')), request);
  ASSERT_FALSE(few_lines.ok);
  EXPECT_EQ(few_lines.error.kind, ErrorKind::content);
  EXPECT_EQ(
      few_lines.error.message,
      "unpacks to more than 4194304 bytes (max_unpacked): if it is to be loaded all the same, "
      "raise max_unpacked and give it in again");
  EXPECT_FALSE(test::Format(Gzip(std::string(64 << 20, '\0')), request).ok);
  std::string text = "x";
  text.resize(4 << 20, 'x');
  text.back() = '\n';
  EXPECT_TRUE(test::Format(text, request).ok) << "just enough";
  EXPECT_FALSE(test::Format(text + "\n", request).ok) << "a byte too much";
}

TEST(Formatter, RejectsOversizedLinesAndGoesOn) {
  FormatRequest request = Spysocket();
  request.max_line = 1000;
  const std::string huge(700'000, 'x');
  const FormatRun run = test::Format(kGood + "\n" + huge + "\r\n" + kGood + "\n" + huge, request);
  EXPECT_EQ(run.counts(), "4 = 2 rows + 0 dropped + 2 rejected");
  EXPECT_TRUE(run.rejects == huge + "\r\n");
  EXPECT_TRUE(run.cut == huge);
  EXPECT_THAT(run.lines, ElementsAre(1, 3));
  const std::string at = std::to_string(kGood.size() + 1);
  EXPECT_THAT(run.reasons, HasSubstr("2," + at + ",longer than 1000 bytes\n"));
  EXPECT_THAT(run.reasons, HasSubstr("no line end (cut off?)"));
}

TEST(Formatter, ALineOfExactlyTheLimitIsNotTooLong) {
  FormatRequest request = Spysocket();
  request.max_line = kGood.size();
  EXPECT_EQ(test::Format(kGood + "\n" + kGood + " \n", request).counts(),
            "2 = 1 rows + 0 dropped + 1 rejected");
}

TEST(Formatter, TakesAFileOfZerosForOneCutLine) {
  const FormatRun run = test::Format(std::string(3 << 20, '\0'), Spysocket());
  EXPECT_EQ(run.counts(), "1 = 0 rows + 0 dropped + 1 rejected");
  EXPECT_EQ(run.cut.size(), 3U << 20);
}

TEST(Formatter, TakesAnyByteInAnyPlace) {
  constexpr unsigned kSeed = 42;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (const auto& format : ShippedFormats().all()) {
    SCOPED_TRACE(format->name);
    FormatRequest request;
    request.format = format.get();
    request.years = YearTable::fixed(std::chrono::year(2012));
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      std::string line = i % 2 == 0 ? kGood : kAccess;
      for (std::size_t n = random() % 3; n > 0; --n) {
        line[random() % line.size()] = static_cast<char>(random());
      }
      text += line + "\n";
    }
    const FormatRun run = test::Format(text, request);
    // A header that is one column, and holds what separates others, refuses a CSV; what is no entry
    // refuses an export of the journal.
    const bool may_refuse = format->reader == Reader::csv || format->reader == Reader::journal;
    EXPECT_TRUE(run.ok || (may_refuse && run.error.kind == ErrorKind::content))
        << run.error.message;
  }
}

// ---- against a model that is too simple to be wrong

enum class Fate { row, dropped, rejected };

TEST(Formatter, CountsAgreeWithATrivialModel) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::size_t max_line = seed % 2 == 0 ? 400 : 1 << 20;
    const std::pair<std::string, Fate> kinds[] = {
        {kGood, Fate::row},
        {" \t" + kGood + "\r", Fate::row},
        {kDropped, Fate::dropped},
        {"", Fate::dropped},
        {" \t\r", Fate::dropped},
        {"noise", Fate::rejected},
        {kGood + "x", Fate::rejected},
        {kGood.substr(0, kGood.size() / 2), Fate::rejected},
        {std::string(random() % 300'000 + 401, 'x'), Fate::rejected},
        {std::string("\xc3\x28"), Fate::rejected},
        {std::string("\0", 1), Fate::rejected},
    };
    std::string text = seed % 5 == 0 ? "\xef\xbb\xbf" : "";
    std::uint64_t fates[3] = {};
    std::vector<std::uint64_t> row_offsets;
    std::string rejects;
    const std::size_t lines = random() % 400;
    for (std::size_t i = 0; i < lines; ++i) {
      const auto& [line, fate] = kinds[random() % 100 < 3 ? 8 : random() % std::size(kinds)];
      ++fates[static_cast<int>(fate)];
      if (fate == Fate::row) row_offsets.push_back(text.size());
      if (fate == Fate::rejected) rejects += line + "\n";
      text += line + "\n";
    }
    const std::string cut = random() % 2 == 0 ? "" : kGood.substr(0, 1 + random() % kGood.size());
    text += cut;
    if (!cut.empty()) ++fates[static_cast<int>(Fate::rejected)];

    FormatRequest request = Spysocket();
    request.max_line = max_line;
    const std::string packed = seed % 3 == 0 ? Gzip(text) : seed % 3 == 1 ? Zstd(text) : text;
    const FormatRun run = test::Format(packed, request);
    ASSERT_TRUE(run.ok) << run.error.message;
    EXPECT_EQ(run.result.counts.lines, lines + (cut.empty() ? 0 : 1));
    EXPECT_EQ(run.result.counts.rows, fates[0]);
    EXPECT_EQ(run.result.counts.dropped, fates[1]);
    EXPECT_EQ(run.result.counts.rejected, fates[2]);
    EXPECT_EQ(run.offsets, row_offsets);
    EXPECT_TRUE(run.rejects == rejects);
    EXPECT_EQ(run.cut, cut);
    EXPECT_EQ(run.result.unpacked_bytes, text.size());
  }
}

// What was rejected can be fed again, and is rejected again, whole.
TEST(Formatter, RejectsCanBeFedAgain) {
  const FormatRun run = FormatAs("spysocket", kGood + "\nbad\r\n\n \xff\n" + kGood + "\n");
  const FormatRun again = FormatAs("spysocket", run.rejects);
  EXPECT_EQ(again.rejects, run.rejects);
  EXPECT_EQ(again.counts(), "2 = 0 rows + 0 dropped + 2 rejected");
}

// ---- golden files: tests/data/<case>/ holds `input`, `csv`, `ids`, and `reasons` if there are
// any. The case's name begins with that of its format.

TEST(GoldenFiles, AreReproduced) {
  namespace fs = std::filesystem;
  const auto read = [](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(CARAVEL_SOURCE_DIR "/tests/data")) {
    if (!fs::exists(entry.path() / "input")) continue;
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    const std::string format = name.substr(0, name.find('+'));
    const FormatRun run = FormatAs(format.c_str(), read(entry.path() / "input"));
    ASSERT_TRUE(run.ok) << run.error.message;
    std::string ids;
    for (const std::string& id : run.id_tails) ids += id + "\n";
    if (std::getenv("CARAVEL_WRITE_GOLDEN") != nullptr) {
      std::ofstream(entry.path() / "csv", std::ios::binary) << run.csv;
      std::ofstream(entry.path() / "ids", std::ios::binary) << ids;
      if (!run.reasons.empty()) std::ofstream(entry.path() / "reasons") << run.reasons;
    }
    EXPECT_EQ(run.csv, read(entry.path() / "csv"));
    EXPECT_EQ(ids, read(entry.path() / "ids"));
    EXPECT_EQ(run.reasons, read(entry.path() / "reasons"));
    ++cases;
  }
  EXPECT_GE(cases, 5);
}

}  // namespace
}  // namespace caravel::formatter
