#include "uploader/tables/pending_rows.h"

#include <utility>

namespace caravel::uploader {

Result<> PendingRows::fill() {
  if (batch_.size() > 0) return {};
  if (failed_ahead_) return tl::unexpected(*failed_ahead_);
  if (ahead_.size() > 0) {
    std::swap(batch_, ahead_);
    return {};
  }
  return read(batch_);
}

void PendingRows::read_ahead() {
  if (ahead_.size() > 0 || failed_ahead_) return;
  if (auto got = read(ahead_); !got) failed_ahead_ = std::move(got).error();
}

Result<> PendingRows::read(RowBatch& batch) {
  formatter::Row row;
  const auto has_room = [&] {
    return batch.size() == 0 || (batch.size() < most_ && batch.bytes() < most_bytes_);
  };
  while (!read_all_ && has_room()) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, rows_.next(row));
    if (more) {
      batch.add(row);
    } else {
      read_all_ = true;
    }
  }
  return {};
}

}  // namespace caravel::uploader
