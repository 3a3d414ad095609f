// The rows of a batch on their way into their feed's table, within one transaction: in a quick way
// where one will do (shortcuts.h), else by the staging table (staged_rows.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "uploader/postgresql/rows/shortcuts.h"
#include "uploader/postgresql/rows/staged_rows.h"

namespace caravel::uploader {

/// Belongs to one connection, which outlives it. After an error the transaction must be taken back,
/// and the writer is of no use any more.
class RowWriter {
 public:
  RowWriter(Connection& connection, FeedTable table, Statements statements, RowShape shape,
            UploadOptions options)
      : table_(std::move(table)),
        statements_(std::move(statements)),
        shape_(std::move(shape)),
        options_(options),
        row_(shape_),
        stream_(table_.shape, shape_.extract),
        transaction_(connection, statements_.begin, table_.oid),
        shortcuts_(transaction_, statements_, shape_, options_, row_, stream_, fates_),
        staged_(transaction_, statements_, shape_, options_, row_, stream_, fates_) {}
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  /// Begins the transaction. Errors: retry: the table is another one now.
  [[nodiscard]] Result<> begin(const StopSignal& stop) { return transaction_.begin(stop); }
  /// Stores each row unless its id is taken; see verdict_on_taken_id(). When the server has refused
  /// more rows than `most_refused`, it is no longer asked (error of kind refused).
  [[nodiscard]] Result<> put(const RowBatch& batch, std::uint64_t most_refused,
                             const StopSignal& stop) {
    fates_.begin(batch);
    CARAVEL_ASSIGN_OR_RETURN(const RowPlaces rest, shortcuts_.put(batch.by_id(), stop));
    return rest.empty() ? Result<>() : staged_.put(rest, most_refused, stop);
  }
  /// What became of the rows of the last put().
  [[nodiscard]] const BatchFates& fates() const { return fates_; }

 private:
  FeedTable table_;
  Statements statements_;
  RowShape shape_;
  UploadOptions options_;
  TableRow row_;
  CopyStream stream_;
  BatchFates fates_;
  RowTransaction transaction_;
  Shortcuts shortcuts_;
  StagedRows staged_;
};

}  // namespace caravel::uploader
