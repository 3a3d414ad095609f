// The section `stores:` of the configuration: what is the same for every type of store. The rest is
// read by the type itself.
#include <algorithm>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "watcher/config/sections.h"

namespace caravel::watcher {

using uploader::StoreConfig;
using uploader::StoreType;
using uploader::StoreTypes;

namespace {

// Keys that mean the same for every type; the type itself names all others.
const std::vector<std::string> kSharedKeys = {"type", "batch_rows", "batch_bytes"};

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> type_names(const StoreTypes& types) {
  std::vector<std::string> names;
  for (const StoreType& type : types) names.push_back(type.name);
  return names;
}

/// The type that the key `type` names. An error names all types, and the nearest one if the name
/// looks misspelt.
Result<const StoreType*> find_type(const YamlNode& node, const StoreTypes& types) {
  const std::vector<std::string> names = type_names(types);
  SectionReader reader(node);
  if (!reader.has("type")) {
    reader.fail_at("type", fmt::format("missing; {}?", fmt::join(names, " or ")));
  }
  std::string name;
  reader.text("type", name);
  CARAVEL_TRY(reader.result());
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return &types[static_cast<std::size_t>(found - names.begin())];
  const std::string nearest = nearest_word(name, names);
  return node["type"].error(
      fmt::format("'{}' is not one of {}{}", name, fmt::join(names, ", "),
                  nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

/// A key of another type is no typing mistake: the message says whose it is.
Result<> check_keys(const YamlNode& node, const StoreType& type, const StoreTypes& types) {
  std::vector<std::string> known = kSharedKeys;
  known.insert(known.end(), type.keys.begin(), type.keys.end());
  Errors errors;
  for (const auto& [key, value] : node.pairs()) {
    if (contains(known, key)) continue;
    StoreTypes owners;
    std::copy_if(types.begin(), types.end(), std::back_inserter(owners),
                 [&, &name = key](const StoreType& other) { return contains(other.keys, name); });
    if (owners.empty()) continue;
    known.push_back(key);  // said here, and not once more as unknown
    errors.add(value.error(fmt::format("is for stores of type {}; this one is {}",
                                       fmt::join(type_names(owners), " and "), type.name)));
  }
  errors.add(node.expect_keys(known));
  return errors.result();
}

Result<StoreConfig> read_store(const std::string& name, const YamlNode& node,
                               const ConfigContext& context, Config& config) {
  // The name is also part of a file name: that of the systemd credential NAME.password
  // (uploader/credentials.cc).
  static const std::regex kName("[A-Za-z0-9][A-Za-z0-9_-]*");
  if (!std::regex_match(name, kName)) {
    return node.error("a store's name is made of letters, digits, '_' and '-'");
  }
  // Looked for before all else: of all mistakes in a store, a person must hear of this one first.
  if (node["password"].exists()) {
    return node["password"].error(
        "a password does not belong in this file; put it into a file of its own (mode 0600) and "
        "say password_file: FILE");
  }
  CARAVEL_TRY(node.expect_map());
  CARAVEL_ASSIGN_OR_RETURN(const auto type, find_type(node, context.store_types));
  Errors errors;
  errors.add(check_keys(node, *type, context.store_types));
  StoreConfig store;
  store.name = name;
  store.type = type->name;
  SectionReader reader(node);
  // Bounds keep one request, or transaction, within memory and within the patience of a server.
  std::uint64_t batch_rows = store.batch_rows;
  std::uint64_t batch_bytes = store.batch_bytes;
  reader.count("batch_rows", batch_rows, 1, 100'000);
  reader.size("batch_bytes", batch_bytes, 1024, 256ULL << 20);
  store.batch_rows = batch_rows;
  store.batch_bytes = batch_bytes;
  // Not finish(), which would not know the keys of the type: check_keys() has judged them.
  errors.add(reader.result());
  // All that a type of store may know of the rest of the file.
  const uploader::StoreSection section{node,
                                       name,
                                       context.base,
                                       config.state,
                                       config.ledger_path(),
                                       context.options.secrets,
                                       context.options.credentials_directory,
                                       config.warnings};
  errors.add(type->read(section, store));
  CARAVEL_TRY(errors.result());
  return store;
}

}  // namespace

std::vector<std::string> store_keys(const StoreTypes& types) {
  std::vector<std::string> keys = kSharedKeys;
  for (const StoreType& type : types) {
    // A key that several types have is named once.
    std::copy_if(type.keys.begin(), type.keys.end(), std::back_inserter(keys),
                 [&](const std::string& key) { return !contains(keys, key); });
  }
  return keys;
}

Result<> read_stores(const YamlNode& stores, const ConfigContext& context, Config& config) {
  if (stores.exists()) {
    CARAVEL_TRY(stores.expect_map());
    Errors errors;
    for (const auto& [name, node] : stores.pairs()) {
      auto store = read_store(name, node, context, config);
      if (!store) {
        errors.add(std::move(store).error());
        // Feeds that name it are right.
        store = StoreConfig{};
        store->name = name;
      }
      config.stores.push_back(*std::move(store));
    }
    CARAVEL_TRY(errors.result());
  }
  if (!config.stores.empty() || context.store_types.empty()) return {};
  // As if the file said: stores: {local: {type: sqlite}}. Tests that open no store give no types.
  CARAVEL_ASSIGN_OR_RETURN(
      const auto local,
      YamlNode::parse(fmt::format("{{type: {}}}", context.store_types.front().name), config.file));
  CARAVEL_ASSIGN_OR_RETURN(auto store, read_store("local", local, context, config));
  config.stores.push_back(std::move(store));
  return {};
}

}  // namespace caravel::watcher
