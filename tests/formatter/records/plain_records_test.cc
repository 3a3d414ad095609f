// Lines that are taken at a glance become the rows that the thorough way makes of them.
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/records/json_object.h"
#include "tests/formatter/format_run.h"
#include "tests/formatter/plain_lines.h"

namespace caravel::formatter {
namespace {

using test::ComparePlainLines;
using test::PlainLines;

Format PlainFormat(const std::string& keys) {
  auto format = test::CompileYaml("format: f\n" + keys + "\n");
  if (!format) throw std::runtime_error(format.error().message);
  return std::move(*format);
}

/// Lines like `samples`, with pieces put in, left out and exchanged.
std::string Mutated(const std::vector<std::string>& samples, const std::string& pieces,
                    std::mt19937& random, int lines) {
  const auto below = [&](std::size_t n) { return random() % n; };
  std::string text;
  for (int i = 0; i < lines; ++i) {
    std::string line = samples[below(samples.size())];
    for (std::size_t changes = below(4); changes > 0; --changes) {
      const std::size_t at = below(line.size() + 1);
      const std::string piece(1, pieces[below(pieces.size())]);
      switch (below(4)) {
        case 0:
          line.insert(at, piece);
          break;
        case 1:
          line.replace(at, std::min<std::size_t>(1, line.size() - at), piece);
          break;
        case 2:
          line.erase(at, below(3));
          break;
        default: {
          // A piece of another line: fields and members twice, quotes at odd places.
          const std::string& other = samples[below(samples.size())];
          line.insert(at, other.substr(below(other.size() + 1), below(12)));
          break;
        }
      }
    }
    text += line + (below(8) == 0 ? "\r\n" : "\n");
  }
  return text;
}

/// The shares are of all lines that become rows: a test of lines that are never plain shows
/// nothing.
void ExpectSameRows(const std::string& keys, const std::string& first,
                    const std::vector<std::string>& samples, const std::string& pieces,
                    std::size_t least_plain) {
  const Format format = PlainFormat(keys);
  std::mt19937 random(17);
  std::size_t plain = 0;
  for (int turn = 0; turn < 40; ++turn) {
    const std::string text = first + Mutated(samples, pieces, random, 250);
    const RecordStart start{{}, YearTable::fixed(std::chrono::year(2012)), true};
    const PlainLines found = ComparePlainLines(format, text, start);
    ASSERT_EQ(found.difference, "") << keys;
    plain += found.plain;
  }
  EXPECT_GE(plain, least_plain) << keys;
}

const std::vector<std::string> kCsvLines = {
    "2012-03-09T09:48:00Z,17,-3.5,warm and dry,on,",
    "2012-03-09T09:48:01Z,18,0.25,\"warm, dry\",\"\",x",
    "2012-03-09T09:48:02Z,\"19\",,\"say \"\"no\"\" twice\",off,\"plain\"",
    "time,id,value,note,state,more",
    " note , ID,Value,time,state,more",
    "id,id,id,id,id,id",
    "\"2012-03-09T09:48:03Z\",\"20\",\"1\",\"2\",\"3\",\"4\"",
    "2012-03-09T09:48:04Z,\xc3\xa9,t\xc3\xbcr,a long text that goes on behind the sixty-fourth "
    "byte of its line, and then \"quotes\",,",
    "2012-03-09T09:48:05Z,21,5,\"a long text, which goes on behind the sixty-fourth byte of its "
    "line, and then \"\"quotes\"\" and an end, at last\",on,6",
    ",,,,,",
};
const std::string kCsvPieces = ",\"';|\t \r\n0aitTI.-=";

TEST(PlainRecords, AreTheRowsOfCsvInItsDialects) {
  const std::string header = "time,id,value,note,state,more\n";
  const std::string identity = "reader: csv\nidentity: position\n";
  ExpectSameRows(identity, header, kCsvLines, kCsvPieces, 1500);
  ExpectSameRows(identity + "time: time\nkey: id", header, kCsvLines, kCsvPieces, 400);
  ExpectSameRows(identity + "columns: [time, id, value, note, state, more]", "", kCsvLines,
                 kCsvPieces, 1500);
  ExpectSameRows(identity + "columns: [time, id, value, note, state, more]\nheader: false", "",
                 kCsvLines, kCsvPieces, 1500);
  ExpectSameRows(identity + "columns: [id, time, value]\ncolumns_extra: more", header, kCsvLines,
                 kCsvPieces, 0);
  ExpectSameRows(identity + "decimal: comma", header, kCsvLines, kCsvPieces, 0);
  ExpectSameRows(identity + "quote: none", header, kCsvLines, kCsvPieces, 0);
  ExpectSameRows(identity + "quote: \"'\"", header, kCsvLines, kCsvPieces, 400);
  ExpectSameRows(identity, "sep=,\n" + header, kCsvLines, kCsvPieces, 1500);
}

TEST(PlainRecords, AreTheRowsOfCsvWithOtherSeparators) {
  for (const char separator : {';', '|', '\t'}) {
    std::string header = "time,id,value,note,state,more\n";
    std::vector<std::string> lines = kCsvLines;
    for (std::string& line : lines) std::replace(line.begin(), line.end(), ',', separator);
    std::replace(header.begin(), header.end(), ',', separator);
    const std::string name = separator == '\t' ? "tab" : std::string{'"', separator, '"'};
    const std::string keys = "reader: csv\nidentity: position\nseparator: " + name;
    ExpectSameRows(keys, header, lines, kCsvPieces, 250);
    ExpectSameRows(keys + "\nquote: none", header, lines, kCsvPieces, 250);
    ExpectSameRows(keys + "\ndecimal: comma", header, lines, kCsvPieces, 0);
  }
}

TEST(PlainRecords, AreTheRowsOfCsvWithOddHeaders) {
  const std::vector<std::string> lines = {"a", "A ", "1", "\"a\"", "b", "\"1\"", "aa", ""};
  ExpectSameRows("reader: csv\nidentity: position", "a\n", lines, "a\"b, 1", 1000);
  ExpectSameRows("reader: csv\nidentity: position", ",a,b\n",
                 {"1,a,b", ",a,b", ",,", ",1,2", "\"\",\"A\",\" b\"", "1,2,3", "ab,ba,aa"},
                 ",ab\" 1", 1000);
}

const std::vector<std::string> kObjects = {
    R"({"ts":"2012-03-09T09:48:00Z","id":7,"on":true,"note":"warm, dry","n":1.50})",
    R"({"id":8,"ts":1331286481,"door":{"n":1.50,"s":"a b","l":[1,2,{"x":null}]},"n":-0})",
    R"( { "ts" : "2012-03-09 09:48:02" , "id" : "9" , "on" : null , "note" : "" } )",
    R"({"ts":"2012-03-09T09:48:03.25+01:00","id":"x","note":"a \"b\" \\ \/ \n \u00e9 \u2028","n":1e400})",
    R"({"ts":"1331286484","note":"true","on":"12","n":"-1.5e3","id":"null ","extra":"[1]","more":"\"q\""})",
    R"({"ts":1331286485.5,"note":"\ud83d\ude00","on":[],"n":{},"id":"{}","x":"\u0000","y":"\u001b[1m"})",
    R"({"ts":"2012-03-09T09:48:06Z","deep":[[[[[[[[]]]]]]]],"a\u0062":1,"":2,"id":01})",
    R"({"ts":"2012-03-09T09:48:07Z","id":1e5,"on":false,"note":"10.0.0.1","n":"1.","x":"tru","y":"nul"})",
    R"({"ts":"2012-03-09T09:48:08Z","id":"1e400","on":" 1","note":"1 ","n":"-","x":"a text that goes on for long, behind sixteen bytes and thirty-two"})",
    R"({"ts":{"$date":"2012-03-09T09:48:09Z"},"id":1})",
    R"({})",
    R"({"t\u00fcr":1,"tür":2,"ts":"2012-03-09T09:48:10Z"})",
};
const std::string kJsonPieces = "{}[]\",:\\u0123eE+-. \ttfn/\r\x01";

TEST(PlainRecords, AreTheRowsOfJson) {
  const std::string first = kObjects.front() + "\n";
  const std::string identity = "reader: jsonl\nidentity: position\n";
  ExpectSameRows(identity, first, kObjects, kJsonPieces, 2500);
  ExpectSameRows(identity + "time: ts\nkey: id", first, kObjects, kJsonPieces, 1500);
  ExpectSameRows(identity + "time: ts.$date\nkey: id", kObjects[9] + "\n", kObjects, kJsonPieces,
                 0);
  ExpectSameRows(identity + "columns: [id, ts, n]\ntime: ts\nkey: id", "", kObjects, kJsonPieces,
                 1500);
}

// What a text reads as without its quotes decides whether it keeps them.
TEST(PlainRecords, KeepQuotesWhereAParserWouldReadAValue) {
  std::vector<std::string> texts = {"true",
                                    "true ",
                                    " true",
                                    "\ttrue",
                                    "truer",
                                    "1",
                                    "-1",
                                    "01",
                                    "1.",
                                    "1.5",
                                    "1e5",
                                    "1e400",
                                    "1e",
                                    "-",
                                    "--1",
                                    "1 2",
                                    "1\r\n",
                                    "{}",
                                    "{",
                                    "\"a\"",
                                    "null",
                                    "nul",
                                    "false",
                                    "[1,2]",
                                    "[1,",
                                    "\xef\xbb\xbf"
                                    "1",
                                    "123456789012345678901234567890",
                                    "0.0.0.1",
                                    "2012-03-09"};
  for (const std::string& text : texts) {
    EXPECT_EQ(reads_as_json(text), nlohmann::json::accept(text)) << text;
  }
  std::mt19937 random(3);
  constexpr std::string_view kBytes = "0123.-+eE \t\r\ntruefalsn{}[]\",:x";
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (std::size_t size = 1 + random() % 6; size > 0; --size) {
      text += kBytes[random() % kBytes.size()];
    }
    ASSERT_EQ(reads_as_json(text), nlohmann::json::accept(text)) << text;
  }
}

// The masks are the same on every processor.
TEST(ByteMasks, AreExact) {
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    char bytes[16];
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? ',' + random() % 2 : random());
    std::uint32_t commas = 0;
    std::uint32_t control = 0;
    for (unsigned at = 0; at < 16; ++at) {
      commas |= static_cast<std::uint32_t>(bytes[at] == ',') << at;
      control |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]) < ' ') << at;
    }
    ASSERT_EQ(SixteenBytes(bytes).equal(','), commas);
    ASSERT_EQ(PortableSixteenBytes(bytes).equal(','), commas);
    ASSERT_EQ(SixteenBytes(bytes).control(), control);
    ASSERT_EQ(PortableSixteenBytes(bytes).control(), control);
  }
}

// The formatter around it: what stands near a plain line must not change what it is.
TEST(PlainRecords, NeedNoAsciiAndNoTidyNeighbours) {
  const std::string row = "1,x,\"y, z\"\n";
  const auto run =
      test::FormatAs("csv", "a,b,c\n" + row + "2,\xff,3\n" + row + "3,t\xc3\xbcr,\r\n" +
                                "4,\"open\n" + row + std::string("5,\0,6\n", 6) + row + "6,7,8");
  EXPECT_EQ(run.csv, "a,b,c\n" + row + row + "3,t\xc3\xbcr,\n" + row + row);
  EXPECT_EQ(run.counts(), "10 = 5 rows + 1 dropped + 4 rejected");
}

}  // namespace
}  // namespace caravel::formatter
