// Rows by way of the staging table: the way that knows every case.
//
//   COPY … (binary)         brings the rows, in the order of their ids, into caravel_rows, a
//                           temporary table.
//
//   INSERT … ON CONFLICT    takes them from there into the feed's table, and answers with those
//                           that were new.
//
//   SELECT … JOIN           says what has the ids of the others; verdict.h says what that means.
//
//   DELETE, INSERT          for those that replace another (--reprocess).
//
// If a row makes the server refuse a statement, the transaction begins anew, with halves of the
// rows, and halves of these, between savepoints: so the row is found and becomes a reject alone.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/rows/batch_fates.h"
#include "uploader/postgresql/rows/row_transaction.h"
#include "uploader/postgresql/rows/statements.h"
#include "uploader/postgresql/wire/copy_rows.h"

namespace caravel::uploader {

/// What is given outlives it. After an error the transaction must be taken back.
class StagedRows {
 public:
  StagedRows(RowTransaction& transaction, const Statements& statements, const RowShape& shape,
             const UploadOptions& options, TableRow& row, CopyStream& stream, BatchFates& fates)
      : transaction_(transaction),
        connection_(transaction.connection()),
        statements_(statements),
        shape_(shape),
        options_(options),
        row_(row),
        stream_(stream),
        fates_(fates) {}

  /// Stores each of `rows` unless its id is taken. When the server has refused more rows than
  /// `most_refused`, it is no longer asked (error of kind refused).
  [[nodiscard]] Result<> put(const RowPlaces& rows, std::uint64_t most_refused,
                             const StopSignal& stop);

 private:
  [[nodiscard]] Result<> make_staging(const StopSignal& stop);
  [[nodiscard]] Result<> store(const RowPlaces& rows, const StopSignal& stop);
  [[nodiscard]] Result<> store_in_parts(const RowPlaces& rows, std::uint64_t most_refused,
                                        const StopSignal& stop);
  [[nodiscard]] Result<> store_part(const RowPlaces& rows, const StopSignal& stop);
  [[nodiscard]] Result<RowPlaces> send(const RowPlaces& rows, const StopSignal& stop);
  [[nodiscard]] Result<RowPlaces> insert(const RowPlaces& rows, bool chosen,
                                         const StopSignal& stop);
  [[nodiscard]] Result<> settle_taken(RowPlaces taken, bool all, const StopSignal& stop);
  [[nodiscard]] Result<RowPlaces> settle_round(const RowPlaces& taken, bool all, bool again,
                                               const StopSignal& stop);
  [[nodiscard]] Result<RowPlaces> replace(const RowPlaces& rows, const StopSignal& stop);

  RowTransaction& transaction_;
  Connection& connection_;
  const Statements& statements_;
  const RowShape& shape_;
  const UploadOptions& options_;
  TableRow& row_;
  CopyStream& stream_;
  BatchFates& fates_;
  bool made_ = false;  // the staging table, in this session
};

}  // namespace caravel::uploader
