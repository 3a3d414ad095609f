#include "uploader/sqlite/row_writer.h"

#include <fmt/format.h>

#include "uploader/column_names.h"
#include "uploader/row.h"
#include "uploader/sqlite/rows/rows_table.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

/// `columns`: those that differ from row to row; with `_extract` among them they stand in the order
/// of the table, so that SQLite need not copy each value once more. Not OR REPLACE: that would take
/// the credit from the extract that brought the row first (sqlite.org/lang_upsert.html).
/// kTakenFunction is always false, so that nothing is updated. "WHERE true" keeps SQLite from
/// reading ON as that of a join.
std::string insert_of(const std::string& feed, const std::vector<std::string>& columns) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == "_line") {
      names.append("_extract, ");
      values.append("?2, ");
    }
    names.append(sql_name(columns[i])).append(", ");
    values.append(fmt::format("c{}, ", i));
  }
  names.resize(names.size() - 2);  // the last ", "
  values.resize(values.size() - 2);
  const std::string table = sql_name(feed);
  return fmt::format(
      "INSERT INTO {0} ({1}) SELECT {2} FROM {3}(?1) WHERE true "
      "ON CONFLICT (_id) DO UPDATE SET _kind = _kind "
      "WHERE {4}(?1, excluded._id, excluded._line, excluded._sum, {0}._extract, {0}._line, "
      "{0}._sum)",
      table, names, values, kRowsTable, kTakenFunction);
}

}  // namespace

Result<RowWriter> RowWriter::make(Sqlite& file, KnownTables& tables, const ExtractInfo& extract,
                                  const formatter::SidecarHeader& header, std::string_view sha256,
                                  const UploadOptions& options, const UpgradeWatch& watch) {
  RowShape shape;
  std::vector<TableColumn> columns;
  if (!extract.timezone.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(shape.utc, UtcConverter::make(extract.timezone));
    columns.push_back({"_time_utc", ColumnType::text});
  }
  const std::size_t own = columns.size();
  const auto names = table_column_names(header.columns);
  for (std::size_t i = 0; i < names.size(); ++i) {
    columns.push_back({names[i], header.columns[i].type});
  }
  CARAVEL_ASSIGN_OR_RETURN(auto made, tables.make(file, extract.feed, columns, watch));
  shape.extract = extract_tag(sha256);
  shape.kinds = header.kinds;
  shape.types.assign(made.types.begin() + static_cast<std::ptrdiff_t>(own), made.types.end());

  auto all = own_columns(shape.utc.has_value());
  all.insert(all.end(), names.begin(), names.end());
  CARAVEL_ASSIGN_OR_RETURN(auto insert, file.prepare_kept(insert_of(extract.feed, all)));
  CARAVEL_ASSIGN_OR_RETURN(
      auto remove,
      file.prepare_kept(fmt::format("DELETE FROM {} WHERE _id = ?", sql_name(extract.feed))));
  RowWriter writer(file, std::make_unique<RowValues>(std::move(shape), options), std::move(insert),
                   std::move(remove));
  writer.note_ = std::move(made.note);
  return writer;
}

Result<> RowWriter::put(const RowBatch& batch, const StopSignal& stop, Tally& tally) {
  if (batch.size() == 0) return {};
  values_->read_all(batch, stop);
  CARAVEL_TRY(insert());
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    if (const std::string* const reason = values_->refusal(i)) {
      const formatter::Row row = batch.row(i);
      tally.refused.push_back({row.line, row.offset, *reason, row.lines});
      continue;
    }
    Verdict verdict = values_->verdict(i);
    if (verdict == Verdict::replace) {
      CARAVEL_ASSIGN_OR_RETURN(verdict, replace(batch.id(i), i));
    }
    count(verdict, batch.lines(i), tally.counts);
  }
  return {};
}

/// The rows that values_ was told to read, but those whose ids are taken.
Result<> RowWriter::insert() {
  insert_->reset();
  bind_source(*insert_, *values_);
  insert_->bind_borrowed(values_->extract());
  if (auto done = insert_->finish(); !done) {
    if (values_->was_stopped()) return fail(ErrorKind::stopped, "asked to stop");
    return done;
  }
  // A row cannot vanish within one transaction. If SQLite says so all the same, the transaction is
  // rolled back, and its rows are stored again.
  if (static_cast<std::uint64_t>(file_->changes()) == values_->inserts()) return {};
  return fail(ErrorKind::retry, fmt::format("{} rows were inserted instead of {}", file_->changes(),
                                            values_->inserts()));
}

/// Puts the row into the place of the one that has its id, if that is the verdict still: a row of
/// this batch with the same id may have been there before it.
Result<Verdict> RowWriter::replace(std::string_view id, std::uint32_t index) {
  values_->read_one(index);
  CARAVEL_TRY(insert());
  if (values_->verdict(index) != Verdict::replace) return values_->verdict(index);
  // Not an UPDATE: columns that this format does not have must not keep the old row's values.
  CARAVEL_TRY(remove_->run(id));
  values_->read_one(index);
  CARAVEL_TRY(insert());
  if (values_->verdict(index) == Verdict::stored) return Verdict::replaced;
  return fail(ErrorKind::retry, fmt::format("row {} was deleted and is there", id));
}

}  // namespace caravel::uploader
