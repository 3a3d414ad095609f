// Single documents of a CouchDB database, with an attachment in the same request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/couchdb/database.h"

namespace caravel::uploader {

/// A file that goes into a document. `fd` is read with pread(2) from 0 on; it is not closed.
struct Attachment {
  std::string name;
  std::string content_type = "text/csv";
  int fd = -1;
  std::uint64_t bytes = 0;
};

enum class PutResult {
  stored,    // 201 or 202 with our id, `ok` and a revision: CouchDB's word that it has the document
  conflict,  // CouchDB says that another revision is there: ask for it before that is believed
  refused,   // any other status: `reply` says which
};

struct PutReply {
  PutResult result = PutResult::refused;
  HttpReply reply;
};

/// PUTs `document` (JSON) under `id`, with `attachment` as multipart/related (RFC 2387) streamed
/// from its file: memory does not grow with it. Errors: no reply, stopped, and (retry) a reply that
/// sounds like yes or like a conflict but is not CouchDB's own: a proxy, a login page and a captive
/// portal answer 200 too, and whoever believes them loses the document. CouchDB documentation,
/// "PUT /{db}/{docid}", "Creating Multiple Attachments".
[[nodiscard]] Result<PutReply> put_document(const CouchDatabase& database, std::string_view id,
                                            const std::string& document,
                                            const Attachment* attachment, const StopSignal& stop);

/// The document; nothing if there is none (404). Attachments come as stubs. Errors: those of the
/// request, and (retry) a reply that is not this document.
[[nodiscard]] Result<std::optional<std::string>> get_document(const CouchDatabase& database,
                                                              std::string_view id,
                                                              const StopSignal& stop);

}  // namespace caravel::uploader
