#include "uploader/sqlite/sqlite_upload.h"

#include <algorithm>

#include <fmt/format.h>

#include "uploader/column_names.h"
#include "uploader/couchdb/document.h"

namespace caravel::uploader {
namespace {

constexpr std::size_t kBatchesATransaction = 10;

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

SqliteUpload::SqliteUpload(SqliteStore& store, ExtractInfo extract, formatter::RowReader rows,
                           UploadOptions options)
    : store_(store),
      extract_(std::move(extract)),
      options_(options),
      rows_(std::move(rows)),
      tag_(extract_tag(rows_.end().sha256)),
      columns_(table_column_names(rows_.header().columns)) {}

Result<> SqliteUpload::run(const StopSignal& stop) {
  if (done_) return {};
  if (!extract_.timezone.empty() && !utc_) {
    CARAVEL_ASSIGN_OR_RETURN(auto utc, UtcConverter::make(extract_.timezone));
    utc_ = utc;
  }
  auto sent = send_rows(stop);
  // Statements do not outlive the file, which the store may open anew before the next run.
  insert_ = {};
  select_ = {};
  delete_ = {};
  if (!sent && sent.error().kind != ErrorKind::stopped) {
    return tl::unexpected(with_context(store_.config().name, sent.error()));
  }
  return sent;
}

Result<> SqliteUpload::send_rows(const StopSignal& stop) {
  CARAVEL_TRY(open_file());
  CARAVEL_TRY(prepare_table());
  CARAVEL_TRY(prepare_statements());
  while (!done_) {
    CARAVEL_TRY(read_pending());
    CARAVEL_TRY(transaction(stop));
  }
  return {};
}

tl::unexpected<Error> SqliteUpload::vanished() {
  must_restart_ = true;
  return fail(ErrorKind::fault,
              fmt::format("{} has vanished or was replaced while rows were stored in it; bring it "
                          "back, and the whole extract is stored again",
                          store_.config().path));
}

Result<> SqliteUpload::open_file() {
  const bool acknowledged = counts_.acknowledged(refused_.size()) > 0;
  auto file = store_.open(options_.may_create && !acknowledged);
  if (!file) return tl::unexpected(file.error());
  if (*file == nullptr) {
    if (acknowledged) return vanished();
    // The embedded default has no administrator to ask: it goes on, and says what is missing.
    notes_.push_back(
        fmt::format("{} had vanished, with the rows that were stored there: it was made anew. Load "
                    "the old extracts again to fill it",
                    store_.config().path));
    file = store_.open(true);
    if (!file) return tl::unexpected(file.error());
  }
  if (acknowledged && store_.times_opened() != opened_as_) return vanished();
  file_ = *file;
  opened_as_ = store_.times_opened();
  return {};
}

Result<> SqliteUpload::prepare_table() {
  const std::string table = sql_name(extract_.feed);
  const bool with_utc = utc_.has_value();
  auto prepared = [&]() -> Result<> {
    CARAVEL_TRY(file_->execute("BEGIN IMMEDIATE"));
    CARAVEL_TRY(file_->execute(fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, _kind TEXT, _time TEXT, "
        "_extract TEXT, _line INTEGER, _sum TEXT) WITHOUT ROWID",
        table)));
    CARAVEL_ASSIGN_OR_RETURN(auto there, file_->columns_of(extract_.feed));
    std::vector<std::string> wanted = columns_;
    if (with_utc) wanted.insert(wanted.begin(), "_time_utc");
    std::erase_if(wanted,
                  [&](const std::string& name) { return there.contains(lower_case(name)); });
    if (there.size() + wanted.size() > file_->most_columns()) {
      return fail(ErrorKind::content,
                  fmt::format("table {} would have {} columns, and SQLite takes {}", extract_.feed,
                              there.size() + wanted.size(), file_->most_columns()));
    }
    for (const std::string& name : wanted) {
      CARAVEL_TRY(
          file_->execute(fmt::format("ALTER TABLE {} ADD COLUMN {} TEXT", table, sql_name(name))));
    }
    CARAVEL_TRY(file_->execute(fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, doc_type TEXT, status TEXT, "
        "timestamp TEXT, name TEXT, host TEXT, feed TEXT, format TEXT, lines INTEGER, rows "
        "INTEGER, "
        "dropped INTEGER, rejected INTEGER, sha256 TEXT, year_guessed INTEGER)",
        kFeedsTable)));
    return file_->execute("COMMIT");
  }();
  if (!prepared && file_->in_transaction()) static_cast<void>(file_->execute("ROLLBACK"));
  return prepared;
}

Result<> SqliteUpload::prepare_statements() {
  const std::string table = sql_name(extract_.feed);
  std::string names = "_id, _kind, _time, _extract, _line, _sum";
  std::string marks = "?, ?, ?, ?, ?, ?";
  const auto add = [&](const std::string& name) {
    names.append(", ").append(sql_name(name));
    marks.append(", ?");
  };
  if (utc_) add("_time_utc");
  for (const std::string& name : columns_) add(name);
  CARAVEL_ASSIGN_OR_RETURN(
      auto insert,
      file_->prepare(fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (_id) DO NOTHING",
                                 table, names, marks)));
  CARAVEL_ASSIGN_OR_RETURN(
      auto select,
      file_->prepare(fmt::format("SELECT _extract, _line, _sum FROM {} WHERE _id = ?", table)));
  CARAVEL_ASSIGN_OR_RETURN(auto remove,
                           file_->prepare(fmt::format("DELETE FROM {} WHERE _id = ?", table)));
  insert_ = std::move(insert);
  select_ = std::move(select);
  delete_ = std::move(remove);
  return {};
}

/// Reads the rows of one transaction, unless those of a failed one are still to be stored.
Result<> SqliteUpload::read_pending() {
  const std::size_t most = store_.config().batch_rows * kBatchesATransaction;
  formatter::Row row;
  if (!pending_.empty()) return {};
  const auto has_room = [&] {
    return pending_.empty() ||
           (pending_.size() < most && pending_text_.size() < store_.config().batch_bytes);
  };
  while (!read_all_ && has_room()) {
    const auto got = rows_.next(row);
    if (!got) {
      must_restart_ = true;
      return tl::unexpected(got.error());
    }
    if (!*got) {
      read_all_ = true;
      break;
    }
    pending_.push_back({row.line, row.offset, row.kind, row.id_tail.size(), row.record.size()});
    pending_text_.append(row.id_tail).append(row.record);
  }
  return {};
}

/// One transaction: all that is pending, and the feed's row if nothing comes after it. A crash
/// before the commit leaves nothing of it, one after it finds its own rows when they are stored
/// again.
Result<> SqliteUpload::transaction(const StopSignal& stop) {
  if (!file_->still_there()) return vanished();
  const bool last = read_all_;
  Tally tally;
  auto stored = [&]() -> Result<> {
    CARAVEL_TRY(file_->execute("BEGIN IMMEDIATE"));
    CARAVEL_TRY(put_pending(stop, tally));
    if (last && store_.config().documents != Documents::rows) CARAVEL_TRY(put_feed_row(tally));
    return file_->execute("COMMIT");
  }();
  if (!stored) {
    if (file_->in_transaction()) static_cast<void>(file_->execute("ROLLBACK"));
    return stored;
  }
  if (!file_->still_there()) return vanished();
  counts_.stored += tally.counts.stored;
  counts_.already_there += tally.counts.already_there;
  counts_.differs += tally.counts.differs;
  counts_.replaced += tally.counts.replaced;
  for (RefusedRow& row : tally.refused) refused_.push_back(std::move(row));
  const bool moved = !pending_.empty();
  pending_.clear();
  pending_text_.clear();
  done_ = last;
  if (moved && on_progress) on_progress(counts_.acknowledged(refused_.size()));
  return {};
}

Result<> SqliteUpload::put_pending(const StopSignal& stop, Tally& tally) {
  std::size_t at = 0;
  std::size_t count = 0;
  for (const Pending& pending : pending_) {
    constexpr std::size_t kLookUpEvery = 256;
    if (count++ % kLookUpEvery == 0 && stop.requested()) {
      return fail(ErrorKind::stopped, "asked to stop");
    }
    formatter::Row row;
    row.line = pending.line;
    row.offset = pending.offset;
    row.kind = pending.kind;
    const std::string_view text(pending_text_);
    row.id_tail = text.substr(at, pending.tail_size);
    row.record = text.substr(at + pending.tail_size, pending.record_size);
    at += pending.tail_size + pending.record_size;
    CARAVEL_TRY(put_row(row, tally));
  }
  return {};
}

Result<> SqliteUpload::put_row(const formatter::Row& row, Tally& tally) {
  if (auto reason = split_row(row, columns_.size(), fields_, scratch_)) {
    tally.refused.push_back({row.line, row.offset, std::move(*reason)});
    return {};
  }
  id_.assign(extract_.feed).append(1, ':').append(row.id_tail);
  const std::string sum = sum_text(row_sum(row.record));
  RowTime time;
  const bool timed = read_row_time(row.id_tail, time);
  time_.clear();
  time_utc_.clear();
  if (timed) append_iso_time(time, time_);
  if (timed && utc_) append_iso_time(time.utc ? time : utc_->to_utc(time), time_utc_);

  const auto bind_or_null = [&](int index, std::string_view text) {
    if (text.empty())
      insert_.bind_null(index);
    else
      insert_.bind(index, text);
  };
  int index = 0;
  insert_.bind(++index, id_);
  insert_.bind(++index, std::string_view(rows_.header().kinds[row.kind]));
  bind_or_null(++index, time_);
  insert_.bind(++index, std::string_view(tag_));
  insert_.bind(++index, row.line);
  insert_.bind(++index, std::string_view(sum));
  if (utc_) bind_or_null(++index, time_utc_);
  for (const std::string_view field : fields_) bind_or_null(++index, field);
  CARAVEL_TRY(insert_.run());
  if (file_->changes() > 0) {
    ++tally.counts.stored;
    return {};
  }
  return judge_stored(row, sum, tally);
}

/// The row's id is taken. What it is bound to is still bound.
Result<> SqliteUpload::judge_stored(const formatter::Row& row, std::string_view sum, Tally& tally) {
  select_.bind(1, id_);
  CARAVEL_ASSIGN_OR_RETURN(const auto found, select_.step());
  if (!found) return fail(ErrorKind::retry, fmt::format("row {} came and went", id_));
  const bool same = select_.text(2) == sum;
  const bool own =
      !options_.loaded_before && select_.text(0) == tag_ && select_.number(1) == row.line;
  select_.reset();
  if (same) {
    ++(own ? tally.counts.stored : tally.counts.already_there);
    return {};
  }
  if (!options_.reprocess) {
    ++tally.counts.already_there;
    ++tally.counts.differs;
    return {};
  }
  // Not an UPDATE: columns that this format does not have must not keep the old row's values.
  delete_.bind(1, id_);
  CARAVEL_TRY(delete_.run());
  CARAVEL_TRY(insert_.run());
  ++tally.counts.stored;
  ++tally.counts.replaced;
  return {};
}

Result<> SqliteUpload::put_feed_row(const Tally& tally) {
  const auto fields = feed_fields(extract_, rows_, refused_.size() + tally.refused.size());
  const std::string id = feed_document_id(extract_.feed, rows_.end().sha256);
  std::string names = "_id";
  std::string marks = "?";
  std::string updates = fmt::format("year_guessed = {}", extract_.year_guessed ? "1" : "NULL");
  for (const FeedField& field : fields) {
    names.append(", ").append(sql_name(field.name));
    marks.append(", ?");
    if (is_kept_feed_field(field.name) || field.name == "year_guessed") continue;
    updates.append(fmt::format(", {0} = excluded.{0}", sql_name(field.name)));
  }
  CARAVEL_ASSIGN_OR_RETURN(
      auto statement, file_->prepare(fmt::format(
                          "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (_id) DO {}", kFeedsTable,
                          names, marks, options_.reprocess ? "UPDATE SET " + updates : "NOTHING")));
  int index = 0;
  statement.bind(++index, std::string_view(id));
  for (const FeedField& field : fields) {
    ++index;
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      statement.bind(index, std::string_view(*text));
    } else if (const auto* number = std::get_if<std::uint64_t>(&field.value)) {
      statement.bind(index, *number);
    } else {
      statement.bind(index, std::uint64_t{std::get<bool>(field.value) ? 1U : 0U});
    }
  }
  return statement.run();
}

}  // namespace caravel::uploader
