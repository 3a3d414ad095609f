// One batch on its way into CouchDB: which request comes next, what its reply means. No sockets:
// the upload sends the requests.
//
// A batch begins as one request for all of its rows. What comes of it can be more requests, one at
// a time: a lookup of the rows that are there already, halves of a request that was too large, rows
// that replace stored ones. The batch is acknowledged when each of its rows has a fate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "uploader/couchdb/batch.h"
#include "uploader/couchdb/bulk_docs.h"
#include "uploader/couchdb/couch_database.h"
#include "uploader/store.h"

namespace caravel::uploader {

class CouchBatch {
 public:
  /// `database` outlives it. `extract_tag`: whose rows these are. Of `options`,
  /// `reprocess` and `loaded_before` count.
  CouchBatch(const CouchDatabase& database, std::unique_ptr<Batch> batch, std::string extract_tag,
             const UploadOptions& options);

  /// Every row has a fate: stored, there already or refused.
  [[nodiscard]] bool finished() const { return questions_.empty() && chunks_.empty(); }

  /// The next request, with `most_rows` rows of the batch at most. It points into this batch: it
  /// may be sent again, but one at a time.
  [[nodiscard]] HttpRequest next_request(std::size_t most_rows);

  /// How many rows the last request was about.
  [[nodiscard]] std::size_t rows_asked() const {
    return asking_ ? asked_.size() : chunks_.back().size();
  }

  /// Takes the reply to the last request. An error leaves things as they were before that request;
  /// it may then be tried again.
  [[nodiscard]] Result<> take(const HttpReply& reply);

  /// After finished(): what became of the rows.
  [[nodiscard]] UploadCounts counts() const;
  [[nodiscard]] std::vector<RefusedRow> refused() const;
  [[nodiscard]] std::size_t refused_by_store() const;
  /// Was every row that was sent refused? With `for_content`: for what is in it, not for its size?
  [[nodiscard]] bool all_refused(bool for_content) const;
  [[nodiscard]] std::size_t rows() const { return batch_->rows.size(); }
  /// The reason of any refused row, for a message.
  [[nodiscard]] std::string a_reason() const;

  /// Takes the refusals back: the rows will be sent again.
  void forget_refusals();

 private:
  enum class Fate : std::uint8_t {
    open,
    stored,
    replaced,
    already_there,
    differs,
    refused,    // by a validation function, or as the culprit of a 400
    too_large,  // alone, and still a 413
  };
  struct State {
    Fate fate = Fate::open;
    std::uint8_t rounds = 0;  // how often it was sent
    std::string rev;          // of the stored row that this one replaces
    std::string reason;
  };
  using Rows = std::vector<std::uint32_t>;

  [[nodiscard]] Rows next_questions(std::size_t most) const;
  [[nodiscard]] std::vector<std::string_view> ids(const Rows& rows) const;
  void build_body(const Rows& rows);
  [[nodiscard]] Result<> take_bulk(const HttpReply& reply);
  [[nodiscard]] Result<> take_lookup(const HttpReply& reply);
  [[nodiscard]] Result<> judge(std::uint32_t row, const Found& found, Rows& again);
  void split(const Rows& rows, Fate if_alone, std::string reason);
  void divide_last(std::size_t first_rows);
  [[nodiscard]] bool is_refused(std::size_t row) const;
  [[nodiscard]] Error garbage(const Error& error) const;

  const CouchDatabase& database_;
  std::unique_ptr<Batch> batch_;
  std::string extract_tag_;
  bool reprocess_;
  bool loaded_before_;
  std::vector<State> states_;
  std::vector<Rows> chunks_;  // to be sent, the last one first
  Rows questions_;            // there already: as the same row?
  bool asking_ = false;       // the last request was a lookup
  std::size_t ask_at_once_;
  Rows asked_;
  std::string body_;  // of the last request, unless that is the whole batch
  std::string url_;
};

}  // namespace caravel::uploader
