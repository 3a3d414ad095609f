// The feed document: what a store says of a whole extract, written after its last row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"

namespace caravel::uploader {

struct FeedField {
  std::string name;
  std::variant<std::string, std::uint64_t, bool> value;
};

/// "feed:<feed>:<sha256>".
[[nodiscard]] std::string feed_document_id(const std::string& feed, std::string_view sha256);

/// The fields without the `_id`: doc_type, status "new", timestamp, name, host, feed, format,
/// lines, rows, dropped, rejected (`refused` rows too), sha256; year_guessed if it was. `refused`:
/// rows that the store refused; `rows` stays what the format yielded.
[[nodiscard]] std::vector<FeedField> feed_fields(const ExtractInfo& extract,
                                                 const formatter::RowReader& rows,
                                                 std::uint64_t refused);

/// Is this a field that an existing feed document keeps, whatever we have to say? What a consumer
/// made of it (status), and the first upload's name and time.
[[nodiscard]] bool is_kept_feed_field(std::string_view name);

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
