// The configuration knows of store types only what they tell: a third type needs no line in it.
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
class ThirdStoreType : public ::testing::Test {
 protected:
  ThirdStoreType() {
    types_.push_back({"postgresql",
                      {"url", "schema"},
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

TEST_F(ThirdStoreType, IsReadAndMadeLikeTheOthers) {
  const auto config = parse_config(
      "stores: {pg: {type: postgresql, url: 'postgresql://db/feed', batch_rows: 7}}\n"
      "feeds: {hrt: {attach_csv: true}}",
      kPath, types_, {});
  ASSERT_TRUE(config) << config.error().message;
  const StoreConfig& store = config->stores.at(0);
  EXPECT_EQ(store.type, "postgresql");
  EXPECT_EQ(store_place(store), "postgresql://db/feed");
  EXPECT_EQ(folder_, "/etc/caravel");
  EXPECT_TRUE(config->warnings.empty()) << "it takes attachments";
  EXPECT_EQ(uploader::make_store(store), nullptr);
  EXPECT_EQ(made_with_, 7U);
  EXPECT_THAT(known_config_keys(types_).at(1).keys, Contains("schema"));
}

TEST_F(ThirdStoreType, IsNamedInMessages) {
  const std::string at = "/etc/caravel/c.yaml:1: stores.a.";
  EXPECT_EQ(ErrorIn("{a: {}}"), at + "type: missing; sqlite or couchdb or postgresql?");
  EXPECT_EQ(ErrorIn("{a: {type: postgresq}}"),
            at + "type: 'postgresq' is not one of sqlite, couchdb, postgresql; did you mean "
                 "'postgresql'?");
  EXPECT_EQ(ErrorIn("{a: {type: sqlite, schema: x}}"),
            at + "schema: is for stores of type postgresql; this one is sqlite");
  EXPECT_EQ(ErrorIn("{a: {type: sqlite, url: x}}"),
            at + "url: is for stores of type couchdb and postgresql; this one is sqlite");
  EXPECT_EQ(ErrorIn("{a: {type: postgresql, url: x, shema: y}}"),
            at + "shema: unknown key; did you mean 'schema'?");
}

}  // namespace
}  // namespace caravel::watcher
