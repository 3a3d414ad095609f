#include "uploader/tables/table_row.h"

#include "uploader/row.h"

namespace caravel::uploader {

std::optional<std::string> TableRow::read(const RowBatch& batch, std::uint32_t index) {
  id_ = batch.id(index);
  row_ = batch.row(index);
  if (auto reason = split_row(row_, shape_.types.size(), fields_, scratch_)) return reason;
  sum_.clear();
  append_sum(row_sum(row_.record), sum_);
  read_time();
  return std::nullopt;
}

void TableRow::read_time() {
  const std::string_view text = row_.id_tail.substr(0, row_.id_tail.find(':'));
  if (text == time_of_id_) return;
  time_of_id_ = text;
  time_.reset();
  utc_.reset();
  time_text_.clear();
  utc_text_.clear();
  RowTime time;
  if (!read_row_time(time_of_id_, time)) return;
  time_ = time;
  append_iso_time(time, time_text_);
  if (!shape_.utc) return;
  utc_ = time.utc ? time : shape_.utc->to_utc(time);
  append_iso_time(*utc_, utc_text_);
}

}  // namespace caravel::uploader
