#include "watcher/config/config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "formatter/input/input.h"
#include "tests/support/config_fixture.h"
#include "tests/support/config_text.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Folder;
using uploader::Documents;

TEST(Config, TheLeastThatWorksIsOneName) {
  const Config config = Parsed("feeds: {hrt: {}}");
  EXPECT_EQ(config.file, kPath);
  EXPECT_EQ(config.spool, "/var/spool/caravel");
  EXPECT_EQ(config.ledger_path(), "/var/lib/caravel/ledger.db");
  EXPECT_EQ(config.min_free, 268'435'456U);
  EXPECT_EQ(config.max_unpacked, 8'589'934'592U);
  EXPECT_EQ(config.max_window, formatter::kDefaultWindow);
  EXPECT_EQ(config.max_line, 1'048'576U);
  EXPECT_EQ(config.max_claims, 1000U);
  EXPECT_EQ(config.workers, 16U);
  EXPECT_EQ(config.max_done_size, 0U);
  EXPECT_EQ(config.fold_after, std::chrono::hours(24 * 90));
  EXPECT_EQ(config.remember, std::chrono::hours(24 * 400));
  EXPECT_EQ(config.expect_sweep, minutes(10));
  EXPECT_EQ(config.max_wait, minutes(15));
  EXPECT_EQ(text_of(config.serve.listen), "http://127.0.0.1:8099");
  EXPECT_EQ(config.log_level, "info");
  EXPECT_THAT(config.formats, IsEmpty());
  EXPECT_THAT(config.warnings, IsEmpty());

  ASSERT_EQ(config.stores.size(), 1U);
  EXPECT_EQ(config.stores[0].name, "local");
  EXPECT_EQ(config.stores[0].type, "sqlite");
  EXPECT_EQ(config.stores[0].place, "/var/lib/caravel/rows.db");

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
  EXPECT_EQ(feed.forget_source, std::chrono::hours(24 * 30));
  EXPECT_EQ(feed.max_rejects.percent, 50U);
  EXPECT_EQ(feed.keep_done, std::chrono::hours(24 * 30));
  EXPECT_EQ(feed.keep_csv, std::chrono::hours(0));
  EXPECT_EQ(feed.keep_rejects, std::chrono::hours(24 * 30));
  EXPECT_EQ(feed.keep_failed, std::chrono::hours(24 * 30));
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
      folder / "sub/c.yaml", all_store_types(), {});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->spool, folder / "spool");
  EXPECT_EQ(config->state, folder / "sub/state");
  EXPECT_THAT(config->formats, ElementsAre(folder / "sub/formats", folder / "sub/formats"));
  EXPECT_EQ(config->stores[0].place, folder / "sub/rows/a.db");
  EXPECT_EQ(config->stores[1].place, folder / "sub/state/rows.db");
  EXPECT_EQ(config->feeds[0].drop, folder / "spool/in/x");
  EXPECT_EQ(config->feeds[1].drop, "/y");
}

TEST(Config, TheFolderFormatsBesideTheFileIsFound) {
  const Folder folder;
  std::filesystem::create_directories(folder / "formats");
  const auto config = parse_config("feeds: {hrt: {}}", folder / "c.yaml", all_store_types(), {});
  ASSERT_TRUE(config.has_value());
  EXPECT_THAT(config->formats, ElementsAre(folder / "formats"));
}

TEST(Config, EveryKeyIsRead) {
  const std::string text =
      "log_level: debug\nmin_free: 1GiB\nmax_unpacked: 2GiB\nmax_ratio: 50\nmax_window: 1GiB\n"
      "max_reject_bytes: 3MiB\nmax_line: 4KiB\nmax_claims: 7\nworkers: 3\n"
      "max_done_size: 10GB\nmax_csv_size: 1MiB\nmax_rejects_size: 5\nmax_failed_size: 6\n"
      "fold_after: 48h\nremember: 3d\n"
      "expect_sweep: 1h\nmax_wait: 2m\nserve: {listen: '0.0.0.0:80', token_file: t, tokens_file: "
      "s}\n"
      "stores:\n  couch: {type: couchdb, url: 'https://c:6984/db//', database: feed, ca_file: ca,\n"
      "    netrc: true, documents: feed, create_database: false, batch_rows: 5,\n"
      "    batch_bytes: 2KiB, connections: 3, gzip: true, timeout: 5s}\n"
      "feeds:\n  hrt: {match: 'a*.csv', format: spysocket, timezone: Europe/Berlin, notice: poll,\n"
      "    settle: 3s, attach_csv: true, accept_unterminated: true, year: guess,\n"
      "    manifest: required, manifest_wait: 1m, expect_every: 15m,\n"
      "    forget_source: 3h, max_rejects: 12, keep_done: 1d, keep_csv: 1h,\n"
      "    keep_rejects: 2d, keep_failed: 3d}\n";
  const Config config = Parsed(text, {.secrets = false});
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.min_free, 1ULL << 30);
  EXPECT_EQ(config.max_unpacked, 2ULL << 30);
  EXPECT_EQ(config.max_ratio, 50U);
  EXPECT_EQ(config.max_window, 1ULL << 30);
  EXPECT_EQ(config.max_reject_bytes, 3ULL << 20);
  EXPECT_EQ(config.max_line, 4096U);
  EXPECT_EQ(config.max_claims, 7U);
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.max_done_size, 10'000'000'000U);
  EXPECT_EQ(config.max_csv_size, 1U << 20);
  EXPECT_EQ(config.max_rejects_size, 5U);
  EXPECT_EQ(config.max_failed_size, 6U);
  EXPECT_EQ(config.fold_after, std::chrono::hours(48));
  EXPECT_EQ(config.remember, std::chrono::hours(72));
  EXPECT_EQ(config.expect_sweep, minutes(60));
  EXPECT_EQ(config.max_wait, minutes(2));
  EXPECT_EQ(config.serve.listen, (ListenPlace{"0.0.0.0", 80, ""}));
  EXPECT_EQ(config.serve.token_file, "/etc/caravel/t");
  EXPECT_EQ(config.serve.tokens_file, "/etc/caravel/s");
  ASSERT_EQ(config.stores.size(), 1U);
  const uploader::StoreConfig& store = config.stores[0];
  EXPECT_EQ(store.type, "couchdb");
  EXPECT_EQ(store_place(store), "https://c:6984/db/feed");
  EXPECT_EQ(store.documents, Documents::feed);
  EXPECT_EQ(store.batch_rows, 5U);
  EXPECT_EQ(store.batch_bytes, 2048U);
  const uploader::CouchdbConfig couch = CouchOf(text, {.secrets = false});
  EXPECT_EQ(couch.server.url, "https://c:6984/db");
  EXPECT_EQ(couch.database, "feed");
  EXPECT_EQ(couch.server.client.ca_file, "/etc/caravel/ca");
  EXPECT_TRUE(couch.server.client.use_netrc);
  EXPECT_FALSE(couch.create_database);
  EXPECT_EQ(couch.connections, 3U);
  EXPECT_TRUE(couch.gzip);
  EXPECT_EQ(couch.server.client.timeout, milliseconds(5000));
  ASSERT_EQ(config.feeds.size(), 1U);
  const FeedConfig& feed = config.feeds[0];
  EXPECT_EQ(feed.match, "a*.csv");
  EXPECT_EQ(feed.format, "spysocket");
  EXPECT_EQ(feed.format_place, "/etc/caravel/c.yaml:24: feeds.hrt.format");
  EXPECT_EQ(feed.timezone, "Europe/Berlin");
  EXPECT_EQ(feed.timezone_place, "/etc/caravel/c.yaml:24: feeds.hrt.timezone");
  EXPECT_EQ(feed.notice, Notice::poll);
  EXPECT_EQ(feed.settle, milliseconds(3000));
  EXPECT_EQ(feed.settle_without_lease, milliseconds(3000));
  EXPECT_TRUE(feed.attach_csv);
  EXPECT_TRUE(feed.accept_unterminated);
  EXPECT_EQ(feed.year, YearRule::guess);
  EXPECT_EQ(feed.manifest, ManifestRule::required);
  EXPECT_EQ(feed.manifest_wait, minutes(1));
  EXPECT_EQ(feed.expect_every, milliseconds(900'000));
  EXPECT_EQ(feed.forget_source, std::chrono::hours(3));
  EXPECT_EQ(feed.max_rejects.percent, std::nullopt);
  EXPECT_EQ(feed.max_rejects.count, 12U);
  EXPECT_EQ(feed.keep_done, std::chrono::hours(24));
  EXPECT_EQ(feed.keep_csv, std::chrono::hours(1));
  EXPECT_EQ(feed.keep_rejects, std::chrono::hours(48));
  EXPECT_EQ(feed.keep_failed, std::chrono::hours(72));
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
    const auto config = load_config(entry.path(), all_store_types(), {});
    EXPECT_TRUE(config.has_value()) << config.error().message;
  }
  EXPECT_GE(seen, 1);
}

TEST(ShippedConfig, ExplainsEveryKey) {
  const std::string text = Content(CARAVEL_SOURCE_DIR "/etc/caravel.yaml");
  for (const KnownKeys& section : known_config_keys(all_store_types())) {
    for (const std::string& key : section.keys) {
      SCOPED_TRACE(section.section + "." + key);
      EXPECT_TRUE(std::regex_search(text, std::regex("(^|\n) *(# *)?" + key + ":")));
    }
  }
}

TEST(ShippedConfig, WhatItSaysIsTheDefault) {
  const Config shipped =
      load_config(CARAVEL_SOURCE_DIR "/etc/caravel.yaml", all_store_types(), {}).value();
  const Config least = Parsed("feeds: {hrt: {}}");
  EXPECT_EQ(shipped.spool, least.spool);
  EXPECT_EQ(shipped.state, least.state);
  EXPECT_EQ(shipped.log_level, least.log_level);
  EXPECT_EQ(shipped.min_free, least.min_free);
  EXPECT_EQ(shipped.max_unpacked, least.max_unpacked);
  EXPECT_EQ(shipped.max_ratio, least.max_ratio);
  EXPECT_EQ(shipped.max_window, least.max_window);
  EXPECT_EQ(shipped.max_reject_bytes, least.max_reject_bytes);
  EXPECT_EQ(shipped.max_line, least.max_line);
  EXPECT_EQ(shipped.max_claims, least.max_claims);
  EXPECT_EQ(shipped.workers, least.workers);
  EXPECT_EQ(shipped.max_done_size, least.max_done_size);
  EXPECT_EQ(shipped.max_csv_size, least.max_csv_size);
  EXPECT_EQ(shipped.max_rejects_size, least.max_rejects_size);
  EXPECT_EQ(shipped.max_failed_size, least.max_failed_size);
  EXPECT_EQ(shipped.fold_after, least.fold_after);
  EXPECT_EQ(shipped.remember, least.remember);
  EXPECT_EQ(shipped.expect_sweep, least.expect_sweep);
  EXPECT_EQ(shipped.max_wait, least.max_wait);
  EXPECT_EQ(shipped.serve, least.serve);
  ASSERT_EQ(shipped.stores.size(), 1U);
  EXPECT_EQ(shipped.stores[0].name, least.stores[0].name);
  EXPECT_EQ(shipped.stores[0].place, least.stores[0].place);
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
  EXPECT_EQ(a.forget_source, b.forget_source);
  EXPECT_EQ(a.max_rejects.percent, b.max_rejects.percent);
  EXPECT_EQ(a.keep_done, b.keep_done);
  EXPECT_EQ(a.keep_csv, b.keep_csv);
  // This finds keys that are added later: the two feeds may differ only in the places where the
  // files name format and time zone.
  FeedConfig expected = b;
  expected.format_place = a.format_place;
  expected.timezone_place = a.timezone_place;
  EXPECT_TRUE(a == expected);
}

}  // namespace
}  // namespace caravel::watcher
