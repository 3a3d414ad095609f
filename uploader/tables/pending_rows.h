// The rows of one transaction, read from the CSV and kept until the transaction is committed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/tables/row_batch.h"

namespace caravel::uploader {

/// Rows are given up by clear() alone: after an outage the same rows are stored again.
class PendingRows {
 public:
  /// `most` rows, or `most_bytes` of ids and CSV, make one transaction; one row always does.
  PendingRows(const std::string& feed, formatter::RowReader rows, std::size_t most,
              std::size_t most_bytes)
      : rows_(std::move(rows)), batch_(feed), ahead_(feed), most_(most), most_bytes_(most_bytes) {}

  /// Reads the rows of the next transaction, unless those of the last one are there still. Errors:
  /// those of the CSV, which cannot be read on then.
  [[nodiscard]] Result<> fill();
  /// Reads the rows behind these already, so that the next fill() has them: for a moment in which
  /// the caller waits. Then twice as many rows are in memory. An error is fill()'s to tell.
  void read_ahead();
  /// What is there was committed.
  void clear() { batch_.clear(); }

  [[nodiscard]] const RowBatch& batch() const { return batch_; }
  /// Whether no row comes behind those that are there.
  [[nodiscard]] bool is_last() const { return read_all_ && ahead_.size() == 0; }
  [[nodiscard]] const formatter::RowReader& reader() const { return rows_; }

 private:
  [[nodiscard]] Result<> read(RowBatch& batch);

  formatter::RowReader rows_;
  RowBatch batch_;
  RowBatch ahead_;  // behind those of batch_
  std::optional<Error> failed_ahead_;
  std::size_t most_;
  std::size_t most_bytes_;
  bool read_all_ = false;
};

}  // namespace caravel::uploader
