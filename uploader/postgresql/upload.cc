#include "uploader/postgresql/upload.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "uploader/postgresql/feed_row.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

// A commit waits for the disk, so that one commit holds the rows of several batches; batch_bytes
// bounds it as well.
constexpr std::size_t kBatchesACommit = 20;
// A batch of fewer rows may well be all bad while the store is good.
constexpr std::uint64_t kSpeakForAll = 20;

/// Whether the first row that has a time has it in UTC.
bool has_instants(const RowBatch& batch) {
  RowTime time;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (read_row_time(batch.row(i).id_tail, time)) return time.utc;
  }
  return false;
}

bool same(const WantedTable& a, const WantedTable& b) {
  return a.feed == b.feed && a.instants == b.instants && a.utc == b.utc && a.columns == b.columns;
}

}  // namespace

PostgresqlUpload::PostgresqlUpload(Session& session, std::optional<KnownTable>& known,
                                   ExtractInfo extract, formatter::RowReader rows,
                                   UploadOptions options)
    : session_(session),
      known_(known),
      extract_(std::move(extract)),
      options_(options),
      pending_(extract_.feed, std::move(rows), session.config().batch_rows * kBatchesACommit,
               session.config().batch_bytes) {}

Result<> PostgresqlUpload::run(const StopSignal& stop) {
  if (done_) return {};
  auto sent = send_rows(stop);
  if (!sent && took_for_known_ && sent.error().kind == ErrorKind::fault && !must_restart()) {
    // Somebody has changed the table since another extract looked at it.
    give_up();
    sent = send_rows(stop);
  }
  if (!sent) give_up();
  writer_.reset();
  connection_ = nullptr;
  return sent;
}

/// The server takes back what was not committed, and the next try begins with what is there then.
void PostgresqlUpload::give_up() {
  writer_.reset();
  session_.close();
  known_.reset();
}

Result<> PostgresqlUpload::send_rows(const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(connection_, session_.connect(stop));
  CARAVEL_TRY(read_pending());
  CARAVEL_TRY(session_.in_context([&] { return prepare(stop); }));
  while (!done_) {
    if (stop.requested()) return fail(ErrorKind::stopped, "asked to stop");
    CARAVEL_TRY(read_pending());
    CARAVEL_TRY(session_.in_context([&] { return commit_pending(stop); }));
  }
  return {};
}

Result<> PostgresqlUpload::read_pending() {
  auto filled = pending_.fill();
  if (!filled) give_up_csv();
  return filled;
}

/// The rows that were counted are where nobody will find them, or are lost. Nobody can say which
/// ones are, so the whole extract is stored again.
void PostgresqlUpload::begin_again() {
  if (acknowledged() > 0) demand_restart();
}

Result<> PostgresqlUpload::prepare(const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const WantedTable wanted, wanted_table());
  // An extract without rows needs no table, and could not say what its times are.
  const bool any_rows = pending_.batch().size() > 0;
  if (known_ && any_rows && known_->times_connected == session_.times_connected() &&
      same(known_->wanted, wanted)) {
    took_for_known_ = true;
    return make_writer(stop);
  }
  known_.reset();
  took_for_known_ = false;
  CARAVEL_TRY(look_for_tables(stop));
  CARAVEL_TRY(make_tables(session_, *connection_, any_rows ? &wanted : nullptr, stop));
  if (!any_rows) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto table, look_at_table(session_, *connection_, wanted, stop));
  known_ = KnownTable{wanted, std::move(table), session_.times_connected()};
  return make_writer(stop);
}

Result<WantedTable> PostgresqlUpload::wanted_table() {
  if (extract_.feed.size() > kMostNameBytes) {
    return fail(ErrorKind::usage,
                fmt::format("the feed's name is the table's, and PostgreSQL takes {} bytes of one",
                            kMostNameBytes));
  }
  WantedTable wanted;
  wanted.feed = extract_.feed;
  wanted.instants = has_instants(pending_.batch());
  if (!extract_.timezone.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(utc_, UtcConverter::make(extract_.timezone));
    wanted.utc = true;
  }
  const auto& columns = pending_.reader().header().columns;
  const auto names = sql_column_names(columns);
  for (std::size_t i = 0; i < names.size(); ++i) {
    wanted.columns.push_back({names[i], columns[i].type});
  }
  return wanted;
}

/// Tables that rows were stored in before must still be there: empty ones in their place would hide
/// what happened.
Result<> PostgresqlUpload::look_for_tables(const StopSignal& stop) {
  if (options_.may_create && acknowledged() == 0) return {};
  CARAVEL_ASSIGN_OR_RETURN(const bool feeds,
                           has_table(session_, *connection_, kPgFeedsTable, stop));
  if (!feeds) {
    begin_again();
    return fail(ErrorKind::fault,
                fmt::format("the tables of schema {} have vanished, with the rows that were "
                            "stored there; bring them back",
                            session_.config().schema));
  }
  CARAVEL_ASSIGN_OR_RETURN(const bool own, has_table(session_, *connection_, extract_.feed, stop));
  if (own || !session_.config().create) return {};
  if (acknowledged() > 0) {
    begin_again();
    return fail(ErrorKind::fault,
                fmt::format("table {} has vanished while rows were stored in it", extract_.feed));
  }
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply had,
      connection_->run(fmt::format("SELECT 1 FROM {} WHERE feed = $1 AND rows > 0 LIMIT 1",
                                   session_.table(kPgFeedsTable)),
                       {extract_.feed}, stop));
  if (had.rows() > 0) {
    note(
        fmt::format("{}: table {} had vanished, with the rows that were stored there: it was made "
                    "anew. Load the old extracts again to fill it",
                    session_.config().name, extract_.feed));
  }
  return {};
}

Result<> PostgresqlUpload::make_writer(const StopSignal& stop) {
  const FeedTable& table = known_->table;
  const std::string here = session_.database() + "/" + table.oid;
  if (acknowledged() > 0 && here != stored_in_) {
    begin_again();
    return fail(ErrorKind::fault,
                fmt::format("table {} was dropped and made again while rows were stored in it: "
                            "the whole extract is stored again",
                            extract_.feed));
  }
  stored_in_ = here;
  CARAVEL_TRY(look_at_witness(stop));
  RowShape shape;
  shape.extract = extract_tag(pending_.reader().end().sha256);
  shape.kinds = pending_.reader().header().kinds;
  shape.utc = utc_;
  for (const SentColumn& column : table.shape.columns) shape.types.push_back(column.type);
  const Statements statements =
      statements_of(table, session_.table(extract_.feed), session_.config().schema, extract_.feed);
  writer_ =
      std::make_unique<RowWriter>(*connection_, table, statements, std::move(shape), options_);
  return {};
}

/// A standby that took over may lack the last commits of the server that it follows. They are lost
/// from the end, so the last of them says whether all are there.
Result<> PostgresqlUpload::look_at_witness(const StopSignal& stop) {
  if (witness_.empty()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const Reply there,
                           connection_->run(fmt::format("SELECT 1 FROM {} WHERE _id = $1",
                                                        session_.table(extract_.feed)),
                                            {witness_}, stop));
  if (there.rows() > 0) return {};
  demand_restart();
  return fail(ErrorKind::retry,
              fmt::format("row {} was stored and is not there: did another server take over? The "
                          "whole extract is stored again",
                          witness_));
}

/// One transaction.
Result<> PostgresqlUpload::commit_pending(const StopSignal& stop) {
  const bool last = pending_.is_last();
  const auto begun = std::chrono::steady_clock::now();
  Tally tally;
  auto stored = store_pending(stop, tally);
  if (!stored) return stored;
  const RowBatch& batch = pending_.batch();
  const bool any = batch.size() > 0;
  if (any) {
    if (on_batch) on_batch(batch.size(), std::chrono::steady_clock::now() - begun);
    refused_by_store_ += writer_->fates().refused_by_store();
    if (tally.refused.size() < batch.size()) {
      const auto refused = [&](std::size_t i) {
        return std::any_of(tally.refused.begin(), tally.refused.end(),
                           [&](const RefusedRow& row) { return row.line == batch.row(i).line; });
      };
      std::size_t i = batch.size() - 1;
      while (refused(i)) --i;
      witness_ = batch.id(i);
    }
  }
  // Only now are the rows given up and counted. An error above leaves them pending, for the next
  // run.
  pending_.clear();
  done_ = last;
  if (any) acknowledge(tally.counts, std::move(tally.refused));
  return {};
}

/// All that is pending, and the feed's row if nothing comes after it: whoever sees the feed's row
/// can read all of the rows.
Result<> PostgresqlUpload::store_pending(const StopSignal& stop, Tally& tally) {
  if (pending_.batch().size() > 0) {
    CARAVEL_TRY(writer_->begin(stop));
    const std::uint64_t most =
        options_.max_refused - std::min(options_.max_refused, refused_by_store_);
    CARAVEL_TRY(writer_->put(pending_.batch(), most, stop));
    CARAVEL_TRY(judge_refusals());
    writer_->fates().count_all(tally);
  } else {
    CARAVEL_TRY(connection_->run("BEGIN READ WRITE", stop));
  }
  if (pending_.is_last() && session_.config().documents != Documents::rows) {
    CARAVEL_TRY(put_feed_row(session_, *connection_, extract_, pending_.reader(),
                             refused_lines() + lines_of(tally.refused), options_.reprocess, stop));
  }
  CARAVEL_ASSIGN_OR_RETURN(const Reply committed, connection_->run("COMMIT", stop, [&] {
    // The server waits for its disk: time to read what comes next.
    if (!pending_.is_last()) pending_.read_ahead();
  }));
  if (committed.command() == "COMMIT") return {};
  return fail(ErrorKind::retry, "the server took the transaction back");
}

/// Rejects are for good, so that a whole extract of them must not come from a mistake in a
/// constraint: then the store is at fault, and nothing of the transaction is kept.
Result<> PostgresqlUpload::judge_refusals() const {
  const BatchFates& fates = writer_->fates();
  const std::uint64_t refused = fates.refused_by_store();
  if (refused == 0) return {};
  const bool nothing_yet = counts().stored + counts().already_there == 0;
  std::string fault;
  if (refused == fates.sent() && (refused >= kSpeakForAll || nothing_yet)) {
    fault = "it refuses every row";
  } else if (refused_by_store_ + refused > options_.max_refused) {
    fault = fmt::format("it refuses more than {} rows of this extract", options_.max_refused);
  } else {
    return {};
  }
  return fail(ErrorKind::refused,
              fmt::format("{} ({}): a new constraint, or another table?", fault, fates.a_reason()));
}

}  // namespace caravel::uploader
