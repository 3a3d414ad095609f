// Formats that are suggested for logs of all kinds: they load, take the log, and take what comes
// later in the same log.
#include "formatter/suggest/suggest.h"

#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"
#include "tests/formatter/suggest/log_lines.h"

namespace caravel::formatter {
namespace {

using test::LineMaker;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::size_t kLines = 240;

struct LogCase {
  const char* name;
  std::vector<std::string> templates;
  const char* head;        // lines before those of the templates
  const char* time;        // the key `time`
  const char* first_time;  // of the first row
  const char* part;        // something that the suggestion must say
};

const std::vector<LogCase>& Cases() {
  static const std::vector<LogCase> cases = {
      {"access combined",
       {R"({ip} - - [{t:%d/%b/%Y:%T} +0100] "GET / HTTP/1.1" 200 {n:1-9999} "-" "curl/7.88.1")",
        R"({ip} - {p:ann|bob} [{t:%d/%b/%Y:%T} +0100] "POST /a?b=c HTTP/1.1" 404 - "http://x/" "-")"},
       "",
       "[Date, Time, Zone]",
       "20240309T084800Z",
       "{Request:quoted} {Status:int} {Bytes:int} {Referer:quoted} {Agent:quoted}"},
      {"access common",
       {R"({ip} - - [{t:%d/%b/%Y:%T} +0000] "GET /{n:1-99} HTTP/1.0" {p:200|404} {n:1-9999})"},
       "",
       "[Date, Time, Zone]",
       "20240309T094800Z",
       "key: Client"},
      {"nginx error",
       {"{t:%Y/%m/%d %T} [{p:error|warn}] {n:100-999}#{n:100-999}: *{n:1-99} open() \"/x/{n:1-9}\" "
        "failed (2: No such file or directory), client: {ip}, server: _",
        "{t:%Y/%m/%d %T} [error] 17#17: *{n:1-99} connect() failed ({n:1-99}: Connection refused)"},
       "",
       "[Date, Time]",
       "20240309T094800",
       "{Client:ip}, server: _"},
      {"syslog with ISO stamps",
       {"{t:%FT%T}.{n:100-999}+01:00 gate sshd[{n:1-9999}]: {p:Accepted|Failed} {p:key|password} "
        "for {p:root|bob|ann} {p:from here|now|at the gate it was|with x=y and z}",
        "{t:%FT%T}.{n:100-999}+01:00 gate kernel: {p:eth0|eth1}: link is {p:up|down|up and so on}",
        "{t:%FT%T}.{n:100-999}+01:00 gate CRON[{n:1-9999}]: {p:(root) CMD|reload 17|a 1 b 2 c "
        "3|x}"},
       "",
       "At",
       nullptr,
       "{Host:word} {Program:word}[{Pid:int}]: {Message:rest}"},
      {"dpkg",
       {"{t:%F %T} startup archives unpack",
        "{t:%F %T} status {p:installed|unpacked|half-configured} lib{p:c6|z1|x9}:amd64 "
        "2.{n:1-99}-9",
        "{t:%F %T} install {p:man-db|perl|dash|bash}:all <none> 1:1.{n:1-99}",
        "{t:%F %T} configure {p:man-db|perl|dash|bash}:all 12.{n:1-9}-1 <none>"},
       "",
       "At",
       "20240309T094800",
       "install {Install:word} <none>"},
      {"postgres",
       {"{t:%F %T.%L} UTC [{n:100-999}] LOG:  checkpoint {p:starting: time|complete: wrote 17}",
        "{t:%F %T.%L} UTC [{n:100-999}] ERROR:  relation \"{p:a|b}\" does not exist",
        "{t:%F %T.%L} UTC [{n:100-999}] FATAL:  password authentication failed for user "
        "\"{p:x|y}\""},
       "",
       "At",
       "20240309T094800.000",
       "[{Pid:int}] {Level:word}:"},
      {"log4j",
       {"{t:%F %T,%L} {p:INFO |WARN |ERROR} [main] c.e.s.{p:Pool|Dao} - connection {n:1-99} opened",
        "{t:%F %T,%L} DEBUG [main] c.e.s.Web - user {p:ann|bob|cy} has {p:come|gone} {p:in|out}"},
       "",
       "At",
       "20240309T094800.000",
       "connection {Connection:int} opened"},
      {"logging of Python",
       {"{t:%F %T,%L} - {p:root|app.db} - {p:INFO|WARNING} - {p:started|stopped}",
        "{t:%F %T,%L} - app.web - ERROR - cannot connect to {ip}: refused"},
       "",
       "At",
       "20240309T094800.000",
       "- {Level:word} - cannot connect to {Client:ip}: refused"},
      {"CSV with commas",
       {"{t:%FT%TZ},{p:attic|cellar|kitchen},{n:1-30}.{n:0-9},{p:|ok|\"a, b\"}"},
       "measured_at,sensor,celsius,note\n",
       "measured_at",
       "20240309T094800Z",
       "key: sensor"},
      {"CSV of a German Excel",
       {"{t:%d.%m.%Y %T};{p:4711|4712|4713};{n:1-99},{n:10-99};{p:Miete|Strom|Überweisung}"},
       "Datum;Kunde;Betrag;Text\n",
       nullptr,
       nullptr,
       "separator: ';'\ndecimal: comma\n"},
      {"CSV with the day and the clock apart",
       {"{t:%d.%m.%Y};{t:%T};{n:1-9};{n:1-99},{n:10-99}"},
       "Datum;Uhrzeit;Tür;Wert\n",
       "{columns: [Datum, Uhrzeit], format: ['%d.%m.%Y %T', '%d.%m.%Y %T.%f']}",
       "20240309T094800",
       "decimal: comma\n"},
      {"CSV with tabs",
       {"{n:1-999}\t{t:%F %T}\t{p:a b|c}\t{n:1-99}"},
       "id\ttime\tname\tvalue\n",
       "time",
       "20240309T094800",
       "key: name"},
      {"CSV with bars",
       {"{t:%FT%T}|{p:INFO|ERROR}|{p:login ok|login failed}|{n:1-99}"},
       "",
       "Column1",
       "20240309T094800",
       "separator: '|'\nheader: false\n"},
      {"CSV without a header",
       {"{t:%s},{p:cpu0|cpu1},{n:1-99}.{n:0-9}"},
       "",
       "Column1",
       "20240309T094800Z",
       "key: Column2"},
      {"CSV with records of several lines",
       {"{t:%FT%TZ},{n:1-9},\"a \"\"b\"\"\nc, d\"", "{t:%FT%TZ},{n:1-9},e"},
       "at,n,text\n",
       "at",
       "20240309T094800Z",
       "key: 'n'"},
      {"pino",
       {R"({"level":30,"time":{t:%s}{n:100-999},"pid":17,"hostname":"web1","msg":"{p:a|b}"})"},
       "",
       "{column: time, format: epoch(ms)}",
       nullptr,
       "reader: jsonl"},
      {"syslog",
       {"{t:%b %e %T} gate sshd[{n:1-9999}]: {p:Accepted|Failed} {p:key|password} for {p:a b|c}",
        "{t:%b %e %T} gate kernel: {p:eth0|eth1}: link is {p:up|down|up and so on}",
        "{t:%b %e %T} gate CRON[{n:1-9999}]: {p:(root) CMD|reload 17|a 1 b 2 c 3|x}"},
       "",
       "At",
       "20000309T094800",
       "{At:timestamp(%b %e %T)} {Host:word} {Program:word}"},
      {"CSV without seconds",
       {"{t:%d.%m.%Y %R},{p:a|b|c},{n:1-99}"},
       "when,who,what\n",
       "{column: when, format: '%d.%m.%Y %R'}",
       "20240309T094800",
       "reader: csv"},
      {"ctime",
       {"[{t:%a %b %e %T %Y}] [{p:error|warn}] [client {ip}] {p:a b|c}"},
       "",
       "At",
       "20240309T094800",
       "[{At:timestamp(%a %b %e %T %Y)}] "},
      {"bunyan",
       {R"({"name":"{p:app|db}","pid":17,"level":30,"msg":"{p:a|b}","time":"{t:%FT%T.%LZ}","v":0})"},
       "",
       "time",
       "20240309T094800.000Z",
       "key: name"},
      {"JSON of Caddy",
       {R"({"level":"info","ts":{t:%s}.{n:100-999},"logger":"http.log","request":{"host":"a"},"status":200})"},
       "",
       "ts",
       nullptr,
       "- status    # a whole number, such as 200"},
      {"logfmt",
       {R"(time={t:%FT%T.%LZ} level={p:info|warn} msg="{p:slow query|done}" user={p:ann|bob} dur={n:1-99}ms)"},
       "",
       "time",
       "20240309T094800.000Z",
       "reader: logfmt"},
      {"logfmt with other keys in each line",
       {"ts={t:%FT%T.%LZ} lvl=info user=ann", "ts={t:%FT%T.%LZ} lvl=warn status={n:1-9} a=b c=d",
        "ts={t:%FT%T.%LZ} lvl=info path=\"/a b\"", "ts={t:%FT%T.%LZ} lvl=info user=bob status=7",
        "ts={t:%FT%T.%LZ} lvl=info a=b", "ts={t:%FT%T.%LZ} lvl=info c=d user=ann path=\"/\""},
       "",
       "ts",
       "20240309T094800.000Z",
       "- status    # a whole number, such as 7; in some lines"},
      {"the journal's export",
       {"__CURSOR=s=1;i={n:1-99}\n__REALTIME_TIMESTAMP={t:%s}250000\n_HOSTNAME=a\nMESSAGE={p:a "
        "b|c}\n"},
       "",
       "{column: __REALTIME_TIMESTAMP, format: epoch(us)}",
       "20240309T094800.250000Z",
       "reader: journal"},
      {"W3C",
       {"{t:%F %T} 192.0.2.1 {p:GET|POST} /{n:1-99} - 443 - {ip} {p:curl/7.88|Mozilla/5.0+(X)} 200 "
        "{n:1-99}",
        "{t:%F %T} 192.0.2.1 GET /{n:1-99} q={n:1-9} 443 ann {ip} curl/7.88 404 {n:1-99}"},
       "#Software: IIS\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query "
       "s-port "
       "cs-username c-ip cs(User-Agent) sc-status time-taken\n",
       "[date, time]",
       "20240309T094800",
       "reader: w3c"},
      {"doors",
       {"{t:%F %T.%L}  door {n:1-20} opened by \"{p:Ann, Smith|Bob}\"  [{p:card|code}]",
        "{t:%F %T.%L}  door {n:1-20} closed", "{t:%F %T.%L}  heartbeat {n:1000-9999}"},
       "",
       "At",
       "20240309T094800.000",
       "door {Door:int} opened by {Text:quoted} [{Field:word}]"},
      {"Squid",
       {"{t:%s}.{n:100-999}    {n:1-99} {ip} TCP_MISS/200 {n:1-999} GET http://x/{n:1-9} - NONE/- "
        "a/b",
        "{t:%s}.{n:100-999}   {n:100-999} {ip} TCP_HIT/304 {n:1-999} GET http://x/{n:1-9} - NONE/- "
        "a/b"},
       "",
       "At",
       nullptr,
       "{At:epoch} {Number:int} {Client:ip}"},
      {"trips",
       {"{t:%d.%m.%Y %T} trip {uuid} stop {n:1-50} delay {n:-60-600}s"},
       "",
       "[Date, Time]",
       "20240309T094800",
       "trip {Trip:uuid} stop {Stop:int} delay {Delay:int}s"},
      {"vehicles",
       {"{t:%T %m/%d}  V.1.{n:1-99}  H.0.0  MT_LOCATION    "
        "Lat/Lon:{n:36-37}{n:1000-9999}/-76{n:1-99} "
        "[{p:Valid|Stale}]  Adher:{n:-9-9}  DGPS:On  FOM:2",
        "{t:%T %m/%d}  V.1.{n:1-99}  H.0.0  MT_CROSSING   Time:{t:%T}  Dwell:{n:1-60}  "
        "Rte:{n:1-99}"},
       "",
       "[Date, Time]",
       "20000309T094800",
       "Lat/Lon:{Lat:int}/{Lon:int} [{Field:word}] Adher:"},
      {"Redis",
       {"{n:100-999}:M {t:%d %b %Y %T.%L} * {p:Ready|Saved|Done} {p:now|later} {p:a|b}"},
       "",
       "[Date, Time]",
       "20240309T094800.000",
       "{Date:date(%d %b %Y)}"},
      {"MySQL",
       {"{t:%FT%T.%LZ} {n:1-99} [{p:Note|Warning}] [MY-{n:1000-9999}] [Server] {p:a b|c d e|f}"},
       "",
       "At",
       "20240309T094800.000Z",
       "{Number:int} [{Field:word}] [{Field2:word}] [{Field3:word}] "},
      {"Tomcat",
       {"{t:%d-%b-%Y %T.%L} {p:INFO|SEVERE} [main] org.x.{p:A|B}.run Server {p:started|gone}"},
       "",
       "[Date, Time]",
       "20240309T094800.000",
       "{Level:word} [{Field:word}]"},
      {"log of Go",
       {"{t:%Y/%m/%d %T} listening on port {n:1-999}", "{t:%Y/%m/%d %T} bye"},
       "",
       "[Date, Time]",
       "20240309T094800",
       "listening on port {Port:int}"},
      {"prose",
       {"{p:a|the|one} {p:dog|cat} {p:ran|sat|ate}", "{p:so|yet} {p:it|he} {p:is|was} so"},
       "",
       "",
       "",
       "identity: position"},
  };
  return cases;
}

Suggestion Suggest(std::string_view log, std::string_view name = "doors.log") {
  auto suggestion = suggest_format(sample_of(log), name, FormatSet());
  if (!suggestion) throw std::runtime_error(suggestion.error().message);
  return std::move(*suggestion);
}

TEST(Suggest, FitsLogsOfAllKinds) {
  for (const LogCase& log : Cases()) {
    SCOPED_TRACE(log.name);
    const std::string text = log.head + LineMaker().Lines(log.templates, kLines);
    const Suggestion suggestion = Suggest(text);
    SCOPED_TRACE(suggestion.yaml);
    EXPECT_TRUE(suggestion.trial.takes(95));
    EXPECT_THAT(suggestion.yaml, HasSubstr(log.part));
    if (log.time != nullptr) {
      EXPECT_EQ(suggestion.time, log.time);
    }
    if (log.first_time != nullptr) {
      EXPECT_EQ(suggestion.trial.first_time, log.first_time);
    }
    EXPECT_THAT(suggestion.yaml, Not(HasSubstr("action: drop")));
  }
}

TEST(Suggest, TakesWhatComesLaterInTheLogToo) {
  for (const LogCase& log : Cases()) {
    SCOPED_TRACE(log.name);
    LineMaker maker;
    const std::string first = log.head + maker.Lines(log.templates, kLines / 2);
    const std::string second = log.head + maker.Lines(log.templates, kLines / 2);
    const Suggestion suggestion = Suggest(first);
    const auto trial = try_format(suggestion.yaml, second);
    ASSERT_TRUE(trial) << trial.error().message;
    EXPECT_TRUE(trial->takes(95)) << trial->taken << " of " << trial->lines << "\n"
                                  << suggestion.yaml
                                  << (trial->missed.empty() ? "" : trial->missed[0].text);
  }
}

TEST(Suggest, SaysWhatEachKindTookAndWhichLinesNoneTakes) {
  LineMaker maker;
  std::string text = maker.Lines({"{t:%F %T.%L} door {n:1-9} opened"}, 60);
  text += maker.Lines({"{t:%F %T.%L} heartbeat {n:1-9}"}, 30) + "broken\n";
  const Suggestion suggestion = Suggest(text);
  ASSERT_EQ(suggestion.trial.kinds.size(), 2u);
  EXPECT_EQ(suggestion.trial.kinds[0].name, "door-opened");
  EXPECT_EQ(suggestion.trial.kinds[0].rows, 60u);
  EXPECT_EQ(suggestion.trial.kinds[1].rows, 30u);
  EXPECT_EQ(suggestion.trial.taken, 90u);
  ASSERT_EQ(suggestion.trial.missed.size(), 1u);
  EXPECT_EQ(suggestion.trial.missed[0].line, 91u);
  EXPECT_EQ(suggestion.trial.missed[0].text, "broken");
}

TEST(Suggest, IdentityIsTheLineOnlyWhereEqualLinesAreOneEvent) {
  const std::string fine = "{t:%F %T}.{n:1-9}{n:100-999} door {n:1-9} opened";
  EXPECT_THAT(Suggest(LineMaker().Lines({fine}, 50)).yaml, HasSubstr("identity: line "));
  const std::string coarse = "{t:%F %T} door {n:1-9} opened";
  EXPECT_THAT(Suggest(LineMaker().Lines({coarse}, 50)).yaml, HasSubstr("identity: position "));
  std::string repeated = LineMaker().Lines({fine}, 50);
  repeated += repeated.substr(0, repeated.find('\n') + 1);
  EXPECT_THAT(Suggest(repeated).yaml, HasSubstr("# equal lines come more than once"));
}

TEST(Suggest, WithoutStructureEachLineIsOneText) {
  const Suggestion suggestion = Suggest("lorem ipsum\ndolor\n\nsit amet consetetur sadipscing\n");
  EXPECT_FALSE(suggestion.structured);
  EXPECT_EQ(suggestion.trial.taken, 3u);
  EXPECT_THAT(suggestion.time, IsEmpty());
  EXPECT_THAT(suggestion.yaml, HasSubstr("line: '{Message:rest}'"));
  EXPECT_THAT(suggestion.yaml, HasSubstr("identity: position"));
}

TEST(Suggest, LinesWithoutATimeBelongToTheRecordBeforeThem) {
  LineMaker maker;
  std::string text;
  for (int i = 0; i < 30; ++i) {
    text += maker.Lines({"{t:%F %T.%L} ERROR [main] a.B - it failed"}, 1);
    if (i % 3 != 0) text += "java.lang.Error: gone\n\tat a.B.run(B.java:17)\n";
  }
  const Suggestion suggestion = Suggest(text);
  EXPECT_EQ(suggestion.trial.taken, 70u) << suggestion.yaml;
  EXPECT_EQ(suggestion.time, "At");
  EXPECT_THAT(suggestion.yaml, HasSubstr("starts: '{timestamp}'"));
  EXPECT_THAT(suggestion.yaml,
              HasSubstr("{Level:word} [{Field:word}] {Word:word} - {Message:rest}"));
  ASSERT_EQ(suggestion.trial.kinds.size(), 1u) << suggestion.yaml;
  EXPECT_EQ(suggestion.trial.kinds[0].rows, 30u);
}

TEST(Suggest, LinesOfBlocksWithoutATimeAreKeptWithoutOne) {
  std::string text;
  for (int i = 0; i < 30; ++i) {
    text += fmt::format(
        "Commandline: apt install p{0}\nInstall: p{0}\nEnd-Date: 2024-03-09  09:48:00\n\n", i);
  }
  const Suggestion suggestion = Suggest(text);
  EXPECT_EQ(suggestion.trial.taken, 90u) << suggestion.yaml;
  EXPECT_THAT(suggestion.time, IsEmpty());
}

TEST(Suggest, Utf8WithDamagedLinesIsNotTakenForAnotherEncoding) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "2024-03-09 09:48:00 Größe\n";
  const Suggestion suggestion = Suggest(text + "\xf6\n\xfc\n");
  EXPECT_THAT(suggestion.yaml, Not(HasSubstr("encoding")));
  EXPECT_EQ(suggestion.trial.lines - suggestion.trial.taken, 2u);
}

TEST(Suggest, TextInAnotherEncodingIsDecoded) {
  const std::string utf8 =
      "Datum;Kunde;Größe\n2024-03-09T09:48:00;Müller;1,5\n"
      "2024-03-09T09:48:01;Möller;2,5\n";
  const auto replace = [](std::string text, std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) {
      text.replace(at, what.size(), by);
    }
    return text;
  };
  const std::string cp1252 = replace(replace(replace(utf8, "ö", "\xf6"), "ü", "\xfc"), "ß", "\xdf");
  std::string utf16 = "\xff\xfe";
  for (const char c : cp1252) utf16 += {c, '\0'};
  for (const auto& [text, encoding] :
       {std::pair(cp1252, "encoding: cp1252\n"), std::pair(utf16, "encoding: utf-16\n")}) {
    SCOPED_TRACE(encoding);
    const Suggestion suggestion = Suggest(text);
    EXPECT_EQ(suggestion.trial.taken, 3u);
    EXPECT_THAT(suggestion.yaml, HasSubstr(encoding));
    EXPECT_THAT(suggestion.yaml, HasSubstr("- 'Größe'    # a number with a comma, such as 1,5\n"));
    EXPECT_EQ(suggestion.trial.first_time, "20240309T094800");
  }
}

TEST(Suggest, KnowsAFormatThatIsThereAlready) {
  const auto shipped = FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
  ASSERT_TRUE(shipped);
  const std::string text = LineMaker().Lines(Cases()[0].templates, 50);
  const auto suggestion = suggest_format(sample_of(text), "x", *shipped);
  ASSERT_TRUE(suggestion);
  EXPECT_THAT(suggestion->known, testing::AnyOf("apache", "nginx", "apache-combined"));
  EXPECT_THAT(suggest_format(sample_of("a b\nc d e\n"), "x", *shipped)->known, IsEmpty());
}

TEST(Suggest, NamesTheFormatAfterTheFile) {
  const struct {
    const char* file;
    const char* line;
  } cases[] = {
      {"doors.log", "format: doors\n"},    {"my doors 2024.log.gz", "format: my_doors_2024\n"},
      {"auto.log", "format: suggested\n"}, {"", "format: suggested\n"},
      {"no.log", "format: 'no'\n"},        {"../\x01'.log", "format: suggested\n"}};
  for (const auto& test : cases) {
    SCOPED_TRACE(test.file);
    EXPECT_THAT(Suggest("a b\n", test.file).yaml, HasSubstr(test.line));
  }
}

TEST(Suggest, TextThatMeansSomethingToYamlOrToPatternsIsOnlyText) {
  for (const std::string_view line :
       {"a {b} c: 'd' # e", "{{x}} %d \"\\", "- [x, {y: z}] &a *b !c |", "key: 'it''s' # no",
        "{a:int} {b", "x\ty # z", "---", "...", "%YAML 1.1"}) {
    SCOPED_TRACE(line);
    std::string text;
    for (int i = 0; i < 30; ++i) text += "2024-03-09 09:48:00 " + std::string(line) + "\n";
    EXPECT_TRUE(Suggest(text).trial.takes(100)) << Suggest(text).yaml;
  }
}

TEST(Suggest, RefusesWhatHoldsNoText) {
  const struct {
    std::string text;
    const char* message;
  } cases[] = {{"", "no line that is not blank"},
               {"\n \t\n\r\n", "no line that is not blank"},
               {"\x81\n\x01\n", "none of its lines is UTF-8 text"}};
  for (const auto& test : cases) {
    SCOPED_TRACE(test.message);
    const auto suggestion = suggest_format(sample_of(test.text), "x", FormatSet());
    ASSERT_FALSE(suggestion);
    EXPECT_EQ(suggestion.error().kind, ErrorKind::content);
    EXPECT_THAT(suggestion.error().message, HasSubstr(test.message));
  }
}

TEST(Suggest, SamplesEndWithAWholeLine) {
  const Sample cut = sample_of("a\r\n\nb\nc");
  EXPECT_THAT(cut.lines, testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(cut.view(), "a\r\n\nb\nc\n");
  std::string text(kMostSampleBytes - 2, 'x');
  text += "\nyyyyy\n";
  const Sample long_one = sample_of(text);
  EXPECT_EQ(long_one.lines.size(), 1u);
  EXPECT_FALSE(long_one.whole);
}

}  // namespace
}  // namespace caravel::formatter
