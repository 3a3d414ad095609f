// Rows as documents in CouchDB. docs/couchdb-store.md is the page of what it stores.
#pragma once

#include <memory>

#include "uploader/couchdb/config.h"
#include "uploader/http/transport.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// Asks nothing yet. All requests go through `transport`.
[[nodiscard]] std::unique_ptr<Store> make_couchdb_store(const CouchdbConfig& config,
                                                        std::unique_ptr<HttpTransport> transport);

}  // namespace caravel::uploader
