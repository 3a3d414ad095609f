// The replies to CouchDB's bulk requests, and its words, as text. Pure.
// CouchDB documentation: "/{db}/_bulk_docs".
#pragma once

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
  broken_rule,  // a validation function broke, or threw what it may not: it says nothing of the row
  other,        // a node or a quorum failed: passing
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
/// The same, slowly: what it reads, read_bulk_reply() reads. See usual_replies.h.
[[nodiscard]] Result<std::vector<BulkEntry>> read_any_bulk_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);

/// Appends `document`, `{"_id":"…",…}`, with `rev` as its revision to replace.
void append_with_rev(std::string_view document, std::size_t id_size, std::string_view rev,
                     std::string& out);

/// CouchDB's own words in an error reply, `{"error":…,"reason":…}`, as they came.
struct ErrorWords {
  std::string error;
  std::string reason;
};
/// Of a reply that is an array, the words of its first entry that has any. Empty if it has none.
[[nodiscard]] ErrorWords words_of_reply(std::string_view reply);

/// "error: reason" of an error reply, in one readable line. Of other JSON its beginning; "" for
/// what is no JSON.
[[nodiscard]] std::string error_of_reply(std::string_view reply);

/// Is `error` the word for a validation function that broke (a TypeError, one that does not
/// compile) or threw something else than {forbidden: …} or {unauthorized: …}?
[[nodiscard]] bool says_broken_rule(std::string_view error);

}  // namespace caravel::uploader
