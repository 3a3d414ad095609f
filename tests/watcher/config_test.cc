#include "watcher/config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/config_fixture.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Folder;
using uploader::Documents;
using uploader::StoreType;

constexpr const char* kPath = "/etc/caravel/c.yaml";

Config Parsed(const std::string& text, const ConfigOptions& options = {}) {
  auto config = parse_config(text, kPath, options);
  EXPECT_TRUE(config.has_value()) << config.error().message;
  return config.value_or(Config{});
}

std::string ErrorOf(const std::string& text, const ConfigOptions& options = {}) {
  const auto config = parse_config(text, kPath, options);
  if (config) return "(no error)";
  EXPECT_EQ(config.error().kind, ErrorKind::usage);
  return config.error().message;
}

const std::string kCouch =
    "stores: {couch: {type: couchdb, url: 'https://couch.example.org:6984/', database: feed";

TEST(Config, TheLeastThatWorksIsOneName) {
  const Config config = Parsed("feeds: {hrt: {}}");
  EXPECT_EQ(config.file, kPath);
  EXPECT_EQ(config.spool, "/var/spool/caravel");
  EXPECT_EQ(config.ledger_path(), "/var/lib/caravel/ledger.db");
  EXPECT_EQ(config.min_free, 268'435'456U);
  EXPECT_EQ(config.max_unpacked, 68'719'476'736U);
  EXPECT_EQ(config.max_line, 1'048'576U);
  EXPECT_EQ(config.max_claims, 1000U);
  EXPECT_EQ(config.log_level, "info");
  EXPECT_THAT(config.formats, IsEmpty());
  EXPECT_THAT(config.warnings, IsEmpty());

  ASSERT_EQ(config.stores.size(), 1U);
  EXPECT_EQ(config.stores[0].name, "local");
  EXPECT_EQ(config.stores[0].type, StoreType::sqlite);
  EXPECT_EQ(config.stores[0].path, "/var/lib/caravel/rows.db");

  ASSERT_EQ(config.feeds.size(), 1U);
  const FeedConfig& feed = config.feeds[0];
  EXPECT_EQ(feed.name, "hrt");
  EXPECT_EQ(feed.drop, "/var/spool/caravel/drop");
  EXPECT_EQ(feed.match, "*.log");
  EXPECT_EQ(feed.format, "auto");
  EXPECT_EQ(feed.store, "local");
  EXPECT_EQ(feed.settle, milliseconds(2000));
  EXPECT_EQ(feed.settle_without_lease, milliseconds(60'000));
  EXPECT_EQ(feed.manifest_wait, minutes(10));
  EXPECT_EQ(feed.expect_every, std::nullopt);
  EXPECT_EQ(feed.max_rejects.percent, 50U);
  EXPECT_EQ(feed.keep_done, std::chrono::hours(24 * 30));
  EXPECT_EQ(feed.keep_csv, std::chrono::hours(24 * 7));
}

TEST(Config, AFeedThatIsOnlyAKeyIsAllDefaults) {
  EXPECT_EQ(Parsed("feeds:\n  hrt:\n").feeds.at(0).drop, "/var/spool/caravel/drop");
}

TEST(Config, RelativePathsAreRelativeToTheFile) {
  const Folder folder;
  std::filesystem::create_directories(folder / "sub/formats");
  const auto config = parse_config(
      "spool: ../spool/\nstate: state\nformats: [formats, ./formats/]\n"
      "stores: {a: {type: sqlite, path: rows/a.db}, b: {type: sqlite}}\n"
      "feeds: {x: {store: a, drop: in/x/}, y: {store: b, drop: /abs/../y}}\n",
      folder / "sub/c.yaml", {});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->spool, folder / "spool");
  EXPECT_EQ(config->state, folder / "sub/state");
  EXPECT_THAT(config->formats, ElementsAre(folder / "sub/formats", folder / "sub/formats"));
  EXPECT_EQ(config->stores[0].path, folder / "sub/rows/a.db");
  EXPECT_EQ(config->stores[1].path, folder / "sub/state/rows.db");
  EXPECT_EQ(config->feeds[0].drop, folder / "spool/in/x");
  EXPECT_EQ(config->feeds[1].drop, "/y");
}

TEST(Config, TheFolderFormatsBesideTheFileIsFound) {
  const Folder folder;
  std::filesystem::create_directories(folder / "formats");
  const auto config = parse_config("feeds: {hrt: {}}", folder / "c.yaml", {});
  ASSERT_TRUE(config.has_value());
  EXPECT_THAT(config->formats, ElementsAre(folder / "formats"));
}

TEST(Config, EveryKeyIsRead) {
  const Config config = Parsed(
      "log_level: debug\nmin_free: 1GiB\nmax_unpacked: 2GiB\nmax_line: 4KiB\nmax_claims: 7\n"
      "stores:\n  couch: {type: couchdb, url: 'https://c:6984/db//', database: feed, ca_file: ca,\n"
      "    netrc: true, documents: feed, create_database: false, batch_rows: 5,\n"
      "    batch_bytes: 2KiB, connections: 3, gzip: true, timeout: 5s}\n"
      "feeds:\n  hrt: {match: 'a*.csv', format: spysocket, timezone: Europe/Berlin, notice: poll,\n"
      "    settle: 3s, attach_csv: true, accept_unterminated: true, year: guess,\n"
      "    manifest: required, manifest_wait: 1m, expect_every: 15m, max_rejects: 12,\n"
      "    keep_done: 1d, keep_csv: 0}\n",
      {.secrets = false});
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.min_free, 1ULL << 30);
  EXPECT_EQ(config.max_unpacked, 2ULL << 30);
  EXPECT_EQ(config.max_line, 4096U);
  EXPECT_EQ(config.max_claims, 7U);
  ASSERT_EQ(config.stores.size(), 1U);
  const uploader::StoreConfig& store = config.stores[0];
  EXPECT_EQ(store.type, StoreType::couchdb);
  EXPECT_EQ(store.url, "https://c:6984/db");
  EXPECT_EQ(store_place(store), "https://c:6984/db/feed");
  EXPECT_EQ(store.ca_file, "/etc/caravel/ca");
  EXPECT_TRUE(store.use_netrc);
  EXPECT_EQ(store.documents, Documents::feed);
  EXPECT_FALSE(store.create_database);
  EXPECT_EQ(store.batch_rows, 5U);
  EXPECT_EQ(store.batch_bytes, 2048U);
  EXPECT_EQ(store.connections, 3U);
  EXPECT_TRUE(store.gzip);
  EXPECT_EQ(store.timeout, milliseconds(5000));
  ASSERT_EQ(config.feeds.size(), 1U);
  const FeedConfig& feed = config.feeds[0];
  EXPECT_EQ(feed.match, "a*.csv");
  EXPECT_EQ(feed.format, "spysocket");
  EXPECT_EQ(feed.format_place, "/etc/caravel/c.yaml:11: feeds.hrt.format");
  EXPECT_EQ(feed.timezone, "Europe/Berlin");
  EXPECT_EQ(feed.timezone_place, "/etc/caravel/c.yaml:11: feeds.hrt.timezone");
  EXPECT_EQ(feed.notice, Notice::poll);
  EXPECT_EQ(feed.settle, milliseconds(3000));
  EXPECT_EQ(feed.settle_without_lease, milliseconds(3000));
  EXPECT_TRUE(feed.attach_csv);
  EXPECT_TRUE(feed.accept_unterminated);
  EXPECT_EQ(feed.year, YearRule::guess);
  EXPECT_EQ(feed.manifest, ManifestRule::required);
  EXPECT_EQ(feed.manifest_wait, minutes(1));
  EXPECT_EQ(feed.expect_every, milliseconds(900'000));
  EXPECT_EQ(feed.max_rejects.percent, std::nullopt);
  EXPECT_EQ(feed.max_rejects.count, 12U);
  EXPECT_EQ(feed.keep_done, std::chrono::hours(24));
  EXPECT_EQ(feed.keep_csv, milliseconds(0));
}

TEST(Config, EveryMistakeHasOneClearMessage) {
  const std::string at = "/etc/caravel/c.yaml:1: ";
  const struct {
    std::string text;
    std::string message;  // after `at`
  } cases[] = {
      {"sppol: x", "sppol: unknown key; did you mean 'spool'?"},
      {"spool: x, feeds: {}", "illegal map value"},
      {"{spool: x, spool: y}", "spool: given twice"},
      {"- a", "must be a map of keys"},
      {"spool: ''", "spool: must not be empty"},
      {"spool: ~/x", "spool: '~' means nothing here; write the whole path"},
      {"formats: [nowhere]", "formats: /etc/caravel/nowhere is not a folder"},
      {"formats: nowhere", "formats: must be a list"},
      {"min_free: 4 MiB", "min_free: bad size: '4 MiB' is not like 4MiB, 512KiB or 1GiB"},
      {"max_line: 1", "max_line: must be from 256 to 1073741824 bytes"},
      {"max_claims: 0", "max_claims: '0' is not a whole number from 1 to 100000"},
      {"log_level: loud", "log_level: 'loud' is not one of trace, debug, info, warning, error"},
      // stores
      {"stores: [a]", "stores: must be a map of keys"},
      {"stores: {a b: {type: sqlite}}",
       "stores.a b: a store's name is made of letters, digits, '_' and '-'"},
      {"stores: {../x: {type: sqlite}}",
       "stores.../x: a store's name is made of letters, digits, '_' and '-'"},
      {"stores: {a: {type: sqlite}, a: {type: sqlite}}", "stores.a: given twice"},
      {"stores: {a: {}}", "stores.a.type: missing; sqlite or couchdb?"},
      {"stores: {a: {type: mysql}}", "stores.a.type: 'mysql' is not one of sqlite, couchdb"},
      {"stores: {a: {type: sqlite, url: x}}",
       "stores.a.url: is for stores of type couchdb; this one is sqlite"},
      {"stores: {a: {type: couchdb, path: x}}",
       "stores.a.path: is for stores of type sqlite; this one is couchdb"},
      {"stores: {a: {type: sqlite, batch_row: 1}}",
       "stores.a.batch_row: unknown key; did you mean 'batch_rows'?"},
      {"stores: {a: {type: sqlite, path: /var/lib/caravel/ledger.db}}",
       "stores.a.path: this is the ledger's own file; rows need one of their own"},
      {"stores: {a: {type: couchdb, database: d}}",
       "stores.a.url: missing; like https://couch.example.org:6984"},
      {"stores: {a: {type: couchdb, url: 'https://c'}}",
       "stores.a.database: missing; like: database: feed"},
      {"stores: {a: {type: couchdb, url: couch.example.org, database: d}}",
       "stores.a.url: must begin with https:// or http://"},
      {"stores: {a: {type: couchdb, url: 'https://', database: d}}", "stores.a.url: names no host"},
      {"stores: {a: {type: couchdb, url: 'https://c/?q=1', database: d}}",
       "stores.a.url: must not hold '?', '#' or blanks"},
      {"stores: {a: {type: couchdb, url: 'https://joe:hunter2@c', database: d}}",
       "stores.a.url: must not hold a user or a password (https://user:password@host); say user: "
       "NAME and password_file: FILE instead"},
      {"stores: {a: {type: couchdb, password: hunter2}}",
       "stores.a.password: a password does not belong in this file; put it into a file of its own "
       "(mode 0600) and say password_file: FILE"},
      {kCouch + "2, database: Feed}}", "stores.couch.database: given twice"},
      {"stores: {a: {type: couchdb, url: 'https://c', database: Feed}}",
       "stores.a.database: 'Feed' is no name of a CouchDB database: lower-case letters, digits and "
       "_$()+/- after a first letter"},
      {kCouch + ", connections: 17}}",
       "stores.couch.connections: '17' is not a whole number from 1 to 16"},
      {kCouch + ", timeout: 0}}", "stores.couch.timeout: must be at least 1000ms"},
      {kCouch + ", timeout: 30}}",
       "stores.couch.timeout: bad duration: '30' is not like 30s, 500ms, 10m, 24h or 30d"},
      {kCouch + ", gzip: perhaps}}", "stores.couch.gzip: 'perhaps' is neither true nor false"},
      {kCouch + ", documents: all}}",
       "stores.couch.documents: 'all' is not one of rows, feed, both"},
      {kCouch + ", batch_bytes: 1}}",
       "stores.couch.batch_bytes: must be from 1024 to 268435456 bytes"},
      {kCouch + ", user: joe}}",
       "stores.couch.user: no password for 'joe': say password_file: FILE or netrc: true, or give "
       "the service a credential couch.password"},
      {kCouch + ", password_file: x}}",
       "stores.couch.password_file: whose password? Say user: NAME too"},
      {kCouch + ", user: joe, password_file: x, netrc: true}}",
       "stores.couch.password_file: netrc: true is there too; only one of them can hold the "
       "password"},
      {kCouch + ", user: joe, password_file: /nonexistent/p}}",
       "stores.couch.password_file: /nonexistent/p: No such file or directory"},
      {kCouch + ", user: joe, password_file: /}}",
       "stores.couch.password_file: /: not a regular file"},
      {kCouch + ", ca_file: /nonexistent/ca.pem}}",
       "stores.couch.ca_file: /nonexistent/ca.pem: No such file or directory"},
      // feeds
      {"feeds: [hrt]", "feeds: must be a map of keys"},
      {"feeds: {Hrt: {}}",
       "feeds.Hrt: a feed's name is made of lower-case letters, digits and '-', a letter first"},
      {"feeds: {feed: {}}",
       "feeds.feed: 'feed' begins the ids of other documents; choose another "
       "name"},
      {"feeds: {mapping: {}}",
       "feeds.mapping: 'mapping' begins the ids of other documents; choose another name"},
      {"feeds: {a: {}, a: {}}", "feeds.a: given twice"},
      {"feeds: {a: b}", "feeds.a: must be a map of keys"},
      {"feeds: {a: {fromat: x}}", "feeds.a.fromat: unknown key; did you mean 'format'?"},
      {"feeds: {a: {settle: 2}}",
       "feeds.a.settle: bad duration: '2' is not like 30s, 500ms, 10m, 24h or 30d"},
      {"feeds: {a: {notice: never}}", "feeds.a.notice: 'never' is not one of auto, poll"},
      {"feeds: {a: {year: 2012}}", "feeds.a.year: '2012' is not one of strict, guess"},
      {"feeds: {a: {manifest: yes}}",
       "feeds.a.manifest: 'yes' is not one of optional, required, ignore"},
      {"feeds: {a: {expect_every: 0}}", "feeds.a.expect_every: must be at least 1ms"},
      {"feeds: {a: {max_rejects: 101%}}",
       "feeds.a.max_rejects: '101%' is neither a share from 0% to 100% nor a number of lines"},
      {"feeds: {a: {max_rejects: half}}",
       "feeds.a.max_rejects: 'half' is neither a share from 0% to 100% nor a number of lines"},
      {"feeds: {a: {match: in/*.log}}",
       "feeds.a.match: is a pattern for names; the folder goes into 'drop'"},
      {"feeds: {a: {match: '*.log.gz'}}",
       "feeds.a.match: is matched without '.gz': '*.log' takes NAME and NAME.gz"},
      {"feeds: {a: {drop: .}}",
       "feeds.a.drop: /var/spool/caravel is the spool itself; use a folder below it"},
      {"feeds: {a: {drop: done/x}}",
       "feeds.a.drop: /var/spool/caravel/done is the spool's own; use another folder"},
      {"feeds: {a: {store: lokal}}",
       "feeds.a.store: no store has the name 'lokal'; did you mean 'local'?"},
      {"feeds: {a: {store: elsewhere}}",
       "feeds.a.store: no store has the name 'elsewhere'; there is: local"},
      {"{stores: {a: {type: sqlite}, b: {type: sqlite}}, feeds: {x: {}}}",
       "feeds.x.store: missing; there is more than one: a, b"},
      {"{" + kCouch + ", documents: feed}}, feeds: {x: {}}}",
       "feeds.x.attach_csv: must be true: store 'couch' says documents: feed, and then only the "
       "CSV holds the rows"},
      {"feeds: {a: {}, b: {}}",
       "feeds.b.match: feed 'a' takes every such file of /var/spool/caravel/drop already (match "
       "'*.log')"},
      {"feeds: {a: {match: '*'}, b: {drop: drop/}}",
       "feeds.b.match: feed 'a' takes every such file of /var/spool/caravel/drop already (match "
       "'*')"},
      {"feeds: {a: {}, b: {match: x.log}}",
       "feeds.b.match: feed 'a' takes every such file of /var/spool/caravel/drop already (match "
       "'*.log')"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(ErrorOf(c.text), at + c.message);
    EXPECT_THAT(ErrorOf(c.text), testing::Not(HasSubstr("hunter2")));
  }
}

TEST(Config, AnErrorNamesTheLineOfItsKey) {
  EXPECT_EQ(ErrorOf("# comment\nfeeds:\n  hrt:\n    drop: drop\n    setle: 2s\n"),
            "/etc/caravel/c.yaml:5: feeds.hrt.setle: unknown key; did you mean 'settle'?");
}

TEST(Config, AnEmptyOrMissingFileSaysWhatToDo) {
  EXPECT_EQ(ErrorOf(""), "/etc/caravel/c.yaml: empty; the least that works is: feeds: {NAME: {}}");
  const auto missing = load_config("/nonexistent/c.yaml", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_EQ(missing.error().message,
            "open /nonexistent/c.yaml: No such file or directory (name a configuration with "
            "--config FILE or $CARAVEL_CONFIG)");
}

TEST(Config, NoFeedIsAnErrorOnlyForThoseThatNeedOne) {
  const Config config = Parsed("stores: {a: {type: sqlite}}");
  const auto needed = expect_feeds(config);
  ASSERT_FALSE(needed.has_value());
  EXPECT_EQ(needed.error().message,
            "/etc/caravel/c.yaml: no feed is configured; the least that works is: "
            "feeds: {NAME: {}}");
  EXPECT_FALSE(choose_feed(config, std::nullopt).has_value());
  EXPECT_TRUE(expect_feeds(Parsed("feeds: {a: {}}")).has_value());
}

TEST(Config, WarnsOfWhatIsAllowedButDoubtful) {
  const struct {
    std::string text;
    std::vector<std::string> warnings;
  } cases[] = {
      {"stores: {c: {type: couchdb, url: 'http://c:5984', database: d, user: joe, netrc: true}}",
       {"/etc/caravel/c.yaml:1: stores.c.url: the password goes over the network unencrypted "
        "(http://); use https://"}},
      {"stores: {c: {type: couchdb, url: 'http://localhost.evil.org', database: d, netrc: true}}",
       {"/etc/caravel/c.yaml:1: stores.c.url: the password goes over the network unencrypted "
        "(http://); use https://"}},
      {"stores: {c: {type: couchdb, url: 'http://localhost:5984', database: d, netrc: true}}", {}},
      {"stores: {c: {type: couchdb, url: 'http://127.0.0.1:5984/x', database: d, netrc: true}}",
       {}},
      {"stores: {c: {type: couchdb, url: 'http://[::1]:5984', database: d, netrc: true}}", {}},
      {"stores: {c: {type: couchdb, url: 'http://c:5984', database: d}}", {}},
      {"feeds: {a: {match: 'x*.log'}, b: {}}",
       {"/etc/caravel/c.yaml:1: feeds.b.match: overlaps with feed 'a' (match 'x*.log') in "
        "/var/spool/caravel/drop; 'a' stands first and gets what both match"}},
      {"feeds: {a: {match: 'x*.log'}, b: {match: 'y*.log'}}", {}},
      {"feeds: {a: {match: 'x*.log'}, b: {drop: other}}", {}},
      {"feeds: {a: {match: 'x?z'}, b: {match: '*yz'}}",
       {"/etc/caravel/c.yaml:1: feeds.b.match: overlaps with feed 'a' (match 'x?z') in "
        "/var/spool/caravel/drop; 'a' stands first and gets what both match"}},
      {"feeds: {a: {attach_csv: true}}",
       {"/etc/caravel/c.yaml:1: feeds.a.attach_csv: store 'local' is sqlite, which has no "
        "attachments"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(Parsed(c.text).warnings, c.warnings);
  }
}

TEST(ConfigSecrets, OneLineEndOfThePasswordFileIsTakenOff) {
  Folder folder;
  const struct {
    const char* content;
    const char* password;
  } cases[] = {{"secret\n", "secret"},
               {"secret", "secret"},
               {"secret\r\n", "secret"},
               {" a b \n", " a b "},
               {"two\n\n", "two\n"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    folder.write("p", c.content);
    const Config config = Parsed(kCouch + ", user: joe, password_file: " + folder / "p" + "}}");
    EXPECT_EQ(config.stores.at(0).password, c.password);
    EXPECT_EQ(config.stores.at(0).user, "joe");
    EXPECT_THAT(config.warnings, IsEmpty());
  }
}

TEST(ConfigSecrets, AnEmptyPasswordFileIsAnError) {
  Folder folder;
  const std::string path = folder.write("p", "\n");
  EXPECT_EQ(ErrorOf(kCouch + ", user: joe, password_file: " + path + "}}"),
            "/etc/caravel/c.yaml:1: stores.couch.password_file: " + path + ": empty");
}

TEST(ConfigSecrets, AWorldReadablePasswordFileIsWarnedOf) {
  Folder folder;
  const std::string path = folder.write("p", "hunter2\n", 0644);
  const Config config = Parsed(kCouch + ", user: joe, password_file: " + path + "}}");
  EXPECT_EQ(config.stores.at(0).password, "hunter2");
  EXPECT_THAT(config.warnings, ElementsAre("/etc/caravel/c.yaml:1: stores.couch.password_file: " +
                                           path + " can be read by everybody; chmod 0600 " + path));
}

TEST(ConfigSecrets, ACredentialOfTheServiceIsFoundByTheStoresName) {
  Folder folder;
  folder.write("couch.password", "of the service\n");
  const ConfigOptions options{.credentials_directory = folder.path()};
  EXPECT_EQ(Parsed(kCouch + ", user: joe}}", options).stores.at(0).password, "of the service");

  const std::string path = folder.write("p", "of the file\n");
  EXPECT_EQ(
      Parsed(kCouch + ", user: joe, password_file: " + path + "}}", options).stores.at(0).password,
      "of the file");
}

TEST(ConfigSecrets, AreNotLookedForByCommandsThatOpenNoStore) {
  const Config config =
      Parsed(kCouch + ", user: joe, password_file: /nonexistent/p}}", {.secrets = false});
  EXPECT_EQ(config.stores.at(0).password, "");
}

TEST(ConfigSecrets, NetrcNeedsNoUser) {
  const Config config = Parsed(kCouch + ", netrc: true}}");
  EXPECT_TRUE(config.stores.at(0).use_netrc);
  EXPECT_EQ(config.stores.at(0).password, "");
}

TEST(FindConfig, TheOptionComesBeforeTheEnvironmentBeforeTheDefault) {
  EXPECT_EQ(find_config("a.yaml", "b.yaml"), "a.yaml");
  EXPECT_EQ(find_config(std::nullopt, "b.yaml"), "b.yaml");
  EXPECT_EQ(find_config(std::nullopt, ""), "/etc/caravel/caravel.yaml");
  EXPECT_EQ(find_config(std::nullopt, nullptr), "/etc/caravel/caravel.yaml");
}

TEST(MaxRejects, CountsFromTwentyLinesOn) {
  const struct {
    MaxRejects max;
    std::uint64_t lines;
    std::uint64_t allowed;
  } cases[] = {
      {{.percent = 50}, 19, 19},
      {{.percent = 50}, 20, 10},
      {{.percent = 50}, 281, 140},
      {{.percent = 0}, 20, 0},
      {{.percent = 100}, 12'345, 12'345},
      {{.percent = 100}, ~std::uint64_t{0}, ~std::uint64_t{0}},
      {{.percent = std::nullopt, .count = 3}, 19, 19},
      {{.percent = std::nullopt, .count = 3}, 1'000'000, 3},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.lines);
    EXPECT_EQ(c.max.allowed(c.lines), c.allowed);
  }
}

TEST(Choose, TheOnlyOneNeedsNoName) {
  const Config one = Parsed("feeds: {hrt: {}}");
  EXPECT_EQ(choose_feed(one, std::nullopt).value()->name, "hrt");
  EXPECT_EQ(choose_store(one, std::nullopt).value()->name, "local");

  const Config two = Parsed("feeds: {hrt: {}, web-log: {drop: web}}");
  EXPECT_EQ(choose_feed(two, "web-log").value()->name, "web-log");
  EXPECT_EQ(choose_feed(two, std::nullopt).error().message,
            "which feed? Say --feed NAME, one of: hrt, web-log");
  EXPECT_EQ(choose_feed(two, "weblog").error().message,
            "--feed weblog: /etc/caravel/c.yaml has no such feed; did you mean 'web-log'?");
  EXPECT_EQ(choose_feed(two, "elsewhere").error().message,
            "--feed elsewhere: /etc/caravel/c.yaml has no such feed; there is: hrt, web-log");
  EXPECT_EQ(choose_store(two, "x").error().kind, ErrorKind::usage);
}

std::string Content(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(ShippedConfig, EveryYamlFileInEtcLoads) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CARAVEL_SOURCE_DIR "/etc")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    ++seen;
    const auto config = load_config(entry.path(), {});
    EXPECT_TRUE(config.has_value()) << config.error().message;
  }
  EXPECT_GE(seen, 1);
}

TEST(ShippedConfig, ExplainsEveryKey) {
  const std::string text = Content(CARAVEL_SOURCE_DIR "/etc/caravel.yaml");
  for (const KnownKeys& section : known_config_keys()) {
    for (const std::string& key : section.keys) {
      SCOPED_TRACE(section.section + "." + key);
      EXPECT_TRUE(std::regex_search(text, std::regex("(^|\n) *(# *)?" + key + ":")));
    }
  }
}

TEST(ShippedConfig, WhatItSaysIsTheDefault) {
  const Config shipped = load_config(CARAVEL_SOURCE_DIR "/etc/caravel.yaml", {}).value();
  const Config least = Parsed("feeds: {hrt: {}}");
  EXPECT_EQ(shipped.spool, least.spool);
  EXPECT_EQ(shipped.state, least.state);
  EXPECT_EQ(shipped.log_level, least.log_level);
  EXPECT_EQ(shipped.min_free, least.min_free);
  EXPECT_EQ(shipped.max_unpacked, least.max_unpacked);
  EXPECT_EQ(shipped.max_line, least.max_line);
  EXPECT_EQ(shipped.max_claims, least.max_claims);
  ASSERT_EQ(shipped.stores.size(), 1U);
  EXPECT_EQ(shipped.stores[0].name, least.stores[0].name);
  EXPECT_EQ(shipped.stores[0].path, least.stores[0].path);
  EXPECT_EQ(shipped.stores[0].batch_rows, least.stores[0].batch_rows);
  EXPECT_EQ(shipped.stores[0].batch_bytes, least.stores[0].batch_bytes);
  const FeedConfig& a = shipped.feeds.at(0);
  const FeedConfig& b = least.feeds.at(0);
  EXPECT_EQ(a.drop, b.drop);
  EXPECT_EQ(a.match, b.match);
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.store, b.store);
  EXPECT_EQ(a.notice, b.notice);
  EXPECT_EQ(a.settle_without_lease, b.settle_without_lease);
  EXPECT_EQ(a.attach_csv, b.attach_csv);
  EXPECT_EQ(a.accept_unterminated, b.accept_unterminated);
  EXPECT_EQ(a.year, b.year);
  EXPECT_EQ(a.manifest, b.manifest);
  EXPECT_EQ(a.manifest_wait, b.manifest_wait);
  EXPECT_EQ(a.max_rejects.percent, b.max_rejects.percent);
  EXPECT_EQ(a.keep_done, b.keep_done);
  EXPECT_EQ(a.keep_csv, b.keep_csv);
}

}  // namespace
}  // namespace caravel::watcher
