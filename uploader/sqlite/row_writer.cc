#include "uploader/sqlite/row_writer.h"

#include <fmt/format.h>

#include "uploader/column_names.h"
#include "uploader/row.h"
#include "uploader/verdict.h"

namespace caravel::uploader {
namespace {

/// Makes the feed's table, or adds the `wanted` columns that it lacks. One transaction: a crash
/// leaves the table as it was, or with all of the columns. WITHOUT ROWID keys the table by the id
/// itself, with one B-tree instead of two (sqlite.org/withoutrowid.html).
Result<> make_table(Sqlite& file, const std::string& feed, std::vector<std::string> wanted) {
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(file));
  CARAVEL_TRY(file.script(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, _kind TEXT, _time TEXT, "
      "_extract TEXT, _line INTEGER, _sum TEXT) WITHOUT ROWID",
      sql_name(feed))));
  // Another format of the same feed may have made the table: it gains columns and loses none.
  CARAVEL_ASSIGN_OR_RETURN(auto there, file.columns_of(feed));
  std::erase_if(wanted, [&](const std::string& name) { return there.contains(folded_name(name)); });
  if (there.size() + wanted.size() > file.most_columns()) {
    // No waiting makes room for more columns: the extract is set aside.
    return fail(ErrorKind::content,
                fmt::format("table {} would have {} columns, and SQLite takes {}", feed,
                            there.size() + wanted.size(), file.most_columns()));
  }
  // All columns are TEXT: as a number, "007" would become 7.
  for (const std::string& name : wanted) {
    CARAVEL_TRY(file.script(
        fmt::format("ALTER TABLE {} ADD COLUMN {} TEXT", sql_name(feed), sql_name(name))));
  }
  return transaction.commit();
}

/// The order of the values is that of bind(). DO NOTHING, and not OR REPLACE: that would take the
/// credit from the extract that brought the row first (sqlite.org/lang_upsert.html).
std::string insert_of(const std::string& feed, const std::vector<std::string>& more) {
  std::string names = "_id, _kind, _time, _extract, _line, _sum";
  std::string marks = "?, ?, ?, ?, ?, ?";
  for (const std::string& name : more) {
    names.append(", ").append(sql_name(name));
    marks.append(", ?");
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (_id) DO NOTHING", sql_name(feed),
                     names, marks);
}

}  // namespace

Result<RowWriter> RowWriter::make(Sqlite& file, const ExtractInfo& extract,
                                  const formatter::SidecarHeader& header, std::string_view sha256,
                                  const UploadOptions& options) {
  std::optional<UtcConverter> utc;
  std::vector<std::string> columns = table_column_names(header.columns);
  if (!extract.timezone.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(utc, UtcConverter::make(extract.timezone));
    columns.insert(columns.begin(), "_time_utc");
  }
  CARAVEL_TRY(make_table(file, extract.feed, columns));
  const std::string table = sql_name(extract.feed);
  CARAVEL_ASSIGN_OR_RETURN(auto insert, file.prepare(insert_of(extract.feed, columns)));
  CARAVEL_ASSIGN_OR_RETURN(
      auto select,
      file.prepare(fmt::format("SELECT _extract, _line, _sum FROM {} WHERE _id = ?", table)));
  CARAVEL_ASSIGN_OR_RETURN(auto remove,
                           file.prepare(fmt::format("DELETE FROM {} WHERE _id = ?", table)));
  RowWriter writer(file, options, std::move(insert), std::move(select), std::move(remove));
  writer.feed_ = extract.feed;
  writer.tag_ = extract_tag(sha256);
  writer.kinds_ = header.kinds;
  writer.columns_ = header.columns.size();
  writer.utc_ = utc;
  return writer;
}

Result<> RowWriter::put(const formatter::Row& row, Tally& tally) {
  // This row becomes a reject; the other rows of the transaction are stored.
  if (auto reason = split_row(row, columns_, fields_, scratch_)) {
    tally.refused.push_back({row.line, row.offset, std::move(*reason)});
    return {};
  }
  id_.assign(feed_).append(1, ':').append(row.id_tail);
  sum_ = sum_text(row_sum(row.record));
  time_.clear();
  time_utc_.clear();
  if (RowTime time; read_row_time(row.id_tail, time)) {
    append_iso_time(time, time_);
    if (utc_) append_iso_time(time.utc ? time : utc_->to_utc(time), time_utc_);
  }
  bind(row);
  CARAVEL_TRY(insert_.finish());
  // 0 rows changed: the id was taken, and the statement did nothing
  // (sqlite.org/c3ref/changes.html).
  if (file_->changes() > 0) {
    count(Verdict::stored, tally.counts);
    return {};
  }
  return judge_stored(row, tally);
}

/// CSV cannot tell an empty value from a missing one: both are NULL.
void RowWriter::bind_or_null(std::string_view text) {
  if (text.empty()) {
    insert_.bind_null();
  } else {
    insert_.bind_borrowed(text);
  }
}

/// In the order of insert_of(). kinds_[row.kind] is there: RowReader has checked the index.
void RowWriter::bind(const formatter::Row& row) {
  insert_.reset();
  insert_.bind_borrowed(id_);
  insert_.bind_borrowed(kinds_[row.kind]);
  bind_or_null(time_);
  insert_.bind_borrowed(tag_);
  insert_.bind(row.line);
  insert_.bind_borrowed(sum_);
  if (utc_) bind_or_null(time_utc_);
  for (const std::string_view field : fields_) bind_or_null(field);
}

/// The row's id is taken, and insert_ still has our values.
Result<> RowWriter::judge_stored(const formatter::Row& row, Tally& tally) {
  select_.reset();
  select_.bind_borrowed(id_);
  CARAVEL_ASSIGN_OR_RETURN(const auto found, select_.step());
  // A row cannot vanish within one transaction. If SQLite says so all the same, the transaction is
  // rolled back, and its rows are stored again.
  if (!found) return fail(ErrorKind::retry, fmt::format("row {} came and went", id_));
  const Verdict verdict =
      verdict_on_taken_id({tag_, row.line, sum_},
                          {select_.text_view(0), select_.count(1), select_.text_view(2)}, options_);
  select_.reset();
  if (verdict != Verdict::replace) {
    count(verdict, tally.counts);
    return {};
  }
  // Not an UPDATE: columns that this format does not have must not keep the old row's values.
  CARAVEL_TRY(remove_.run(id_));
  CARAVEL_TRY(insert_.finish());
  count(Verdict::replaced, tally.counts);
  return {};
}

}  // namespace caravel::uploader
