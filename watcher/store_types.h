// The list of all stores that the program has. Only main and tests know it; all others are given
// it.
#pragma once

#include "uploader/store_type.h"

namespace caravel::watcher {

/// The first is the one of a configuration that names no store.
[[nodiscard]] uploader::StoreTypes all_store_types();

}  // namespace caravel::watcher
