// The bodies and replies of CouchDB's bulk requests, as text. Pure.
// CouchDB documentation: "/{db}/_bulk_docs" and "/{db}/_all_docs".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::uploader {

/// What became of one document of a _bulk_docs request.
enum class EntryResult {
  ok,
  conflict,
  forbidden,     // a validation function refused it: `reason` says why
  unauthorized,  // we lack the rights
  too_large,     // servers that say it for one document and not for the request
  other,         // a node or a quorum failed: passing
};

struct BulkEntry {
  EntryResult result = EntryResult::other;
  std::string reason;  // "forbidden: too old"; empty for `ok` and `conflict`
};

/// Reads the reply to a request that sent `ids`, all different: the entry of each, in the order of
/// `ids`, whatever order the reply has. An error (kind retry) if the reply is anything but one
/// entry for each id: then nothing of it may be believed.
[[nodiscard]] Result<std::vector<BulkEntry>> read_bulk_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);

/// The body that asks _all_docs for `ids`, which need no escaping (see is_id_tail()).
[[nodiscard]] std::string keys_body(const std::vector<std::string_view>& ids);

/// What _all_docs?include_docs=true says of one document.
struct Found {
  std::string id;
  bool exists = false;  // not missing, not deleted
  std::string rev;
  std::string extract;  // caravel.extract; "" if the document has none
  std::uint64_t line = 0;
  std::string sum;
};

/// Reads a reply of _all_docs?include_docs=true, row by row. An error (kind retry) if it is none.
[[nodiscard]] Result<std::vector<Found>> read_all_docs_reply(std::string_view reply);

/// The same for a question about `ids`: the answers in their order. An error if one is missing.
[[nodiscard]] Result<std::vector<Found>> read_lookup_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);

/// Appends `document`, `{"_id":"…",…}`, with `rev` as its revision to replace.
void append_with_rev(std::string_view document, std::size_t id_size, std::string_view rev,
                     std::string& out);

/// "error: reason" of a CouchDB error reply, `{"error":…,"reason":…}`, cut to a readable length; ""
/// if it is none.
[[nodiscard]] std::string error_of_reply(std::string_view reply);

}  // namespace caravel::uploader
