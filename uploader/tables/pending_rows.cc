#include "uploader/tables/pending_rows.h"

namespace caravel::uploader {

Result<> PendingRows::fill() {
  if (batch_.size() > 0) return {};
  formatter::Row row;
  const auto has_room = [&] {
    return batch_.size() == 0 || (batch_.size() < most_ && batch_.bytes() < most_bytes_);
  };
  while (!read_all_ && has_room()) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, rows_.next(row));
    if (more) {
      batch_.add(row);
    } else {
      read_all_ = true;
    }
  }
  return {};
}

}  // namespace caravel::uploader
