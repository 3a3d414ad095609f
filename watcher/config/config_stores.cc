// The section `stores:` of the configuration.
#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "watcher/config/sections.h"

namespace caravel::watcher {

using uploader::Documents;
using uploader::StoreConfig;
using uploader::StoreType;

const std::vector<std::string> kStoreKeys = {
    "type",       "path",        "url",           "database",  "user",
    "netrc",      "ca_file",     "password_file", "documents", "create_database",
    "batch_rows", "batch_bytes", "connections",   "gzip",      "timeout"};

namespace {

const std::vector<std::string> kSqliteKeys = {"type", "path", "batch_rows", "batch_bytes"};

/// The URL goes into documents' places, logs and the ledger: whatever could hold a secret is
/// refused, and no message repeats it.
Result<> check_url(const YamlNode& node, std::string& url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    return node.error("must begin with https:// or http://");
  }
  if (url.find('@') != std::string::npos) {
    return node.error(
        "must not hold a user or a password (https://user:password@host); "
        "say user: NAME and password_file: FILE instead");
  }
  if (url.find_first_of("?# \t\r\n") != std::string::npos) {
    return node.error("must not hold '?', '#' or blanks");
  }
  while (url.ends_with('/')) url.pop_back();
  if (url == "https:" || url == "http:") return node.error("names no host");
  return {};
}

/// Names of CouchDB databases: https://docs.couchdb.org/en/stable/api/database/common.html#put--db
Result<> check_database(const YamlNode& node, const std::string& database) {
  static const std::regex kDatabase("[a-z][a-z0-9_$()+/-]*");
  if (std::regex_match(database, kDatabase)) return {};
  return node.error(
      fmt::format("'{}' is no name of a CouchDB database: lower-case letters, "
                  "digits and _$()+/- after a first letter",
                  database));
}

Result<> read_sqlite(const YamlNode& node, const std::string& base, const Config& config,
                     StoreConfig& store) {
  for (const auto& [key, value] : node.pairs()) {
    if (std::find(kSqliteKeys.begin(), kSqliteKeys.end(), key) == kSqliteKeys.end()) {
      return value.error("is for stores of type couchdb; this one is sqlite");
    }
  }
  store.path = config.state + "/rows.db";
  SectionReader reader(node);
  reader.path("path", store.path, base);
  if (store.path == config.ledger_path()) {
    reader.fail_at("path", "this is the ledger's own file; rows need one of their own");
  }
  return reader.result();
}

Result<> read_couchdb(const YamlNode& node, const std::string& base, StoreConfig& store) {
  if (node["path"].exists()) {
    return node["path"].error("is for stores of type sqlite; this one is couchdb");
  }
  SectionReader reader(node);
  if (!reader.has("url")) reader.fail_at("url", "missing; like https://couch.example.org:6984");
  reader.text("url", store.url);
  if (reader.ok()) reader.check(check_url(node["url"], store.url));
  if (!reader.has("database")) reader.fail_at("database", "missing; like: database: feed");
  reader.text("database", store.database);
  if (reader.ok()) reader.check(check_database(node["database"], store.database));
  reader.text("user", store.user);
  reader.flag("netrc", store.use_netrc);
  reader.path("ca_file", store.ca_file, base);
  reader.choice<Documents>(
      "documents", store.documents,
      {{"rows", Documents::rows}, {"feed", Documents::feed}, {"both", Documents::both}});
  store.documents_given = reader.has("documents");
  reader.flag("create_database", store.create_database);
  std::uint64_t connections = store.connections;
  reader.count("connections", connections, 1, 16);
  store.connections = static_cast<unsigned>(connections);
  reader.flag("gzip", store.gzip);
  reader.duration("timeout", store.timeout, std::chrono::seconds(1));
  return reader.result();
}

Result<StoreConfig> read_store(const std::string& name, const YamlNode& node,
                               const std::string& base, const ConfigOptions& options,
                               Config& config) {
  static const std::regex kName("[A-Za-z0-9][A-Za-z0-9_-]*");
  if (!std::regex_match(name, kName)) {
    return node.error("a store's name is made of letters, digits, '_' and '-'");
  }
  // Looked for before all else, so that no other message comes first.
  if (node["password"].exists()) {
    return node["password"].error(
        "a password does not belong in this file; put it into a file of its own (mode 0600) and "
        "say password_file: FILE");
  }
  CARAVEL_TRY(node.expect_keys(kStoreKeys));
  StoreConfig store;
  store.name = name;
  SectionReader reader(node);
  if (!reader.has("type")) reader.fail_at("type", "missing; sqlite or couchdb?");
  reader.choice<StoreType>("type", store.type,
                           {{"sqlite", StoreType::sqlite}, {"couchdb", StoreType::couchdb}});
  std::uint64_t batch_rows = store.batch_rows;
  std::uint64_t batch_bytes = store.batch_bytes;
  reader.count("batch_rows", batch_rows, 1, 100'000);
  reader.size("batch_bytes", batch_bytes, 1024, 256ULL << 20);
  store.batch_rows = batch_rows;
  store.batch_bytes = batch_bytes;
  CARAVEL_TRY(reader.result());
  if (store.type == StoreType::sqlite) {
    CARAVEL_TRY(read_sqlite(node, base, config, store));
  } else {
    CARAVEL_TRY(read_couchdb(node, base, store));
    CARAVEL_TRY(read_secrets(node, base, options, store, config.warnings));
  }
  return store;
}

}  // namespace

Result<> read_stores(const YamlNode& stores, const std::string& base, const ConfigOptions& options,
                     Config& config) {
  if (stores.exists()) {
    CARAVEL_TRY(stores.expect_map());
    for (const auto& [name, node] : stores.pairs()) {
      CARAVEL_ASSIGN_OR_RETURN(auto store, read_store(name, node, base, options, config));
      config.stores.push_back(std::move(store));
    }
  }
  if (config.stores.empty()) {
    StoreConfig local;
    local.name = "local";
    local.path = config.state + "/rows.db";
    config.stores.push_back(std::move(local));
  }
  return {};
}

}  // namespace caravel::watcher
