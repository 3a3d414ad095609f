#include "uploader/couchdb/couch_batch.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "uploader/couchdb/gzip.h"
#include "uploader/couchdb/retry.h"

namespace caravel::uploader {
namespace {

// A lookup's reply holds whole documents: so many, and of ours so many bytes, are asked for at
// once.
constexpr std::size_t kMostQuestions = 100;
constexpr std::size_t kQuestionBytes = 256 * 1024;
// One document of CouchDB's default limit (max_document_size, 8 MB) fits.
constexpr std::size_t kLookupReplyBytes = 9 << 20;
// A row that is in conflict and then missing this often is fought over by someone.
constexpr int kMostRounds = 8;

}  // namespace

CouchBatch::CouchBatch(const CouchDatabase& database, std::unique_ptr<Batch> batch,
                       std::string extract_tag, const UploadOptions& options)
    : database_(database),
      batch_(std::move(batch)),
      extract_tag_(std::move(extract_tag)),
      reprocess_(options.reprocess),
      loaded_before_(options.loaded_before),
      states_(batch_->rows.size()),
      ask_at_once_(kMostQuestions) {
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
  if (chunks_.back().size() > most_rows) divide_last(most_rows);
  const Rows& rows = chunks_.back();
  url_ = database_.url("/_bulk_docs");
  build_body(rows);
  // An entry is an id and a revision, or a reason that a validation function wrote.
  const std::size_t reply_bytes = 64 * 1024 + rows.size() * 4096;
  auto request = database_.request("POST", url_, body_.empty() ? batch_->body : body_, reply_bytes);
  if (database_.config().gzip) {
    body_ = gzip(request.body);
    request.body = body_;
    request.headers.emplace_back("Content-Encoding: gzip");
  }
  return request;
}

void CouchBatch::build_body(const Rows& rows) {
  body_.clear();
  const auto documents = static_cast<std::size_t>(
      std::count_if(batch_->rows.begin(), batch_->rows.end(),
                    [](const BatchRow& row) { return row.repeats == BatchRow::kFirst; }));
  const bool as_built = rows.size() == documents &&
                        std::all_of(rows.begin(), rows.end(),
                                    [&](std::uint32_t row) { return states_[row].rev.empty(); });
  if (as_built) return;
  body_ = R"({"docs":[)";
  for (const std::uint32_t row : rows) {
    if (body_.back() != '[') body_.push_back(',');
    if (states_[row].rev.empty()) {
      body_.append(batch_->document(row));
    } else {
      append_with_rev(batch_->document(row), batch_->rows[row].id_size, states_[row].rev, body_);
    }
  }
  body_.append("]}");
}

Result<> CouchBatch::take(const HttpReply& reply) {
  auto taken = asking_ ? take_lookup(reply) : take_bulk(reply);
  // Nothing of a request outlives its reply.
  body_ = std::string();
  return taken;
}

Error CouchBatch::garbage(const Error& error) const {
  return with_context(fmt::format("{}: POST {}", database_.config().name, url_), error);
}

Result<> CouchBatch::take_bulk(const HttpReply& reply) {
  if (reply.failure) return tl::unexpected(database_.error_of("POST", url_, reply));
  const Answer answer = answer_of_status(reply.status);
  const Rows rows = chunks_.back();
  if (answer == Answer::too_large || answer == Answer::bad) {
    const std::string said = error_of_reply(reply.body);
    // CouchDB says in JSON what it thinks of a body. Anything else is somebody between us and it.
    if (answer == Answer::bad && said.empty()) {
      return tl::unexpected(database_.error_of("POST", url_, reply));
    }
    split(rows, answer == Answer::bad ? Fate::refused : Fate::too_large,
          fmt::format("HTTP {}{}{}", reply.status, said.empty() ? "" : ": ", said));
    return {};
  }
  if (answer != Answer::good) return tl::unexpected(database_.error_of("POST", url_, reply));
  const auto entries = read_bulk_reply(reply.body, ids(rows));
  if (!entries) return tl::unexpected(garbage(entries.error()));
  chunks_.pop_back();
  const bool some_went = std::any_of(entries->begin(), entries->end(),
                                     [](const BulkEntry& entry) {
                                       return entry.result != EntryResult::other &&
                                              entry.result != EntryResult::unauthorized;
                                     }) ||
                         std::any_of(states_.begin(), states_.end(),
                                     [](const State& state) { return state.fate != Fate::open; });
  Rows again;
  Error trouble;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    State& state = states_[rows[i]];
    const BulkEntry& entry = (*entries)[i];
    switch (entry.result) {
      case EntryResult::ok:
        state.fate = state.rev.empty() ? Fate::stored : Fate::replaced;
        break;
      case EntryResult::conflict:
        questions_.push_back(rows[i]);
        break;
      case EntryResult::forbidden:
        state.fate = Fate::refused;
        state.reason = entry.reason;
        break;
      case EntryResult::unauthorized:
        again.push_back(rows[i]);
        trouble = {ErrorKind::fault, fmt::format("row {}: {}", batch_->id(rows[i]), entry.reason)};
        break;
      case EntryResult::other:
        // Where others went through, one that fails time and again is at fault itself (a validation
        // function that fails on it, say).
        if (some_went && ++state.rounds > kMostRounds) {
          state.fate = Fate::refused;
          state.reason = entry.reason;
        } else {
          again.push_back(rows[i]);
          if (trouble.kind != ErrorKind::fault) {
            trouble = {ErrorKind::retry,
                       fmt::format("row {}: {}", batch_->id(rows[i]), entry.reason)};
          }
        }
        break;
      default:
        state.fate = Fate::too_large;
        state.reason = entry.reason;
        break;
    }
  }
  if (again.empty()) return {};
  chunks_.push_back(std::move(again));
  return tl::unexpected(garbage(trouble));
}

void CouchBatch::split(const Rows& rows, Fate if_alone, std::string reason) {
  if (rows.size() == 1) {
    states_[rows[0]].fate = if_alone;
    states_[rows[0]].reason = std::move(reason);
    chunks_.pop_back();
    return;
  }
  divide_last(rows.size() / 2);
}

/// Of the chunk that is next, `first_rows` rows are sent by themselves.
void CouchBatch::divide_last(std::size_t first_rows) {
  const Rows rows = std::move(chunks_.back());
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(first_rows);
  chunks_.back().assign(middle, rows.end());
  chunks_.emplace_back(rows.begin(), middle);
}

Result<> CouchBatch::take_lookup(const HttpReply& reply) {
  if (reply.failure && reply.too_long && asked_.size() > 1) {
    ask_at_once_ = asked_.size() / 2;
    return {};
  }
  if (reply.failure || answer_of_status(reply.status) != Answer::good) {
    return tl::unexpected(database_.error_of("POST", url_, reply));
  }
  const auto found = read_lookup_reply(reply.body, ids(asked_));
  if (!found) return tl::unexpected(garbage(found.error()));
  Rows again;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    CARAVEL_TRY(judge(asked_[i], (*found)[i], again));
  }
  questions_.erase(questions_.begin(),
                   questions_.begin() + static_cast<std::ptrdiff_t>(asked_.size()));
  if (!again.empty()) chunks_.push_back(std::move(again));
  ask_at_once_ = kMostQuestions;
  return {};
}

Result<> CouchBatch::judge(std::uint32_t row, const Found& found, Rows& again) {
  State& state = states_[row];
  const BatchRow& ours = batch_->rows[row];
  const bool same = found.exists && found.sum == sum_text(ours.sum);
  if (same) {
    // Our own from before a crash or a lost reply, or another extract's.
    const bool own = found.extract == extract_tag_ && found.line == ours.line;
    const bool replaced = own && !state.rev.empty();
    state.fate = replaced                 ? Fate::replaced
                 : own && !loaded_before_ ? Fate::stored
                                          : Fate::already_there;
    return {};
  }
  if (found.exists && !reprocess_) {
    state.fate = Fate::differs;
    return {};
  }
  if (++state.rounds > kMostRounds) {
    state.rounds = 0;
    return tl::unexpected(
        garbage({ErrorKind::retry, fmt::format("row {} changes all the time", batch_->id(row))}));
  }
  // Deleted since the conflict: stored as new. There with another sum: replaced.
  state.rev = found.exists ? found.rev : std::string();
  again.push_back(row);
  return {};
}

UploadCounts CouchBatch::counts() const {
  UploadCounts counts;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const BatchRow& row = batch_->rows[i];
    if (row.repeats != BatchRow::kFirst) {
      if (is_refused(row.repeats)) continue;
      ++counts.already_there;
      if (row.sum != batch_->rows[row.repeats].sum) ++counts.differs;
      continue;
    }
    switch (states_[i].fate) {
      case Fate::replaced:
        ++counts.replaced;
        [[fallthrough]];
      case Fate::stored:
        ++counts.stored;
        break;
      case Fate::differs:
        ++counts.differs;
        [[fallthrough]];
      case Fate::already_there:
        ++counts.already_there;
        break;
      default:
        break;
    }
  }
  return counts;
}

std::vector<RefusedRow> CouchBatch::refused() const {
  std::vector<RefusedRow> rows = batch_->unfit;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const BatchRow& row = batch_->rows[i];
    const std::size_t first = row.repeats == BatchRow::kFirst ? i : row.repeats;
    if (is_refused(first)) rows.push_back({row.line, row.offset, states_[first].reason});
  }
  std::sort(rows.begin(), rows.end(),
            [](const RefusedRow& a, const RefusedRow& b) { return a.line < b.line; });
  return rows;
}

std::size_t CouchBatch::refused_by_store() const { return refused().size() - batch_->unfit.size(); }

bool CouchBatch::is_refused(std::size_t row) const {
  return states_[row].fate == Fate::refused || states_[row].fate == Fate::too_large;
}

bool CouchBatch::all_refused(bool for_content) const {
  bool any = false;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (batch_->rows[i].repeats != BatchRow::kFirst) continue;
    if (!is_refused(i) || (for_content && states_[i].fate != Fate::refused)) return false;
    any = true;
  }
  return any;
}

std::string CouchBatch::a_reason() const {
  for (const State& state : states_) {
    if (!state.reason.empty()) return state.reason;
  }
  return {};
}

void CouchBatch::forget_refusals() {
  Rows again;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (batch_->rows[i].repeats != BatchRow::kFirst || !is_refused(i)) continue;
    states_[i] = State{};
    again.push_back(i);
  }
  if (!again.empty()) chunks_.push_back(std::move(again));
}

}  // namespace caravel::uploader
