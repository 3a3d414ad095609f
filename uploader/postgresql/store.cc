#include "uploader/postgresql/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "uploader/feed_fields.h"
#include "uploader/postgresql/check.h"
#include "uploader/postgresql/row_text.h"
#include "uploader/postgresql/upload.h"

namespace caravel::uploader {
namespace {

// Rows of one DELETE, ids of one question.
constexpr std::size_t kAtOnce = 1000;

/// The table that holds the document `id`. No feed is called "feed" or "mapping".
std::string table_of(const std::string& id) {
  const std::string first = id.substr(0, id.find(':'));
  return first == "feed" ? kPgFeedsTable : first == "mapping" ? kPgMappingsTable : first;
}

class PostgresqlStore : public Store {
 public:
  explicit PostgresqlStore(const PostgresqlConfig& config) : session_(config) {}

  Result<std::string> check(bool may_create) override {
    return check_server(session_, may_create, never_);
  }

  std::unique_ptr<Upload> start(ExtractInfo extract, formatter::RowReader rows,
                                UploadOptions options) override {
    return std::make_unique<PostgresqlUpload>(session_, known_, std::move(extract), std::move(rows),
                                              options);
  }

  Result<std::optional<StoredDocument>> find(const std::string& id) override {
    return with_table(table_of(id), never_, [&](Connection* connection) {
      return find_in(connection, table_of(id), id);
    });
  }

  Result<Missing> missing(const std::string& feed, formatter::RowReader rows,
                          const StopSignal& stop) override {
    const std::string document = feed_document_id(feed, rows.end().sha256);
    CARAVEL_ASSIGN_OR_RETURN(
        auto missing, ask_for_rows(feed, std::move(rows), kAtOnce, stop, [&](const auto& ids) {
          return with_table(feed, stop, [&](Connection* connection) {
            return which_are_there(connection, feed, ids, stop);
          });
        }));
    if (session_.config().documents == Documents::rows) return missing;
    CARAVEL_ASSIGN_OR_RETURN(const auto stored, find(document));
    missing.feed_document = !stored;
    return missing;
  }

  Result<> for_each_row_of(const std::string& feed, const std::string& extract,
                           const std::function<void(const StoredDocument&)>& visit) override {
    return with_table(feed, never_, [&](Connection* connection) -> Result<> {
      if (connection == nullptr) return {};
      return connection->each(
          fmt::format("SELECT _id, _line, _sum FROM {} WHERE _extract = $1", session_.table(feed)),
          {extract},
          [&](const Reply& row) {
            visit({std::string(row.text(0, 0)),
                   extract,
                   row.number(0, 1),
                   std::string(row.text(0, 2)),
                   {}});
          },
          never_);
    });
  }

  Result<> for_each_feed_document(
      const std::string& feed, const std::function<void(const StoredDocument&)>& visit) override {
    return with_table(kPgFeedsTable, never_, [&](Connection* connection) -> Result<> {
      if (connection == nullptr) return {};
      return connection->each(
          fmt::format("SELECT * FROM {} WHERE feed = $1 ORDER BY _id",
                      session_.table(kPgFeedsTable)),
          {feed},
          [&](const Reply& row) { visit(document_at(row, 0, std::string(row.text(0, 0)), true)); },
          never_);
    });
  }

  Result<std::uint64_t> remove_rows(const std::string& feed, const std::string& extract,
                                    const std::vector<std::string>& ids) override {
    return with_table(feed, never_, [&](Connection* connection) -> Result<std::uint64_t> {
      std::uint64_t removed = 0;
      if (connection == nullptr) return removed;
      // Each statement is a transaction. A crash between two of them leaves the other rows to the
      // next --delete-stale.
      for (std::size_t at = 0; at < ids.size(); at += kAtOnce) {
        const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kAtOnce, ids.size() - at));
        // Only if the extract still has the credit: another may have replaced the row meanwhile.
        CARAVEL_ASSIGN_OR_RETURN(
            const Reply reply,
            connection->run(fmt::format("DELETE FROM {} WHERE _id = ANY ($1::text[]) AND "
                                        "_extract = $2",
                                        session_.table(feed)),
                            {array_text(std::vector<std::string>(begin, end)), extract}, never_));
        removed += reply.changed();
      }
      return removed;
    });
  }

  Result<bool> put_mapping(const Mapping& mapping, bool may_create) override {
    CARAVEL_ASSIGN_OR_RETURN(Connection* const connection, session_.connect(never_));
    return ended(session_.in_context([&]() -> Result<bool> {
      CARAVEL_ASSIGN_OR_RETURN(const bool feeds,
                               has_table(session_, *connection, kPgFeedsTable, never_));
      if (!feeds && !may_create) return fail(ErrorKind::fault, "its tables have vanished");
      CARAVEL_TRY(make_tables(session_, *connection, nullptr, never_));
      CARAVEL_TRY(make_mappings(*connection));
      CARAVEL_ASSIGN_OR_RETURN(
          const Reply reply,
          connection->run(fmt::format("INSERT INTO {} (_id, doc_type, mapping_type, effective_date,"
                                      " timestamp, content) VALUES ($1, 'Mapping', $2, $3, $4, $5)"
                                      " ON CONFLICT (_id) DO NOTHING",
                                      session_.table(kPgMappingsTable)),
                          {mapping_id(mapping), mapping.type, mapping.effective_date,
                           mapping.timestamp, mapping.csv},
                          never_));
      return reply.changed() == 1;
    }));
  }

 private:
  /// After an error nothing is known of the connection's transaction.
  template <class T>
  Result<T> ended(Result<T> result) {
    if (!result) session_.close();
    return result;
  }

  /// What `work` makes of the connection, or of null if there is no such table: only an upload
  /// makes tables, and one that is missing holds nothing.
  template <class Work>
  auto with_table(const std::string& table, const StopSignal& stop, Work work)
      -> decltype(work(nullptr)) {
    CARAVEL_ASSIGN_OR_RETURN(Connection* const connection, session_.connect(stop));
    return ended(session_.in_context([&]() -> decltype(work(nullptr)) {
      CARAVEL_ASSIGN_OR_RETURN(const bool there, has_table(session_, *connection, table, stop));
      return work(there ? connection : nullptr);
    }));
  }

  Result<std::optional<StoredDocument>> find_in(Connection* connection, const std::string& table,
                                                const std::string& id) {
    if (connection == nullptr) return std::nullopt;
    CARAVEL_ASSIGN_OR_RETURN(
        const Reply reply,
        connection->run(fmt::format("SELECT * FROM {} WHERE _id = $1", session_.table(table)), {id},
                        never_));
    if (reply.rows() == 0) return std::nullopt;
    return document_at(reply, 0, id, table == kPgFeedsTable);
  }

  /// One answer for each id.
  Result<std::vector<bool>> which_are_there(Connection* connection, const std::string& feed,
                                            const std::vector<std::string>& ids,
                                            const StopSignal& stop) {
    std::vector<bool> there(ids.size(), false);
    if (connection == nullptr) return there;
    CARAVEL_ASSIGN_OR_RETURN(
        const Reply reply,
        connection->run(fmt::format("SELECT i.n FROM unnest($1::text[]) WITH ORDINALITY i(id, n)"
                                    " JOIN {} t ON t._id = i.id",
                                    session_.table(feed)),
                        {array_text(ids)}, stop));
    for (int row = 0; row < reply.rows(); ++row) {
      const std::uint64_t place = reply.number(row, 0);
      if (place >= 1 && place <= there.size()) there[place - 1] = true;
    }
    return there;
  }

  Result<> make_mappings(Connection& connection) {
    CARAVEL_ASSIGN_OR_RETURN(const bool there,
                             has_table(session_, connection, kPgMappingsTable, never_));
    if (there || !session_.config().create) return {};
    CARAVEL_TRY(connection.run(
        fmt::format("CREATE TABLE IF NOT EXISTS {} (_id text COLLATE \"C\" PRIMARY KEY, doc_type"
                    " text, mapping_type text, effective_date date, timestamp timestamptz, content"
                    " text)",
                    session_.table(kPgMappingsTable)),
        never_));
    return {};
  }

  Session session_;
  std::optional<KnownTable> known_;
  StopSignal never_;
};

}  // namespace

std::unique_ptr<Store> make_postgresql_store(const PostgresqlConfig& config) {
  return std::make_unique<PostgresqlStore>(config);
}

}  // namespace caravel::uploader
