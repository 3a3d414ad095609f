#include "watcher/store_types.h"

#include "uploader/couchdb/config.h"
#include "uploader/postgresql/config.h"
#include "uploader/sqlite/config.h"

namespace caravel::watcher {

uploader::StoreTypes all_store_types() {
  return {uploader::sqlite_store_type(), uploader::couchdb_store_type(),
          uploader::postgresql_store_type()};
}

}  // namespace caravel::watcher
