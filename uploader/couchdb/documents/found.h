// Which of some ids are there, and whose: the bodies of CouchDB's two questions about it, and what
// their replies say. Pure. CouchDB documentation: "/{db}/_bulk_get", "/{db}/_all_docs".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::uploader {

/// What the store has under one id.
struct Found {
  std::string id;
  bool exists = false;   // not missing, not deleted
  bool deleted = false;  // it was there once. Only _all_docs tells this for sure
  std::string rev;
  std::string extract;  // caravel.extract; "" if the document has none
  std::uint64_t line = 0;
  std::string sum;
};

/// The body that asks _bulk_get for `ids`, which need no escaping (see is_id_tail()).
[[nodiscard]] std::string bulk_get_body(const std::vector<std::string_view>& ids);
/// The body that asks _all_docs for the same.
[[nodiscard]] std::string keys_body(const std::vector<std::string_view>& ids);

/// Reads the reply of _bulk_get to a question about `ids`, all different: the answers in their
/// order. Of a document with conflicts, the revision that CouchDB itself would show. An error (kind
/// retry) if the reply is anything but one answer for each id.
[[nodiscard]] Result<std::vector<Found>> read_bulk_get_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);
/// The same, slowly: what it reads, read_bulk_get_reply() reads. See usual_replies.h.
[[nodiscard]] Result<std::vector<Found>> read_any_bulk_get_reply(
    std::string_view reply, const std::vector<std::string_view>& ids);
/// The same of _all_docs?include_docs=true.
[[nodiscard]] Result<std::vector<Found>> read_keys_reply(std::string_view reply,
                                                         const std::vector<std::string_view>& ids);

/// Reads one page of _all_docs, without documents: the ids in the order of the reply. An error
/// (kind retry) if it is none.
[[nodiscard]] Result<std::vector<std::string>> read_page_of_ids(std::string_view reply);

}  // namespace caravel::uploader
