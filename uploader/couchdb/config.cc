#include "uploader/couchdb/config.h"

#include <regex>

#include <fmt/format.h>

#include "base/yaml_section.h"
#include "uploader/couchdb/store.h"
#include "uploader/http/curl_transport.h"

namespace caravel::uploader {
namespace {

/// CouchDB documentation, "PUT /{db}": the names that a database may have.
Result<> check_database(const YamlNode& node, const std::string& database) {
  static const std::regex kDatabase("[a-z][a-z0-9_$()+/-]*");
  if (std::regex_match(database, kDatabase)) return {};
  return node.error(
      fmt::format("'{}' is no name of a CouchDB database: lower-case letters, "
                  "digits and _$()+/- after a first letter",
                  database));
}

std::vector<std::string> keys() {
  std::vector<std::string> keys = server_keys();
  keys.insert(keys.end(), {"database", "documents", "create_database", "connections", "gzip"});
  return keys;
}

Result<> read(const StoreSection& section, StoreConfig& store) {
  CARAVEL_ASSIGN_OR_RETURN(const auto own, read_couchdb_config(section));
  store.documents = own.documents;
  store.documents_given = own.documents_given;
  store.place = fmt::format("{}/{}", own.server.url, own.database);
  store.takes_attachments = true;
  // The password leaves this function only inside of `make`, where no message can reach it.
  store.make = [own](const StoreSettings& settings) {
    CouchdbConfig config = own;
    // The caller may have changed what all stores have in common; all that is CouchDB's stays as it
    // was read.
    static_cast<StoreSettings&>(config) = settings;
    return make_couchdb_store(config, make_curl_transport(config.server.client));
  };
  return {};
}

}  // namespace

Result<CouchdbConfig> read_couchdb_config(const StoreSection& section) {
  CouchdbConfig config;
  Errors errors;
  if (auto server = read_server_config(section)) {
    config.server = *std::move(server);
  } else {
    errors.add(std::move(server).error());
  }
  SectionReader reader(section.node);
  if (!reader.has("database")) reader.fail_at("database", "missing; like: database: feed");
  reader.text("database", config.database);
  if (reader.is_good("database")) {
    reader.check("database", check_database(section.node["database"], config.database));
  }
  reader.choice<Documents>(
      "documents", config.documents,
      {{"rows", Documents::rows}, {"feed", Documents::feed}, {"both", Documents::both}});
  // `capture` stores rows only, unless the file asks for more.
  config.documents_given = reader.has("documents");
  reader.flag("create_database", config.create_database);
  std::uint64_t connections = config.connections;
  // Each connection holds a batch in memory, so there must be a bound.
  reader.count("connections", connections, 1, 16);
  config.connections = static_cast<unsigned>(connections);
  reader.flag("gzip", config.gzip);
  errors.add(reader.result());
  CARAVEL_TRY(errors.result());
  return config;
}

StoreType couchdb_store_type() { return {"couchdb", keys(), read}; }

}  // namespace caravel::uploader
