#include "uploader/couchdb/batch.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "uploader/http/answer.h"
#include "uploader/http/gzip.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

// One lookup asks for no more than kQuestionBytes of our own rows with these ids: the reply holds
// the stored rows, which are usually about as large, and is held in memory.
constexpr std::size_t kQuestionBytes = 1 << 20;
// How often a row is sent again, in judge(): after that somebody else changes the row all the time,
// and the extract waits.
constexpr int kMostRounds = 8;
// A validation function that breaks on a row will break on it again, unless it was being changed at
// that moment: one try more tells.
constexpr int kRoundsForABrokenRule = 1;
// A row that is alone in its request is refused for good when that was said so often.
constexpr std::uint8_t kTimesRefusedAlone = 4;
// So many culprits that the server names are taken out one by one; beyond them the rest is halved
// as well, so that the number of requests stays bounded.
constexpr unsigned kMostNamedCulprits = 8;

}  // namespace

CouchBatch::CouchBatch(const CouchDatabase& database, Learned& learned,
                       std::unique_ptr<Batch> batch, std::string extract_tag,
                       const UploadOptions& options, bool ask_first)
    : database_(database),
      learned_(learned),
      batch_(std::move(batch)),
      extract_tag_(std::move(extract_tag)),
      options_(options),
      fates_(*batch_),
      attempts_(batch_->rows.size()) {
  // A row that repeats another of the batch is not sent: its fate follows from the first one's.
  Rows all;
  for (std::uint32_t i = 0; i < batch_->rows.size(); ++i) {
    if (batch_->rows[i].repeats == BatchRow::kFirst) all.push_back(i);
  }
  if (ask_first) {
    questions_ = std::move(all);
  } else if (!all.empty()) {
    chunks_.push_back(std::move(all));
  }
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
    const std::size_t most_ids = std::min(learned_.lookups.most_ids(), most);
    if (rows.size() >= most_ids || (!rows.empty() && bytes > kQuestionBytes)) break;
    rows.push_back(row);
  }
  return rows;
}

/// How many rows from the front of `rows` one request may hold: one at least, however large it is.
std::size_t CouchBatch::rows_that_fit(const Rows& rows, std::size_t most_rows) const {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const std::uint32_t row : rows) {
    bytes += batch_->rows[row].size + 1;
    if (count > 0 && (count >= most_rows || bytes > learned_.most_bytes())) break;
    ++count;
  }
  return count;
}

HttpRequest CouchBatch::next_request(std::size_t most_rows) {
  asking_ = !questions_.empty();
  if (asking_) {
    asked_ = next_questions(most_rows);
    question_ = learned_.lookups.question(ids(asked_));
    url_ = question_.url;
    return learned_.lookups.request(question_);
  }
  // The upload has learned that more rows at once take the server too long, or are too many for it.
  const std::size_t fit = rows_that_fit(chunks_.back(), std::min(most_rows, learned_.most_rows()));
  if (fit < chunks_.back().size()) divide_last(fit);
  const Rows& rows = chunks_.back();
  url_ = database_.url("/_bulk_docs");
  build_body(rows);
  // An entry of the reply has an id, and a revision or the reason that a validation function wrote:
  // 4 KiB leave room for a long reason.
  const std::size_t reply_bytes = 64 * 1024 + rows.size() * 4096;
  auto request = database_.request("POST", url_, body_.empty() ? batch_->body : body_, reply_bytes);
  if (database_.config().gzip) {
    // The batch's own body stays: the rows may have to be sent again, in halves or with revisions.
    // Without memory to pack it, it is sent as it is.
    if (auto packed = gzip(request.body)) {
      body_ = *std::move(packed);
      request.body = body_;
      request.headers.emplace_back("Content-Encoding: gzip");
    }
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
  question_ = {};
  return taken;
}

Error CouchBatch::in_context(const Error& error) const {
  return with_context(fmt::format("{}: POST {}", database_.config().name, url_), error);
}

Result<> CouchBatch::take_bulk(const HttpReply& reply) {
  if (reply.failure) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Answer answer = answer_of_status(reply.status);
  if (answer != Answer::good && says_broken_rule(words_of_reply(reply.body).error)) {
    // The function says nothing of the rows, so none of them is refused. Others pass meanwhile.
    Error error = database_.error_of("POST", url_, reply);
    error.kind = ErrorKind::retry;
    if (++rule_broke_ > kRoundsForABrokenRule) error.kind = ErrorKind::refused;
    return tl::unexpected(std::move(error));
  }
  if (answer == Answer::too_large || answer == Answer::bad) return take_refused_request(reply);
  if (answer != Answer::good) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Rows rows = chunks_.back();
  const auto entries = read_bulk_reply(reply.body, ids(rows));
  if (!entries) return tl::unexpected(in_context(entries.error()));
  // The chunk stays to be sent until its entries could be read. If the server has stored the rows
  // and only its reply was lost, the next reply has conflicts, and the lookup finds that the rows
  // are ours.
  chunks_.pop_back();
  rule_broke_ = 0;
  learned_.request_passed();
  return take_entries(rows, *entries);
}

/// The server took nothing of the request. If it does not say which row is to blame, halves find it
/// in log2 of the rows. A row that was stored all the same will be met as our own.
Result<> CouchBatch::take_refused_request(const HttpReply& reply) {
  const bool too_large = answer_of_status(reply.status) == Answer::too_large;
  const ErrorWords words = words_of_reply(reply.body);
  // CouchDB says in JSON what it thinks of a body. Anything else comes from somebody between us and
  // the server, who knows nothing of rows.
  if (!too_large && words.error.empty()) {
    return tl::unexpected(database_.error_of("POST", url_, reply));
  }
  if (too_large && take_named_culprit(words)) return {};
  const Rows& rows = chunks_.back();
  if (rows.size() > 1) {
    if (too_large) learn_limit(words);
    divide_last(rows.size() / 2);
    return {};
  }
  // The row is alone in its request, so it is the culprit. But such a word can come from a server
  // in trouble too, or from somebody in between, and would make a reject of the row: it must be
  // said again and again, and the other rows have their turn before that.
  const std::uint32_t row = rows.front();
  const std::string said = error_of_reply(reply.body);
  const auto why = too_large ? RowFates::Refusal::size : RowFates::Refusal::content;
  const std::string reason =
      fmt::format("HTTP {}{}{}", reply.status, said.empty() ? "" : ": ", said);
  if (++attempts_[row].alone >= kTimesRefusedAlone) {
    fates_.refuse(row, why, reason);
    chunks_.pop_back();
    return {};
  }
  std::rotate(chunks_.begin(), std::prev(chunks_.end()), chunks_.end());
  if (!refuses_all()) return {};
  // So it is no matter of rows; whoever takes the batch sees that, and to ask on would not help.
  for (const Rows& chunk : chunks_) fates_.refuse(chunk.front(), why, reason);
  chunks_.clear();
  return {};
}

/// Whether each row was refused alone, and none passed.
bool CouchBatch::refuses_all() const {
  const auto was_alone = [&](const Rows& rows) {
    return rows.size() == 1 && attempts_[rows.front()].alone > 0;
  };
  return chunks_.size() >= RowFates::kSpeakForAll && questions_.empty() && !fates_.any_settled() &&
         std::all_of(chunks_.begin(), chunks_.end(), was_alone);
}

/// {"error":"document_too_large","reason":ID}: refuses that row. Rows that are as large are sent
/// alone, since each of them would cost the others a request. False if nobody, or no row of the
/// request, is named. CouchDB documentation, "max_document_size".
bool CouchBatch::take_named_culprit(const ErrorWords& words) {
  if (words.error != "document_too_large") return false;
  const Rows rows = chunks_.back();
  const auto culprit = std::find_if(
      rows.begin(), rows.end(), [&](std::uint32_t row) { return batch_->id(row) == words.reason; });
  if (culprit == rows.end()) return false;
  fates_.refuse(*culprit, RowFates::Refusal::size,
                fmt::format("HTTP 413: {}: {}", words.error, words.reason));
  const std::size_t too_large = batch_->rows[*culprit].size;
  chunks_.pop_back();
  Rows others;
  for (const std::uint32_t row : rows) {
    if (row == *culprit) continue;
    if (batch_->rows[row].size < too_large) {
      others.push_back(row);
    } else {
      chunks_.push_back({row});
    }
  }
  if (others.empty()) return true;
  chunks_.push_back(std::move(others));
  const std::size_t left = chunks_.back().size();
  if (++culprits_ > kMostNamedCulprits && left > 1) divide_last(left / 2);
  return true;
}

/// A whole request was too large for the server or for a proxy: the next ones, and those of the
/// next batches, are smaller from the start.
void CouchBatch::learn_limit(const ErrorWords& words) {
  const Rows& rows = chunks_.back();
  if (words.error == "max_bulk_docs_count_exceeded") {
    learned_.too_many_rows(rows.size());
    return;
  }
  std::size_t bytes = 0;
  for (const std::uint32_t row : rows) bytes += batch_->rows[row].size + 1;
  learned_.too_many_bytes(bytes);
}

/// Gives each row its fate, or puts it back to be sent again. An error if any row must be sent
/// again; those that have a fate keep it.
Result<> CouchBatch::take_entries(const Rows& rows, const std::vector<BulkEntry>& entries) {
  Rows again;
  Error trouble;
  std::optional<std::uint32_t> witness;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (entries[i].result == EntryResult::ok) witness = rows[i];
    auto error = take_entry(rows[i], entries[i]);
    if (!error) continue;
    again.push_back(rows[i]);
    // What only a person can change is said first; the rest may pass meanwhile.
    const bool more_urgent =
        trouble.kind == ErrorKind::retry ||
        (trouble.kind == ErrorKind::refused && error->kind == ErrorKind::fault);
    if (more_urgent) trouble = std::move(*error);
  }
  if (witness) witnesses_.push_back(*witness);
  if (again.empty()) return {};
  chunks_.push_back(std::move(again));
  return tl::unexpected(in_context(trouble));
}

/// An error: the row must be sent again.
std::optional<Error> CouchBatch::take_entry(std::uint32_t row, const BulkEntry& entry) {
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
    case EntryResult::broken_rule: {
      // The function is at fault and not the row, which must not become a reject: its extract
      // waits, and others pass.
      const bool again = ++attempts_[row].rule_broke <= kRoundsForABrokenRule;
      if (!again) attempts_[row].rule_broke = 0;
      return Error{again ? ErrorKind::retry : ErrorKind::refused,
                   fmt::format("{}; a validation function of the database '{}' breaks on this row: "
                               "mend it, and the row is sent again",
                               said_of_row(), database_.config().database)};
    }
    case EntryResult::other:
      break;
  }
  return Error{ErrorKind::retry, said_of_row()};
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
  CARAVEL_ASSIGN_OR_RETURN(const auto found, learned_.lookups.read(question_, reply));
  if (!found) return {};
  Rows again;
  std::optional<std::uint32_t> witness;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    CARAVEL_TRY(judge(asked_[i], (*found)[i], again));
    if ((*found)[i].exists) witness = asked_[i];
  }
  if (witness) witnesses_.push_back(*witness);
  // An error above leaves all of these questions to be asked again: to settle a row twice changes
  // nothing.
  questions_.erase(questions_.begin(),
                   questions_.begin() + static_cast<std::ptrdiff_t>(asked_.size()));
  if (!again.empty()) chunks_.push_back(std::move(again));
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
      ++found_;
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

std::vector<std::string> CouchBatch::witnesses() const {
  std::vector<std::string> all;
  for (const std::uint32_t row : witnesses_) all.emplace_back(batch_->id(row));
  return all;
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
