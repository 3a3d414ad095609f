#include "uploader/postgresql/rows/staged_rows.h"

#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "uploader/postgresql/wire/sqlstate.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

/// A row can be deleted by others between our two looks at it, again and again.
constexpr int kMostRounds = 20;

std::vector<std::string> as_parameter(const RowPlaces& rows) {
  return {fmt::format("{{{}}}", fmt::join(rows, ","))};
}

}  // namespace

Result<> StagedRows::put(const RowPlaces& rows, std::uint64_t most_refused,
                         const StopSignal& stop) {
  CARAVEL_TRY(make_staging(stop));
  auto stored = store(rows, stop);
  if (stored || !connection_.is_open() || !speaks_of_row(connection_.state())) return stored;
  CARAVEL_TRY(transaction_.restart(stop));
  fates_.forget(rows);
  return store_in_parts(rows, most_refused, stop);
}

/// In a transaction of its own: it must outlast one that is taken back.
Result<> StagedRows::make_staging(const StopSignal& stop) {
  if (made_) return {};
  CARAVEL_TRY(connection_.run("ROLLBACK", stop));
  CARAVEL_TRY(connection_.run(statements_.make_staging, stop));
  made_ = true;
  return transaction_.begin(stop);
}

/// Copies the rows that the table has values for into the staging table, and returns them; the
/// others are refused.
Result<RowPlaces> StagedRows::send(const RowPlaces& rows, const StopSignal& stop) {
  RowPlaces sent;
  std::size_t at = 0;
  bool ended = false;
  stream_.begin(CopyStream::Target::staging);
  const auto next = [&] {
    for (; at < rows.size() && stream_.size() < CopyStream::kPieceBytes; ++at) {
      if (auto reason = row_.read(fates_.batch(), rows[at])) {
        fates_.refuse_unfit(rows[at], *std::move(reason));
      } else if (auto unfit = stream_.append(row_, rows[at])) {
        fates_.refuse(rows[at], *std::move(unfit));
      } else {
        sent.push_back(rows[at]);
      }
    }
    if (at == rows.size() && !std::exchange(ended, true)) stream_.finish();
    return stream_.take();
  };
  CARAVEL_TRY(connection_.copy_in(statements_.copy, next, stop));
  return sent;
}

Result<> StagedRows::store(const RowPlaces& rows, const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const RowPlaces sent, send(rows, stop));
  CARAVEL_ASSIGN_OR_RETURN(RowPlaces taken, insert(sent, false, stop));
  if (taken.empty()) return {};
  const bool all = taken.size() == sent.size();
  return settle_taken(std::move(taken), all, stop);
}

/// Inserts `rows` of the staging table, which has no others unless they are `chosen`; returns those
/// that were not new.
Result<RowPlaces> StagedRows::insert(const RowPlaces& rows, bool chosen, const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply reply,
      connection_.run(insert_rows(statements_, chosen),
                      chosen ? as_parameter(rows) : std::vector<std::string>(), stop));
  const auto inserted = static_cast<std::size_t>(reply.rows());
  RowPlaces taken;
  if (inserted == rows.size()) {
    for (const std::uint32_t row : rows) fates_.settle(row, Verdict::stored);
    return taken;
  }
  // A line begins one row at most, so it names the row.
  std::set<std::uint64_t> lines;
  for (int row = 0; row < reply.rows(); ++row) lines.insert(reply.number(row, 0));
  for (const std::uint32_t row : rows) {
    if (lines.contains(fates_.batch().row(row).line)) {
      fates_.settle(row, Verdict::stored);
    } else {
      taken.push_back(row);
    }
  }
  if (taken.size() + inserted == rows.size()) return taken;
  return fail(ErrorKind::retry, fmt::format("{} rows were inserted of {}, and {} of them are ours",
                                            inserted, rows.size(), rows.size() - taken.size()));
}

/// `all`: the staging table has no other rows.
Result<> StagedRows::settle_taken(RowPlaces taken, bool all, const StopSignal& stop) {
  // A row that replaces another is settled at once; a second row with its id meets it in the next
  // round, and a third in the one after that.
  for (int round = 1; !taken.empty(); ++round) {
    const std::size_t before = taken.size();
    CARAVEL_ASSIGN_OR_RETURN(RowPlaces left, settle_round(taken, all, round > 1, stop));
    if (left.size() == before && round > kMostRounds) {
      return fail(ErrorKind::retry, "rows come and go while they are looked at");
    }
    all = false;
    taken = std::move(left);
  }
  return {};
}

/// Looks at what has the ids of `taken`, and settles what that settles; returns the rest. `again`:
/// these rows were looked at before.
Result<RowPlaces> StagedRows::settle_round(const RowPlaces& taken, bool all, bool again,
                                           const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply there,
      connection_.run(statements_.look + (all ? "" : kChosenRows),
                      all ? std::vector<std::string>() : as_parameter(taken), stop));
  std::unordered_map<std::uint64_t, int> found;
  for (int row = 0; row < there.rows(); ++row) found.emplace(there.number(row, 0), row);
  RowPlaces replacing;
  RowPlaces absent;
  RowPlaces left;
  std::set<std::string_view> replaced;  // ids: what is there now is not what later rows will find
  for (const std::uint32_t index : taken) {
    const auto at = found.find(index);
    if (replaced.contains(fates_.batch().id(index))) {
      left.push_back(index);
      continue;
    }
    if (at == found.end()) {
      absent.push_back(index);
      continue;
    }
    const formatter::Row ours = fates_.batch().row(index);
    const std::string sum = sum_text(row_sum(ours.record));
    const Verdict verdict = verdict_on_taken_id(
        {shape_.extract, ours.line, sum},
        {there.text(at->second, 1), there.number(at->second, 2), there.text(at->second, 3)},
        options_);
    if (verdict == Verdict::replace) {
      replacing.push_back(index);
      replaced.insert(fates_.batch().id(index));
    } else {
      fates_.settle(index, verdict);
    }
  }
  if (!replacing.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(const RowPlaces lost, replace(replacing, stop));
    left.insert(left.end(), lost.begin(), lost.end());
  }
  if (!absent.empty()) {
    // Deleted by somebody since: it is stored now. If it still is not, the table keeps it out.
    CARAVEL_ASSIGN_OR_RETURN(const RowPlaces lost, insert(absent, true, stop));
    for (const std::uint32_t index : lost) {
      if (again) {
        fates_.refuse(
            index,
            "the table does not take the row and does not say why: a trigger or a rule leaves "
            "it out, or another unique key of the table has its value");
      } else {
        left.push_back(index);
      }
    }
  }
  return left;
}

Result<> StagedRows::store_in_parts(const RowPlaces& rows, std::uint64_t most_refused,
                                    const StopSignal& stop) {
  std::vector<RowPlaces> parts = {rows};  // the next one last
  while (!parts.empty()) {
    if (stop.requested()) return fail(ErrorKind::stopped, "asked to stop");
    const RowPlaces part = std::move(parts.back());
    parts.pop_back();
    auto stored = store_part(part, stop);
    if (stored) continue;
    if (!connection_.is_open() || !speaks_of_row(connection_.state())) return stored;
    CARAVEL_TRY(connection_.run("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", stop));
    if (part.size() > 1) {
      const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
      parts.emplace_back(middle, part.end());
      parts.emplace_back(part.begin(), middle);
      continue;
    }
    fates_.refuse(part.front(), stored.error().message);
    if (fates_.refused_by_store() > most_refused) {
      return fail(ErrorKind::refused,
                  fmt::format("it refuses more than {} rows of this extract ({})", most_refused,
                              fates_.a_reason()));
    }
  }
  return {};
}

Result<> StagedRows::store_part(const RowPlaces& rows, const StopSignal& stop) {
  CARAVEL_TRY(connection_.run("SAVEPOINT part", stop));
  CARAVEL_TRY(store(rows, stop));
  CARAVEL_TRY(connection_.run(statements_.clear_staging + "; RELEASE SAVEPOINT part", stop));
  return {};
}

/// Puts the rows into the places of those that have their ids; returns the ones that others were
/// faster than.
Result<RowPlaces> StagedRows::replace(const RowPlaces& rows, const StopSignal& stop) {
  // Not an UPDATE: columns that this format does not have must not keep the old row's values.
  CARAVEL_TRY(connection_.run(statements_.remove + kChosenRows, as_parameter(rows), stop));
  CARAVEL_ASSIGN_OR_RETURN(RowPlaces lost, insert(rows, true, stop));
  for (const std::uint32_t row : rows) {
    if (fates_.verdict(row) == Verdict::stored) fates_.settle(row, Verdict::replaced);
  }
  return lost;
}

}  // namespace caravel::uploader
