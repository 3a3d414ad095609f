// The store type `sqlite`: its keys in the configuration, and what they say.
#pragma once

#include <string>

#include "uploader/store_type.h"

namespace caravel::uploader {

struct SqliteConfig : StoreSettings {
  std::string path;  // of the file
};

[[nodiscard]] StoreType sqlite_store_type();

}  // namespace caravel::uploader
