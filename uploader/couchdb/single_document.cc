#include "uploader/couchdb/single_document.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "uploader/couchdb/documents/feed_document.h"
#include "uploader/http/answer.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

// In bytes: CouchDB's default max_document_size (8 MB), and a little more.
constexpr std::size_t kDocumentBytes = 9 << 20;

/// A multipart/related body: text, then a file, then text.
class MultipartBody {
 public:
  MultipartBody(const std::string& document, const Attachment& attachment)
      : attachment_(attachment) {
    // The boundary must not occur in the file, or the server would cut the file there. It is made
    // of the document and our process id, which whoever wrote the file cannot know.
    boundary_ = fmt::format("caravel-{}-{}", sum_text(row_sum(document)), ::getpid());
    // CouchDB finds the file by the order of the stubs in the document; other servers look at the
    // file name.
    head_ = fmt::format(
        "--{0}\r\nContent-Type: application/json\r\n\r\n{1}\r\n--{0}\r\n"
        "Content-Disposition: attachment; filename=\"{2}\"\r\nContent-Type: {3}\r\n"
        "Content-Length: {4}\r\n\r\n",
        boundary_,
        with_attachment(document, attachment.name, attachment.content_type, attachment.bytes),
        attachment.name, attachment.content_type, attachment.bytes);
    tail_ = fmt::format("\r\n--{}--", boundary_);
  }

  [[nodiscard]] const std::string& boundary() const { return boundary_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return head_.size() + attachment_.bytes + tail_.size();
  }

  /// Copies from one of the three parts at a time: whoever reads asks again for the rest.
  [[nodiscard]] std::int64_t read(std::uint64_t offset, char* buffer, std::size_t size) const {
    if (offset < head_.size()) return copy(head_, offset, buffer, size);
    offset -= head_.size();
    if (offset >= attachment_.bytes) return copy(tail_, offset - attachment_.bytes, buffer, size);
    const auto want = std::min<std::uint64_t>(size, attachment_.bytes - offset);
    // 0, for a file that has shrunk, ends the request: the transport takes it for a failure.
    // pread(2): libcurl may ask for an offset again, after a connection that was lost.
    return ::pread(attachment_.fd, buffer, static_cast<std::size_t>(want),
                   static_cast<off_t>(offset));
  }

 private:
  static std::int64_t copy(const std::string& text, std::uint64_t offset, char* buffer,
                           std::size_t size) {
    const auto from = static_cast<std::size_t>(offset);
    const std::size_t count = std::min(size, text.size() - from);
    std::memcpy(buffer, text.data() + from, count);
    return static_cast<std::int64_t>(count);
  }

  const Attachment& attachment_;
  std::string boundary_;
  std::string head_;
  std::string tail_;
};

/// CouchDB's word that it stored the document: {"ok":true,"id":ID,"rev":"…"}.
bool says_stored(const HttpReply& reply, std::string_view id) {
  if (reply.status != 201 && reply.status != 202) return false;
  const json body = json::parse(reply.body, nullptr, false);
  return body.is_object() && body.value("ok", json()) == true && body.value("id", json()) == id &&
         body.value("rev", json()).is_string();
}

/// {"error":"conflict",…}
bool says_conflict(const HttpReply& reply) {
  if (reply.status != 409) return false;
  const json body = json::parse(reply.body, nullptr, false);
  return body.is_object() && body.value("error", json()) == "conflict";
}

Error not_couchdbs(std::string_view method, const std::string& url, const HttpReply& reply) {
  return {ErrorKind::retry,
          fmt::format("{} {}: HTTP {} with a reply that is not CouchDB's, so it is not believed "
                      "(does a proxy or a login page stand in between?)",
                      method, url, reply.status)};
}

}  // namespace

Result<PutReply> put_document(const CouchDatabase& database, std::string_view id,
                              const std::string& document, const Attachment* attachment,
                              const StopSignal& stop) {
  HttpRequest request = database.request("PUT", database.document_url(id), document, kReplyBytes);
  // Outlives the request: call() returns only when nothing is in flight any more.
  std::optional<MultipartBody> body;
  if (attachment != nullptr) {
    body.emplace(document, *attachment);
    request.headers = {
        fmt::format("Content-Type: multipart/related; boundary=\"{}\"", body->boundary())};
    request.body = {};
    request.body_bytes = body->bytes();
    request.read_body = [&body](std::uint64_t offset, char* buffer, std::size_t size) {
      return body->read(offset, buffer, size);
    };
  }
  CARAVEL_ASSIGN_OR_RETURN(auto reply, database.call(request, stop));
  if (says_stored(reply, id)) return PutReply{PutResult::stored, std::move(reply)};
  if (says_conflict(reply)) return PutReply{PutResult::conflict, std::move(reply)};
  const Answer answer = answer_of_status(reply.status);
  if (answer == Answer::good || answer == Answer::conflict) {
    return tl::unexpected(not_couchdbs("PUT", request.url, reply));
  }
  return PutReply{PutResult::refused, std::move(reply)};
}

Result<std::optional<std::string>> get_document(const CouchDatabase& database, std::string_view id,
                                                const StopSignal& stop) {
  const std::string url = database.document_url(id);
  CARAVEL_ASSIGN_OR_RETURN(auto reply,
                           database.call(database.request("GET", url, {}, kDocumentBytes), stop));
  switch (answer_of_status(reply.status)) {
    case Answer::good: {
      const json document = json::parse(reply.body, nullptr, false);
      if (!document.is_object() || document.value("_id", json()) != id) {
        return tl::unexpected(not_couchdbs("GET", url, reply));
      }
      return std::move(reply.body);
    }
    case Answer::missing:
      return std::nullopt;
    default:
      return tl::unexpected(database.error_of("GET", url, reply));
  }
}

}  // namespace caravel::uploader
