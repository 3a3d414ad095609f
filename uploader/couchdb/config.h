// The store type `couchdb`: its keys in the configuration, and what they say.
#pragma once

#include <string>

#include "uploader/http/server_config.h"
#include "uploader/store_type.h"

namespace caravel::uploader {

/// The password of the server's user is in here: never log one.
struct CouchdbConfig : StoreSettings {
  ServerConfig server;
  std::string database;
  bool create_database = true;
  bool gzip = false;  // packs the bodies of bulk requests
  unsigned connections = 2;
};

/// Reads the keys that only this type has; what every store has stays at its defaults, but for
/// `documents`. Errors: kind usage, with file, line and key.
[[nodiscard]] Result<CouchdbConfig> read_couchdb_config(const StoreSection& section);

[[nodiscard]] StoreType couchdb_store_type();

}  // namespace caravel::uploader
