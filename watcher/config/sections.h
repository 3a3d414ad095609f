// What the sections of the configuration share. Only the files of this folder include it.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/yaml.h"
#include "base/yaml_section.h"
#include "uploader/store_type.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// "a, b, c"; for messages that name what there is.
template <class Named>
[[nodiscard]] std::string names_of(const std::vector<Named>& things) {
  std::string out;
  for (const Named& thing : things) out += (out.empty() ? "" : ", ") + thing.name;
  return out;
}

/// "did you mean 'x'?", or, if none of the names is near `name`, "there is: a, b, c".
template <class Named>
[[nodiscard]] std::string nearest_or_all(std::string_view name, const std::vector<Named>& things) {
  std::vector<std::string> names;
  for (const Named& thing : things) names.push_back(thing.name);
  const std::string nearest = nearest_word(name, names);
  return nearest.empty() ? "there is: " + names_of(things)
                         : fmt::format("did you mean '{}'?", nearest);
}

/// Every key of a feed.
[[nodiscard]] std::vector<std::string> feed_keys();

/// What sections are read with. All of it must outlive the reading.
struct ConfigContext {
  std::string base;  // the file's directory: relative paths are relative to it
  const uploader::StoreTypes& store_types;
  const ConfigOptions& options;
};

/// Every key that a store of any of these types may have.
[[nodiscard]] std::vector<std::string> store_keys(const uploader::StoreTypes& types);
/// Fills config.stores and warns in config.warnings; config.state must be there.
[[nodiscard]] Result<> read_stores(const YamlNode& stores, const ConfigContext& context,
                                   Config& config);
/// Every key of the section `serve`.
[[nodiscard]] std::vector<std::string> serve_keys();
/// `base`: as in ConfigContext.
[[nodiscard]] Result<> read_serve(const YamlNode& node, const std::string& base,
                                  ServeConfig& serve);
/// Fills config.feeds; the stores must be there.
[[nodiscard]] Result<> read_feeds(const YamlNode& feeds, Config& config);

}  // namespace caravel::watcher
