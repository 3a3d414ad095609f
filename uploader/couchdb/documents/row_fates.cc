#include "uploader/couchdb/documents/row_fates.h"

#include <algorithm>
#include <utility>

namespace caravel::uploader {

void RowFates::settle(std::uint32_t row, Verdict verdict) {
  rows_[row].state = State::settled;
  rows_[row].verdict = verdict;
}

void RowFates::refuse(std::uint32_t row, Refusal why, std::string reason) {
  rows_[row].state = State::refused;
  rows_[row].refusal = why;
  rows_[row].reason = std::move(reason);
}

/// The store was at fault, so its refusals count for nothing. Rows that are settled stay so: the
/// store has them.
std::vector<std::uint32_t> RowFates::forget_refusals() {
  std::vector<std::uint32_t> again;
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    if (!was_sent(i) || !is_refused(i)) continue;
    rows_[i] = Fate{};
    again.push_back(i);
  }
  return again;
}

UploadCounts RowFates::counts() const {
  UploadCounts counts;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const BatchRow& row = batch_.rows[i];
    if (was_sent(i)) {
      if (rows_[i].state == State::settled) count(rows_[i].verdict, row.lines, counts);
    } else if (!is_refused(row.repeats)) {
      // A repeated row meets the first row of its id here, as it would have met it in the store.
      const bool same = row.sum == batch_.rows[row.repeats].sum;
      count(same ? Verdict::already_there : Verdict::differs, row.lines, counts);
    }
  }
  return counts;
}

std::vector<RefusedRow> RowFates::refused() const {
  // Rows that could not be documents were refused by us, before anything was sent.
  std::vector<RefusedRow> refused = batch_.unfit;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const BatchRow& row = batch_.rows[i];
    const std::size_t first = was_sent(i) ? i : row.repeats;
    if (!is_refused(first)) continue;
    refused.push_back({row.line, row.offset, rows_[first].reason, row.lines});
  }
  std::sort(refused.begin(), refused.end(),
            [](const RefusedRow& a, const RefusedRow& b) { return a.line < b.line; });
  return refused;
}

/// Repeated rows count as well: each becomes a reject of its own.
std::size_t RowFates::refused_by_store() const { return refused().size() - batch_.unfit.size(); }

std::size_t RowFates::rows_sent() const {
  return static_cast<std::size_t>(
      std::count_if(batch_.rows.begin(), batch_.rows.end(),
                    [](const BatchRow& row) { return row.repeats == BatchRow::kFirst; }));
}

bool RowFates::all_refused(bool for_content) const {
  // A batch whose rows were never sent says nothing of the store.
  bool any = false;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!was_sent(i)) continue;
    if (!is_refused(i) || (for_content && rows_[i].refusal != Refusal::content)) return false;
    any = true;
  }
  return any;
}

bool RowFates::any_settled() const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const Fate& fate) { return fate.state == State::settled; });
}

std::string RowFates::a_reason() const {
  for (const Fate& fate : rows_) {
    if (!fate.reason.empty()) return fate.reason;
  }
  return {};
}

}  // namespace caravel::uploader
