// Environment variables in the configuration, and all of its errors at once.
#include <gmock/gmock.h>

#include "tests/support/config_text.h"
#include "watcher/config/variables.h"

namespace caravel::watcher {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ConfigOptions With(const std::map<std::string, std::string>& variables) {
  ConfigOptions options;
  options.variables = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return options;
}

TEST(ConfigVariables, StandInAnyValue) {
  const Config config = Parsed(
      "{spool: '${ROOT}/spool', workers: '${N}', min_free: '${FREE:-1GiB}', log_level: "
      "'${EMPTY:-debug}',"
      " feeds: {hrt: {match: '$$x${EMPTY}$y*.log', accept_unterminated: '${YES}'}}}",
      With({{"ROOT", "/srv"}, {"N", "3"}, {"EMPTY", ""}, {"YES", "true"}}));
  EXPECT_EQ(config.spool, "/srv/spool");
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.min_free, 1ULL << 30);
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.feeds[0].match, "$x$y*.log");
  EXPECT_TRUE(config.feeds[0].accept_unterminated);
}

TEST(ConfigVariables, WhatTheyHoldIsNotLookedThroughAgain) {
  const Config config = Parsed("{spool: &a '/$${X}', state: *a}", With({{"X", "no"}}));
  EXPECT_EQ(config.spool, "/${X}");
  EXPECT_EQ(config.state, "/${X}");
  EXPECT_EQ(Parsed("spool: '/${A}'", With({{"A", "${B}"}, {"B", "no"}})).spool, "/${B}");
}

TEST(ConfigVariables, AMistakeIsSaidOnceForItsKey) {
  const std::string at = "/etc/caravel/c.yaml:1: ";
  const struct {
    std::string text;
    std::string message;
  } cases[] = {
      {"spool: /x/${NOWHERE}",
       "spool: the environment variable NOWHERE is not set; ${NOWHERE:-TEXT} says what stands for "
       "it "
       "then"},
      {"spool: '/${A'", "spool: '${' without '}'; a dollar itself is written $$"},
      {"spool: '/${1x}'",
       "spool: '${1x}' is not like ${NAME} or ${NAME:-TEXT}; a dollar itself is written $$"},
      // Not also that the URL is missing.
      {"stores: {a: {type: couchdb, url: '${URL}', database: d}}",
       "stores.a.url: the environment variable URL is not set; ${URL:-TEXT} says what stands for "
       "it "
       "then"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto config = parse_config(c.text, kPath, all_store_types(), {});
    ASSERT_FALSE(config.has_value());
    EXPECT_EQ(config.error().message, at + c.message);
    EXPECT_THAT(config.error().others, IsEmpty());
  }
}

TEST(ConfigVariables, SecretsTakeNone) {
  const ConfigOptions options = With({{"PASS", "hunter2"}, {"URL", "https://joe:hunter2@c"}});
  for (const std::string& text :
       {kCouch + ", user: joe, password_file: '${PASS}'}}",
        std::string("stores: {a: {type: couchdb, database: d, url: '${URL}'}}"),
        std::string("stores: {a: {type: couchdb, database: d, url: 'https://joe:${PASS}@c'}}")}) {
    SCOPED_TRACE(text);
    const auto config = parse_config(text, kPath, all_store_types(), options);
    ASSERT_FALSE(config.has_value());
    std::string all = config.error().message;
    for (const std::string& other : config.error().others) all += other;
    EXPECT_THAT(all, testing::HasSubstr("a file or a credential of the service"));
    EXPECT_THAT(all, testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(ConfigVariables, ATreeThatRepeatsItselfEnds) {
  std::string bomb = "a0: &a0 ['$$x']\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
            "]\n";
  }
  EXPECT_NE(ErrorOf(bomb), "");
}

TEST(ConfigErrors, AreAllToldAtOnce) {
  const auto config = parse_config(
      "sppol: x\n"
      "workers: 0\n"
      "stores:\n"
      "  couch: {type: couchdb, url: nowhere, database: D, gzip: perhaps, batch_rows: 0}\n"
      "  local: {type: sqlite, pth: x}\n"
      "feeds:\n"
      "  hrt: {store: couch, settle: 2, match: 'in/*.log'}\n"
      "  Bad: {store: elsewhere}\n"
      "  fine: {store: local}\n",
      kPath, all_store_types(), {});
  ASSERT_FALSE(config.has_value());
  std::vector<std::string> all = {config.error().message};
  all.insert(all.end(), config.error().others.begin(), config.error().others.end());
  std::vector<std::string> places;
  for (const std::string& message : all) {
    places.push_back(message.substr(std::string(kPath).size() + 1));
    places.back().resize(places.back().find(": ", places.back().find(": ") + 2));
  }
  EXPECT_THAT(places,
              ElementsAre("1: sppol", "2: workers", "4: stores.couch.batch_rows",
                          "4: stores.couch.url", "4: stores.couch.database", "4: stores.couch.gzip",
                          "5: stores.local.pth", "7: feeds.hrt.settle", "7: feeds.hrt.match",
                          "8: feeds.Bad", "8: feeds.Bad.store"));
}

}  // namespace
}  // namespace caravel::watcher
