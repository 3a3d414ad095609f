#include "uploader/couchdb/couchdb_upload.h"

#include <algorithm>

#include <fmt/format.h>

#include "uploader/couchdb/couch_document.h"
#include "uploader/couchdb/retry.h"

namespace caravel::uploader {
namespace {

// A batch of fewer rows may well be all bad while the store is good.
constexpr std::size_t kRowsThatSpeakForAll = 20;
constexpr const char* kAttachmentName = "feed";

/// The server, or a proxy in front of it, had no time for so many rows at once. The same request
/// again would end the same way.
bool took_too_long(const HttpReply& reply) {
  constexpr int kRequestTimeout = 408;
  constexpr int kGatewayTimeout = 504;
  return reply.failure ? reply.timed_out
                       : reply.status == kRequestTimeout || reply.status == kGatewayTimeout;
}

}  // namespace

CouchUpload::CouchUpload(const CouchDatabase& database, ExtractInfo extract,
                         formatter::RowReader rows, UploadOptions options)
    : database_(database),
      extract_(std::move(extract)),
      options_(options),
      sha256_(rows.end().sha256),
      slots_(std::max(1U, database.config().connections)),
      most_rows_(std::max<std::size_t>(1, database.config().batch_rows)),
      attach_(extract_.attach_csv) {
  auto builder = DocumentBuilder::make(extract_, rows.header(), sha256_);
  if (!builder) {
    broken_ = builder.error();
    return;
  }
  reader_.emplace(std::move(rows), std::move(*builder), database.config().batch_rows,
                  database.config().batch_bytes);
}

Result<> CouchUpload::run(const StopSignal& stop) {
  if (done_) return {};
  if (broken_) return tl::unexpected(*broken_);
  const Documents documents = database_.config().documents;
  if (documents == Documents::feed && !extract_.attach_csv) {
    return fail(ErrorKind::usage,
                fmt::format("{}: 'documents: feed' stores no rows but the CSV: it "
                            "needs 'attach_csv: true' in feed {}",
                            database_.config().name, extract_.feed));
  }
  if (documents != Documents::feed) {
    auto sent = send_rows(stop);
    // Their replies would come in the midst of the next run's.
    cancel();
    if (!sent) return sent;
  }
  if (documents != Documents::rows) CARAVEL_TRY(send_feed_document(stop));
  done_ = true;
  return {};
}

Result<> CouchUpload::send_rows(const StopSignal& stop) {
  for (;;) {
    bool in_flight = false;
    for (Slot& slot : slots_) {
      if (!slot.in_flight) CARAVEL_TRY(fill(slot));
      in_flight = in_flight || slot.in_flight;
    }
    if (!in_flight) return {};
    if (!ready_) {
      CARAVEL_ASSIGN_OR_RETURN(auto batch, next_batch());
      ready_ = std::move(batch);
    }
    CARAVEL_ASSIGN_OR_RETURN(auto reply, database_.transport().wait(stop));
    CARAVEL_TRY(handle(reply, stop));
  }
}

/// Gives `slot` a request to wait for, if there is one left.
Result<> CouchUpload::fill(Slot& slot) {
  for (;;) {
    if (!slot.batch) {
      slot.batch = std::move(ready_);
      if (!slot.batch) {
        CARAVEL_ASSIGN_OR_RETURN(auto batch, next_batch());
        slot.batch = std::move(batch);
      }
      if (!slot.batch) return {};
    }
    if (!slot.batch->finished()) break;
    CARAVEL_TRY(acknowledge(*slot.batch));
    slot.batch.reset();
  }
  slot.ticket = database_.transport().start(slot.batch->next_request(most_rows_));
  slot.in_flight = true;
  return {};
}

Result<std::unique_ptr<CouchBatch>> CouchUpload::next_batch() {
  auto batch = reader_->next();
  if (!batch) {
    must_restart_ = true;
    return tl::unexpected(batch.error());
  }
  if (!*batch) return nullptr;
  return std::make_unique<CouchBatch>(database_, std::move(*batch),
                                      std::string(extract_tag(sha256_)), options_);
}

Result<> CouchUpload::handle(const HttpReply& reply, const StopSignal& stop) {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& candidate) {
    return candidate.in_flight && candidate.ticket == reply.ticket;
  });
  if (slot == slots_.end()) return fail(ErrorKind::retry, "a reply to nothing that was asked");
  slot->in_flight = false;
  if (!reply.failure && answer_of_status(reply.status) == Answer::missing) {
    cancel();
    return make_database(database_.url("/_bulk_docs"), reply, stop);
  }
  if (took_too_long(reply)) {
    most_rows_ = std::min(most_rows_, std::max<std::size_t>(1, slot->batch->rows_asked() / 2));
  }
  CARAVEL_TRY(slot->batch->take(reply));
  if (answer_of_status(reply.status) == Answer::good) accepted_any_ = true;
  return {};
}

/// Takes what became of a finished batch into the counts, unless its refusals say that the store is
/// at fault: then the refused rows stay to be sent.
Result<> CouchUpload::acknowledge(CouchBatch& batch) {
  const std::size_t refused = batch.refused_by_store();
  const bool nothing_yet = counts_.stored + counts_.already_there == 0;
  const bool speaks_for_all = batch.rows() >= kRowsThatSpeakForAll;
  if (batch.all_refused(!speaks_for_all) && (speaks_for_all || nothing_yet)) {
    Error error{ErrorKind::refused,
                fmt::format("{}: it refuses every row ({}): a new validation rule, or another "
                            "database?",
                            database_.config().name, batch.a_reason())};
    batch.forget_refusals();
    return tl::unexpected(std::move(error));
  }
  if (refused > 0 && refused_by_store_ + refused > options_.max_refused) {
    Error error{ErrorKind::refused,
                fmt::format("{}: it refuses more than {} rows of this extract ({}): a new "
                            "validation rule, or another database?",
                            database_.config().name, options_.max_refused, batch.a_reason())};
    batch.forget_refusals();
    return tl::unexpected(std::move(error));
  }
  const UploadCounts counts = batch.counts();
  counts_.stored += counts.stored;
  counts_.already_there += counts.already_there;
  counts_.differs += counts.differs;
  counts_.replaced += counts.replaced;
  refused_by_store_ += refused;
  for (RefusedRow& row : batch.refused()) refused_.push_back(std::move(row));
  report_progress();
  return {};
}

/// After a 404: makes the database if it may be missing. Rows of ours that it has taken before say
/// that it vanished.
Result<> CouchUpload::make_database(const std::string& url, const HttpReply& reply,
                                    const StopSignal& stop) {
  constexpr int kMostTimes = 2;
  if (accepted_any_) {
    must_restart_ = true;
    return fail(ErrorKind::fault,
                fmt::format("{}: the database '{}' has vanished while rows were sent to it; bring "
                            "it back, and the whole extract is sent again",
                            database_.config().name, database_.config().database));
  }
  if (!database_.config().create_database || times_made_ >= kMostTimes) {
    return tl::unexpected(database_.error_of("POST", url, reply));
  }
  if (!options_.may_create) {
    return fail(ErrorKind::fault,
                fmt::format("{}: the database '{}' has vanished: rows were stored there before. "
                            "Bring it back, or create it empty if that is meant",
                            database_.config().name, database_.config().database));
  }
  CARAVEL_TRY(database_.create(stop));
  ++times_made_;
  return {};
}

void CouchUpload::cancel() {
  bool any = false;
  for (Slot& slot : slots_) any = std::exchange(slot.in_flight, false) || any;
  if (any) database_.transport().cancel_all();
}

void CouchUpload::report_progress() {
  if (on_progress) on_progress(counts_.acknowledged(refused_.size()));
}

Result<> CouchUpload::send_feed_document(const StopSignal& stop) {
  const formatter::RowReader& rows = reader_->rows();
  const std::string id = feed_document_id(extract_.feed, sha256_);
  const auto fields = feed_fields(extract_, rows, refused_.size());
  const std::string fresh = feed_document_text(id, fields);
  const bool feed_only = database_.config().documents == Documents::feed;
  const Attachment attachment{kAttachmentName, "text/csv", rows.csv_fd(), rows.csv_bytes()};

  std::string document = fresh;
  bool created = true;
  // More rounds than this, and someone else writes the document all the time.
  for (int round = 0; round < 8; ++round) {
    CARAVEL_ASSIGN_OR_RETURN(const auto reply, put_document(database_, id, document,
                                                            attach_ ? &attachment : nullptr, stop));
    const Error error = database_.error_of("PUT", database_.document_url(id), reply);
    switch (answer_of_status(reply.status)) {
      case Answer::good:
        if (feed_only) count_whole_extract(created);
        return {};
      case Answer::conflict: {
        CARAVEL_ASSIGN_OR_RETURN(auto update, update_of_stored(id, fields, attach_, stop));
        if (!update) {
          if (feed_only) count_whole_extract(false);
          return {};
        }
        created = update->empty();
        document = created ? fresh : *update;
        continue;
      }
      case Answer::missing:
        CARAVEL_TRY(make_database(database_.document_url(id), reply, stop));
        continue;
      case Answer::wait:
        return tl::unexpected(error);
      default:
        break;
    }
    // Rights are the same with and without the attachment; and where the attachment is all that
    // there is, it cannot be left out.
    if (!attach_ || feed_only || reply.status == 401 || reply.status == 403) {
      const bool this_one = answer_of_status(reply.status) == Answer::forbidden;
      return tl::unexpected(Error{this_one ? ErrorKind::refused : ErrorKind::fault, error.message});
    }
    attach_ = false;
    notes_.push_back(
        fmt::format("attachment refused, feed document stored without it: {}", error.message));
  }
  return fail(ErrorKind::retry, fmt::format("{}: feed document {} changes all the time",
                                            database_.config().name, id));
}

/// The feed document is there already. Nothing if it stays as it is; else what to PUT: the stored
/// document with our fields, or "" if it has gone since.
Result<std::optional<std::string>> CouchUpload::update_of_stored(
    const std::string& id, const std::vector<FeedField>& fields, bool attaching,
    const StopSignal& stop) {
  const bool feed_only = database_.config().documents == Documents::feed;
  if (!options_.reprocess && !feed_only) return std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto stored, get_document(database_, id, stop));
  if (!stored) return std::string();
  // A feed document of an earlier configuration may lack the CSV, which is all that we store now.
  const bool complete = !feed_only || !attaching || has_attachment(*stored, kAttachmentName);
  if (!options_.reprocess && complete) return std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto merged, merged_feed_document(*stored, fields));
  return merged;
}

/// With `documents: feed` the CSV is the rows.
void CouchUpload::count_whole_extract(bool created) {
  const std::uint64_t rows = reader_->rows().end().counts.rows;
  (created ? counts_.stored : counts_.already_there) = rows;
  report_progress();
}

}  // namespace caravel::uploader
