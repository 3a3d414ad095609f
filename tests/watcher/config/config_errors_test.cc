// Every mistake in a configuration, and what is said of it; and where passwords come from.
#include <gmock/gmock.h>

#include "tests/support/config_fixture.h"
#include "tests/support/config_text.h"

namespace caravel::watcher {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Folder;

TEST(Config, EveryMistakeHasOneClearMessage) {
  const std::string at = "/etc/caravel/c.yaml:1: ";
  const struct {
    std::string text;
    std::string message;  // after `at`
  } cases[] = {
      {"sppol: x", "sppol: unknown key; did you mean 'spool'?"},
      {"spool: x, feeds: {}",
       "spool: a second ': ' in one line: a value that holds ': ' needs quotes, and each key a "
       "line "
       "of its own (illegal map value)"},
      {"{spool: x, spool: y}", "spool: given twice"},
      {"- a", "must be a map of keys"},
      {"spool: ''", "spool: must not be empty"},
      {"spool: ~/x", "spool: '~' means nothing here; write the whole path"},
      {"formats: [nowhere]", "formats: /etc/caravel/nowhere is not a folder"},
      {"formats: nowhere", "formats: must be a list"},
      {"min_free: 4 MiB", "min_free: bad size: '4 MiB' is not like 4MiB, 512KiB or 1GiB"},
      {"max_ratio: 0", "max_ratio: '0' is not a whole number from 1 to 1000000000"},
      {"max_window: 4GiB", "max_window: must be from 1024 to 2147483648 bytes"},
      {"max_window: 27", "max_window: must be from 1024 to 2147483648 bytes"},
      {"max_ratoi: 9", "max_ratoi: unknown key; did you mean 'max_ratio'?"},
      {"max_reject_bytes: much",
       "max_reject_bytes: bad size: 'much' is not like 4MiB, 512KiB or 1GiB"},
      {"max_reject_byte: 1MiB", "max_reject_byte: unknown key; did you mean 'max_reject_bytes'?"},
      {"max_line: 1", "max_line: must be from 256 to 1073741824 bytes"},
      {"max_claims: 0", "max_claims: '0' is not a whole number from 1 to 100000"},
      {"workers: 0", "workers: '0' is not a whole number from 1 to 1000"},
      {"worker: 4", "worker: unknown key; did you mean 'workers'?"},
      {"log_level: loud", "log_level: 'loud' is not one of trace, debug, info, warning, error"},
      // stores
      {"stores: [a]", "stores: must be a map of keys"},
      {"stores: {a b: {type: sqlite}}",
       "stores.a b: a store's name is made of letters, digits, '_' and '-'"},
      {"stores: {../x: {type: sqlite}}",
       "stores.../x: a store's name is made of letters, digits, '_' and '-'"},
      {"stores: {a: {type: sqlite}, a: {type: sqlite}}", "stores.a: given twice"},
      {"stores: {a: {}}", "stores.a.type: missing; sqlite or couchdb or postgresql?"},
      {"stores: {a: {type: mysql}}",
       "stores.a.type: 'mysql' is not one of sqlite, couchdb, postgresql"},
      {"stores: {a: {type: couchbd, database: d}}",
       "stores.a.type: 'couchbd' is not one of sqlite, couchdb, postgresql; did you mean "
       "'couchdb'?"},
      {"stores: {a: {type: sqlite, url: x}}",
       "stores.a.url: is for stores of type couchdb and postgresql; this one is sqlite"},
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
      {"stores: {p: {type: postgresql}}",
       "stores.p.url: missing; like postgresql://db.example.org/caravel"},
      {"stores: {p: {type: postgresql, url: 'postgresql://joe:s3cret@db/d'}}",
       "stores.p.url: must not hold a password; put it into a file of its own (mode 0600) and say "
       "password_file: FILE"},
      {"stores: {p: {type: postgresql, url: 'joe:s3cret@db'}}",
       "stores.p.url: is no address of PostgreSQL; like postgresql://db.example.org/caravel or "
       "postgresql://?service=caravel"},
      {"stores: {p: {type: postgresql, url: 'postgresql://joe@db/d', user: joe}}",
       "stores.p.user: the url names a user too; say it once"},
      {"stores: {p: {type: postgresql, url: 'postgresql://db/d', password_file: x}}",
       "stores.p.password_file: whose password? Say user: NAME too"},
      {"stores: {p: {type: postgresql, url: 'postgresql://db/d', documents: feed}}",
       "stores.p.documents: 'feed' is not one of rows, both"},
      {"stores: {p: {type: postgresql, url: 'postgresql://db/d', timeout: 0}}",
       "stores.p.timeout: must be at least 1000ms"},
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
      {"{fold_after: 30d, remember: 20d, feeds: {a: {}}}",
       "remember: must not be shorter than fold_after: a row has its SHA-256 in it"},
      {"feeds: {a: {expect_every: 1h, forget_source: 1h}}",
       "feeds.a.forget_source: must be longer than expect_every: a source that is forgotten is not "
       "called silent"},
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
  const auto missing = load_config("/nonexistent/c.yaml", all_store_types(), {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::usage);
  EXPECT_EQ(missing.error().message,
            "open /nonexistent/c.yaml: No such file or directory (name a configuration with "
            "--config FILE or $CARAVEL_CONFIG)");
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
      {"stores: {c: {type: couchdb, url: 'http://127.evil.org', database: d, netrc: true}}",
       {"/etc/caravel/c.yaml:1: stores.c.url: the password goes over the network unencrypted "
        "(http://); use https://"}},
      {"stores: {c: {type: couchdb, url: 'http://localhost:5984', database: d, netrc: true}}", {}},
      {"stores: {c: {type: couchdb, url: 'http://127.0.0.1:5984/x', database: d, netrc: true}}",
       {}},
      {"stores: {c: {type: couchdb, url: 'http://[::1]:5984', database: d, netrc: true}}", {}},
      {"stores: {c: {type: couchdb, url: 'http://c:5984', database: d}}", {}},
      {"stores: {p: {type: postgresql, url: 'postgresql://db/d?sslmode=require'}}",
       {"/etc/caravel/c.yaml:1: stores.p.url: sslmode=require does not verify who the server is: "
        "the "
        "password and the rows may go to anybody who answers; leave it out (verify-full)"}},
      {"stores: {p: {type: postgresql, url: 'postgresql://127.0.0.1/d?sslmode=disable'}}", {}},
      {"stores: {p: {type: postgresql, url: 'postgresql://db/d?sslmode=verify-ca'}}", {}},
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
    const std::string text = kCouch + ", user: joe, password_file: " + folder / "p" + "}}";
    EXPECT_EQ(CouchOf(text).server.client.password, c.password);
    EXPECT_EQ(CouchOf(text).server.client.user, "joe");
    EXPECT_THAT(Parsed(text).warnings, IsEmpty());
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
  const std::string text = kCouch + ", user: joe, password_file: " + path + "}}";
  EXPECT_EQ(CouchOf(text).server.client.password, "hunter2");
  EXPECT_THAT(Parsed(text).warnings,
              ElementsAre("/etc/caravel/c.yaml:1: stores.couch.password_file: " + path +
                          " can be read by everybody; chmod 0600 " + path));
}

TEST(ConfigSecrets, ACredentialOfTheServiceIsFoundByTheStoresName) {
  Folder folder;
  folder.write("couch.password", "of the service\n");
  const ConfigOptions options{.credentials_directory = folder.path()};
  EXPECT_EQ(CouchOf(kCouch + ", user: joe}}", options).server.client.password, "of the service");

  const std::string path = folder.write("p", "of the file\n");
  const std::string both = kCouch + ", user: joe, password_file: " + path + "}}";
  EXPECT_EQ(CouchOf(both, options).server.client.password, "of the file");
}

TEST(ConfigSecrets, AreNotLookedForByCommandsThatOpenNoStore) {
  const std::string text = kCouch + ", user: joe, password_file: /nonexistent/p}}";
  EXPECT_EQ(CouchOf(text, {.secrets = false}).server.client.password, "");
}

TEST(ConfigSecrets, NetrcNeedsNoUser) {
  const uploader::CouchdbConfig config = CouchOf(kCouch + ", netrc: true}}");
  EXPECT_TRUE(config.server.client.use_netrc);
  EXPECT_EQ(config.server.client.password, "");
}

}  // namespace
}  // namespace caravel::watcher
