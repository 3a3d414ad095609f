#include "uploader/couchdb/upload.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "uploader/http/answer.h"
#include "uploader/row.h"

namespace caravel::uploader {
CouchUpload::CouchUpload(const CouchDatabase& database, Learned& learned, ExtractInfo extract,
                         formatter::RowReader rows, UploadOptions options)
    : database_(database),
      learned_(learned),
      extract_(std::move(extract)),
      options_(options),
      sha256_(rows.end().sha256),
      slots_(std::max(1U, database.config().connections)),
      most_rows_(std::max<std::size_t>(1, database.config().batch_rows)),
      missing_(database, options.may_create),
      identity_(database),
      ask_first_(options.loaded_before),
      feed_(database, missing_, extract_, options.reprocess) {
  auto builder = DocumentBuilder::make(extract_, rows.header(), sha256_);
  if (!builder) {
    // A constructor returns no Result: run() returns this error.
    broken_ = builder.error();
    return;
  }
  reader_.emplace(std::move(rows), std::move(*builder), database.config().batch_rows,
                  database.config().batch_bytes);
}

Result<> CouchUpload::run(const StopSignal& stop) {
  if (done_) return {};
  if (broken_) return tl::unexpected(*broken_);
  if (database_.config().documents == Documents::feed && !extract_.attach_csv) {
    return fail(ErrorKind::usage,
                fmt::format("{}: 'documents: feed' stores no rows but the CSV: it "
                            "needs 'attach_csv: true' in feed {}",
                            database_.config().name, extract_.feed));
  }
  ++runs_;
  CARAVEL_TRY(send_all(stop));
  done_ = true;
  learned_.started_over = 0;
  return {};
}

Result<> CouchUpload::send_all(const StopSignal& stop) {
  const Documents documents = database_.config().documents;
  // Before anything is sent; and, in another run, behind whatever error ended the one before.
  CARAVEL_TRY(look_at_database(stop));
  if (documents != Documents::feed) {
    auto sent = send_rows(stop);
    // After an error, requests may still be in flight. Their replies would arrive in the middle of
    // the next run.
    cancel();
    if (!sent) return sent;
    if (documents == Documents::both) CARAVEL_TRY(look_at_database(stop));
    CARAVEL_TRY(look_at_witnesses(stop));
  }
  // Last, because whoever sees the feed document may expect every row. A crash before it leaves
  // rows without a feed document: the next start sends the rows again, finds all of them, and comes
  // here.
  if (documents != Documents::rows && !feed_sent_) CARAVEL_TRY(send_feed_document(stop));
  return look_at_database(stop);
}

/// Is it still the database that this upload began with? A missing one is no news here: what is
/// sent to it next is answered with 404, and MissingDatabase says what follows.
Result<> CouchUpload::look_at_database(const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const auto look, identity_.look(stop));
  switch (look) {
    case DatabaseIdentity::Look::same:
      return {};
    case DatabaseIdentity::Look::changed:
      return start_over(identity_.difference());
    case DatabaseIdentity::Look::missing:
      break;
  }
  if (!missing_.had_rows()) return {};
  auto made = missing_.make("GET", database_.url(), identity_.reply(), stop);
  if (missing_.rows_are_lost()) demand_restart();
  return made;
}

/// For servers that do not tell one database from another: are rows of every request still there?
Result<> CouchUpload::look_at_witnesses(const StopSignal& stop) {
  // What one request stored a moment ago needs no witness.
  if (witnesses_.seen() < 2 && runs_ < 2) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto lost, learned_.lookups.never_there(witnesses_.ids(), stop));
  if (lost.empty()) return {};
  return start_over(fmt::format("row {} was stored and is not there", lost.front()));
}

/// The database was deleted and made again. The wait grows with every extract, or try, that finds
/// it so: whoever makes it anew all the time gets no flood of rows.
tl::unexpected<Error> CouchUpload::start_over(const std::string& why) {
  constexpr std::chrono::seconds kLongest{300};
  constexpr unsigned kMostDoublings = 9;
  demand_restart();
  Error error{ErrorKind::retry,
              fmt::format("{}: the database '{}' was deleted and made again while this extract was "
                          "sent to it ({}): the whole extract is sent again",
                          database_.config().name, database_.config().database, why)};
  if (learned_.started_over > 0) {
    const std::chrono::seconds wait{1U << std::min(learned_.started_over, kMostDoublings)};
    error.retry_after = std::min(kLongest, wait);
  }
  ++learned_.started_over;
  return tl::unexpected(std::move(error));
}

Result<> CouchUpload::send_rows(const StopSignal& stop) {
  // Until no slot has anything to wait for: then every batch is finished, and none is left to read.
  for (;;) {
    bool in_flight = false;
    for (Slot& slot : slots_) {
      if (!slot.in_flight) CARAVEL_TRY(fill(slot));
      in_flight = in_flight || slot.in_flight;
    }
    if (!in_flight) return {};
    // The next batch is built while the server works on those that are in flight.
    if (!ready_) {
      CARAVEL_ASSIGN_OR_RETURN(auto batch, next_batch());
      ready_ = std::move(batch);
    }
    CARAVEL_ASSIGN_OR_RETURN(auto reply, database_.transport().wait(stop));
    CARAVEL_TRY(handle(reply, stop));
  }
}

/// Gives `slot` a request to wait for, if there is one left. A batch that is finished is counted
/// here; if the store is at fault it stays in its slot, and its refused rows are sent again.
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
    CARAVEL_TRY(take_finished(*slot.batch));
    if (on_batch && slot.begun) {
      on_batch(slot.batch->fates().rows_sent(), std::chrono::steady_clock::now() - *slot.begun);
    }
    slot.begun.reset();
    slot.batch.reset();
  }
  if (!slot.begun) slot.begun = std::chrono::steady_clock::now();
  slot.ticket = database_.transport().start(slot.batch->next_request(most_rows_));
  slot.in_flight = true;
  return {};
}

Result<std::unique_ptr<CouchBatch>> CouchUpload::next_batch() {
  auto batch = reader_->next();
  if (!batch) {
    // The rows that were read before the error are in no batch: this upload cannot go on.
    give_up_csv();
    return tl::unexpected(batch.error());
  }
  if (!*batch) return nullptr;
  return std::make_unique<CouchBatch>(database_, learned_, std::move(*batch),
                                      std::string(extract_tag(sha256_)), options_, ask_first_);
}

Result<> CouchUpload::handle(const HttpReply& reply, const StopSignal& stop) {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& candidate) {
    return candidate.in_flight && candidate.ticket == reply.ticket;
  });
  if (slot == slots_.end()) return fail(ErrorKind::retry, "a reply to nothing that was asked");
  slot->in_flight = false;
  if (took_too_long(reply)) {
    // Half of what took too long, for the rest of this upload. The batch itself is not cut here:
    // next_request() does that.
    most_rows_ = std::min(most_rows_, std::max<std::size_t>(1, slot->batch->rows_asked() / 2));
  }
  auto taken = slot->batch->take(reply);
  if (!taken && !reply.failure && answer_of_status(reply.status) == Answer::missing) {
    // MissingDatabase::make() sends requests of its own, so nothing else may be in flight. All
    // batches stay in their slots and are sent again.
    cancel();
    auto made = missing_.make("POST", database_.url("/_bulk_docs"), reply, stop);
    if (missing_.rows_are_lost()) demand_restart();
    // Whoever deletes what was just made must not go unnoticed.
    return made ? look_at_database(stop) : made;
  }
  if (!taken) return taken;
  if (answer_of_status(reply.status) == Answer::good) missing_.database_was_there();
  return {};
}

/// Why the refusals of a finished batch speak against the store and not against the rows; "" if
/// they do not. Rejects are for good, so that a whole extract of them must not come from a mistake
/// in a validation function.
std::string CouchUpload::fault_of_store(const CouchBatch& batch) const {
  const bool nothing_yet = counts().stored + counts().already_there == 0;
  const bool speaks_for_all = batch.fates().rows_sent() >= RowFates::kSpeakForAll;
  if (batch.fates().all_refused(!speaks_for_all) && (speaks_for_all || nothing_yet)) {
    return "it refuses every row";
  }
  const std::size_t refused = batch.fates().refused_by_store();
  if (refused > 0 && refused_by_store_ + refused > options_.max_refused) {
    return fmt::format("it refuses more than {} rows of this extract", options_.max_refused);
  }
  return {};
}

/// Takes what became of a finished batch into the counts, unless the store is at fault: then the
/// refused rows stay to be sent.
Result<> CouchUpload::take_finished(CouchBatch& batch) {
  if (const std::string fault = fault_of_store(batch); !fault.empty()) {
    const std::string why = batch.fates().a_reason();
    batch.forget_refusals();
    return fail(ErrorKind::refused,
                fmt::format("{}: {} ({}): a new validation rule, or another database?",
                            database_.config().name, fault, why));
  }
  refused_by_store_ += batch.fates().refused_by_store();
  witnesses_.add(batch.witnesses());
  ask_first_ = batch.mostly_there();
  acknowledge(batch.fates().counts(), batch.fates().refused());
  return {};
}

void CouchUpload::cancel() {
  bool any = false;
  for (Slot& slot : slots_) {
    any = std::exchange(slot.in_flight, false) || any;
    // An outage is no latency.
    slot.begun.reset();
  }
  if (any) database_.transport().cancel_all();
}

Result<> CouchUpload::send_feed_document(const StopSignal& stop) {
  const formatter::RowReader& rows = reader_->rows();
  const auto created = feed_.send(rows, refused_lines(), stop);
  // Before an error is returned: FeedUpload hands a note out only once, and an attachment that was
  // given up stays so.
  if (const auto text = feed_.take_note()) note(*text);
  if (missing_.rows_are_lost()) demand_restart();
  if (!created) return tl::unexpected(created.error());
  feed_sent_ = true;
  missing_.database_was_there();
  if (database_.config().documents == Documents::feed) {
    // The CSV is the rows. A document that is there was stored by this very load, before a crash or
    // a lost reply, unless the extract was loaded whole before: the rule of verdict.h.
    UploadCounts counts;
    const bool ours = *created || !options_.loaded_before;
    const formatter::Counts& all = rows.end().counts;
    (ours ? counts.stored : counts.already_there) = all.rows;
    (ours ? counts.more_lines_stored : counts.more_lines_already_there) = all.more_lines;
    acknowledge(counts, {});
  }
  return {};
}

}  // namespace caravel::uploader
