// The format for which the project was begun, and its CSV ancestors: etc/formats/spysocket*.yaml.
#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"

namespace caravel::formatter {
namespace {

using test::FormatAs;
using test::FormatRun;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHeader =
    "Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,Adherence "
    "Valid/Invalid,Route,Direction,Stop\n";

const std::string kLocation =
    "09:48:00 03/09  V.1.2683  H.0.0  MT_LOCATION    Lat/Lon:367751738166/-76091438594 [Valid]  "
    "Adher:3 [Valid]  Odom:2668 [Valid]  DGPS:On  FOM:2";
const std::string kCrossing =
    "09:48:02 03/09  V.1.3195  H.0.0  MT_TIMEPOINTCROSSING   Time:09:48:02  Arrival  Rte:73  Dir:1 "
    " TP:339  Stop:1470  Svc:1  Blk:221  Lat/Lon:368683096359/-763270519248 [Valid]  Adher:2 "
    "[Valid]  Odom:1924 [Valid]  DGPS:On  FOM:2";

/// `line` with `part` replaced.
std::string With(std::string line, std::string_view part, std::string_view by) {
  const std::size_t at = line.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return line.replace(at, part.size(), by);
}

TEST(Spysocket, MakesTheRowsOfItsSpecification) {
  const FormatRun run = FormatAs("spysocket", kLocation + "\n" + kCrossing + "\n");
  EXPECT_EQ(run.csv,
            kHeader +
                "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,\n"
                "2012-03-09,09:48:02,V.1.3195,36.8683096359,-76.3270519248,V,2,V,73,1,1470\n");
  EXPECT_THAT(run.kinds, ElementsAre("location", "crossing"));
  EXPECT_THAT(run.lines, ElementsAre(1, 2));
  EXPECT_EQ(run.result.first_time, "20120309T094800");
  EXPECT_EQ(run.result.last_time, "20120309T094802");
  EXPECT_EQ(run.result.last_date, std::chrono::year(2012) / 3 / 9);
}

// Frozen: the digest is that of row_id_test.cc.
TEST(Spysocket, NamesARowByTimeVehicleAndLine) {
  const std::string single_blanks =
      "09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 "
      "[Valid] Odom:2668 [Valid] DGPS:On FOM:2";
  const FormatRun run =
      FormatAs("spysocket", "\t " + single_blanks + " \r\n" + single_blanks + "\n");
  EXPECT_THAT(run.id_tails,
              ElementsAre("20120309T094800:V.1.2683:3d77a26d6db538205bfa79ecc8c2026f",
                          "20120309T094800:V.1.2683:3d77a26d6db538205bfa79ecc8c2026f"));
}

TEST(Spysocket, TakesWhatItsRulesAllow) {
  const struct {
    const char* why;
    std::string line;
    const char* row;
  } cases[] = {
      {"tabs and many blanks", With(kLocation, "  V.1", "\t \tV.1"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"},
      {"any vehicle", With(kLocation, "V.1.2683", "Bus,7"),
       "2012-03-09,09:48:00,\"Bus,7\",36.7751738166,-76.091438594,V,3,V,,,"},
      {"any H", With(kLocation, "H.0.0", "?"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"},
      {"other brackets", With(kLocation, "[Valid]", "[Stale]"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,I,3,V,,,"},
      {"empty brackets", With(kLocation, "3 [Valid]", "3 []"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,I,,,"},
      {"negative adherence", With(kLocation, "Adher:3", "Adher:-12"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,-12,V,,,"},
      {"no digit is lost", With(kLocation, "367751738166", "36775173816600000000000000001"),
       "2012-03-09,09:48:00,V.1.2683,36.775173816600000000000000001,-76.091438594,V,3,V,,,"},
      {"one digit behind the point", With(kLocation, "367751738166/-76091438594", "367/-760"),
       "2012-03-09,09:48:00,V.1.2683,36.7,-76.0,V,3,V,,,"},
      {"a leap second", With(kLocation, "09:48:00", "23:59:60"),
       "2012-03-09,23:59:60,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"},
      {"a leap day", With(kLocation, "03/09", "02/29"),
       "2012-02-29,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"},
      {"no differential GPS", With(kLocation, "DGPS:On", "DGPS:Off"),
       "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    const FormatRun run = FormatAs("spysocket", c.line + "\n");
    EXPECT_THAT(run.records, ElementsAre(c.row)) << run.reasons;
  }
}

TEST(Spysocket, DropsWhatItsRulesLeaveOut) {
  for (const std::string& line : {
           With(kLocation, "367751738166/-76091438594", "0/0"),
           With(kCrossing, "368683096359/-763270519248", "0/0"),
           With(kCrossing, "Arrival", "Dwell:22"),
           With(With(kCrossing, "Arrival", "Dwell:-1"), "368683096359/-763270519248", "0/0"),
       }) {
    SCOPED_TRACE(line);
    EXPECT_EQ(FormatAs("spysocket", line + "\n").counts(), "1 = 0 rows + 1 dropped + 0 rejected");
  }
}

TEST(Spysocket, RejectsEverythingElse) {
  const struct {
    std::string line;
    const char* reason;
  } cases[] = {
      {With(kLocation, "  FOM:2", ""), "expected a blank at byte"},
      {With(kLocation, "FOM:2", "FOM:"), "expected a whole number"},
      {With(kLocation, "FOM:2", "FOM:x"), "expected a whole number"},
      {kLocation + " more", "expected the end of the line"},
      {With(kLocation, "MT_LOCATION", "MT_LOGON"), "expected \"\"MT_LOCATION\"\""},
      {With(kLocation, "MT_LOCATION", "MT_LOCATIONS"), "expected a blank"},
      {With(kLocation, "Lat/Lon:", "Pos:"), "expected \"\"Lat/Lon:\"\""},
      {With(kLocation, "09:48:00", "9:48:00"), "expected a time HH:MM:SS (Time) at byte 0"},
      {With(kLocation, "09:48:00", "24:00:00"), "expected a time HH:MM:SS (Time) at byte 0"},
      {With(kLocation, "09:48:00", "23:60:00"), "expected a time HH:MM:SS (Time) at byte 0"},
      {With(kLocation, "09:48:00", "23:00:61"), "expected a time HH:MM:SS (Time) at byte 0"},
      {With(kLocation, "03/09", "02/30"), "expected a date MM/DD that exists (Date) at byte 9"},
      {With(kLocation, "03/09", "3/9"), "expected a date MM/DD that exists (Date) at byte 9"},
      {With(kLocation, "367751738166", "36.7751"), "at byte"},
      {With(kLocation, "367751738166", "36"), "digits with an implied point (Lat)"},
      {With(kLocation, "367751738166", "0"), "digits with an implied point (Lat)"},
      {With(kLocation, "-76091438594", "0"), "digits with an implied point (Lon)"},
      {With(kLocation, "-76091438594", "+76091438594"), "digits with an implied point (Lon)"},
      {With(kLocation, "367751738166/", ""), "expected"},
      {With(kLocation, "[Valid]", "Valid"), "a word in brackets"},
      {With(kLocation, "[Valid]", "[no fix]"), "a word in brackets"},
      {With(kLocation, "Adher:3", "Adher:3.5"), "expected a blank"},
      {With(kLocation, "Adher:3", "Adher:--3"), "a whole number (Adherence)"},
      {With(kLocation, "Odom:2668 [Valid]", "Odom:2668"), "a word in brackets"},
      {With(kLocation, "DGPS:On", "DGPS:Maybe"), "one of Off, On"},
      {With(kLocation, "DGPS:On", "DGPS:Once"), "expected a blank"},
      {With(kCrossing, "Time:09:48:02", "Time:09:48"), "a time HH:MM:SS"},
      {With(kCrossing, "Arrival", "Departure"), "\"\"Arrival\"\""},
      {With(kCrossing, "Arrival", "Dwell:"), "a whole number"},
      {With(kCrossing, "Arrival", "Dwell:2s"), "expected a blank"},
      {With(kCrossing, "Rte:73  ", ""), "\"\"Rte:\"\""},
      {With(kCrossing, "Stop:1470", "Stop:x"), "a whole number (Stop)"},
      {With(kCrossing, "  Svc:1", ""), "\"\"Svc:\"\""},
      {"V.1.\xff", "not valid UTF-8"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    const FormatRun run = FormatAs("spysocket", c.line + "\n");
    EXPECT_EQ(run.counts(), "1 = 0 rows + 0 dropped + 1 rejected");
    EXPECT_EQ(run.rejects, c.line + "\n");
    EXPECT_THAT(run.reasons, HasSubstr(c.reason));
    EXPECT_THAT(run.id_tails, IsEmpty());
  }
}

// Wherever a transfer stops, the cut line never becomes a row.
TEST(Spysocket, ACutLineIsNeverARow) {
  for (const std::string& line : {kLocation, kCrossing}) {
    for (std::size_t size = 1; size <= line.size(); ++size) {
      SCOPED_TRACE(size);
      const FormatRun run = FormatAs("spysocket", line + "\n" + line.substr(0, size));
      ASSERT_EQ(run.counts(), "2 = 1 rows + 0 dropped + 1 rejected");
      ASSERT_EQ(run.cut, line.substr(0, size));
      ASSERT_EQ(run.rejects, "");
      ASSERT_THAT(run.reasons, HasSubstr(",no line end (cut off?)\n"));
    }
  }
}

TEST(SpysocketCsv, EveryShapeEndsInTheSameRows) {
  const struct {
    const char* format;
    std::string header;
  } shapes[] = {
      {"spysocket-v2.1",
       "Time,Date,RID,Lat/Lon,Location Valid/Invalid,Adherence,Adherence "
       "Valid/Invalid[,Route,Direction,StopID]"},
      {"spysocket-v2.1",
       "Time,Date,RID,Lat/Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid"},
      {"spysocket-v2.2",
       "Time,Date,Vehicle,Lat/Lon,Location Valid/Invalid,Adherence,Adherence "
       "Valid/Invalid,Route,Direction,Stop"},
      {"spysocket-v2.2",
       "Time,Date,Vehicle,Lat/Lon,Location Valid/Invalid,Adherence,Adherence "
       "Valid/Invalid[,Route,Direction,Stop]"},
  };
  const std::string body =
      "07:00:38,02/28,3247,368147270/-762487811,V,-1,V\n"
      "07:00:41,02/28,2109,368099480/-763510804,V,-1,V,28,1,30\n"
      "07:00:42,02/28,2109,0/0,I,-1,V,28,1,30\n"
      "07:00:43,02/28,2109,0/0,I,-1,I\n"
      "07:00:44,02/28,,368099480/-763510804,V,-1,V\n"
      "07:00:45,02/28,1,368099480/-763510804,X,-1,V\n"
      "07:00:46,02/28,1,368099480/-763510804,V,-1,V,28,1\n";
  for (const auto& shape : shapes) {
    SCOPED_TRACE(shape.header);
    const FormatRun run = FormatAs(shape.format, shape.header + "\n" + body);
    EXPECT_EQ(run.csv, kHeader +
                           "2012-02-28,07:00:38,3247,36.8147270,-76.2487811,V,-1,V,,,\n"
                           "2012-02-28,07:00:41,2109,36.8099480,-76.3510804,V,-1,V,28,1,30\n");
    EXPECT_EQ(run.counts(), "8 = 2 rows + 3 dropped + 3 rejected") << run.reasons;
  }
}

// The output is one of the input formats: what goes in comes out.
TEST(SpysocketCsv, V3IsTheOutputItself) {
  const std::string csv =
      kHeader +
      "2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,3,V,,,\n"
      "2012-03-09,09:48:02,\"V,1\"\"x\"\"\",36.8683096359,-76.3270519248,I,-2,V,73,1,1470\n";
  const FormatRun run = FormatAs("spysocket-v3", csv);
  EXPECT_EQ(run.csv, csv);
  EXPECT_EQ(run.counts(), "3 = 2 rows + 1 dropped + 0 rejected");
  EXPECT_THAT(run.id_tails[1], testing::StartsWith("20120309T094802:V%2C1%22x%22:"));
  const FormatRun bad = FormatAs(
      "spysocket-v3",
      "2012-03-09,09:48:00,x,0,0,V,3,V,,,\n2012-03-09,09:48:00,x,136.7,-76.0,V,3,V,,,\n"
      "2012-03-09,09:48:00,two words,36.7,-76.0,V,3,V,,,\n"
      "2013-02-29,09:48:00,x,36.7,-76.0,V,3,V,,,\n2012-03-09,09:48:00,x,36.,-76.0,V,3,V,,,\n");
  EXPECT_EQ(bad.counts(), "5 = 0 rows + 1 dropped + 4 rejected");
}

}  // namespace
}  // namespace caravel::formatter
