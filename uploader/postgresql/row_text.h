// A row of a reply as a document of people: JSON.
#pragma once

#include <string>

#include "uploader/postgresql/wire/connection.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// Row `row` of a `SELECT *`; NULLs are left out, times are ISO 8601. `of_extract`: it is one of
/// `_feeds`, which has the whole digest of its extract.
[[nodiscard]] StoredDocument document_at(const Reply& reply, int row, const std::string& id,
                                         bool of_extract);

}  // namespace caravel::uploader
