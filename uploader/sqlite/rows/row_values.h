// From the rows of a batch to the values that a feed's table has of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop_signal.h"
#include "formatter/rows/counts.h"
#include "uploader/sqlite/rows/rows_table.h"
#include "uploader/store.h"
#include "uploader/tables/table_row.h"

namespace caravel::uploader {

/// The columns that a table has for itself and that differ from row to row, in the order of
/// RowValues: those of the format stand behind them. `_extract` is the same for all rows.
[[nodiscard]] std::vector<std::string> own_columns(bool utc);

/// Lets a statement read the rows of a batch, and keeps what became of each.
class RowValues : public RowSource {
 public:
  RowValues(RowShape shape, UploadOptions options)
      : shape_(std::move(shape)), options_(options), row_(shape_) {}

  [[nodiscard]] const std::string& extract() const { return shape_.extract; }

  /// The next run reads all rows, in the order of their ids. What became of others is forgotten.
  /// Both must outlive the runs.
  void read_all(const RowBatch& batch, const StopSignal& stop);
  /// The next run reads this row of the same batch, and no other.
  void read_one(std::uint32_t index);
  /// Whether the stop has ended the last run.
  [[nodiscard]] bool was_stopped() const { return stopped_; }

  /// How many rows the last run should have inserted.
  [[nodiscard]] std::uint64_t inserts() const { return inserts_; }
  /// Of the last run that read the row. `replace` also stands for what is not known yet, because a
  /// row with the same id is to replace what is there before: read_one() finds it out.
  [[nodiscard]] Verdict verdict(std::uint32_t index) const {
    return verdicts_[index].value_or(Verdict::stored);
  }
  /// Why the row was left out: it can be a row of no store. Null if it was not.
  [[nodiscard]] const std::string* refusal(std::uint32_t index) const;

  void rewind() override;
  Step next() override;
  void give_value(int column, ValueTaker& taker) override;
  void taken(const TakenRow& row) override;

 private:
  [[nodiscard]] std::uint32_t index_of(const TakenRow& row) const;
  void give_typed(std::size_t field, ValueTaker& taker);

  RowShape shape_;
  UploadOptions options_;
  const RowBatch* batch_ = nullptr;
  const StopSignal* stop_ = nullptr;
  std::vector<std::uint32_t> by_id_;
  std::vector<std::optional<Verdict>> verdicts_;  // of rows whose ids were taken
  std::map<std::uint32_t, std::string> refusals_;

  std::span<const std::uint32_t> reading_;
  std::size_t at_ = 0;  // of these, the next one
  bool stopped_ = false;
  std::uint64_t inserts_ = 0;
  std::string_view replaced_id_;  // of a row that is to be replaced

  // Of the row that next() went to. Texts that were made for it are lent until the next one.
  std::uint32_t index_ = 0;
  TableRow row_;
  std::string unquoted_;
};

}  // namespace caravel::uploader
