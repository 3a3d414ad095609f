#include "uploader/couchdb/feed_upload.h"

#include <fmt/format.h>

#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/documents/feed_document.h"
#include "uploader/couchdb/remedies.h"
#include "uploader/couchdb/single_document.h"
#include "uploader/http/answer.h"

namespace caravel::uploader {
namespace {

// Consumers know this name: docs/couchdb-store.md promises it.
constexpr const char* kAttachmentName = "feed";
// After this many conflicts somebody else must be writing the document all the time: the extract
// waits.
constexpr int kMostUpdates = 8;

}  // namespace

FeedUpload::FeedUpload(const CouchDatabase& database, MissingDatabase& missing, ExtractInfo extract,
                       bool reprocess)
    : database_(database),
      missing_(missing),
      extract_(std::move(extract)),
      reprocess_(reprocess),
      attach_(extract_.attach_csv) {}

/// A crash, or a reply that is lost, behind the PUT leaves the document in the store. The next
/// send() meets it as a conflict and, unless there is something to change, leaves it as it is.
Result<bool> FeedUpload::send(const formatter::RowReader& rows, std::uint64_t refused,
                              const StopSignal& stop) {
  const std::string id = feed_document_id(extract_.feed, rows.end().sha256);
  const auto fields = feed_fields(extract_, rows, refused);
  const std::string fresh = feed_document_text(id, fields);
  const Attachment attachment{kAttachmentName, "text/csv", rows.csv_fd(), rows.csv_bytes()};
  std::string document = fresh;
  bool created = true;
  for (int round = 0; round < kMostUpdates; ++round) {
    CARAVEL_ASSIGN_OR_RETURN(const auto put, put_document(database_, id, document,
                                                          attach_ ? &attachment : nullptr, stop));
    switch (put.result) {
      case PutResult::stored:
        return created;
      case PutResult::conflict: {
        CARAVEL_ASSIGN_OR_RETURN(auto update, update_of_stored(id, fields, stop));
        if (!update) return false;
        // "": somebody has deleted the document since the conflict, so that it is made anew.
        created = update->empty();
        document = created ? fresh : *update;
        break;
      }
      case PutResult::refused:
        if (answer_of_status(put.reply.status) == Answer::missing) {
          CARAVEL_TRY(missing_.make("PUT", database_.document_url(id), put.reply, stop));
        } else {
          CARAVEL_TRY(give_attachment_up(id, put.reply));
        }
        break;
    }
  }
  return fail(ErrorKind::retry, fmt::format("{}: feed document {} changes all the time",
                                            database_.config().name, id));
}

/// The server refused the document. Without the attachment it may take it: a limit of size, or a
/// proxy that knows no multipart. An error if that is no way out.
Result<> FeedUpload::give_attachment_up(const std::string& id, const HttpReply& reply) {
  const Error error = database_.error_of("PUT", database_.document_url(id), reply);
  const Answer answer = answer_of_status(reply.status);
  const ErrorWords words = words_of_reply(reply.body);
  // The server is down or busy: the attachment is not to blame. Nor is it where a rule breaks.
  const bool by_broken_rule = says_broken_rule(words.error);
  if (answer == Answer::wait && !by_broken_rule) return tl::unexpected(error);
  // Rights are the same with and without the attachment; and where the attachment is all that
  // there is, it cannot be left out.
  const bool of_rights = reply.status == 401 || reply.status == 403;
  if (!attach_ || holds_the_rows() || of_rights || by_broken_rule) {
    // A validation function refused this one, by a proper word or by breaking, and may take others.
    const bool by_rule =
        by_broken_rule || (answer == Answer::forbidden && !speaks_of_rights(words));
    return fail(by_rule ? ErrorKind::refused : ErrorKind::fault, error.message);
  }
  attach_ = false;
  note_ = fmt::format("attachment refused, feed document stored without it: {}", error.message);
  return {};
}

/// The feed document is there already. Nothing if it stays as it is; else what to PUT: the stored
/// document with our fields, or "" if it is gone by now.
Result<std::optional<std::string>> FeedUpload::update_of_stored(
    const std::string& id, const std::vector<FeedField>& fields, const StopSignal& stop) {
  // Asked even if it stays as it is: with it this extract is done, and a conflict is only a word.
  CARAVEL_ASSIGN_OR_RETURN(auto stored, get_document(database_, id, stop));
  if (!stored) return std::string();
  // A feed document of an earlier configuration may lack the CSV, which is all that we store now.
  const bool complete = !holds_the_rows() || !attach_ || has_attachment(*stored, kAttachmentName);
  if (!reprocess_ && complete) return std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto merged, merged_feed_document(*stored, fields));
  return merged;
}

}  // namespace caravel::uploader
