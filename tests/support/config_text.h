// Configurations as text, for tests: what comes of them, or which error.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "uploader/couchdb/config.h"
#include "watcher/config/config.h"
#include "watcher/store_types.h"

namespace caravel::watcher {

inline constexpr const char* kPath = "/etc/caravel/c.yaml";

inline Config Parsed(const std::string& text, const ConfigOptions& options = {}) {
  auto config = parse_config(text, kPath, all_store_types(), options);
  EXPECT_TRUE(config.has_value()) << config.error().message;
  return config.value_or(Config{});
}

inline std::string ErrorOf(const std::string& text, const ConfigOptions& options = {}) {
  const auto config = parse_config(text, kPath, all_store_types(), options);
  if (config) return "(no error)";
  EXPECT_EQ(config.error().kind, ErrorKind::usage);
  return config.error().message;
}

/// What the couchdb store of `text` was configured with: nothing else can see its password.
inline uploader::CouchdbConfig CouchOf(const std::string& text, const ConfigOptions& options = {}) {
  uploader::CouchdbConfig seen;
  uploader::StoreTypes types = {uploader::couchdb_store_type()};
  types[0].read = [&](const uploader::StoreSection& section, uploader::StoreConfig&) -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(seen, uploader::read_couchdb_config(section));
    return {};
  };
  const auto config = parse_config(text, kPath, types, options);
  EXPECT_TRUE(config.has_value()) << config.error().message;
  return seen;
}

/// The beginning of a couchdb store; "}}" ends it.
inline const std::string kCouch =
    "stores: {couch: {type: couchdb, url: 'https://couch.example.org:6984/', database: feed";

}  // namespace caravel::watcher
