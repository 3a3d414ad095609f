#include "uploader/store.h"

#include "uploader/couchdb/couchdb_store.h"
#include "uploader/couchdb/curl_transport.h"
#include "uploader/sqlite/sqlite_store.h"

namespace caravel::uploader {

std::unique_ptr<Store> make_store(const StoreConfig& config) {
  if (config.type == StoreType::sqlite) return std::make_unique<SqliteStore>(config);
  CurlOptions options;
  options.user = config.user;
  options.password = config.password;
  options.use_netrc = config.use_netrc;
  options.ca_file = config.ca_file;
  options.timeout = config.timeout;
  return std::make_unique<CouchStore>(config, make_curl_transport(std::move(options)));
}

}  // namespace caravel::uploader
