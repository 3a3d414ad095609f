#include "uploader/sqlite/rows/row_values.h"

#include <algorithm>

#include "uploader/sqlite/rows/typed_value.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

/// The places of own_columns(); a column for UTC has the first place behind them.
enum OwnColumn : std::uint8_t { own_id, own_kind, own_time, own_line, own_sum, own_columns_end };

/// A transaction may take seconds; a stop rolls it back, and its rows are sent with the next run.
constexpr std::size_t kLookUpEvery = 256;

}  // namespace

std::vector<std::string> own_columns(bool utc) {
  std::vector<std::string> names = {"_id", "_kind", "_time", "_line", "_sum"};
  if (utc) names.emplace_back("_time_utc");
  return names;
}

void RowValues::read_all(const RowBatch& batch, const StopSignal& stop) {
  batch_ = &batch;
  stop_ = &stop;
  by_id_ = batch.by_id();
  verdicts_.assign(batch.size(), std::nullopt);
  refusals_.clear();
  reading_ = by_id_;
}

void RowValues::read_one(std::uint32_t index) {
  index_ = index;
  reading_ = {&index_, 1};
  verdicts_[index].reset();
}

const std::string* RowValues::refusal(std::uint32_t index) const {
  const auto found = refusals_.find(index);
  return found != refusals_.end() ? &found->second : nullptr;
}

void RowValues::rewind() {
  at_ = 0;
  inserts_ = 0;
  replaced_id_ = {};
}

RowSource::Step RowValues::next() {
  while (at_ < reading_.size()) {
    stopped_ = at_ % kLookUpEvery == 0 && stop_->requested();
    if (stopped_) return Step::stopped;
    index_ = reading_[at_++];
    // Such a row becomes a reject; the others are stored.
    if (auto reason = row_.read(*batch_, index_)) {
      refusals_[index_] = *std::move(reason);
      continue;
    }
    ++inserts_;
    return Step::row;
  }
  return Step::end;
}

void RowValues::give_value(int column, ValueTaker& taker) {
  switch (column) {
    case own_id:
      return taker.lend_text(row_.id());
    case own_kind:
      return taker.lend_text(row_.kind());
    case own_time:
      return taker.lend_text_or_null(row_.time_text());
    case own_line:
      return taker.take(static_cast<std::int64_t>(row_.line()));
    case own_sum:
      return taker.lend_text(row_.sum());
    default:
      break;
  }
  if (!shape_.utc) return give_typed(static_cast<std::size_t>(column - own_columns_end), taker);
  if (column == own_columns_end) return taker.lend_text_or_null(row_.utc_text());
  give_typed(static_cast<std::size_t>(column - own_columns_end - 1), taker);
}

void RowValues::give_typed(std::size_t index, ValueTaker& taker) {
  const std::string_view field = row_.fields()[index];
  const ColumnType type = shape_.types[index];
  if (field.empty() || type == ColumnType::text) return taker.lend_text_or_null(field);
  const SqlValue value = typed_value(type, field, unquoted_);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    taker.take(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    taker.take(*real);
  } else if (const auto text = std::get<std::string_view>(value); text.data() == field.data()) {
    taker.lend_text(text);
  } else {
    taker.copy_text(text);  // the next column of this row uses `unquoted_` again
  }
}

void RowValues::taken(const TakenRow& row) {
  const std::uint32_t index = index_of(row);
  const Verdict verdict =
      verdict_on_taken_id({shape_.extract, row.line, row.sum}, row.there, options_);
  if (verdict == Verdict::replace) replaced_id_ = batch_->id(index);
  // Rows of one id come one behind the other. What is there now is not what later ones will find.
  verdicts_[index] = row.id == replaced_id_ ? Verdict::replace : verdict;
  --inserts_;
}

/// A line that an extract repeats has one id: of equal ids the line says which row it is.
std::uint32_t RowValues::index_of(const TakenRow& row) const {
  if (row_.line() == row.line && row_.id() == row.id) return index_;
  const auto first = std::lower_bound(
      by_id_.begin(), by_id_.end(), row.id,
      [&](std::uint32_t index, std::string_view id) { return batch_->id(index) < id; });
  for (auto same = first; same != by_id_.end() && batch_->id(*same) == row.id; ++same) {
    if (batch_->row(*same).line == row.line && !verdicts_[*same]) return *same;
  }
  return *first;
}

}  // namespace caravel::uploader
