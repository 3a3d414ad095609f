#include "uploader/postgresql/rows/shortcuts.h"

#include <algorithm>
#include <utility>

#include "uploader/postgresql/wire/sqlstate.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

// So many ids say whether a batch was stored before: extracts overlap in runs of rows.
constexpr std::size_t kSample = 16;
// A copy that fails leaves dead rows for the server to clean up, so that it is not tried for ever.
constexpr int kMostFailedCopies = 2;

/// What a COPY can say that an INSERT may do: a row's fault or a key that is taken; something that
/// it does not support (row-level security, a view).
bool another_way_may_do(const std::string& state) {
  return speaks_of_row(state) || state == "0A000" || state == "42809";
}

}  // namespace

Result<RowPlaces> Shortcuts::put(const RowPlaces& rows, const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const bool fresh, seem_new(rows, stop));
  if (!fresh) {
    return statements_.look_for_ids.empty() ? Result<RowPlaces>(rows) : look_up(rows, stop);
  }
  if (statements_.copy_to_table.empty() || failed_copies_ >= kMostFailedCopies) return rows;
  CARAVEL_ASSIGN_OR_RETURN(const bool copied, copy(rows, stop));
  return copied ? RowPlaces() : rows;
}

Result<bool> Shortcuts::seem_new(const RowPlaces& rows, const StopSignal& stop) {
  if (options_.loaded_before || rows.empty()) return false;
  std::vector<std::string_view> ids;
  const std::size_t last = rows.size() - 1;
  for (std::size_t i = 0; i < kSample; ++i) {
    ids.push_back(fates_.batch().id(rows[last * i / (kSample - 1)]));
  }
  CARAVEL_ASSIGN_OR_RETURN(const Reply there,
                           connection_.run(statements_.count_ids, {array_text(ids)}, stop));
  return there.number(0, 0) == 0;
}

/// False if the rows must take the long way: then nothing of this one is left.
Result<bool> Shortcuts::copy(const RowPlaces& rows, const StopSignal& stop) {
  RowPlaces sent;
  std::vector<Repeated> repeated;
  const auto copied = send(rows, sent, repeated, stop);
  if (!copied && !(connection_.is_open() && another_way_may_do(connection_.state()))) {
    return tl::unexpected(copied.error());
  }
  // Fewer rows were stored where a trigger leaves some out.
  if (copied && copied->changed() == sent.size() && settle_repeated(repeated)) {
    for (const std::uint32_t row : sent) fates_.settle(row, Verdict::stored);
    return true;
  }
  ++failed_copies_;
  CARAVEL_TRY(transaction_.restart(stop));
  fates_.forget(rows);
  return false;
}

Result<Reply> Shortcuts::send(const RowPlaces& rows, RowPlaces& sent,
                              std::vector<Repeated>& repeated, const StopSignal& stop) {
  std::size_t at = 0;
  bool ended = false;
  std::string_view id_before;
  stream_.begin(CopyStream::Target::table);
  return connection_.copy_in(
      statements_.copy_to_table,
      [&] {
        for (; at < rows.size() && stream_.size() < CopyStream::kPieceBytes; ++at) {
          const std::uint32_t row = rows[at];
          if (auto reason = row_.read(fates_.batch(), row)) {
            fates_.refuse_unfit(row, *std::move(reason));
          } else if (row_.id() == id_before) {
            repeated.push_back({row, sent.back()});
          } else if (auto unfit = stream_.append(row_, row)) {
            fates_.refuse(row, *std::move(unfit));
          } else {
            id_before = row_.id();
            sent.push_back(row);
          }
        }
        if (at == rows.size() && !std::exchange(ended, true)) stream_.finish();
        return stream_.take();
      },
      stop);
}

/// What has their ids is known: rows of ours, stored a moment ago. False if one is to replace them.
bool Shortcuts::settle_repeated(const std::vector<Repeated>& repeated) {
  const RowBatch& batch = fates_.batch();
  return std::all_of(repeated.begin(), repeated.end(), [&](const Repeated& one) {
    const std::string ours = sum_text(row_sum(batch.row(one.row).record));
    const std::string there = sum_text(row_sum(batch.row(one.first).record));
    const Verdict verdict =
        verdict_on_taken_id({shape_.extract, batch.row(one.row).line, ours},
                            {shape_.extract, batch.row(one.first).line, there}, options_);
    fates_.settle(one.row, verdict);
    return verdict != Verdict::replace;
  });
}

/// Settles the rows whose ids are there, unless they replace what has them; returns the others.
Result<RowPlaces> Shortcuts::look_up(const RowPlaces& rows, const StopSignal& stop) {
  const RowBatch& batch = fates_.batch();
  RowPlaces asked;
  std::vector<std::string_view> ids;
  asked.reserve(rows.size());
  ids.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    // Another id is no row's; the long way says so.
    if (!is_id_tail(batch.row(row).id_tail)) continue;
    asked.push_back(row);
    ids.push_back(batch.id(row));
  }
  CARAVEL_ASSIGN_OR_RETURN(const Reply there,
                           connection_.run(statements_.look_for_ids, {array_text(ids)}, stop));
  for (int found = 0; found < there.rows(); ++found) {
    const std::uint64_t place = there.number(found, 0) - 1;
    if (place >= asked.size()) continue;
    const formatter::Row row = batch.row(asked[place]);
    const std::string sum = sum_text(row_sum(row.record));
    const Verdict verdict = verdict_on_taken_id(
        {shape_.extract, row.line, sum},
        {there.text(found, 1), there.number(found, 2), there.text(found, 3)}, options_);
    // What is there with the same sum was a row; only another one may be none.
    const bool same = there.text(found, 3) == sum;
    if (verdict != Verdict::replace && (same || !row_.read(batch, asked[place]))) {
      fates_.settle(asked[place], verdict);
    }
  }
  RowPlaces rest = rows;
  std::erase_if(rest, [&](std::uint32_t row) { return fates_.verdict(row).has_value(); });
  return rest;
}

}  // namespace caravel::uploader
