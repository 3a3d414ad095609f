#include "uploader/couchdb/batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "uploader/http/answer.h"
#include "uploader/http/gzip.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

// The reply to a lookup holds whole documents. So one lookup asks for at most kMostQuestions ids,
// and for no more than kQuestionBytes of our own rows with these ids: the stored rows are usually
// about as large.
constexpr std::size_t kMostQuestions = 100;
constexpr std::size_t kQuestionBytes = 256 * 1024;
// One document of CouchDB's default limit (max_document_size, 8 MB) fits.
constexpr std::size_t kLookupReplyBytes = 9 << 20;
// How often a row is sent again. After that, in judge(), somebody else changes the row all the
// time, and the extract waits; in take_entry(), where other rows pass, the row itself is at fault.
constexpr int kMostRounds = 8;

}  // namespace

CouchBatch::CouchBatch(const CouchDatabase& database, std::unique_ptr<Batch> batch,
                       std::string extract_tag, const UploadOptions& options)
    : database_(database),
      batch_(std::move(batch)),
      extract_tag_(std::move(extract_tag)),
      options_(options),
      fates_(*batch_),
      attempts_(batch_->rows.size()),
      ask_at_once_(kMostQuestions) {
  // A row that repeats another of the batch is not sent: its fate follows from the first one's.
  Rows all;
  for (std::uint32_t i = 0; i < batch_->rows.size(); ++i) {
    if (batch_->rows[i].repeats == BatchRow::kFirst) all.push_back(i);
  }
  if (!all.empty()) chunks_.push_back(std::move(all));
}

std::vector<std::string_view> CouchBatch::ids(const Rows& rows) const {
  std::vector<std::string_view> all;
  all.reserve(rows.size());
  for (const std::uint32_t row : rows) all.push_back(batch_->id(row));
  return all;
}

/// The rows of the next lookup, from the front of questions_: one at least, however large it is.
CouchBatch::Rows CouchBatch::next_questions(std::size_t most) const {
  Rows rows;
  std::size_t bytes = 0;
  for (const std::uint32_t row : questions_) {
    bytes += batch_->rows[row].size;
    if (rows.size() >= std::min(ask_at_once_, most) || (!rows.empty() && bytes > kQuestionBytes))
      break;
    rows.push_back(row);
  }
  return rows;
}

HttpRequest CouchBatch::next_request(std::size_t most_rows) {
  asking_ = !questions_.empty();
  if (asking_) {
    asked_ = next_questions(most_rows);
    body_ = keys_body(ids(asked_));
    url_ = database_.url("/_all_docs?include_docs=true");
    return database_.request("POST", url_, body_, kLookupReplyBytes);
  }
  // The upload has learned that more rows at once take the server too long.
  if (chunks_.back().size() > most_rows) divide_last(most_rows);
  const Rows& rows = chunks_.back();
  url_ = database_.url("/_bulk_docs");
  build_body(rows);
  // An entry of the reply has an id, and a revision or the reason that a validation function wrote:
  // 4 KiB leave room for a long reason.
  const std::size_t reply_bytes = 64 * 1024 + rows.size() * 4096;
  auto request = database_.request("POST", url_, body_.empty() ? batch_->body : body_, reply_bytes);
  if (database_.config().gzip) {
    // The batch's own body stays: the rows may have to be sent again, in halves or with revisions.
    body_ = gzip(request.body);
    request.body = body_;
    request.headers.emplace_back("Content-Encoding: gzip");
  }
  return request;
}

/// Leaves body_ empty if the batch's own body is the one to send: the common case costs no copy.
void CouchBatch::build_body(const Rows& rows) {
  body_.clear();
  const auto documents = static_cast<std::size_t>(
      std::count_if(batch_->rows.begin(), batch_->rows.end(),
                    [](const BatchRow& row) { return row.repeats == BatchRow::kFirst; }));
  const bool as_built = rows.size() == documents &&
                        std::all_of(rows.begin(), rows.end(),
                                    [&](std::uint32_t row) { return attempts_[row].rev.empty(); });
  if (as_built) return;
  body_ = R"({"docs":[)";
  for (const std::uint32_t row : rows) {
    if (body_.back() != '[') body_.push_back(',');
    if (attempts_[row].rev.empty()) {
      body_.append(batch_->document(row));
    } else {
      append_with_rev(batch_->document(row), batch_->rows[row].id_size, attempts_[row].rev, body_);
    }
  }
  body_.append("]}");
}

Result<> CouchBatch::take(const HttpReply& reply) {
  auto taken = asking_ ? take_lookup(reply) : take_bulk(reply);
  // Gives the memory back: during an outage the batch may wait in its slot for hours.
  body_ = std::string();
  return taken;
}

Error CouchBatch::in_context(const Error& error) const {
  return with_context(fmt::format("{}: POST {}", database_.config().name, url_), error);
}

Result<> CouchBatch::take_bulk(const HttpReply& reply) {
  if (reply.failure) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Answer answer = answer_of_status(reply.status);
  if (answer == Answer::too_large || answer == Answer::bad) return take_refused_request(reply);
  if (answer != Answer::good) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Rows rows = chunks_.back();
  const auto entries = read_bulk_reply(reply.body, ids(rows));
  if (!entries) return tl::unexpected(in_context(entries.error()));
  // The chunk stays to be sent until its entries could be read. If the server has stored the rows
  // and only its reply was lost, the next reply has conflicts, and the lookup finds that the rows
  // are ours.
  chunks_.pop_back();
  return take_entries(rows, *entries);
}

/// The server took nothing of the request and does not say which row is to blame: halves find it in
/// log2 of the rows. A row that was stored all the same will be met as our own.
Result<> CouchBatch::take_refused_request(const HttpReply& reply) {
  const bool too_large = answer_of_status(reply.status) == Answer::too_large;
  const std::string said = error_of_reply(reply.body);
  // CouchDB says in JSON what it thinks of a body. Anything else comes from somebody between us and
  // the server, who knows nothing of rows.
  if (!too_large && said.empty()) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Rows& rows = chunks_.back();
  if (rows.size() > 1) {
    divide_last(rows.size() / 2);
    return {};
  }
  // The row is alone in its request, so the row is the culprit.
  fates_.refuse(rows.front(), too_large ? RowFates::Refusal::size : RowFates::Refusal::content,
                fmt::format("HTTP {}{}{}", reply.status, said.empty() ? "" : ": ", said));
  chunks_.pop_back();
  return {};
}

/// Gives each row its fate, or puts it back to be sent again. An error if any row must be sent
/// again; those that have a fate keep it.
Result<> CouchBatch::take_entries(const Rows& rows, const std::vector<BulkEntry>& entries) {
  const bool others_pass = std::any_of(entries.begin(), entries.end(),
                                       [](const BulkEntry& entry) {
                                         return entry.result != EntryResult::other &&
                                                entry.result != EntryResult::unauthorized;
                                       }) ||
                           fates_.any();
  Rows again;
  Error trouble;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto error = take_entry(rows[i], entries[i], others_pass);
    if (!error) continue;
    again.push_back(rows[i]);
    // What only a person can change is said first; the rest may pass meanwhile.
    if (trouble.kind != ErrorKind::fault) trouble = std::move(*error);
  }
  if (again.empty()) return {};
  chunks_.push_back(std::move(again));
  return tl::unexpected(in_context(trouble));
}

/// An error: the row must be sent again. `others_pass`: the server took or refused other rows of
/// the batch, so it works.
std::optional<Error> CouchBatch::take_entry(std::uint32_t row, const BulkEntry& entry,
                                            bool others_pass) {
  const auto said_of_row = [&] { return fmt::format("row {}: {}", batch_->id(row), entry.reason); };
  switch (entry.result) {
    case EntryResult::ok:
      // If we sent a revision, CouchDB has put our row into the place of the stored one.
      fates_.settle(row, attempts_[row].rev.empty() ? Verdict::stored : Verdict::replaced);
      return {};
    case EntryResult::conflict:
      questions_.push_back(row);
      return {};
    case EntryResult::forbidden:
      fates_.refuse(row, RowFates::Refusal::content, entry.reason);
      return {};
    case EntryResult::too_large:
      fates_.refuse(row, RowFates::Refusal::size, entry.reason);
      return {};
    case EntryResult::unauthorized:
      // Our rights are at fault and not the row: the row stays to be sent.
      return Error{ErrorKind::fault, said_of_row()};
    case EntryResult::other:
      break;
  }
  // Where others pass, a row that fails time and again is at fault itself (a validation function
  // that breaks on it, say).
  if (!others_pass || ++attempts_[row].rounds <= kMostRounds)
    return Error{ErrorKind::retry, said_of_row()};
  fates_.refuse(row, RowFates::Refusal::content, entry.reason);
  return {};
}

/// Splits the chunk that would be sent next: its first `first_rows` rows are sent alone, and before
/// the others.
void CouchBatch::divide_last(std::size_t first_rows) {
  const Rows rows = std::move(chunks_.back());
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(first_rows);
  chunks_.back().assign(middle, rows.end());
  chunks_.emplace_back(rows.begin(), middle);
}

Result<> CouchBatch::take_lookup(const HttpReply& reply) {
  // The stored documents are larger than ours, and fewer of them fit into a reply: the next lookup
  // asks for half as many.
  if (reply.failure && reply.too_long && asked_.size() > 1) {
    ask_at_once_ = asked_.size() / 2;
    return {};
  }
  if (reply.failure || answer_of_status(reply.status) != Answer::good) {
    return tl::unexpected(database_.error_of("POST", url_, reply));
  }
  const auto found = read_lookup_reply(reply.body, ids(asked_));
  if (!found) return tl::unexpected(in_context(found.error()));
  Rows again;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    CARAVEL_TRY(judge(asked_[i], (*found)[i], again));
  }
  // An error above leaves all of these questions to be asked again: to settle a row twice changes
  // nothing.
  questions_.erase(questions_.begin(),
                   questions_.begin() + static_cast<std::ptrdiff_t>(asked_.size()));
  if (!again.empty()) chunks_.push_back(std::move(again));
  // The next documents may be small again.
  ask_at_once_ = kMostQuestions;
  return {};
}

/// Decides about a row whose id is taken: settles it, or puts it into `again`. `found` may be out
/// of date by now. Then CouchDB refuses our revision with another conflict, and the row is looked
/// up anew.
Result<> CouchBatch::judge(std::uint32_t row, const Found& found, Rows& again) {
  Attempts& attempts = attempts_[row];
  if (found.exists) {
    const std::string sum = sum_text(batch_->rows[row].sum);
    const Verdict verdict = verdict_on_taken_id({extract_tag_, batch_->rows[row].line, sum},
                                                {found.extract, found.line, found.sum}, options_,
                                                !attempts.rev.empty());
    if (verdict != Verdict::replace) {
      fates_.settle(row, verdict);
      return {};
    }
  }
  if (++attempts.rounds > kMostRounds) {
    attempts.rounds = 0;
    return tl::unexpected(in_context(
        {ErrorKind::retry, fmt::format("row {} changes all the time", batch_->id(row))}));
  }
  // A row that was deleted since the conflict is sent without a revision, as a new one. A row with
  // another sum is sent with its revision, so that CouchDB replaces exactly what was looked at.
  attempts.rev = found.exists ? found.rev : std::string();
  again.push_back(row);
  return {};
}

void CouchBatch::forget_refusals() {
  Rows again = fates_.forget_refusals();
  if (again.empty()) return;
  // From the start: as many rounds as the first time, and no revision of a document that may have
  // changed meanwhile.
  for (const std::uint32_t row : again) attempts_[row] = {};
  chunks_.push_back(std::move(again));
}

}  // namespace caravel::uploader
