// Two quicker ways for what nearly all batches are: all new, or all there already. The ids of a
// sample are asked about first:
//
//   none is there: COPY straight into the feed's table. If an id is taken after all, the COPY fails
//                  and is taken back, and the rows take the long way (staged_rows.h).
//
//   some are:      all ids are looked up. Only rows that are not there, or that replace another,
//                  take the long way.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/rows/batch_fates.h"
#include "uploader/postgresql/rows/row_transaction.h"
#include "uploader/postgresql/rows/statements.h"
#include "uploader/postgresql/wire/copy_rows.h"

namespace caravel::uploader {

/// What is given outlives it. After an error the transaction must be taken back.
class Shortcuts {
 public:
  Shortcuts(RowTransaction& transaction, const Statements& statements, const RowShape& shape,
            const UploadOptions& options, TableRow& row, CopyStream& stream, BatchFates& fates)
      : transaction_(transaction),
        connection_(transaction.connection()),
        statements_(statements),
        shape_(shape),
        options_(options),
        row_(row),
        stream_(stream),
        fates_(fates) {}

  /// Does with `rows` (by their ids) what is possible in a quick way; returns the rest.
  [[nodiscard]] Result<RowPlaces> put(const RowPlaces& rows, const StopSignal& stop);

 private:
  /// A row that was not sent, because it has the id of one that was.
  struct Repeated {
    std::uint32_t row = 0;
    std::uint32_t first = 0;
  };

  [[nodiscard]] Result<bool> seem_new(const RowPlaces& rows, const StopSignal& stop);
  [[nodiscard]] Result<bool> copy(const RowPlaces& rows, const StopSignal& stop);
  [[nodiscard]] Result<Reply> send(const RowPlaces& rows, RowPlaces& sent,
                                   std::vector<Repeated>& repeated, const StopSignal& stop);
  [[nodiscard]] bool settle_repeated(const std::vector<Repeated>& repeated);
  [[nodiscard]] Result<RowPlaces> look_up(const RowPlaces& rows, const StopSignal& stop);

  RowTransaction& transaction_;
  Connection& connection_;
  const Statements& statements_;
  const RowShape& shape_;
  const UploadOptions& options_;
  TableRow& row_;
  CopyStream& stream_;
  BatchFates& fates_;
  int failed_copies_ = 0;
};

}  // namespace caravel::uploader
