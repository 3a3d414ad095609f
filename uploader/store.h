// The one interface to a place where rows go.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "formatter/rows/sidecar.h"
#include "uploader/mapping.h"
#include "uploader/missing.h"
#include "uploader/store_config.h"

namespace caravel::uploader {

/// What the rows and the feed document of one extract say of it.
struct ExtractInfo {
  std::string feed;
  std::string name;       // the extract's file name, as it came (valid UTF-8)
  std::string host;       // the loading host
  std::string timestamp;  // UTC, ISO 8601 with Z: when this extract was claimed
  std::string timezone;   // IANA name; "" = rows carry no UTC time
  bool attach_csv = false;
  bool year_guessed = false;
  // sha256, counts, format, columns and kinds come with the RowReader.
};

struct UploadOptions {
  /// Replace a stored row with another sum, instead of keeping it.
  bool reprocess = false;
  /// The database may be made if it is missing: no row was ever stored there. Without it, one that
  /// is missing is a fault; the SQLite store makes its file anew and adds a note.
  bool may_create = true;
  /// This extract was loaded whole before: a row of its own that is found is then already there. If
  /// not, such a row was stored by this very load, before a crash or a reply that was lost.
  bool loaded_before = false;
  /// More rows refused than this: the store is at fault, not the rows.
  std::uint64_t max_refused = ~std::uint64_t{0};
};

/// A row that the store refused for its content: it becomes a reject.
struct RefusedRow {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string reason;
  std::uint64_t lines = 1;  // that it takes
};

/// The lines of these rows.
[[nodiscard]] std::uint64_t lines_of(const std::vector<RefusedRow>& rows);

/// stored + already_there + refused = rows acknowledged so far. `differs` is a part of
/// already_there: kept in the store with another sum.
struct UploadCounts {
  std::uint64_t stored = 0;
  std::uint64_t already_there = 0;
  std::uint64_t differs = 0;
  std::uint64_t replaced = 0;  // a part of stored: rows that --reprocess replaced
  // The lines that such rows take beside their first ones:
  std::uint64_t more_lines_stored = 0;
  std::uint64_t more_lines_already_there = 0;
  [[nodiscard]] std::uint64_t acknowledged(std::uint64_t refused) const {
    return stored + already_there + refused;
  }
};

/// One extract on its way into one store, which outlives it. It lives through outages: after an
/// error of kind retry or fault, run() may be called again and goes on with what is not yet
/// acknowledged, unless must_restart() says otherwise. No two uploads of a store run at a time.
class Upload {
 public:
  virtual ~Upload() = default;
  /// Sends rows until all are acknowledged, then the feed document. Blocks; `stop` ends it with
  /// kind stopped. On success every row was stored, was there already, or is in refused(), and
  /// counts() adds up to the rows of the sidecar.
  [[nodiscard]] virtual Result<> run(const StopSignal& stop) = 0;
  [[nodiscard]] virtual const UploadCounts& counts() const = 0;
  [[nodiscard]] virtual const std::vector<RefusedRow>& refused() const = 0;
  /// True after an error that this upload cannot go on from: the place where its acknowledged rows
  /// were stored is gone (a database that vanished), or its CSV cannot be read on. Start another
  /// upload from the first row.
  [[nodiscard]] virtual bool must_restart() const = 0;
  /// True after an error of the CSV or its sidecar: the store did nothing wrong.
  [[nodiscard]] virtual bool csv_failed() const { return false; }
  /// What a person should know though it stopped nothing ("attachment refused: …").
  [[nodiscard]] virtual const std::vector<std::string>& notes() const = 0;
  /// Called from run(), in its thread, whenever rows were acknowledged.
  std::function<void(std::uint64_t acknowledged)> on_progress;
  /// Called from run(), in its thread: the store has answered for so many rows that were sent to it
  /// together (a batch, or a transaction), after this time.
  std::function<void(std::uint64_t rows, std::chrono::steady_clock::duration took)> on_batch;
  /// The same as on_progress while the store brings an older table of its own up to date, before it
  /// takes rows: rows that were looked at, of all that are there. Called often.
  std::function<void(std::uint64_t rows, std::uint64_t of)> on_upgrade;
};

/// What several uploads of one store bring is kept together, all or nothing. Ends the group when it
/// is destroyed: without commit() nothing of it was stored, and these uploads must start over.
class UploadGroup {
 public:
  virtual ~UploadGroup() = default;
  /// False once the store has taken everything back by itself: nothing more is sent then.
  [[nodiscard]] virtual bool is_open() const = 0;
  /// After it everything that these uploads were answered for is as durable as without a group.
  [[nodiscard]] virtual Result<> commit() = 0;
};

/// A row or feed document as the store has it.
struct StoredDocument {
  std::string id;
  std::string extract;     // first 16 hex digits of the SHA-256 of the extract that has the credit
  std::uint64_t line = 0;  // 0 for a feed document
  std::string sum;
  std::string text;  // the whole document, for people: JSON
};

/// A place where rows are kept. Errors begin with the store's name. Stores are used by one thread
/// at a time; make one for each thread.
class Store {
 public:
  virtual ~Store() = default;
  /// Does it answer, does it let us in? Changes nothing. A sentence for people. `may_create` as in
  /// UploadOptions: a database that is missing and may not be made is a fault.
  [[nodiscard]] virtual Result<std::string> check(bool may_create = true) = 0;
  /// `rows` is at its first row.
  [[nodiscard]] virtual std::unique_ptr<Upload> start(ExtractInfo extract,
                                                      formatter::RowReader rows,
                                                      UploadOptions options) = 0;
  /// Uploads that run from now on belong to one group. Null if the store knows no groups, or cannot
  /// begin one now: then each upload counts by itself.
  [[nodiscard]] virtual std::unique_ptr<UploadGroup> begin_group() { return nullptr; }
  /// The document with this id, if there is one.
  [[nodiscard]] virtual Result<std::optional<StoredDocument>> find(const std::string& id) = 0;
  /// What it lacks of an extract: rows, its feed document, as far as it stores either. `rows` is at
  /// its first row. Errors are those of find(); kind stopped.
  [[nodiscard]] virtual Result<Missing> missing(const std::string& feed, formatter::RowReader rows,
                                                const StopSignal& stop) = 0;
  /// Calls `visit` with each row of `feed` that `extract` (16 hex digits) has the credit for.
  /// `text` is empty. Used by --delete-stale: reads the whole feed.
  [[nodiscard]] virtual Result<> for_each_row_of(
      const std::string& feed, const std::string& extract,
      const std::function<void(const StoredDocument&)>& visit) = 0;
  /// Calls `visit` with each feed document of `feed`, in the order of ids, with its text. Used by
  /// `ledger rebuild`.
  [[nodiscard]] virtual Result<> for_each_feed_document(
      const std::string& feed, const std::function<void(const StoredDocument&)>& visit) = 0;
  /// Deletes rows by id, if they are still credited to `extract`; returns how many were deleted.
  [[nodiscard]] virtual Result<std::uint64_t> remove_rows(const std::string& feed,
                                                          const std::string& extract,
                                                          const std::vector<std::string>& ids) = 0;
  /// Stores a mapping in one request, or transaction. False if it was there already: it stays as it
  /// is. `may_create` as in UploadOptions.
  [[nodiscard]] virtual Result<bool> put_mapping(const Mapping& mapping, bool may_create) = 0;
};

/// Makes the store that `config` describes. Opens nothing yet.
[[nodiscard]] inline std::unique_ptr<Store> make_store(const StoreConfig& config) {
  return config.make(config);
}

}  // namespace caravel::uploader
