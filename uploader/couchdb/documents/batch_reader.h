// Rows become batches: the body of one bulk request each, and what must be remembered of its rows.
//
// The body is built once, in one string. A row of the batch is a slice of it, so that a batch that
// is sent again, in halves or with revisions, is made of the same bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/couchdb/documents/row_document.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// One row of a batch. Its document, `{"_id":"<id>",…}`, is a slice of Batch::body.
struct BatchRow {
  /// This row's id is that of no row before it in the batch.
  static constexpr std::uint32_t kFirst = ~std::uint32_t{0};

  std::size_t at = 0;    // where its document begins
  std::size_t size = 0;  // of its document; 0 for a row that repeats another
  std::uint16_t id_size = 0;
  std::uint32_t repeats = kFirst;  // the row of this batch that has the same id
  std::uint64_t line = 0;
  std::uint64_t lines = 1;
  std::uint64_t offset = 0;
  std::uint64_t sum = 0;
};

/// Up to batch_rows rows, and the body that sends all of them: {"docs":[…]}. An id is in the body
/// once, so that an entry of the reply belongs to one row: a line that is repeated within the batch
/// is a row without a document.
struct Batch {
  std::string body;
  std::vector<BatchRow> rows;
  std::vector<RefusedRow> unfit;  // cannot be documents; they were never sent

  [[nodiscard]] std::string_view document(std::size_t row) const {
    return std::string_view(body).substr(rows[row].at, rows[row].size);
  }
  [[nodiscard]] std::string_view id(std::size_t row) const {
    constexpr std::size_t kBeforeId = std::string_view(R"({"_id":")").size();
    const BatchRow& first =
        rows[row].repeats == BatchRow::kFirst ? rows[row] : rows[rows[row].repeats];
    return std::string_view(body).substr(first.at + kBeforeId, first.id_size);
  }
};

/// Which ids a batch has by now. It holds places of rows and not ids: an id is a slice of the body,
/// and the body moves while it grows.
class IdTable {
 public:
  void clear();
  /// The first row of `batch` with the id of `row`, the row added last: `row` itself if there is no
  /// other.
  [[nodiscard]] std::uint32_t first_with_id_of(const Batch& batch, std::uint32_t row);

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t row = BatchRow::kFirst;  // none
  };
  void grow();

  // At most half of them are taken; which one follows from the hash, or is the next free one.
  std::vector<Slot> slots_;
  std::size_t taken_ = 0;
};

/// Cuts the rows of an extract into batches.
class BatchReader {
 public:
  /// A batch ends at `max_rows` rows or when its body has reached `max_bytes`: a single row may go
  /// beyond them.
  BatchReader(formatter::RowReader rows, DocumentBuilder builder, std::size_t max_rows,
              std::size_t max_bytes)
      : rows_(std::move(rows)),
        builder_(std::move(builder)),
        max_rows_(max_rows),
        max_bytes_(max_bytes) {}

  /// The next batch; null after the last. Errors of RowReader::next().
  [[nodiscard]] Result<std::unique_ptr<Batch>> next();

  [[nodiscard]] const formatter::RowReader& rows() const { return rows_; }

 private:
  formatter::RowReader rows_;
  DocumentBuilder builder_;
  std::size_t max_rows_;
  std::size_t max_bytes_;
  IdTable ids_;
  std::size_t last_bytes_ = 0;  // of the body before
  bool ended_ = false;
};

}  // namespace caravel::uploader
