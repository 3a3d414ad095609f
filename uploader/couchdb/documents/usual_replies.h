// The replies to bulk requests as CouchDB usually writes them, read without a tree of them: that
// tree cost more than all else of a load together. Pure.
//
//   reply ──> read_usual_… ── an entry for each id, in their order, as always ──> they are believed
//                  │
//                  └─ anything else ──> read_any_…, which parses, and says what is wrong
//
// The readers here believe nothing that the others would not: where both read a reply, they read
// the same. They never say that a reply is bad.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/documents/found.h"

namespace caravel::uploader {

/// The reply of _bulk_docs if each document was stored or met a conflict:
///   [{"ok":true,"id":"…","rev":"…"},{"id":"…","error":"conflict","reason":"…"},…]
[[nodiscard]] std::optional<std::vector<BulkEntry>> read_usual_bulk_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);

/// The reply of _bulk_get if each document is there, in one revision:
///   {"results":[{"id":"…","docs":[{"ok":{"_id":"…","_rev":"…",…,"caravel":{…}}}]},…]}
[[nodiscard]] std::optional<std::vector<Found>> read_usual_bulk_get_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);

}  // namespace caravel::uploader
