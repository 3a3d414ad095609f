// The configuration knows of store types only what they tell: a further type needs no line in it.
#include <gmock/gmock.h>

#include "base/yaml.h"
#include "tests/support/config_text.h"
#include "uploader/store.h"

namespace caravel::watcher {
namespace {

using ::testing::Contains;
using uploader::StoreConfig;
using uploader::StoreSection;
using uploader::StoreSettings;
using uploader::StoreTypes;

/// All types, and one more that only remembers what it was given.
class FurtherStoreType : public ::testing::Test {
 protected:
  FurtherStoreType() {
    types_.push_back({"tables",
                      {"url", "drawer"},
                      [this](const StoreSection& section, StoreConfig& store) -> Result<> {
                        folder_ = section.folder;
                        store.place = section.node["url"].as_string().value();
                        store.takes_attachments = true;
                        store.make = [this](const StoreSettings& settings) {
                          made_with_ = settings.batch_rows;
                          return nullptr;
                        };
                        return {};
                      }});
  }
  std::string ErrorIn(const std::string& stores) {
    const auto config = parse_config("stores: " + stores, kPath, types_, {});
    return config ? "(no error)" : config.error().message;
  }

  StoreTypes types_ = all_store_types();
  std::string folder_;
  std::size_t made_with_ = 0;
};

TEST_F(FurtherStoreType, IsReadAndMadeLikeTheOthers) {
  const auto config = parse_config(
      "stores: {t: {type: tables, url: 'tables://db/feed', batch_rows: 7}}\n"
      "feeds: {hrt: {attach_csv: true}}",
      kPath, types_, {});
  ASSERT_TRUE(config) << config.error().message;
  const StoreConfig& store = config->stores.at(0);
  EXPECT_EQ(store.type, "tables");
  EXPECT_EQ(store_place(store), "tables://db/feed");
  EXPECT_EQ(folder_, "/etc/caravel");
  EXPECT_TRUE(config->warnings.empty()) << "it takes attachments";
  EXPECT_EQ(uploader::make_store(store), nullptr);
  EXPECT_EQ(made_with_, 7U);
  EXPECT_THAT(known_config_keys(types_).at(1).keys, Contains("drawer"));
}

TEST_F(FurtherStoreType, IsNamedInMessages) {
  const std::string at = "/etc/caravel/c.yaml:1: stores.a.";
  EXPECT_EQ(ErrorIn("{a: {}}"), at + "type: missing; sqlite or couchdb or postgresql or tables?");
  EXPECT_EQ(ErrorIn("{a: {type: table}}"),
            at + "type: 'table' is not one of sqlite, couchdb, postgresql, tables; did you mean "
                 "'tables'?");
  EXPECT_EQ(ErrorIn("{a: {type: sqlite, drawer: x}}"),
            at + "drawer: is for stores of type tables; this one is sqlite");
  EXPECT_EQ(
      ErrorIn("{a: {type: sqlite, url: x}}"),
      at + "url: is for stores of type couchdb and postgresql and tables; this one is sqlite");
  EXPECT_EQ(ErrorIn("{a: {type: tables, url: x, drawr: y}}"),
            at + "drawr: unknown key; did you mean 'drawer'?");
}

}  // namespace
}  // namespace caravel::watcher
