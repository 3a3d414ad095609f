// Configurations as text, for tests: what comes of them, or which error.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "watcher/config/config.h"

namespace caravel::watcher {

inline constexpr const char* kPath = "/etc/caravel/c.yaml";

inline Config Parsed(const std::string& text, const ConfigOptions& options = {}) {
  auto config = parse_config(text, kPath, options);
  EXPECT_TRUE(config.has_value()) << config.error().message;
  return config.value_or(Config{});
}

inline std::string ErrorOf(const std::string& text, const ConfigOptions& options = {}) {
  const auto config = parse_config(text, kPath, options);
  if (config) return "(no error)";
  EXPECT_EQ(config.error().kind, ErrorKind::usage);
  return config.error().message;
}

/// The beginning of a couchdb store; "}}" ends it.
inline const std::string kCouch =
    "stores: {couch: {type: couchdb, url: 'https://couch.example.org:6984/', database: feed";

}  // namespace caravel::watcher
