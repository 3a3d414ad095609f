// What has become of the rows of one transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uploader/tables/table_row.h"
#include "uploader/verdict.h"

namespace caravel::uploader {

/// Places of rows in their batch, mostly in the order of their ids.
using RowPlaces = std::vector<std::uint32_t>;

/// Rows are named by their place in the batch.
class BatchFates {
 public:
  /// `batch` must outlive what follows.
  void begin(const RowBatch& batch);
  /// Nothing is known of these rows any more.
  void forget(const RowPlaces& rows);

  [[nodiscard]] const RowBatch& batch() const { return *batch_; }
  void settle(std::uint32_t row, Verdict verdict) { verdicts_[row] = verdict; }
  [[nodiscard]] std::optional<Verdict> verdict(std::uint32_t row) const { return verdicts_[row]; }
  /// It could be a row of no store: no store is blamed for it.
  void refuse_unfit(std::uint32_t row, std::string reason);
  /// The table, or the server, does not take it.
  void refuse(std::uint32_t row, std::string reason);

  /// Rows that could be rows of a store, and those of them that were refused all the same, with a
  /// reason of one of these.
  [[nodiscard]] std::uint64_t sent() const { return verdicts_.size() - unfit_.size(); }
  [[nodiscard]] std::uint64_t refused_by_store() const { return refused_.size(); }
  [[nodiscard]] std::string a_reason() const {
    return refused_.empty() ? "" : refused_.begin()->second;
  }
  /// In the order of the batch.
  void count_all(Tally& tally) const;

 private:
  const RowBatch* batch_ = nullptr;
  std::vector<std::optional<Verdict>> verdicts_;
  std::map<std::uint32_t, std::string> unfit_;
  std::map<std::uint32_t, std::string> refused_;
};

}  // namespace caravel::uploader
