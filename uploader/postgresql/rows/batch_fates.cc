#include "uploader/postgresql/rows/batch_fates.h"

#include <utility>

namespace caravel::uploader {

void BatchFates::begin(const RowBatch& batch) {
  batch_ = &batch;
  verdicts_.assign(batch.size(), std::nullopt);
  unfit_.clear();
  refused_.clear();
}

void BatchFates::forget(const RowPlaces& rows) {
  for (const std::uint32_t row : rows) {
    verdicts_[row].reset();
    unfit_.erase(row);
    refused_.erase(row);
  }
}

void BatchFates::refuse_unfit(std::uint32_t row, std::string reason) {
  unfit_[row] = std::move(reason);
}

void BatchFates::refuse(std::uint32_t row, std::string reason) {
  refused_[row] = std::move(reason);
}

void BatchFates::count_all(Tally& tally) const {
  for (std::uint32_t i = 0; i < batch_->size(); ++i) {
    const auto unfit = unfit_.find(i);
    const auto refused = refused_.find(i);
    if (unfit == unfit_.end() && refused == refused_.end()) {
      count(verdicts_[i].value_or(Verdict::stored), batch_->lines(i), tally.counts);
      continue;
    }
    const formatter::Row row = batch_->row(i);
    tally.refused.push_back(
        {row.line, row.offset, unfit != unfit_.end() ? unfit->second : refused->second, row.lines});
  }
}

}  // namespace caravel::uploader
