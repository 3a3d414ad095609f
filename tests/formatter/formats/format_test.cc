#include "formatter/formats/format.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"
#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

std::string ErrorOf(const std::string& yaml) {
  const auto format = test::CompileYaml(yaml);
  if (format) return "(no error)";
  EXPECT_EQ(format.error().kind, ErrorKind::usage);
  return format.error().message;
}

constexpr const char* kSmall = R"(format: small
about: a small one
time: [Day, Time]
key: Who
columns: [Day, Time, Who, Speed, Note]
kinds:
  - kind: report
    line: "{Day:date} {Time:time} {Who:word} {Speed:int}"
    set: {Note: "a, b"}
  - kind: noise
    action: drop
    line: "{date} {time} noise"
)";

/// kSmall with one part replaced.
std::string Small(std::string_view part, std::string_view by) {
  std::string yaml = kSmall;
  const std::size_t at = yaml.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return yaml.replace(at, part.size(), by);
}

TEST(CompileFormat, GathersWhatTheFileSays) {
  const auto format = test::CompileYaml(kSmall);
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->name, "small");
  EXPECT_EQ(format->about, "a small one");
  EXPECT_EQ(format->file, "f.yaml");
  EXPECT_EQ(format->reader, Reader::pattern);
  EXPECT_EQ(format->identity, Identity::line);
  EXPECT_TRUE(format->detect);
  EXPECT_FALSE(format->needs_year());
  EXPECT_THAT(format->kind_names(), ElementsAre("report", "noise"));
  EXPECT_THAT(format->columns,
              ElementsAre(Column{"Day", ColumnType::text}, Column{"Time", ColumnType::text},
                          Column{"Who", ColumnType::text}, Column{"Speed", ColumnType::number},
                          Column{"Note", ColumnType::text}));
  ASSERT_THAT(format->kinds, SizeIs(2));
  const Kind& report = format->kinds[0];
  EXPECT_TRUE(report.keep);
  EXPECT_EQ(report.key, 2);
  EXPECT_EQ(report.time.source, TimeRule::Source::date_time);
  EXPECT_EQ(report.columns[4].emit, Emit::constant);
  EXPECT_EQ(report.columns[4].constant, "\"a, b\"") << "ready for CSV";
  EXPECT_FALSE(format->kinds[1].keep);
  EXPECT_EQ(format->kinds[1].shared, 2U) << "date and time";
}

TEST(CompileFormat, ErrorsNameFileLineAndKey) {
  const struct {
    const char* why;
    std::string yaml;
    const char* message;
  } cases[] = {
      {"broken YAML", "format: [", "f.yaml:1: "},
      {"not a map", "just text", "f.yaml:1: must be a map of keys"},
      {"misspelt key", Small("about:", "abuot:"),
       "f.yaml:2: abuot: unknown key; did you mean 'about'?"},
      {"key twice", Small("about:", "format:"), "f.yaml:2: format: given twice"},
      {"no name", Small("format: small\n", ""), "f.yaml:1: format: must be a single value"},
      {"taken name", Small("format: small", "format: auto"),
       "f.yaml:1: format: this name is taken"},
      {"empty name", Small("format: small", "format: ''"), "f.yaml:1: format: "},
      {"about is a list", Small("about: a small one", "about: [a]"),
       "f.yaml:2: about: must be a single value"},
      {"identity", Small("about: a small one", "identity: lines"),
       "f.yaml:2: identity: 'lines' is not one of line, position"},
      {"detect", Small("about: a small one", "detect: perhaps"), "f.yaml:2: detect: "},
      {"reader", Small("about: a small one", "reader: xml"),
       "f.yaml:2: reader: 'xml' is not one of pattern, csv, jsonl"},
      {"blanks", Small("about: a small one", "blanks: some"),
       "f.yaml:2: blanks: 'some' is not one of any, exact"},
      {"no columns", Small("columns: [Day, Time, Who, Speed, Note]", "columns: []"),
       "f.yaml:5: columns: must name at least one column"},
      {"columns are text", Small("columns: [Day, Time, Who, Speed, Note]", "columns: Day"),
       "f.yaml:5: columns: must be a list"},
      {"column twice", Small("Speed, Note]", "Speed, Note, Day]"),
       "f.yaml:5: columns: the column 'Day' stands twice"},
      {"column without a name", Small("Speed, Note]", "Speed, Note, '']"),
       "f.yaml:5: columns: a column without a name"},
      {"column without a value", Small("Speed, Note]", "Speed, Note, Extra]"),
       "f.yaml:5: columns: no kind has a value for the column 'Extra'"},
      {"no time", Small("time: [Day, Time]\n", ""),
       "f.yaml:1: a format without `time` must say `identity: position`"},
      {"time of four", Small("[Day, Time]", "[Day, Time, Who, Speed]"),
       "f.yaml:3: time: names one to three captures"},
      {"time of none", Small("[Day, Time]", "[]"), "f.yaml:3: time: names one to three captures"},
      {"time without a name", Small("[Day, Time]", "['', Time]"),
       "f.yaml:3: time: names one to three captures"},
      {"time the wrong way round", Small("[Day, Time]", "[Time, Day]"),
       "f.yaml:3: time: must name a date, a time and perhaps an offset, in this order"},
      {"time of one capture that is none", Small("[Day, Time]", "Day"),
       "f.yaml:3: time: one capture must be a timestamp or an epoch"},
      {"time that nobody captures", Small("[Day, Time]", "[Day, Tiem]"),
       "f.yaml:8: kinds[0].line: captures no 'Tiem', named in time"},
      {"key that nobody captures", Small("key: Who", "key: Whom"),
       "f.yaml:8: kinds[0].line: captures no 'Whom', the format's key"},
      {"key without a name", Small("key: Who", "key: ''"), "f.yaml:4: key: must name a capture"},
      {"kinds are no list", Small("kinds:", "kinds: 3 #"), "f.yaml:"},
      {"misspelt key of a kind", Small("action: drop", "acton: drop"),
       "f.yaml:11: kinds[1].acton: unknown key; did you mean 'action'?"},
      {"action", Small("action: drop", "action: dorp"),
       "f.yaml:11: kinds[1].action: 'dorp' is not one of keep, drop"},
      {"kind without name", Small("kind: noise", "kind:"),
       "f.yaml:10: kinds[1].kind: must be a single value"},
      {"kind without line", Small("    line: \"{date} {time} noise\"\n", ""),
       "kinds[1].line: must be a single value"},
      {"bad pattern", Small("{Speed:int}", "{Speed:implide}"),
       "f.yaml:8: kinds[0].line: unknown type 'implide'; did you mean 'implied'?"},
      {"misspelt capture", Small("{Speed:int}", "{Sped:int}"),
       "f.yaml:8: kinds[0].line: 'Sped' is no column, key or time; did you mean 'Speed'?"},
      {"capture for nothing", Small("{Speed:int}", "{Temperature:int}"),
       "'Temperature' is no column, key or time (leave the name out to check a value only)"},
      {"set of no column", Small("set: {Note:", "set: {Noted:"),
       "f.yaml:9: kinds[0].set.Noted: unknown key; did you mean 'Note'?"},
      {"set of a captured column", Small("set: {Note: \"a, b\"}", "set: {Note: x, Speed: 5}"),
       "f.yaml:9: kinds[0].set.Speed: is captured by the line already"},
      {"set is a list", Small("set: {Note: \"a, b\"}", "set: [Note]"),
       "f.yaml:9: kinds[0].set: must be a map"},
      {"set to a list", Small("\"a, b\"", "[a]"),
       "f.yaml:9: kinds[0].set.Note: must be a single value"},
      {"set of a dropped line", std::string(kSmall) + "    set: {Note: x}\n",
       "f.yaml:13: kinds[1].set: a dropped line has no columns"},
      {"kinds of a reader", "format: x\nreader: csv\nidentity: position\nkinds: []\n",
       "f.yaml:4: kinds: belongs to `reader: pattern` only"},
      {"a reader's column twice", "format: x\nreader: csv\nidentity: position\ncolumns: [a, a]\n",
       "f.yaml:4: columns: the column 'a' stands twice"},
      {"a time that is none of the columns", "format: x\nreader: csv\ntime: b\ncolumns: [a]\n",
       "f.yaml:3: time: 'b' is none of the columns"},
      {"reader without time", "format: x\nreader: jsonl\n",
       "f.yaml:1: a format without `time` must say `identity: position`"},
      {"reader with four times", "format: x\nreader: csv\ntime: [a, b, c, d]\n",
       "f.yaml:3: time: names one to three columns"},
      {"reader with two keys", "format: x\nreader: csv\ntime: a\nkey: [a, b]\n",
       "f.yaml:4: key: must be a single value"},
      {"a column's name is no UTF-8", Small("Note]", "\"N\xff\"]"), "f.yaml:"},
  };
  ASSERT_EQ(ErrorOf(kSmall), "(no error)");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_THAT(ErrorOf(c.yaml), HasSubstr(c.message));
  }
}

TEST(CompileFormat, TakesEveryWayToTellTime) {
  const struct {
    const char* time;
    const char* line;
    TimeRule::Source source;
  } cases[] = {
      {"T", "{T:timestamp} {V:int}", TimeRule::Source::timestamp},
      {"[T]", "{T:timestamp} {V:int}", TimeRule::Source::timestamp},
      {"T", "{T:epoch} {V:int}", TimeRule::Source::epoch_seconds},
      {"T", "{T:epoch(ms)} {V:int}", TimeRule::Source::epoch_milliseconds},
      {"[D, T]", "{D:date} {T:time(fraction)} {V:int}", TimeRule::Source::date_time},
      {"[D, T]", "{D:month-day} {T:time} {V:int}", TimeRule::Source::date_time},
      {"[D, T, O]", "{D:date(%d/%b/%Y)}:{T:time} {O:offset} {V:int}", TimeRule::Source::date_time},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    const auto format =
        test::CompileYaml("format: x\ntime: " + std::string(c.time) +
                          "\ncolumns: [V]\nkinds: [{kind: k, line: \"" + c.line + "\"}]\n");
    ASSERT_TRUE(format) << format.error().message;
    EXPECT_EQ(format->kinds[0].time.source, c.source);
    EXPECT_EQ(format->needs_year(),
              std::string_view(c.line).find("month-day") != std::string::npos);
  }
}

TEST(CompileFormat, GivesAColumnOneTypeForAllKinds) {
  const auto format = test::CompileYaml(R"(format: x
identity: position
columns: [A, B, C, D]
kinds:
  - {kind: one, line: "1 {A:int} {B:int} {C:decimal}"}
  - {kind: two, line: "2 {A:int} {B:word}", set: {D: "7"}}
)");
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->columns[0].type, ColumnType::number);
  EXPECT_EQ(format->columns[1].type, ColumnType::text) << "a word in one of the kinds";
  EXPECT_EQ(format->columns[2].type, ColumnType::number) << "missing in one of the kinds";
  EXPECT_EQ(format->columns[3].type, ColumnType::text);
}

class FormatFolderTest : public testing::Test {
 protected:
  test::TempDir dir_;
};

TEST_F(FormatFolderTest, LoadsEveryYamlFileInTheOrderOfNames) {
  dir_.write_file("b.yaml", "format: second\nreader: csv\nidentity: position\n");
  dir_.write_file("a.yaml", kSmall);
  dir_.write_file("README", "not a format");
  dir_.write_file("b.yaml~", "not a format");
  dir_.write_file(".#a.yaml", "not a format");
  dir_.write_file("about-to-be.yaml", "");
  const auto set = FormatSet::load({dir_.path()});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_THAT(set->names(), ElementsAre("small", "second"));
  ASSERT_NE(set->find("second"), nullptr);
  EXPECT_EQ(set->find("second")->file, dir_.path("b.yaml"));
  EXPECT_EQ(set->find("third"), nullptr);
}

TEST_F(FormatFolderTest, LetsALaterFolderReplaceAFormat) {
  const std::string shipped = dir_.make_dir("shipped");
  const std::string own = dir_.make_dir("own");
  dir_.write_file("shipped/s.yaml", kSmall);
  dir_.write_file("own/mine.yaml", Small("about: a small one", "about: mine"));
  const auto set = FormatSet::load({shipped, own});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_THAT(set->names(), ElementsAre("small"));
  EXPECT_EQ(set->find("small")->about, "mine");
}

TEST_F(FormatFolderTest, NamesTheFileThatIsWrong) {
  dir_.write_file("bad.yaml", Small("about:", "abuot:"));
  const auto set = FormatSet::load({dir_.path()});
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, StartsWith(dir_.path("bad.yaml") + ":2:1: abuot: "));
}

TEST_F(FormatFolderTest, ShowsWhichPartOfAPatternIsWrong) {
  const struct {
    const char* why;
    std::string yaml;
    const char* piece;  // what stands above the carets
  } cases[] = {
      {"unknown type", Small("{Speed:int}", "{Speed:implide}"), "{Speed:implide}"},
      {"misspelt name", Small("{Speed:int}", "{Sped:int}"), "Sped"},
      {"captured twice", Small("{Speed:int}", "{Who:int}"), "{Who:int}"},
      {"not closed", Small("{Speed:int}", "{Speed:int"), "{Speed:int"},
      {"a bad argument", Small("{Speed:int}", "{Speed:decimal(x)}"), "{Speed:decimal(x)}"},
      {"no end", Small("{Who:word} {Speed:int}", "{Who:word}{Speed:int}"), "{Who:word}"},
      {"on a line of its own",
       Small("line: \"{date} {time} noise\"", "line: >-\n      {date} {tiem} noise"), "{tiem}"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    dir_.write_file("bad.yaml", c.yaml);
    const auto set = FormatSet::load({dir_.path()});
    ASSERT_FALSE(set);
    const std::string& message = set.error().message;
    const std::size_t second = message.find('\n') + 1;
    const std::size_t third = message.find('\n', second) + 1;
    ASSERT_GT(third, second) << message;
    const std::size_t caret = message.find('^', third);
    ASSERT_NE(caret, std::string::npos) << message;
    EXPECT_EQ(message.substr(second + caret - third, message.size() - caret), c.piece) << message;
  }
}

TEST_F(FormatFolderTest, MustExist) {
  const auto set = FormatSet::load({dir_.path("nowhere")});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, ErrorKind::usage);
  EXPECT_THAT(set.error().message, HasSubstr("nowhere"));
}

TEST_F(FormatFolderTest, SuggestsTheNearestName) {
  FormatSet set;
  set.add(*test::CompileYaml(kSmall));
  EXPECT_EQ(set.unknown_name_message("smal"),
            "unknown format 'smal'; did you mean 'small'? Known: small");
  EXPECT_EQ(set.unknown_name_message("something-else"),
            "unknown format 'something-else'; known: small");
}

TEST(ShippedFormats, AllLoad) {
  const auto set = FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_THAT(set->names(), testing::IsSupersetOf({"apache",
                                                   "apache-combined",
                                                   "apache-common",
                                                   "apache-private",
                                                   "bunyan",
                                                   "caddy",
                                                   "collectd",
                                                   "collectd-putval",
                                                   "csv",
                                                   "gtfs",
                                                   "journald",
                                                   "jsonl",
                                                   "log4j",
                                                   "logfmt",
                                                   "nginx",
                                                   "nginx-private",
                                                   "nginx-timed",
                                                   "pino",
                                                   "postgresql",
                                                   "python",
                                                   "python-basic",
                                                   "spysocket",
                                                   "spysocket-v2.1",
                                                   "spysocket-v2.2",
                                                   "spysocket-v3",
                                                   "syslog",
                                                   "syslog-5424",
                                                   "syslog-iso",
                                                   "tsv",
                                                   "w3c"}));
  std::vector<std::string> found_by_their_lines;
  for (const auto& format : set->all()) {
    SCOPED_TRACE(format->name);
    if (format->detect) found_by_their_lines.push_back(format->name);
    EXPECT_FALSE(format->about.empty());
    EXPECT_THAT(format->file, testing::EndsWith("/" + format->name + ".yaml"));
  }
  EXPECT_TRUE(set->find("spysocket")->needs_year());
  EXPECT_FALSE(set->find("spysocket-v3")->needs_year());
  // A shipped format comes before a user's, which loses the lines that both take. So one that is
  // new must not be found: feeds with `format: auto` would get other columns.
  EXPECT_THAT(found_by_their_lines,
              testing::UnorderedElementsAre("apache", "jsonl", "nginx", "spysocket",
                                            "spysocket-v2.1", "spysocket-v2.2", "spysocket-v3"));
}

}  // namespace
}  // namespace caravel::formatter
