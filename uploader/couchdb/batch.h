// One batch of rows on its way into CouchDB: which request comes next, and what its reply means. It
// knows no sockets: the upload sends the requests and hands the replies back.
//
//   all rows ──> POST _bulk_docs ──> an entry for each row
//                    │                 ok                        settled: stored, or replaced
//                    │                 forbidden, too large      refused, with the reason
//                    │                 conflict                  a question
//                    │                 a broken rule, no right,  to be sent again
//                    │                 anything else
//                    ├──> 413 that names a row: that row is refused, the others are sent again
//                    └──> 413 or 400: two halves, each a request, until the culprit is alone
//
//   questions ─> POST _bulk_get ───> the stored row of each: verdict_on_taken_id() settles it, or
//                                    says "replace": to be sent again with the stored row's _rev
//
// Questions are asked before more rows are sent. Where most rows are there already (the extract was
// loaded before), all rows begin as questions: what is there need not be sent to be found. The
// batch is finished when every row is settled or refused. CouchDB documentation:
// "/{db}/_bulk_docs",
// "/{db}/_bulk_get".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "uploader/couchdb/database.h"
#include "uploader/couchdb/documents/batch_reader.h"
#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/documents/row_fates.h"
#include "uploader/couchdb/learned.h"
#include "uploader/store.h"

namespace caravel::uploader {

class CouchBatch {
 public:
  /// `database` and `learned` outlive it. `extract_tag`: whose rows these are. Of `options`,
  /// `reprocess` and `loaded_before` count. `ask_first`: the rows are probably there.
  CouchBatch(const CouchDatabase& database, Learned& learned, std::unique_ptr<Batch> batch,
             std::string extract_tag, const UploadOptions& options, bool ask_first);

  /// Every row is stored, was there already, or is refused.
  [[nodiscard]] bool finished() const { return questions_.empty() && chunks_.empty(); }

  /// The next request, with `most_rows` rows of the batch at most. It points into this batch: it
  /// may be sent again, but one at a time.
  [[nodiscard]] HttpRequest next_request(std::size_t most_rows);

  /// How many rows the last request was about.
  [[nodiscard]] std::size_t rows_asked() const {
    return asking_ ? question_.ids.size() : chunks_.back().size();
  }

  /// Takes the reply to the last request. After an error the rows that are not settled are sent or
  /// asked about again.
  [[nodiscard]] Result<> take(const HttpReply& reply);

  [[nodiscard]] const RowFates& fates() const { return fates_; }
  /// Did most of the rows turn out to be there already?
  [[nodiscard]] bool mostly_there() const { return found_ > batch_->rows.size() / 2; }
  /// The id of one row of each reply that settled any: if a later look does not find it, what that
  /// request stored is lost.
  [[nodiscard]] std::vector<std::string> witnesses() const;
  /// Takes the refusals back: the rows will be sent again.
  void forget_refusals();

 private:
  struct Attempts {
    std::uint8_t rounds = 0;      // how often the row was sent
    std::uint8_t rule_broke = 0;  // how often a validation function broke on it
    std::uint8_t alone = 0;       // how often a request with this row only was refused
    std::string rev;              // of the stored row that this one replaces
  };
  /// Indices into batch_->rows.
  using Rows = std::vector<std::uint32_t>;

  [[nodiscard]] Rows next_questions(std::size_t most) const;
  [[nodiscard]] std::vector<std::string_view> ids(const Rows& rows) const;
  [[nodiscard]] std::size_t rows_that_fit(const Rows& rows, std::size_t most_rows) const;
  void build_body(const Rows& rows);
  [[nodiscard]] Result<> take_bulk(const HttpReply& reply);
  [[nodiscard]] Result<> take_refused_request(const HttpReply& reply);
  [[nodiscard]] bool take_named_culprit(const ErrorWords& words);
  void learn_limit(const ErrorWords& words);
  [[nodiscard]] Result<> take_entries(const Rows& rows, const std::vector<BulkEntry>& entries);
  [[nodiscard]] std::optional<Error> take_entry(std::uint32_t row, const BulkEntry& entry);
  [[nodiscard]] Result<> take_lookup(const HttpReply& reply);
  [[nodiscard]] Result<> judge(std::uint32_t row, const Found& found, Rows& again);
  [[nodiscard]] bool refuses_all() const;
  void divide_last(std::size_t first_rows);
  [[nodiscard]] Error in_context(const Error& error) const;

  const CouchDatabase& database_;
  Learned& learned_;
  std::unique_ptr<Batch> batch_;
  std::string extract_tag_;
  UploadOptions options_;
  RowFates fates_;
  std::vector<Attempts> attempts_;
  std::vector<Rows> chunks_;  // to be sent, the last one first
  Rows questions_;            // ids that are taken: by the same row?
  std::size_t found_ = 0;     // rows that a look found
  Rows witnesses_;
  unsigned culprits_ = 0;    // that the server has named
  unsigned rule_broke_ = 0;  // how often in a row a validation function broke on a whole request
  bool asking_ = false;      // the last request was a lookup
  Lookups::Question question_;
  Rows asked_;
  std::string body_;  // of the last request to store rows, unless that is the whole batch
  std::string url_;
};

}  // namespace caravel::uploader
