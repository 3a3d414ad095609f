// The feed document as CouchDB has it: JSON, with the CSV as its attachment. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "uploader/feed_fields.h"

namespace caravel::uploader {

/// {"_id":…,"doc_type":"Feed",…}
[[nodiscard]] std::string feed_document_text(std::string_view id,
                                             const std::vector<FeedField>& fields);

/// `stored`, a document with `_id`, `_rev` and maybe fields of others, with our fields in it but
/// for those that it keeps. An error (kind retry) if `stored` is not an object.
[[nodiscard]] Result<std::string> merged_feed_document(std::string_view stored,
                                                       const std::vector<FeedField>& fields);

/// `document` with the stub of one attachment that follows in the same request. Attachments that it
/// has stay, as stubs. CouchDB documentation, "Creating Multiple Attachments".
[[nodiscard]] std::string with_attachment(std::string_view document, const std::string& name,
                                          const std::string& content_type, std::uint64_t bytes);

/// Does `document` have an attachment `name`?
[[nodiscard]] bool has_attachment(std::string_view document, const std::string& name);

}  // namespace caravel::uploader
